# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The command line that the programs list keeps for removing a program: taken apart, never run as text."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import ProtocolError


@dataclass(frozen=True)
class Command:
    """A program and its arguments."""

    program: str
    arguments: tuple[str, ...]


def parse(text: str) -> Command:
    """A command line as Windows reads it: quotes group, spaces part. ProtocolError where it names no program."""
    words: list[str] = []
    word, quoted, begun = "", False, False
    for character in text.strip():
        if character == '"':
            quoted, begun = not quoted, True
        elif character in " \t" and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + character, True
    if begun:
        words.append(word)
    if quoted or not words or not words[0].lower().endswith(".exe"):
        raise ProtocolError(f"The programs list of the host has no usable command for removing the agent: {text!r}.")
    return Command(words[0], tuple(words[1:]))

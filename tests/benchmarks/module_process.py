# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the main() of one module of the collection with options from standard input, as Ansible's wrapper does once
it has unpacked the module: a new interpreter, the options as JSON, the result as JSON on standard output."""

from __future__ import annotations

import importlib
import json
import sys

from ansible.module_utils import basic


def main() -> None:
    """Entry point; the module ends the process."""
    module = importlib.import_module(f"ansible_collections.hybrid.exchange.plugins.modules.{sys.argv[1]}")
    # What Ansible's wrapper sets; the official helper for tests does the same, but imports a mock library for it.
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.load(sys.stdin)}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    module.main()


if __name__ == "__main__":
    main()

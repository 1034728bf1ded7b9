# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Distinguished names, compared as AD does it."""

from __future__ import annotations

import re


def folded(distinguished_name: str) -> str:
    """A name for comparing, whatever its case and the blanks around its commas and equals signs."""
    return re.sub(r"(?<!\\)\s*([,=])\s*", r"\1", distinguished_name.strip()).casefold()


def below(distinguished_name: str, base: str) -> bool:
    """Whether a name is that of the base or of something below it."""
    name, top = folded(distinguished_name), folded(base)
    return name == top or name.endswith(f",{top}")

# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The version of this collection, for files that outlive a run. A module cannot ask Ansible for it."""

from __future__ import annotations

VERSION = "0.1.0"
"""The same as in galaxy.yml."""

# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that say how a run reports (module_utils/_module/arguments.py)."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  artifact_dir:
    description:
      - The directory for artifacts, which are files in the JSON Lines format, readable for their owner only.
        They hold what is too much for a task's result.
      - A directory that does not exist is created.
    type: path
    default: artifacts
  report_limit:
    description:
      - How many objects a result and a diff list at most. The artifact holds them all.
    type: int
    default: 20
  progress_file:
    description:
      - A file that the module writes its progress to. The collection's action plugins set it to show the progress while
        the task runs; there is no need to set it.
    type: path
"""

# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook again and again, each time in a fork of a process that has imported Ansible and done nothing.

Half of what a small playbook costs is the start of its program; the suite runs about eighty. A fork knows nothing of
the runs before it. Settings that Ansible reads while it is imported (ansible.cfg, collections, HOME) are those of the
player. One request is one line of JSON on standard input: ``{"arguments", "environment", "constants",
"output"}``; the answer is the exit code on a line.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from typing import Any

# What every run imports sooner or later; Ansible looks at all connections that there are, and this one takes long.
import ansible.plugins.callback.default
import ansible.plugins.connection.psrp
import ansible.plugins.strategy.linear  # noqa: F401
from ansible import constants
from ansible.cli.playbook import PlaybookCLI


def play(request: dict[str, Any]) -> None:
    """Become one run of ansible-playbook; never returns."""
    code = 250
    try:
        output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.environ |= request["environment"]
        vars(constants).update(request["constants"])
        sys.argv = ["ansible-playbook", *request["arguments"]]
        PlaybookCLI.cli_executor(sys.argv)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Serve until standard input ends."""
    gc.freeze()  # a collection in a fork would touch, and so copy, all that was imported
    for line in sys.stdin:
        child = os.fork()
        if not child:
            play(json.loads(line))
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()

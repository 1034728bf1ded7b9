# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Port 25 of an Exchange server: it greets, and takes no mail. Who looks whether a server is there sees that it is."""

from __future__ import annotations

import socket

_IDLE_SECONDS = 60.0
_LONGEST_LINE = 2048
_NOT_HERE = "550 5.7.1 The rehearsal lab takes no mail"
_ANSWERS = {
    "NOOP": "250 2.0.0 OK",
    "RSET": "250 2.0.0 Resetting",
    "MAIL": "250 2.1.0 Sender OK",
    "RCPT": _NOT_HERE,
    "DATA": "503 5.5.2 Need rcpt command",
}


def serve(connection: socket.socket, name: str) -> None:
    """Speak SMTP with a client until it has had enough."""
    connection.settimeout(_IDLE_SECONDS)
    with connection.makefile("rb") as stream:
        _say(connection, f"220 {name} Microsoft ESMTP MAIL Service ready")
        while line := stream.readline(_LONGEST_LINE):
            verb = line.decode("ascii", "replace").strip().partition(" ")[0].upper()
            if verb == "QUIT":
                _say(connection, "221 2.0.0 Service closing transmission channel")
                return
            if verb in ("EHLO", "HELO"):
                _say(connection, f"250 {name} Hello")
                continue
            _say(connection, _ANSWERS.get(verb, "500 5.3.3 Unrecognized command"))


def _say(connection: socket.socket, text: str) -> None:
    connection.sendall(f"{text}\r\n".encode())

# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a port takes connections."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import door


def test_a_port_is_open_while_somebody_listens() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert door.is_open("127.0.0.1", port)
    assert not door.is_open("127.0.0.1", port)


def test_no_answer_is_no() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _number in range(4)]
        for item in waiting:
            item.setblocking(False)
            item.connect_ex(("127.0.0.1", port))
        assert not door.is_open("127.0.0.1", port, timeout=0.1)
        for item in waiting:
            item.close()


def test_a_name_without_an_address_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_given: object, **_named: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", nobody)
    with pytest.raises(NotFound, match="has no address"):
        door.is_open("ex01.contoso.lab", 443)

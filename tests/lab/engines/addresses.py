# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""E-mail addresses in the form of proxyAddresses: ``SMTP:`` for the primary, ``smtp:`` and others for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NOT_IN_LOCAL_PART = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]")


def kind(value: str) -> str:
    """The type in front of the colon, as written; ``smtp`` where there is none."""
    prefix, colon, _rest = value.partition(":")
    return prefix if colon else "smtp"


def address(value: str) -> str:
    """What follows the type."""
    _prefix, colon, rest = value.partition(":")
    return rest if colon else value


def is_smtp(value: str) -> bool:
    """Whether the value is an SMTP address, primary or not."""
    return kind(value).lower() == "smtp"


def domain(value: str) -> str:
    """The domain of an SMTP value, lower case."""
    return address(value).rpartition("@")[2].lower()


def key(value: str) -> str:
    """``value`` in the form in which two values are the same address."""
    return f"{kind(value).lower()}:{address(value).lower()}"


def primary(values: Iterable[str]) -> str | None:
    """The primary SMTP address, or None."""
    return next((address(value) for value in values if kind(value) == "SMTP"), None)


def local_part(name: str) -> str:
    """``name`` as the local part of an address: characters that may not stand there are left out."""
    return _NOT_IN_LOCAL_PART.sub("", name).strip(".") or "mailbox"


def unique(values: Iterable[str]) -> list[str]:
    """``values`` with every address once, the first in place; a primary wins over the same address as an alias."""
    found: dict[str, str] = {}
    for value in values:
        kept = found.get(key(value))
        if kept is None or (kind(value) == "SMTP" and kind(kept) != "SMTP"):
            found[key(value)] = value
    return list(found.values())


def in_cloud(
    directory_values: Iterable[str], alias: str, mail: str | None, initial_domain: str, verified_domains: Iterable[str]
) -> list[str]:
    """EmailAddresses of a synchronized recipient.

    SMTP addresses of domains that the tenant has not verified are left out; a recipient without a primary gets its
    ``mail``, or its address in the initial domain; the service adds its own addresses in the initial domain and in
    the mail routing domain (``<name>.mail.onmicrosoft.com``).
    """
    verified = {name.lower() for name in verified_domains}
    values = unique(value for value in directory_values if not is_smtp(value) or domain(value) in verified)
    own = [initial_domain, *(name for name in sorted(verified) if name.endswith(".mail.onmicrosoft.com"))]
    if primary(values) is None:
        chosen = mail if mail and domain(mail) in verified else f"{local_part(alias)}@{initial_domain}"
        values = unique([f"SMTP:{chosen}", *values])
    return unique([*values, *(f"smtp:{local_part(alias)}@{name}" for name in own)])


def merged(cloud: Iterable[str], directory_values: Iterable[str]) -> list[str]:
    """The cloud's addresses and those that only the directory has; only the cloud's primary stays a primary."""
    mine = list(cloud)
    known = {key(value) for value in mine}
    rest = [value for value in directory_values if key(value) not in known]
    if primary(mine) is not None:
        rest = [f"smtp:{address(value)}" if kind(value) == "SMTP" else value for value in rest]
    return [*mine, *rest]


def without_new_service_addresses(cloud: Iterable[str], directory_values: Iterable[str]) -> list[str]:
    """``cloud`` less the ``onmicrosoft.com`` aliases that the directory does not have; a primary always stays."""
    known = {key(value) for value in directory_values}
    return [
        value
        for value in cloud
        if kind(value) == "SMTP"
        or not is_smtp(value)
        or not domain(value).endswith(".onmicrosoft.com")
        or key(value) in known
    ]

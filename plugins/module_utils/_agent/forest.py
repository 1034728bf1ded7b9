# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""What Active Directory says that the agent needs: schema, root keys for managed service accounts, the account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ansible_collections.hybrid.exchange.plugins.module_utils._agent import product
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.host_facts import UNREADABLE
from ansible_collections.hybrid.exchange.plugins.module_utils._agent.ports import Entry, Forest, Host
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, NotFound
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._run import windows_host as registry
from ansible_collections.hybrid.exchange.plugins.module_utils._run.moments import moment

ROOT_KEYS = "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
Value = TypeVar("Value")


@dataclass(frozen=True)
class ForestFacts:
    """None means not known; ``unknown`` then has the reason.

    ``exchange_version`` is rangeUpper of the Exchange schema's version, 0 where the forest has no Exchange schema;
    ``exchange_changed`` when it was last extended. ``root_keys`` are the times from which root keys are good.
    ``account`` is whether the given service account exists, ``account_usable`` whether the host may use it.
    """

    schema_attribute: bool | None = None
    exchange_version: int | None = None
    exchange_changed: datetime | None = None
    root_keys: tuple[datetime, ...] | None = None
    account: bool | None = None
    account_usable: bool | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExchangeSchema:
    """The version of the Exchange schema, and when it was last changed."""

    version: int
    changed: datetime | None


def read(forest: Forest | None, host: Host, account: str | None) -> ForestFacts:
    """What is known. Root keys and the account are asked over LDAP and on the host, as rights differ.

    account: the given service account with its dollar sign, None where the agent makes its own.
    """
    unknown: dict[str, str] = {}

    def part(name: str, reader: Callable[[], Value]) -> Value | None:
        try:
            return reader()
        except HybridError as error:
            if forest is not None and not isinstance(error, UNREADABLE):
                raise
            unknown[name] = error.message
            return None

    exchange: ExchangeSchema | None = None
    attribute: bool | None = None
    if forest is None:
        reason = "The directory was not asked: give directory_hosts, and an account that may read."
        unknown |= {"schema_attribute": reason, "exchange_schema": reason}
    else:
        known = forest
        attribute = part("schema_attribute", lambda: _has_attribute(known, product.SCHEMA_ATTRIBUTE))
        exchange = part("exchange_schema", lambda: exchange_schema(known))
    keys = exists = usable = None
    if account is None:
        keys = part("root_keys", lambda: _root_keys(forest, host))
    else:
        if forest is not None:
            exists = part("account", lambda: _has_account(forest, account))
        usable = part("account_usable", lambda: _usable(host, account))
    return ForestFacts(
        schema_attribute=attribute,
        exchange_version=exchange.version if exchange else None,
        exchange_changed=exchange.changed if exchange else None,
        root_keys=keys,
        account=exists,
        account_usable=usable,
        unknown=unknown,
    )


def exchange_schema(forest: Forest) -> ExchangeSchema:
    """The Exchange schema of the forest; version 0 where there is none."""
    name = f"{product.EXCHANGE_VERSION_OBJECT},{forest.schema_dn}"
    try:
        entry = forest.read(name, ("rangeUpper", "whenChanged"))
    except NotFound:
        entry = None
    if entry is None:
        return ExchangeSchema(0, None)
    return ExchangeSchema(registry.number(_text(entry, "rangeUpper")) or 0, moment(_text(entry, "whenChanged")))


def _has_attribute(forest: Forest, name: str) -> bool:
    found = forest.search(forest.schema_dn, f"(lDAPDisplayName={name})", ("lDAPDisplayName",), "level")
    return any(True for _entry in found)


def _has_account(forest: Forest, account: str) -> bool:
    wanted = f"(&(objectClass=msDS-GroupManagedServiceAccount)(sAMAccountName={account}))"
    return any(True for _entry in forest.search(forest.base_dn, wanted, ("sAMAccountName",)))


def _root_keys(forest: Forest | None, host: Host) -> tuple[datetime, ...]:
    """From when each root key is good. Neither way asks for the keys themselves."""
    found: list[datetime] = []
    if forest is not None:
        base = f"{ROOT_KEYS},{forest.configuration_dn}"
        try:
            entries = list(forest.search(base, "(objectClass=msKds-ProvRootKey)", ("msKds-UseStartTime",)))
        except UNREADABLE:  # only administrators of the forest may read them
            entries = []
        found += [start for entry in entries if (start := _file_time(_text(entry, "msKds-UseStartTime"))) is not None]
    if found:
        return tuple(found)
    shown = Cmdlet("Select-Object", {"Property": ["KeyId", "EffectiveTime"]})
    listed = registry.rows(host, Cmdlet("Get-KdsRootKey"), shown)
    return tuple(start for row in listed if (start := moment(str(row.get("EffectiveTime") or ""))) is not None)


def _usable(host: Host, account: str) -> bool:
    return host.run(Cmdlet("Test-ADServiceAccount", {"Identity": account})) == [True]


def _text(entry: Entry, attribute: str) -> str:
    return next((value.decode("utf-8", "replace") for value in entry.values.get(attribute, ())), "")


def _file_time(text: str) -> datetime | None:
    """A Windows time: tenths of microseconds since 1601."""
    ticks = registry.number(text)
    return _EPOCH + timedelta(microseconds=ticks // 10) if ticks is not None else None

# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Mailboxes of a tenant: read for a selection, changed many at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import directory_users
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.exchange_online import ExchangeOnline
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.graph import Graph
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    Ambiguous,
    HybridError,
    InputError,
    NotFound,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._model.cmdlet import Cmdlet
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import (
    CORE_PROPERTIES,
    DirectoryUser,
    Mailbox,
    Member,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection

# Up to here each mailbox is asked for by name; beyond, one read of all mailboxes costs less.
FEW = 400
NAMED = 5
# By these a mailbox may be named; the properties are read along where names have to be matched here.
NAME_PROPERTIES = ("EmailAddresses", "Alias", "Guid", "Name", "DistinguishedName")
# What a read of many mailboxes needs to tell them apart, to name them, and to know whose they are.
BULK_PROPERTIES = (
    "ExternalDirectoryObjectId",
    "UserPrincipalName",
    "RecipientTypeDetails",
    "IsDirSynced",
    "IsExchangeCloudManaged",
)
# How a filter states a time in UTC. Exchange documents only its region's own format; this one has the same meaning in
# every region.
FILTER_TIME = "%Y-%m-%dT%H:%M:%SZ"
# Exchange's own mailboxes: nobody's, and some of them have no user behind them.
SYSTEM_TYPES = frozenset(
    {"DiscoveryMailbox", "ArbitrationMailbox", "AuditLogMailbox", "AuxAuditLogMailbox", "MonitoringMailbox"}
)


class HasId(Protocol):
    """Something that stands for a mailbox."""

    @property
    def id(self) -> str:
        """The object id of its Entra user."""


Named = TypeVar("Named", bound=HasId)


class Mailboxes:
    """The mailboxes of one tenant."""

    def __init__(self, exchange: ExchangeOnline, graph: Graph) -> None:
        self._exchange = exchange
        self._graph = graph
        self._left_out: tuple[Member, ...] = ()

    @property
    def left_out(self) -> tuple[Member, ...]:
        """The users that the last read selected by group or organizational unit and that have no mailbox in Exchange
        Online. Complete once that read has come to its end."""
        return self._left_out

    def read(self, selection: Selection, properties: Iterable[str] = ()) -> Iterator[Mailbox]:
        """The selected mailboxes, each once.

        InputError names the first identities that have no mailbox or fit several, and says if nothing is selected
        without allow_empty. Members of a group and users of an organizational unit without a mailbox come afterwards,
        as left_out.
        """
        seen: set[str] = set()
        for mailbox in map(Mailbox.from_exchange, self._rows(selection, (*CORE_PROPERTIES, *properties))):
            if mailbox.id not in seen:
                seen.add(mailbox.id)
                yield mailbox

    def rows(self, selection: Selection, properties: Iterable[str]) -> Iterator[dict[str, Any]]:
        """What ``read`` gives, as Exchange Online's own rows with these properties and those of BULK_PROPERTIES.

        For whole tenants: it asks for less, and keeps nothing. A mailbox that is named twice, or that the service
        sends twice, comes twice.
        """
        return self._rows(selection, (*BULK_PROPERTIES, *properties))

    def by_ids(
        self, ids: Iterable[str], properties: Iterable[str], exclude: frozenset[str] = frozenset()
    ) -> Iterator[dict[str, Any]]:
        """The rows of the mailboxes with these object ids, each asked for by itself; those that are gone are left
        out."""
        for _name, outcome in self._ask(ids, _selected_properties((*BULK_PROPERTIES, *properties), exclude)):
            if isinstance(outcome, NotFound):
                continue
            if isinstance(outcome, HybridError):
                raise outcome
            yield from (
                row
                for row in outcome
                if row.get("RecipientTypeDetails") not in SYSTEM_TYPES and not _is_excluded(row, exclude)
            )

    def changed_since(
        self, moment: datetime, properties: Iterable[str], exclude: frozenset[str] = frozenset()
    ) -> Iterator[dict[str, Any]]:
        """The rows of the mailboxes that Exchange Online says were changed after a moment, of the whole tenant."""
        condition = f"WhenChangedUTC -gt '{moment.astimezone(UTC).strftime(FILTER_TIME)}'"
        select = _selected_properties((*BULK_PROPERTIES, *properties), exclude)
        return (row for row in self._many({"Filter": condition}, select) if not _is_excluded(row, exclude))

    def _rows(self, selection: Selection, properties: Iterable[str]) -> Iterator[dict[str, Any]]:
        self._left_out = ()
        select = _selected_properties(properties, selection.exclude)
        empty = True
        for row in self._selected(selection, select):
            if not _is_excluded(row, selection.exclude):
                empty = False
                yield row
        self._left_out = tuple(member for member in self.left_out if not member.names() & selection.exclude)
        if empty and not self.left_out and not selection.allow_empty:
            raise InputError(
                f"No mailbox is selected by {selection.describe()}. If that is meant, set allow_empty.", selected=0
            )

    def member_ids(self, group: str) -> frozenset[str]:
        """The object ids of the users in a group, and in the groups in it; NotFound, or Ambiguous, for its name."""
        return frozenset(directory_users.members(self._graph, group))

    def users(self, ids: Iterable[str] | None = None) -> Mapping[str, DirectoryUser]:
        """The directory users behind mailboxes, by id; None means all users of the tenant."""
        return directory_users.users(self._graph, ids)

    def anchors(self, ids: Iterable[str] | None = None) -> Iterator[DirectoryUser]:
        """The synchronized users that have a source anchor, one after the other, of these object ids or of all."""
        return directory_users.anchored(self._graph, ids)

    def by_anchors(self, anchors: Iterable[bytes]) -> Iterator[DirectoryUser]:
        """The users with these source anchors."""
        return directory_users.by_anchors(self._graph, anchors)

    def service_time(self) -> datetime | None:
        """Exchange Online's own clock when it last answered, to the second."""
        return self._exchange.service_time()

    def sign_in(self) -> None:
        """Sign in to both services, so that copies of this object in other processes need not: when the sign-in is
        throttled, nobody else may ask before its time."""
        self._exchange.sign_in()
        self._graph.sign_in()

    def usage(self) -> Mapping[str, Any]:
        """What was spent at the services so far."""
        return self._graph.usage()

    def add_usage(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Add what a copy of this object in another process spent between two readings of its ``usage``."""
        self._graph.add_usage(before, after)

    def set(self, changes: Iterable[tuple[Named, Mapping[str, Any]]]) -> Iterator[tuple[Named, HybridError | None]]:
        """Change mailboxes; they come back in the order given, with what the service said against it, or None.

        Several changes are under way at once. An error does not prove that nothing was changed: read back.
        """
        sent: deque[Named] = deque()

        def cmdlets() -> Iterator[Cmdlet]:
            for mailbox, parameters in changes:
                sent.append(mailbox)
                yield Cmdlet("Set-Mailbox", {"Identity": mailbox.id, **parameters})

        for _cmdlet, outcome in self._exchange.batch(cmdlets()):
            yield sent.popleft(), outcome if isinstance(outcome, HybridError) else None

    def count(self) -> int:
        """How many mailboxes of the tenant are cloud-managed: what the service limits."""
        everything = Selection("all", None, frozenset(), True)
        return sum(mailbox.cloud_managed for mailbox in self.read(everything))

    def _selected(self, selection: Selection, select: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        if selection.kind == "identities":
            yield from self._by_names(selection.value, select)
        elif selection.kind == "group":
            yield from self._of_members(directory_users.members(self._graph, selection.value), select)
        elif selection.kind == "organizational_unit":
            yield from self._of_members(directory_users.members_below(self._graph, selection.value), select)
        elif selection.kind == "filter":
            yield from self._many({"Filter": selection.value}, select)
        elif selection.kind == "all":
            yield from self._many({}, select)
        else:
            raise InputError(f"Selecting mailboxes by {selection.kind} is not possible.")

    def _many(self, parameters: Mapping[str, Any], select: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        for row in self._exchange.invoke(Cmdlet("Get-Mailbox", {"ResultSize": "Unlimited", **parameters}, select)):
            if row.get("RecipientTypeDetails") not in SYSTEM_TYPES:
                yield row

    def _of_members(self, members: Mapping[str, Member], select: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        found: set[str] = set()
        for row in self._by_ids(sorted(members), select):
            key = str(row.get("ExternalDirectoryObjectId")).lower()
            if key in members and key not in found:
                found.add(key)
                yield row
        self._left_out = tuple(member for key, member in sorted(members.items()) if key not in found)

    def _by_ids(self, ids: Sequence[str], select: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        """The mailboxes with these ids, and others among them where there are many ids."""
        if len(ids) > FEW:
            yield from self._many({}, select)
            return
        for _name, outcome in self._ask(ids, select):
            if isinstance(outcome, HybridError):
                if not isinstance(outcome, NotFound):
                    raise outcome
            else:
                yield from outcome

    def _by_names(self, identities: tuple[str, ...], select: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        found, missing, ambiguous = (
            self._asked(identities, select) if len(identities) <= FEW else self._matched(identities, select)
        )
        if missing or ambiguous:
            raise self._not_selected(len(identities), missing, ambiguous)
        yield from found

    def _asked(
        self, identities: tuple[str, ...], select: tuple[str, ...]
    ) -> tuple[list[dict[str, Any]], list[str], list[str]]:
        found: list[dict[str, Any]] = []
        missing: list[str] = []
        ambiguous: list[str] = []
        for name, outcome in self._ask(identities, select):
            if isinstance(outcome, NotFound) or outcome == []:
                missing.append(name)
            elif isinstance(outcome, Ambiguous) or (isinstance(outcome, list) and len(outcome) > 1):
                ambiguous.append(name)
            elif isinstance(outcome, HybridError):
                raise outcome
            else:
                found.extend(outcome)
        return found, missing, ambiguous

    def _matched(
        self, identities: tuple[str, ...], select: tuple[str, ...]
    ) -> tuple[list[dict[str, Any]], list[str], list[str]]:
        """Read all mailboxes and find the named ones among them."""
        wanted: dict[str, list[dict[str, Any]]] = {identity.casefold(): [] for identity in identities}
        for row in self._many({}, tuple(dict.fromkeys((*select, *NAME_PROPERTIES)))):
            for name in names(Mailbox.from_exchange(row)):
                if name in wanted:
                    wanted[name].append(row)
        missing = [identity for identity in identities if not wanted[identity.casefold()]]
        ambiguous = [identity for identity in identities if len(wanted[identity.casefold()]) > 1]
        found = [hits[0] for hits in wanted.values() if len(hits) == 1]
        return found, missing, ambiguous

    def _ask(
        self, identities: Iterable[str], select: tuple[str, ...], cmdlet: str = "Get-Mailbox"
    ) -> Iterator[tuple[str, list[dict[str, Any]] | HybridError]]:
        cmdlets = (Cmdlet(cmdlet, {"Identity": identity}, select) for identity in identities)
        for sent, outcome in self._exchange.batch(cmdlets):
            yield str(sent.parameters["Identity"]), outcome

    def _not_selected(self, total: int, missing: list[str], ambiguous: list[str]) -> InputError:
        """The error for identities that name no mailbox or several, with what Exchange knows of the first ones."""
        parts = []
        if missing:
            known = dict(self._what_is(missing[:NAMED]))
            named = ", ".join(f"{name} ({known[name]})" if name in known else name for name in missing[:NAMED])
            more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
            parts.append(f"{len(missing)} of {total} identities have no mailbox in Exchange Online: {named}{more}.")
        if ambiguous:
            more = f" and {len(ambiguous) - NAMED} more" if len(ambiguous) > NAMED else ""
            parts.append(f"{len(ambiguous)} fit more than one mailbox: {', '.join(ambiguous[:NAMED])}{more}.")
        return InputError(
            " ".join([*parts, "Nothing was changed. Correct the list, or name mailboxes by address or object id."]),
            not_found=missing,
            ambiguous=ambiguous,
        )

    def _what_is(self, identities: list[str]) -> Iterator[tuple[str, str]]:
        """What kind of recipient an identity without a mailbox is, where it is one."""
        for name, outcome in self._ask(identities, ("RecipientTypeDetails",), "Get-Recipient"):
            if not isinstance(outcome, HybridError) and len(outcome) == 1:
                kind = str(outcome[0].get("RecipientTypeDetails") or "another recipient")
                yield name, "MailUser: its mailbox is on-premises or missing" if kind == "MailUser" else kind


def _selected_properties(properties: Iterable[str], exclude: frozenset[str]) -> tuple[str, ...]:
    """The properties to ask for, those included that tell who is excluded."""
    return tuple(dict.fromkeys((*properties, *(NAME_PROPERTIES if exclude else ()))))


def _is_excluded(row: dict[str, Any], exclude: frozenset[str]) -> bool:
    return bool(exclude and exclude & names(Mailbox.from_exchange(row)))


def names(mailbox: Mailbox) -> set[str]:
    """Every name that a mailbox may be called by, without regard to case."""
    properties = mailbox.properties
    addresses = properties.get("EmailAddresses") or ()
    texts = [
        mailbox.id,
        mailbox.user_principal_name,
        mailbox.primary_smtp_address,
        *(str(properties.get(name) or "") for name in NAME_PROPERTIES if name != "EmailAddresses"),
        *(address.partition(":")[2] for address in addresses if str(address).lower().startswith("smtp:")),
    ]
    return {text.casefold() for text in texts if text}

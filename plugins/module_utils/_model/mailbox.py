# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""A mailbox of Exchange Online, and the directory user behind it, as the use cases see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._errors import ProtocolError
from ansible_collections.hybrid.exchange.plugins.module_utils._model import recipient_types, source_anchor, values
from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import Attribute, Values

CORE_PROPERTIES: tuple[str, ...] = (
    "ExternalDirectoryObjectId",
    "UserPrincipalName",
    "DisplayName",
    "PrimarySmtpAddress",
    "RecipientType",
    "RecipientTypeDetails",
    "IsDirSynced",
    "IsExchangeCloudManaged",
    "WhenChangedUTC",
)
"""The Exchange properties that every read of mailboxes asks for."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox; ``id`` is the object id of its Entra user, ``properties`` are Exchange's own, unchanged."""

    id: str
    user_principal_name: str
    display_name: str
    primary_smtp_address: str
    recipient_type: str
    recipient_type_details: str
    dir_synced: bool
    cloud_managed: bool
    when_changed: str
    properties: Mapping[str, Any] = field(repr=False, default_factory=dict)

    def values(self, attribute: Attribute, style: str = "remote") -> Values:
        """The canonical value of an attribute.

        The two type attributes are AD's numbers in the style given (see recipient_types); InputError for a mailbox
        of a type that has no counterpart in AD.
        """
        if attribute.cast in {"type_details", "display_type"}:
            numbers = recipient_types.directory_type(self.recipient_type_details, style)
            return (str(numbers[0] if attribute.cast == "type_details" else numbers[1]),)
        if attribute.exchange_property is None:
            return ()
        return values.from_exchange(attribute, self.properties.get(attribute.exchange_property))

    @classmethod
    def from_exchange(cls, row: Mapping[str, Any]) -> Mailbox:
        """A mailbox from one row of ``Get-Mailbox``; ProtocolError where it has no object id."""
        object_id = str(row.get("ExternalDirectoryObjectId") or "")
        name = str(row.get("UserPrincipalName") or row.get("PrimarySmtpAddress") or row.get("Identity") or "")
        if not object_id:
            raise ProtocolError(
                f"Exchange Online returned the mailbox {name or '(without a name)'} without ExternalDirectoryObjectId, "
                "so it cannot be told apart from others.",
                object=name,
            )
        return cls(
            id=object_id.lower(),
            user_principal_name=name,
            display_name=str(row.get("DisplayName") or ""),
            primary_smtp_address=str(row.get("PrimarySmtpAddress") or ""),
            recipient_type=str(row.get("RecipientType") or ""),
            recipient_type_details=str(row.get("RecipientTypeDetails") or ""),
            dir_synced=_flag(row.get("IsDirSynced")),
            cloud_managed=_flag(row.get("IsExchangeCloudManaged")),
            when_changed=str(row.get("WhenChangedUTC") or row.get("WhenChanged") or ""),
            properties=row,
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A user that a group or an organizational unit selects; ``id`` is the object id, whether it has a mailbox or not.

    Its names are empty where Entra does not show them.
    """

    id: str
    user_principal_name: str = ""
    mail: str = ""

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return self.user_principal_name or self.id

    def names(self) -> frozenset[str]:
        """What it may be called by, without regard to case."""
        return frozenset(text.casefold() for text in (self.id, self.user_principal_name, self.mail) if text)

    @classmethod
    def from_graph(cls, row: Mapping[str, Any]) -> Member:
        """A member from Graph."""
        return cls(str(row["id"]).lower(), str(row.get("userPrincipalName") or ""), str(row.get("mail") or ""))


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """The Entra user behind a mailbox: what joins it to AD."""

    id: str
    source_anchor: bytes | None
    distinguished_name: str
    domain: str
    sync_enabled: bool

    @classmethod
    def from_graph(cls, row: Mapping[str, Any], *, anchor_length: int | None = None) -> DirectoryUser:
        """A user from Graph; the anchor keeps any length unless ``anchor_length`` demands one.

        The anchor of a user that is not synchronized is left out: federated cloud users may carry any text there.
        """
        anchor = row.get("onPremisesImmutableId")
        synced = row.get("onPremisesSyncEnabled") is True
        return cls(
            id=str(row["id"]).lower(),
            source_anchor=source_anchor.from_base64(anchor, length=anchor_length) if anchor and synced else None,
            distinguished_name=str(row.get("onPremisesDistinguishedName") or ""),
            domain=str(row.get("onPremisesDomainName") or ""),
            sync_enabled=synced,
        )


def _flag(value: Any) -> bool:
    return value is True or str(value).casefold() == "true"

# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Why the directory refused a change: what the answer leaves open, the directory itself is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils import _errors as errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises import ldap_errors
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.messages import Change, Result
from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.session import Session

# rangeUpper of this schema object is the version of the Exchange schema; setup writes it (Microsoft's "Exchange
# Active Directory versions" lists the numbers).
_EXCHANGE_VERSION = "ms-Exch-Schema-Version-Pt"
# Names that come with the Exchange schema. proxyAddresses and mail are in every forest.
_OF_EXCHANGE = ("msexch", "extensionattribute", "mailnickname", "targetaddress", "altrecipient", "authorig")


class Refusals:
    """Explains refusals; what it learns of the schema it keeps."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known_attributes: dict[str, bool] = {}
        self._exchange_version: str | None = None

    def explain(self, dn: str, changes: Sequence[Change], result: Result) -> errors.HybridError:
        """The error of a refused change, with what to do."""
        error = ldap_errors.result_error("change", dn, result, host=str(self._session.host))
        try:
            if error.facts["code"] in {ldap_errors.ACCESS_DENIED, ldap_errors.UNWILLING, ldap_errors.OBJECT_SOA}:
                return self._of_object(dn, error)
            if error.facts["code"] == ldap_errors.SCHEMA_MISSING:
                return self._of_schema(changes, error)
        except errors.HybridError:
            # The answer itself is known: that the directory cannot be asked more must not hide it.
            return error
        return error

    def _of_object(self, dn: str, error: errors.HybridError) -> errors.HybridError:
        """Access denied, or unwilling: whether the object is protected, or the cloud is its source of authority."""
        entry = self._session.read(dn, ("adminCount", ldap_errors.OBJECT_SOA_ATTRIBUTE))
        values = entry.values if entry else {}
        in_cloud = _text(values.get(ldap_errors.OBJECT_SOA_ATTRIBUTE)).casefold() == "cloud"
        if in_cloud or error.facts["code"] == ldap_errors.OBJECT_SOA:
            facts = {**error.facts, "code": ldap_errors.OBJECT_SOA}
            return errors.PermissionDenied(f"{error.message} {ldap_errors.ENFORCED_SOA}", **facts)
        if error.facts["code"] == ldap_errors.UNWILLING:
            return error
        if values.get("adminCount") == (b"1",):
            facts = {**error.facts, "code": ldap_errors.PROTECTED_OBJECT, "admin_count": 1}
            return errors.PermissionDenied(f"{error.message} {ldap_errors.ADMIN_SD_HOLDER}", **facts)
        return errors.PermissionDenied(f"{error.message} {ldap_errors.NO_ADMIN_COUNT}", **error.facts)

    def _of_schema(self, changes: Sequence[Change], error: errors.HybridError) -> errors.HybridError:
        """Which of the attributes the schema lacks, and what brings them."""
        names = list(dict.fromkeys(change.attribute for change in changes))
        missing = self._missing(names)
        if not missing:
            return error
        facts: dict[str, Any] = {**error.facts, "attributes": missing}
        text = f"{error.message} The schema of the forest lacks {', '.join(missing)}."
        if any(name.lower().startswith(_OF_EXCHANGE) for name in missing):
            version = self._version_of_exchange()
            facts["exchange_schema_version"] = version or None
            state = (
                f"The forest has version {version} of the Exchange schema ({_EXCHANGE_VERSION}), which does not "
                "know this attribute"
                if version
                else "The forest's schema was never extended for Exchange"
            )
            text += f" {state}: run Setup /PrepareSchema of a current Exchange Server."
        else:
            text += (
                " Check the name; where it is an attribute of a newer Windows Server, run adprep /forestprep of that "
                "version."
            )
        return type(error)(text, **facts)

    def _missing(self, names: Sequence[str]) -> list[str]:
        unknown = [name for name in names if name not in self._known_attributes]
        if unknown:
            terms = "".join(f"(lDAPDisplayName={name})" for name in unknown)
            rows = self._session.search(
                self._schema(), f"(&(objectClass=attributeSchema)(|{terms}))", ("lDAPDisplayName",), scope="level"
            )
            found = {_text(row.values.get("lDAPDisplayName")).lower() for row in rows}
            self._known_attributes.update({name: name.lower() in found for name in unknown})
        return [name for name in names if not self._known_attributes[name]]

    def _version_of_exchange(self) -> str:
        """The version of the Exchange schema, empty where the schema was not extended."""
        if self._exchange_version is None:
            entry = self._session.read(f"CN={_EXCHANGE_VERSION},{self._schema()}", ("rangeUpper",))
            self._exchange_version = _text(entry.values.get("rangeUpper")) if entry else ""
        return self._exchange_version

    def _schema(self) -> str:
        return self._session.root("schemaNamingContext")[0]


def _text(values: tuple[bytes, ...] | None) -> str:
    return values[0].decode("utf-8", "replace") if values else ""

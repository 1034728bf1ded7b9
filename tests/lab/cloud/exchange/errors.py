# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals of Exchange Online, in its words and with its exception types."""

from __future__ import annotations

from tests.lab.cloud.shapes import exchange_error
from tests.lab.cloud.wire import Refused

_BINDING = "System.Management.Automation.ParameterBindingException"
_TASKS = "Microsoft.Exchange.Configuration.Tasks"
_MANAGEMENT = "Microsoft.Exchange.Management.Tasks"
_DATA = "Microsoft.Exchange.Data"
_MIGRATION = "Microsoft.Exchange.Migration"


def _refused(status: int, exception: str, text: str, error_id: str = "") -> Refused:
    code = {404: "NotFound", 403: "Forbidden", 501: "NotImplemented"}.get(status, "BadRequest")
    return Refused(exchange_error(status, code, text, exception, error_id))


def malformed(text: str) -> Refused:
    """The envelope around the cmdlet is wrong."""
    return Refused(exchange_error(400, "BadRequest", text))


def no_such_cmdlet(name: str) -> Refused:
    """The cmdlet does not exist, is not one of the cloud, or not in the caller's roles; the answer is the same."""
    text = f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program."
    return _refused(404, "System.Management.Automation.CommandNotFoundException", text)


def lab_limit(text: str) -> Refused:
    """What Exchange Online does and this lab does not."""
    return _refused(
        501, "System.NotImplementedException", f"This is a limit of the lab, not of Exchange Online: {text}"
    )


def no_such_parameter(name: str) -> Refused:
    """A parameter that the cmdlet does not have in the cloud."""
    return _refused(400, _BINDING, f"A parameter cannot be found that matches parameter name '{name}'.")


def missing_parameters(names: list[str]) -> Refused:
    """Required parameters that were not given."""
    text = f"Cannot process command because of one or more missing mandatory parameters: {' '.join(names)}."
    return _refused(400, _BINDING, text)


def bad_value(name: str, wanted: str, value: object) -> Refused:
    """A value of the wrong type."""
    text = (
        f"Cannot process argument transformation on parameter '{name}'. Cannot convert value \"{value}\" to type "
        f'"{wanted}".'
    )
    return _refused(400, _BINDING, text)


def parameter_sets() -> Refused:
    """Parameters that do not go together."""
    return _refused(400, _BINDING, "Parameter set cannot be resolved using the specified named parameters.")


def not_found(identity: str, server: str) -> Refused:
    """No object has this identity."""
    text = f"The operation couldn't be performed because object '{identity}' couldn't be found on '{server}'."
    return _refused(404, f"{_TASKS}.ManagementObjectNotFoundException", text, "Ex6F9304")


def ambiguous(identity: str) -> Refused:
    """Several objects have this identity."""
    text = f"The operation couldn't be performed because '{identity}' matches multiple entries."
    return _refused(400, f"{_TASKS}.ManagementObjectAmbiguousException", text, "Ex9BD2A1")


def out_of_write_scope(identity: str, parameter: str) -> Refused:
    """An edit of what the on-premises organization masters."""
    text = (
        f"The operation on mailbox \"{identity}\" failed because it's out of the current user's write scope. The "
        f"action 'Set-Mailbox', '{parameter}', can't be performed on the object '{identity}' because the object is "
        "being synchronized from your on-premises organization. This action should be performed on the object in your "
        "on-premises organization."
    )
    return _refused(400, f"{_TASKS}.TaskInvalidOperationException", text, "ExB10E96")


def invalid_operation(text: str) -> Refused:
    """Something the state of the object does not allow."""
    return _refused(400, f"{_TASKS}.TaskInvalidOperationException", text, "ExA1C5D0")


def already_exists(name: str, server: str) -> Refused:
    """A new object under a name that another one has."""
    text = f"Active Directory operation failed on {server}. The object '{name}' already exists."
    return _refused(400, f"{_DATA}.Directory.ADObjectAlreadyExistsException", text, "Ex94B5F1")


def endpoint_in_use(name: str, batches: list[str]) -> Refused:
    """A migration endpoint that batches use. Exception and words are assumed."""
    text = (
        f"The migration endpoint '{name}' can't be removed because it's associated with the following batches: "
        f"{', '.join(batches)}. Remove the batches first."
    )
    return _refused(400, f"{_MIGRATION}.CannotRemoveEndpointWithAssociatedBatchesException", text, "Ex5C3E77")


def batch_state(name: str, status: str, deed: str) -> Refused:
    """A migration batch whose state does not allow it. Exception and words are assumed."""
    text = f"The migration batch '{name}' can't be {deed} because its status is '{status}'."
    return _refused(400, f"{_MIGRATION}.MigrationPermanentException", text, "Ex7A1B20")


def migration_connection(host: str) -> Refused:
    """The service cannot reach the servers that a new endpoint is for. Exception and words are assumed."""
    text = f"The connection to the server '{host}' could not be completed."
    return _refused(400, f"{_MIGRATION}.MigrationServerConnectionFailedException", text, "Ex0D6A4E")


def data_validation(text: str) -> Refused:
    """A value that breaks a rule of its property."""
    return _refused(400, f"{_DATA}.DataValidationException", text, "Ex2E4C61")


def address_in_use(address: str, owner: str) -> Refused:
    """A proxy address that another recipient has."""
    text = (
        f'The proxy address "{address}" is already being used by the proxy addresses or LegacyExchangeDN of "{owner}". '
        "Please choose another proxy address."
    )
    return _refused(400, f"{_MANAGEMENT}.ProxyAddressExistsException", text, "Ex3F7A08")


def not_an_accepted_domain(address: str) -> Refused:
    """An SMTP address in a domain that the organization does not have."""
    text = f"You can't use the domain of \"{address}\" because it's not an accepted domain for your organization."
    return _refused(400, f"{_MANAGEMENT}.NotAcceptedDomainException", text, "Ex8D4471")


def invalid_filter(text: str) -> Refused:
    """A -Filter that cannot be read, or names a property that cannot be filtered."""
    return _refused(400, f"{_DATA}.ParsingException", text, "ExF1127C")


def role_not_supported(app_id: str) -> Refused:
    """An application without the app role or without a directory role."""
    text = (
        f"The role assigned to application {app_id} isn't supported in this scenario. Please check online "
        "documentation for assigning correct Directory Roles to Azure AD Application for EXO App-Only Authentication."
    )
    return _refused(403, "System.UnauthorizedAccessException", text)

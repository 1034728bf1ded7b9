# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of a job: mapping rules, directories, and the helper calls around them."""

from __future__ import annotations

from tests.lab.cloud import reference
from tests.lab.cloud.graph import query
from tests.lab.cloud.graph.applications import WRITEBACK_TEMPLATE, found
from tests.lab.cloud.graph.call import Call, no_content
from tests.lab.cloud.graph.csdl import Mismatch, check, shown
from tests.lab.cloud.graph.synchronization import JOB_TEMPLATE, job
from tests.lab.cloud.wire import Reply
from tests.lab.store import Document

# Name, arity and attribute types of the operators of scope filters. Sources: the Graph page of filterOperatorSchema,
# and "Scoping users or groups to be provisioned with scoping filters", which says that ISMEMBEROF is not supported.
_OPERATORS = (
    ("EQUALS", "Binary", ("String", "Integer", "Boolean", "Reference", "DateTime")),
    ("NOT EQUALS", "Binary", ("String", "Integer", "Boolean", "Reference", "DateTime")),
    ("IS TRUE", "Unary", ("Boolean",)),
    ("IS FALSE", "Unary", ("Boolean",)),
    ("IS NULL", "Unary", ("String", "Integer", "Boolean", "Reference", "DateTime")),
    ("IS NOT NULL", "Unary", ("String", "Integer", "Boolean", "Reference", "DateTime")),
    ("REGEX MATCH", "Binary", ("String",)),
    ("NOT REGEX MATCH", "Binary", ("String",)),
    ("GREATER_THAN", "Binary", ("Integer", "DateTime")),
    ("GREATER_THAN_OR_EQUALS", "Binary", ("Integer", "DateTime")),
    ("INCLUDES", "Binary", ("String",)),
    ("ENDS_WITH", "Binary", ("String",)),
    ("&", "Binary", ("String",)),
    ("!&", "Binary", ("String",)),
    ("ISMEMBEROF", "Binary", ("Reference",)),
)


def get_schema(call: Call, principal_id: str, job_id: str) -> Reply:
    """GET .../schema, whole."""
    doc = job(call, principal_id, job_id)
    query.checked_options(call, expandable=("directories",))
    content = {
        "@odata.context": call.context(
            f"servicePrincipals('{principal_id}')/synchronization/jobs('{job_id}')/schema/$entity"
        ),
        **shown({"id": doc["id"], **(doc.get("_schema") or {})}, "synchronizationSchema", call.version),
    }
    return Reply(200, content)


def get_template_schema(call: Call, principal_id: str, template_id: str) -> Reply:
    """GET .../templates/{id}/schema: the schema of a new job, which is the service's default whatever jobs have."""
    principal = found(call, "servicePrincipal", principal_id)
    offered = principal.get("applicationTemplateId") == WRITEBACK_TEMPLATE and template_id == JOB_TEMPLATE
    if not offered or call.services.scenario.get("template_schema") == "hidden":
        raise call.not_found(template_id)
    standard = call.engine(lambda: call.services.engines.standard_schema(call.tenant_id, template_id))
    content = {
        "@odata.context": call.context(
            f"servicePrincipals('{principal_id}')/synchronization/templates('{template_id}')/schema/$entity"
        ),
        **shown(standard, "synchronizationSchema", call.version),
    }
    return Reply(200, content)


def put_schema(call: Call, principal_id: str, job_id: str) -> Reply:
    """PUT .../schema: replaces everything; what its types do not have is refused."""
    body = {name: value for name, value in call.body().items() if "@odata." not in name}
    try:
        check(body, "synchronizationSchema", call.version)
    except Mismatch as error:
        raise call.bad_request(str(error)) from error
    if not body.get("synchronizationRules") or not body.get("directories"):
        raise call.bad_request("The schema must hold its synchronizationRules and its directories, for it is replaced.")
    _store(call, principal_id, job_id, body)
    return no_content()


def delete_schema(call: Call, principal_id: str, job_id: str) -> Reply:
    """DELETE .../schema: back to the template's own, customization and scoping gone."""
    doc = job(call, principal_id, job_id)
    schema = call.engine(lambda: call.services.engines.default_schema(call.tenant_id, doc["templateId"]))
    _store(call, principal_id, job_id, schema)
    return no_content()


def _store(call: Call, principal_id: str, job_id: str, schema: Document) -> None:
    # The engines write job documents too: one at a time.
    with call.services.engine_lock, call.services.store.transaction():
        doc = job(call, principal_id, job_id)
        call.services.write(call.tenant_id, "job", doc["id"], doc, {**doc, "_schema": schema})


def filter_operators(call: Call, principal_id: str, job_id: str) -> Reply:
    """GET .../schema/filterOperators()."""
    job(call, principal_id, job_id)
    rows = [
        {"name": name, "arity": arity, "multivaluedComparisonType": "All", "supportedAttributeTypes": list(types)}
        for name, arity, types in _OPERATORS
    ]
    return Reply(
        200, {"@odata.context": call.context("Collection(microsoft.graph.filterOperatorSchema)"), "value": rows}
    )


def functions(call: Call, principal_id: str, job_id: str) -> Reply:
    """GET .../schema/functions()."""
    job(call, principal_id, job_id)
    rows = [
        {
            "name": function["name"],
            "parameters": [
                {
                    "name": parameter.get("name"),
                    "required": bool(parameter.get("required", True)),
                    "allowMultipleOccurrences": bool(parameter.get("repeat", False)),
                    "type": _attribute_type(parameter.get("type")),
                }
                for parameter in function.get("parameters") or []
                if isinstance(parameter, dict)
            ],
        }
        for function in reference.expression_functions()
    ]
    context = call.context("Collection(microsoft.graph.attributeMappingFunctionSchema)")
    return Reply(200, {"@odata.context": context, "value": rows})


def _attribute_type(words: str | None) -> str:
    """The attributeType that Graph has for a type as the reference of functions words it: text unless it says more."""
    return {
        "num": "Integer", "number": "Integer", "integer": "Integer", "date": "DateTime", "datetime": "DateTime",
    }.get((words or "").lower(), "String")  # fmt: skip


def discover(call: Call, principal_id: str, job_id: str, directory_id: str) -> Reply:
    """POST .../schema/directories/{id}/discover: the directory as the job knows it."""
    doc = job(call, principal_id, job_id)
    for directory in (doc.get("_schema") or {}).get("directories") or []:
        if directory_id in (directory.get("id"), directory.get("name")):
            context = {"@odata.context": call.context("microsoft.graph.directoryDefinition")}
            return Reply(200, {**context, **shown(directory, "directoryDefinition", call.version)})
    raise call.not_found(directory_id)

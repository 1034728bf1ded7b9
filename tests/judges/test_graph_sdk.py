# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's own Graph SDK walks a writeback job from nothing to nothing: a judge of the lab that we did not write.

The SDK builds every request and reads every answer by Microsoft's metadata, so a property, an enumeration value or
a path that the lab got wrong fails here, whatever the lab and the collection think of each other.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential
from kiota_abstractions.method import Method
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.application_templates.item.instantiate.instantiate_post_request_body import (
    InstantiatePostRequestBody,
)
from msgraph.generated.models.attribute_mapping import AttributeMapping
from msgraph.generated.models.attribute_mapping_source import AttributeMappingSource
from msgraph.generated.models.attribute_mapping_source_type import AttributeMappingSourceType
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.synchronization_job import SynchronizationJob
from msgraph.generated.models.synchronization_job_application_parameters import SynchronizationJobApplicationParameters
from msgraph.generated.models.synchronization_job_restart_criteria import SynchronizationJobRestartCriteria
from msgraph.generated.models.synchronization_job_restart_scope import SynchronizationJobRestartScope
from msgraph.generated.models.synchronization_job_subject import SynchronizationJobSubject
from msgraph.generated.models.synchronization_schedule_state import SynchronizationScheduleState
from msgraph.generated.models.synchronization_secret import SynchronizationSecret
from msgraph.generated.models.synchronization_secret_key_string_value_pair import (
    SynchronizationSecretKeyStringValuePair,
)
from msgraph.generated.models.synchronization_status_code import SynchronizationStatusCode
from msgraph.generated.service_principals.item.synchronization.jobs.item.provision_on_demand.provision_on_demand_post_request_body import (  # noqa: E501 (the SDK's own path)
    ProvisionOnDemandPostRequestBody,
)
from msgraph.generated.service_principals.item.synchronization.jobs.item.restart.restart_post_request_body import (
    RestartPostRequestBody,
)
from msgraph.generated.service_principals.item.synchronization.secrets.secrets_put_request_body import (
    SecretsPutRequestBody,
)

APPLICATION_TEMPLATE = "3b99513e-0cee-4291-aea8-84356239fb82"
JOB_TEMPLATE = "Entra2ADExchangeOnlineAttributeWriteback"


@pytest.fixture(scope="session")
def lab() -> dict[str, Any]:
    """What the lab hands over."""
    return json.loads(Path(os.environ["HYBRID_LAB_FILE"]).read_text())


def client(lab: dict[str, Any], application: str = "application", tenant: str = "fabrikam") -> GraphServiceClient:
    """The SDK's client, with the lab's hosts and certificate authority and nothing else changed."""
    settings = lab["tenants"][tenant]
    credential = ClientSecretCredential(
        settings["tenant_id"],
        settings[application]["client_id"],
        settings[application]["client_secret"],
        authority=lab["login"],
        disable_instance_discovery=True,
        connection_verify=lab["ca"],
    )
    host = lab["graph"].removeprefix("https://")
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=[f"{lab['graph']}/.default"], allowed_hosts=[host, host.split(":")[0]]
    )
    adapter = GraphRequestAdapter(provider, client=httpx.AsyncClient(verify=lab["ca"], timeout=600))
    adapter.base_url = f"{lab['graph']}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def poll(read: Callable[[], Awaitable[Any]], done: Callable[[Any], bool], seconds: float = 60) -> Any:
    """Reads until the answer satisfies, or fails with the last one."""
    ends = time.monotonic() + seconds
    while True:
        try:
            seen = await read()
        except ODataError as error:
            # A new service principal takes a while to be visible everywhere.
            if error.response_status_code != 404 or time.monotonic() > ends:
                raise
        else:
            if done(seen):
                return seen
            if time.monotonic() > ends:
                pytest.fail(f"not so within {seconds} s; last seen: {seen}")
        await asyncio.sleep(0.5)


def test_the_sdk_walks_a_job_from_nothing_to_nothing(lab: dict[str, Any]) -> None:
    asyncio.run(walk(client(lab), lab["tenants"]["fabrikam"]["domain"]))


async def walk(graph: GraphServiceClient, domain: str) -> None:
    """Create, start, read, change, restart, provision on demand, pause and remove a job."""
    made = await graph.application_templates.by_application_template_id(APPLICATION_TEMPLATE).instantiate.post(
        InstantiatePostRequestBody(display_name=f"{domain} seen by the SDK")
    )
    principal = graph.service_principals.by_service_principal_id(made.service_principal.id)
    try:
        await poll(principal.get, lambda seen: seen.app_id == made.application.app_id)
        synchronization = principal.synchronization
        created = await synchronization.jobs.post(SynchronizationJob(template_id=JOB_TEMPLATE))
        assert created.id.startswith(f"{JOB_TEMPLATE}.")
        assert created.schedule.state == SynchronizationScheduleState.Disabled
        pair = SynchronizationSecretKeyStringValuePair(
            key=SynchronizationSecret.Domain, value=json.dumps({"domain": domain})
        )
        await synchronization.secrets.put(SecretsPutRequestBody(value=[pair]))

        job = synchronization.jobs.by_synchronization_job_id(created.id)
        schema = await job.schema.get()
        mappings = schema.synchronization_rules[0].object_mappings[0].attribute_mappings
        targets = [mapping.target_attribute_name for mapping in mappings]
        assert {"proxyAddresses", "mail", "extensionAttribute1", "msExchExtensionCustomAttribute5"} <= set(targets)
        mappings.append(
            AttributeMapping(
                target_attribute_name="info",
                source=AttributeMappingSource(
                    type=AttributeMappingSourceType.Constant, name="seen by the SDK", expression='"seen by the SDK"'
                ),
            )
        )
        # Microsoft documents PUT for the whole schema; the SDK's method of that path sends PATCH.
        request = job.schema.to_patch_request_information(schema)
        request.http_method = Method.PUT
        await graph.request_adapter.send_no_response_content_async(request, {})
        changed = (await job.schema.get()).synchronization_rules[0].object_mappings[0].attribute_mappings
        assert [mapping.target_attribute_name for mapping in changed] == [*targets, "info"]

        await job.start.post()
        running = await poll(job.get, lambda seen: seen.status.last_execution is not None)
        assert running.status.code == SynchronizationStatusCode.Active
        assert running.schedule.interval.total_seconds() == 20 * 60
        assert any(
            setting.name == "DomainFQDN" and setting.value == domain for setting in running.synchronization_job_settings
        )

        user = (await graph.users.get()).value[0]
        subject = SynchronizationJobSubject(object_id=f"User_{user.id}", object_type_name="User")
        parameters = SynchronizationJobApplicationParameters(
            subjects=[subject], rule_id=schema.synchronization_rules[0].id
        )
        answer = await job.provision_on_demand.post(ProvisionOnDemandPostRequestBody(parameters=[parameters]))
        assert "provisioningSteps" in json.loads(answer.value)

        criteria = SynchronizationJobRestartCriteria(reset_scope=SynchronizationJobRestartScope.Full)
        await job.restart.post(RestartPostRequestBody(criteria=criteria))
        await job.pause.post()
        paused = await job.get()
        assert paused.schedule.state in (SynchronizationScheduleState.Paused, SynchronizationScheduleState.Disabled)
        await job.delete()
        assert not (await synchronization.jobs.get()).value
    finally:
        await principal.delete()
        await graph.applications.by_application_id(made.application.id).delete()
    with pytest.raises(ODataError) as gone:
        await principal.get()
    assert gone.value.response_status_code == 404


def test_an_application_without_the_permission_is_refused(lab: dict[str, Any]) -> None:
    async def attempt() -> None:
        template = client(lab, "limited_application").application_templates
        await template.by_application_template_id(APPLICATION_TEMPLATE).instantiate.post(
            InstantiatePostRequestBody(display_name="refused")
        )

    with pytest.raises(ODataError) as refused:
        asyncio.run(attempt())
    assert refused.value.response_status_code == 403
    assert refused.value.error.code == "Authorization_RequestDenied"


def test_a_certificate_logs_in(lab: dict[str, Any]) -> None:
    settings = lab["tenants"]["contoso"]
    credential = CertificateCredential(
        settings["tenant_id"],
        settings["application"]["client_id"],
        certificate_path=settings["application"]["certificate"],
        authority=lab["login"],
        disable_instance_discovery=True,
        connection_verify=lab["ca"],
    )
    assert credential.get_token(f"{lab['graph']}/.default").token


def test_an_expired_secret_is_refused_in_the_words_of_the_service(lab: dict[str, Any]) -> None:
    settings = lab["tenants"]["contoso"]
    credential = ClientSecretCredential(
        settings["tenant_id"],
        settings["expired_application"]["client_id"],
        settings["expired_application"]["client_secret"],
        authority=lab["login"],
        disable_instance_discovery=True,
        connection_verify=lab["ca"],
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000222"):
        credential.get_token(f"{lab['graph']}/.default")

# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate inventory: good estates become hosts in ring order; a bad one becomes none, with all its problems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible_collections.hybrid.exchange.plugins.inventory.estate import DOCUMENTATION, InventoryModule

SOURCE = "plugin: hybrid.exchange.estate\nrings: [canary, broad]\n"
TENANT = """\
name: {name}
ring: {ring}
tenant:
  tenant_id: {id}
  client_id: application
  client_secret: "{{{{ lookup('ansible.builtin.env', 'A_SECRET') }}}}"
  ca_path: ../ca.pem
directory:
  directory_hosts: [dc1.{name}.example]
job:
  domain: {name}.example
waves:
  - name: pilot
    identities_file: ../waves/pilot.csv
    soak_minutes: 0.5
  - name: rest
    filter: "IsDirSynced -eq 'True'"
    exclude: [someone@{name}.example]
"""


def tenant(name: str, ring: str, number: int = 1) -> str:
    return TENANT.format(name=name, ring=ring, id=f"00000000-0000-0000-0000-{number:012}")


def write(directory: Path, files: dict[str, str], source: str = SOURCE) -> str:
    (directory / "tenants").mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / "tenants" / name).write_text(text, encoding="utf-8")
    (directory / "estate.yml").write_text(source, encoding="utf-8")
    return str(directory / "estate.yml")


def new_plugin() -> InventoryModule:
    """Makes the plugin as Ansible's loader does, which wants an installed collection."""
    plugin = InventoryModule()
    plugin._load_name = InventoryModule.NAME
    options = yaml.safe_load(DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("inventory", InventoryModule.NAME, options)
    return plugin


def load(source: str) -> InventoryData:
    inventory = InventoryData()
    plugin = new_plugin()
    assert plugin.verify_file(source)
    plugin.parse(inventory, DataLoader(), source, cache=False)
    return inventory


def refused(source: str) -> str:
    inventory = InventoryData()
    plugin = new_plugin()
    with pytest.raises(AnsibleParserError) as caught:
        plugin.parse(inventory, DataLoader(), source, cache=False)
    assert not inventory.hosts, "no host may be left of an estate that was refused"
    return str(caught.value)


def variables(inventory: InventoryData, host: str) -> dict[str, Any]:
    return inventory.hosts[host].get_vars()


def test_tenants_become_hosts_in_the_order_of_the_rings(tmp_path: Path) -> None:
    files = {
        "a.yml": tenant("adatum", "broad", 1),
        "b.yaml": tenant("contoso", "canary", 2),
        "c.yml": tenant("bellows", "broad", 3),
        ".hidden.yml": "- nothing",
        "notes.txt": "nothing",
    }
    inventory = load(write(tmp_path, files))
    assert [host.name for host in inventory.groups["tenants"].get_hosts()] == ["contoso", "adatum", "bellows"]
    assert [host.name for host in inventory.groups["ring_canary"].get_hosts()] == ["contoso"]
    assert [host.name for host in inventory.groups["ring_broad"].get_hosts()] == ["adatum", "bellows"]


def test_tokens_are_kept_where_the_run_keeps_what_it_removes_unless_a_file_is_given(tmp_path: Path) -> None:
    own = tenant("adatum", "canary").replace("tenant:\n", "tenant:\n  token_cache: own.json\n")
    inventory = load(write(tmp_path, {"a.yml": own, "b.yml": tenant("contoso", "canary", 2)}))
    assert variables(inventory, "adatum")["hybrid_tenant"]["token_cache"] == str(tmp_path / "tenants" / "own.json")
    kept = variables(inventory, "contoso")["hybrid_tenant"]["token_cache"]
    assert kept == f"{constants.DEFAULT_LOCAL_TMP}/hybrid.exchange.tokens.json"


def test_a_tenant_file_becomes_variables(tmp_path: Path) -> None:
    text = tenant("contoso", "canary") + "mappings: [{target: mail, source: Mail}]\nvars: {verify_soak: 3}\n"
    text = text.replace("job:\n", "job:\n  job_template_id: Other\n")
    text += "comparison: {type_values: local}\n"
    found = variables(load(write(tmp_path, {"a.yml": text})), "contoso")
    assert found["ansible_connection"] == "local"
    assert found["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"
    assert found["hybrid_ring"] == "canary"
    assert found["hybrid_tenant"]["ca_path"] == str(tmp_path / "ca.pem")
    assert found["hybrid_directory"] == {"directory_hosts": ["dc1.contoso.example"]}
    assert found["hybrid_job"] == {"domain": "contoso.example"}
    assert found["hybrid_job_templates"] == {"job_template_id": "Other"}
    assert found["hybrid_comparison"] == {"type_values": "local"}
    assert found["hybrid_mappings"] == [{"target": "mail", "source": "Mail"}]
    assert "hybrid_rules_file" not in found
    assert found["verify_soak"] == 3
    assert found["hybrid_waves"] == [
        {
            "name": "pilot",
            "soak_minutes": 0.5,
            "selection": {"identities_file": str(tmp_path / "waves" / "pilot.csv")},
        },
        {
            "name": "rest",
            "soak_minutes": 0,
            "selection": {"filter": "IsDirSynced -eq 'True'", "exclude": ["someone@contoso.example"]},
        },
    ]


def test_a_rules_file_counts_from_the_tenant_file_and_a_template_is_left_alone(tmp_path: Path) -> None:
    literal = tenant("contoso", "canary", 1) + "rules_file: ../rules.yml\n"
    template = tenant("adatum", "canary", 2) + 'rules_file: "{{ inventory_dir }}/rules.yml"\n'
    inventory = load(write(tmp_path, {"a.yml": literal, "b.yml": template}))
    assert variables(inventory, "contoso")["hybrid_rules_file"] == str(tmp_path / "rules.yml")
    assert variables(inventory, "adatum")["hybrid_rules_file"] == "{{ inventory_dir }}/rules.yml"


def test_applications_are_those_of_the_estate_and_of_the_tenant(tmp_path: Path) -> None:
    source = SOURCE + "applications:\n  - {name: phones, attributes: [mail]}\n  - {name: badges, attributes: [sn]}\n"
    own = "applications: [{name: phones, attributes: [mailNickname]}, {name: doors, attributes: [cn]}]\n"
    files = {"a.yml": tenant("contoso", "canary", 1) + own, "b.yml": tenant("adatum", "broad", 2)}
    inventory = load(write(tmp_path, files, source))
    found = {name: variables(inventory, name)["hybrid_applications"] for name in ("contoso", "adatum")}
    assert found["contoso"] == [
        {"name": "phones", "attributes": ["mailNickname"]},
        {"name": "badges", "attributes": ["sn"]},
        {"name": "doors", "attributes": ["cn"]},
    ]
    assert [item["attributes"] for item in found["adatum"]] == [["mail"], ["sn"]]


def test_a_wrong_application_of_the_estate_is_told_with_its_place(tmp_path: Path) -> None:
    source = SOURCE + "applications:\n  - {name: phones, attribute: [mail]}\n"
    message = refused(write(tmp_path, {"a.yml": tenant("contoso", "canary", 1)}, source))
    assert "estate.yml:4:20: unknown key 'attribute'; did you mean 'attributes'?" in message


def test_a_rule_of_the_directory_needs_no_source(tmp_path: Path) -> None:
    rules = "mappings: [{target: mail, owner: directory, scope: {groups: [g]}}]\n"
    found = variables(load(write(tmp_path, {"a.yml": tenant("contoso", "canary", 1) + rules})), "contoso")
    assert found["hybrid_mappings"] == [{"target": "mail", "owner": "directory", "scope": {"groups": ["g"]}}]


AGENT = """\
agent:
  installer: {path: 'C:\\Setup.exe', sha256: "00"}
  windows_user: setup
  windows_password: secret
  windows_ca_path: ../ca.pem
  servers:
    - {name: one, windows_host: one.contoso.example}
    - {name: two, windows_host: two.contoso.example, windows_port: 15986, windows_password: secret}
"""


def test_agent_servers_become_variables_of_their_own(tmp_path: Path) -> None:
    files = {"a.yml": tenant("contoso", "canary", 1) + AGENT, "b.yml": tenant("adatum", "broad", 2)}
    inventory = load(write(tmp_path, files))
    found = variables(inventory, "contoso")
    assert found["hybrid_agent"] == {"installer": {"path": "C:\\Setup.exe", "sha256": "00"}}
    assert found["hybrid_windows"] == {
        "windows_user": "setup",
        "windows_password": "secret",
        "windows_ca_path": str(tmp_path / "ca.pem"),
    }
    assert [server["name"] for server in found["hybrid_agent_servers"]] == ["one", "two"]
    none = variables(inventory, "adatum")
    assert (none["hybrid_agent"], none["hybrid_windows"], none["hybrid_agent_servers"]) == ({}, {}, [])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("windows_user:", "user:", "unknown key 'user'; did you mean"),
        ("  servers:", "  windows_host: x\n  servers:", "unknown key 'windows_host'"),
        ("name: two", "name: one", "a server 'one' came before"),
        ("windows_port: 15986", "windows_port: soon", "'windows_port' must be a whole number"),
        ("{name: one, windows_host: one.contoso.example}", "{name: one}", "lacks 'windows_host'"),
        ("windows_user: setup", "gmsa: [a]", "'gmsa' must be text"),
    ],
)
def test_what_is_wrong_with_agent_servers_is_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = tenant("contoso", "canary", 1) + AGENT.replace(old, new, 1)
    assert words in refused(write(tmp_path, {"a.yml": text}))


@pytest.mark.parametrize("name", ["estate.yml", "estate.yaml", "prod.estate.yml"])
def test_file_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(SOURCE, encoding="utf-8")
    assert new_plugin().verify_file(str(tmp_path / name))


@pytest.mark.parametrize("name", ["hosts.yml", "realestate.yml", "estate.json"])
def test_other_file_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(SOURCE, encoding="utf-8")
    assert not new_plugin().verify_file(str(tmp_path / name))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: contoso\n", "", ["a.yml:1:1: the file lacks 'name'"]),
        ("name: contoso\n", "name: two words\n", ["a.yml:1:1: 'two words' is no name"]),
        ("ring: canary", "ring: brod", ["a.yml:2:1: there is no ring 'brod'; the rings are canary, broad"]),
        ("client_id:", "clientid:", ["a.yml:5:3: unknown key 'clientid'; did you mean 'client_id'?"]),
        ("directory_hosts:", "hosts:", ["a.yml:9:3: unknown key 'hosts'", "a.yml:8:1: 'directory' lacks"]),
        ("  ca_path", "  request_timeout: soon\n  ca_path", ["a.yml:7:3: 'request_timeout' must be a whole number"]),
        ("  ca_path", "  cloud: mars\n  ca_path", ["a.yml:7:3: 'cloud' is 'mars'; it must be one of worldwide"]),
        ("    exclude", "    group: g\n    exclude", ["a.yml:16:5: entry 2 of 'waves' has group and filter"]),
        ("    filter", "    colour", ["a.yml:17:5: unknown key 'colour'", "entry 2 of 'waves' has none"]),
        ("- name: rest", "- name: pilot", ["a.yml:16:5: a wave 'pilot' came before"]),
        ("ring: canary", "ring: canary\nring: broad", ["a.yml:3:1: the key 'ring' is here a second time"]),
        ("job:\n", "job: [\n", ["this is not YAML"]),
        ("job:\n  domain: contoso.example\n", "job: 3\n", ["a.yml:10:1: 'job' must be a mapping"]),
        ("job:", "vars: {hybrid_ring: x}\njob:", ["a.yml:10:8: 'hybrid_ring' is set by the inventory"]),
        ("job:", "vars: {1st: x}\njob:", ["a.yml:10:8: '1st' is no name for a variable"]),
        ("job:", "mappings: [{target: mail}]\njob:", ["a.yml:10:12: entry 1 of 'mappings' has none"]),
        ("job:", "mappings: [{target: a, source: b}]\nrules_file: c\njob:", ["a.yml:11:1: give 'mappings' or"]),
        (
            "job:",
            "mappings: [{target: a, owner: nobody}]\njob:",
            ["a.yml:10:24: 'owner' is 'nobody'; it must be one of"],
        ),
        ("job:", "applications: [{name: a}]\njob:", ["a.yml:10:16: entry 1 of 'applications' lacks 'attributes'"]),
        (
            "job:",
            "applications: [{name: a, attributes: [mai1Nickname]}]\njob:",
            ["a.yml:10:26: a reads mai1Nickname, which"],
        ),
        (
            "job:",
            "applications: [{name: a, attributes: [mail]}, {name: a, attributes: [mail]}]\njob:",
            ["a.yml:10:48: 'a' came before"],
        ),
    ],
)
def test_a_bad_tenant_file_is_refused_with_its_place(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    text = tenant("contoso", "canary")
    assert old in text
    message = refused(write(tmp_path, {"a.yml": text.replace(old, new), "b.yml": tenant("adatum", "broad", 2)}))
    for word in words:
        assert word in message


def test_all_problems_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    files = {
        "a.yml": tenant("contoso", "nowhere"),
        "b.yml": "a: [",
        "c.yml": "- a list",
        "d.yml": tenant("adatum", "broad", 7).replace("job:", "jobb:"),
    }
    message = refused(write(tmp_path, files))
    for words in ("a.yml:2:1: there is no ring", "b.yml:", "c.yml:1:1: a tenant file must be a mapping", "d.yml:10:1:"):
        assert words in message


def test_the_same_name_or_tenant_twice_is_refused(tmp_path: Path) -> None:
    files = {"a.yml": tenant("contoso", "canary", 1), "b.yml": tenant("contoso", "broad", 2)}
    assert "b.yml:1:1: another tenant has this name" in refused(write(tmp_path, files))
    files = {"a.yml": tenant("contoso", "canary", 1), "b.yml": tenant("adatum", "broad", 1)}
    message = refused(write(tmp_path, files))
    assert "b.yml:4:3: another tenant has this tenant_id" in message
    assert str(tmp_path / "tenants" / "a.yml") in message


def test_tenant_ids_from_templates_are_not_compared_as_text(tmp_path: Path) -> None:
    template = "tenant_id: '{{ ids[inventory_hostname] }}'"
    files = {
        f"{name}.yml": tenant(name, "canary").replace("tenant_id: 00000000-0000-0000-0000-000000000001", template)
        for name in ("contoso", "adatum")
    }
    assert len(load(write(tmp_path, files)).hosts) == 2


def test_a_tenant_file_that_went_missing_is_refused(tmp_path: Path) -> None:
    source = SOURCE + "expected_tenants: 3\n"
    files = {"a.yml": tenant("contoso", "canary", 1), "b.yml": tenant("adatum", "broad", 2)}
    assert "3 tenants are expected, 2 files are in" in refused(write(tmp_path, files, source))


def test_an_estate_without_files_or_directory_is_refused(tmp_path: Path) -> None:
    assert "there is no tenant file" in refused(write(tmp_path, {}))
    source = write(tmp_path, {}, SOURCE + "path: elsewhere\n")
    assert "elsewhere:1:1: the directory of tenant files cannot be read: No such file" in refused(source)


@pytest.mark.parametrize("rings", ["[]", "[a-b]", "[canary, canary]"])
def test_bad_rings_are_refused(tmp_path: Path, rings: str) -> None:
    source = f"plugin: hybrid.exchange.estate\nrings: {rings}\n"
    assert "estate.yml:1:1: " in refused(write(tmp_path, {"a.yml": tenant("contoso", "canary")}, source))


def test_a_secret_in_clear_text_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "{{ lookup('ansible.builtin.env', 'A_SECRET') }}"
    clear = tenant("contoso", "canary", 1).replace(secret, "hunter2")
    load(write(tmp_path, {"a.yml": clear, "b.yml": tenant("adatum", "broad", 2)}))
    warned = " ".join(capsys.readouterr().err.split())
    assert "a.yml:6:3: 'client_secret' is in clear text" in warned
    assert "b.yml" not in warned
    assert "hunter2" not in warned


DECOMMISSION = """\
decommission:
  exit: source_of_authority
  exchange_server_user: CONTOSO\\admin
  exchange_server_ca_path: ../ca.pem
  windows_user: CONTOSO\\admin
  servers:
    - {name: EX01, exchange_server_host: ex01.a.example, windows_host: ex01.a.example}
    - {name: EX02, windows_ca_path: ../other.pem}
  hybrid_agent: {windows_host: agent.a.example}
  dns_internal: [10.0.0.53]
  accepted_deviations:
    - {gate: mx_external, reason: a gateway, by: anna, until: "2026-12-31"}
  clean_up: {soak_minutes: 90}
"""


def test_a_decommission_becomes_variables(tmp_path: Path) -> None:
    inventory = load(write(tmp_path, {"a.yml": tenant("a", "canary") + DECOMMISSION}))
    found = variables(inventory, "a")
    assert found["hybrid_exchange_server"] == {
        "exchange_server_user": "CONTOSO\\admin",
        "exchange_server_ca_path": str(tmp_path / "ca.pem"),
        "exchange_server_host": "ex01.a.example",
    }
    assert [server["name"] for server in found["hybrid_exchange_servers"]] == ["EX01", "EX02"]
    assert found["hybrid_exchange_servers"][1]["windows_ca_path"] == str(tmp_path / "other.pem")
    assert found["hybrid_exchange_windows"] == {"windows_user": "CONTOSO\\admin"}
    assert found["hybrid_agent_host"] == {"windows_user": "CONTOSO\\admin", "windows_host": "agent.a.example"}
    assert found["hybrid_clean_up"] == {"soak_minutes": 90}
    assert set(found["hybrid_decommission"]) == {"exit", "dns_internal", "accepted_deviations"}


def test_a_tenant_without_a_decommission_has_the_variables_empty(tmp_path: Path) -> None:
    found = variables(load(write(tmp_path, {"a.yml": tenant("a", "canary")})), "a")
    names = ("exchange_servers", "exchange_server", "exchange_windows", "agent_host", "clean_up", "decommission")
    assert not any(found[f"hybrid_{name}"] for name in names)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("exit: source_of_authority", "exit: both", "it must be one of source_of_authority, management_tools"),
        ("name: EX02", "name: EX01", "a server 'EX01' came before"),
        ("  dns_internal", "  dns_inside", "unknown key 'dns_inside'; did you mean 'dns_internal'?"),
        ("reason: a gateway, ", "", "lacks 'reason'"),
        ("soak_minutes", "soak", "unknown key 'soak'"),
        ("windows_host: agent", "windows_hots: agent", "unknown key 'windows_hots'"),
        ("{name: EX02", "{nmae: EX02", "lacks 'name'"),
    ],
)
def test_mistakes_in_a_decommission_are_named(old: str, new: str, words: str, tmp_path: Path) -> None:
    text = DECOMMISSION.replace(old, new, 1)
    assert text != DECOMMISSION
    assert words in refused(write(tmp_path, {"a.yml": tenant("a", "canary") + text}))

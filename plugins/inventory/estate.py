# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate: tenants as hosts and rings as groups, from YAML files in Git."""

from __future__ import annotations

DOCUMENTATION = r"""
name: estate
short_description: Tenants as hosts and rings as groups, from a directory of YAML files
version_added: 0.1.0
author: hybrid.exchange contributors (@hybrid-exchange)
description:
  - Reads one YAML file per tenant and makes a host of each, run on the controller (C(ansible_connection=local)) with
    the Python of C(ansible-playbook).
  - Every tenant is in the group C(tenants) and in C(ring_<name>); the hosts of C(tenants) stand in the order of
    O(rings), so that one play can take the rings in order. See P(hybrid.exchange.ring_sizes#filter).
  - All files are read and checked before the first host is added. Everything that is wrong is reported at once, with
    file, line and column, and no host is added then.
  - B(A parse error of an inventory is only a warning by default, and ansible-playbook goes on without its hosts.) Set
    C(any_unparsed_is_failed = true) in the section C([inventory]) of C(ansible.cfg).
  - Values of tenant files may be templates and C(!vault) values. They are trusted as playbooks are. Relative paths in
    options of type path count from the tenant file.
notes:
  - Keys of a tenant file are C(name), C(ring), C(tenant), C(directory) and C(job), which must be there, and
    C(agent), C(comparison), C(mappings) or C(rules_file), C(mappings_purge), C(mappings_add_missing), C(applications),
    C(waves) and C(vars).
  - C(tenant) and C(directory) hold the options of the same names that modules share, C(job) those of
    M(hybrid.exchange.writeback_job), C(comparison) C(type_values), C(proxy_addresses) and C(source_anchor_attribute) of
    M(hybrid.exchange.roundtrip_info), C(mappings), C(rules_file), C(mappings_purge) and C(mappings_add_missing) those
    of M(hybrid.exchange.writeback_mapping), C(applications) what O(applications) holds for all tenants, and C(vars) any
    further host variables.
  - C(agent) holds options of M(hybrid.exchange.sync_agent) that do not depend on the run, C(windows_*) options that its
    servers share, and C(servers), a list of C(name), C(windows_host) and any other C(windows_*) option.
  - A wave has a C(name), exactly one selection (C(identities), C(identities_file), C(group), C(filter),
    C(organizational_unit) or C(all_mailboxes)), optionally C(exclude), C(identities_column), C(allow_empty), and
    C(soak_minutes).
  - C(token_cache) of C(tenant) is, where it is not given, a file in the temporary directory of the run, which Ansible
    removes when the run ends; so the tasks of a run sign in once. Give it to keep tokens from run to run.
  - Host variables are C(hybrid_ring), C(hybrid_tenant), C(hybrid_directory), C(hybrid_job), C(hybrid_job_templates),
    C(hybrid_comparison), C(hybrid_mappings), C(hybrid_mappings_purge),
    C(hybrid_mappings_add_missing), C(hybrid_rules_file) where there is one,
    C(hybrid_applications), C(hybrid_agent), C(hybrid_windows), C(hybrid_agent_servers), and C(hybrid_waves), a list of
    C(name), C(soak_minutes) and C(selection). The group C(tenants) has C(hybrid_rings) and C(hybrid_artifact_dir).
options:
  plugin:
    description: Marks the file as a source of this plugin.
    type: str
    required: true
    choices:
      - hybrid.exchange.estate
  path:
    description:
      - Directory of the tenant files, relative to this file. Its files that end in C(.yml) or C(.yaml) are read, those
        of its sub-directories are not.
    type: str
    default: tenants
  rings:
    description: Names of the rings, in the order in which they are changed.
    type: list
    elements: str
    required: true
  expected_tenants:
    description:
      - How many tenants there must be. A file that went missing is then an error too.
    type: int
  applications:
    description:
      - Which application reads which attributes in Active Directory, for all tenants. Each entry has a C(name) and a
        list of C(attributes). A tenant file may have more, or another list for the same name.
    type: list
    elements: dict
    default: []
  artifact_dir:
    description:
      - Where runs keep their artifacts, a directory per tenant; relative to where C(ansible-playbook) was started.
    type: str
    default: artifacts
    env:
      - name: HYBRID_EXCHANGE_ARTIFACT_DIR
"""

EXAMPLES = r"""
# estate.yml
plugin: hybrid.exchange.estate
path: tenants
rings: [canary, broad]
expected_tenants: 2

# tenants/contoso.yml
# name: contoso
# ring: canary
# tenant:
#   tenant_id: 11111111-2222-3333-4444-555555555555
#   client_id: 66666666-7777-8888-9999-000000000000
#   client_certificate: "{{ lookup('ansible.builtin.env', 'CONTOSO_CERTIFICATE') }}"
# directory:
#   directory_hosts: [dc1.contoso.example, dc2.contoso.example]
#   directory_user: svc-writeback@contoso.example
#   directory_password: "{{ lookup('ansible.builtin.env', 'CONTOSO_DIRECTORY_PASSWORD') }}"
# job:
#   domain: contoso.example
#   notification_recipients: [exchange@contoso.example]
# rules_file: ../rules/contoso.yml
# waves:
#   - name: pilot
#     identities_file: ../waves/contoso-pilot.csv
#     soak_minutes: 60
#   - name: rest
#     filter: "IsDirSynced -eq 'True'"
#     exclude: [board@contoso.example]
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.display import Display
from ansible_collections.hybrid.exchange.plugins.plugin_utils._estate.layout import Layout, Problem, read_layout
from ansible_collections.hybrid.exchange.plugins.plugin_utils._estate.tenants import (
    TenantFile,
    check_applications,
    check_estate,
    check_tenant,
    clear_text_secrets,
    host_variables,
)

_SUFFIXES = ("estate.yml", "estate.yaml")


class InventoryModule(BaseInventoryPlugin):
    """Inventory plugin; the rules of tenant files are in plugin_utils/_estate."""

    NAME = "hybrid.exchange.estate"

    def verify_file(self, path: str) -> bool:
        name = Path(path).name
        return super().verify_file(path) and (name in _SUFFIXES or name.endswith(tuple(f".{s}" for s in _SUFFIXES)))

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        rings = [str(ring) for ring in self.get_option("rings")]
        directory = Path(path).absolute().parent / self.get_option("path")
        applications = self.get_option("applications")
        layout, _nothing = read_layout(self.loader.get_text_file_contents(path), path)
        wrong = check_applications(layout, applications)
        files = _read_estate(self.loader, path, directory, rings, self.get_option("expected_tenants"), wrong)
        for file in files:
            for problem in clear_text_secrets(file):
                Display().warning(str(problem))
        self._fill(files, rings, applications)

    def _fill(self, files: Sequence[TenantFile], rings: Sequence[str], applications: Sequence[Any]) -> None:
        self.inventory.add_group("tenants")
        self.inventory.set_variable("tenants", "hybrid_rings", list(rings))
        self.inventory.set_variable(
            "tenants", "hybrid_artifact_dir", str(Path(self.get_option("artifact_dir")).absolute())
        )
        # The run's own directory: only its owner may enter it, and Ansible removes it when the run ends.
        tokens = str(Path(constants.DEFAULT_LOCAL_TMP) / "hybrid.exchange.tokens.json")
        for ring in rings:
            self.inventory.add_group(f"ring_{ring}")
        for file in sorted(files, key=lambda file: (rings.index(file.ring), file.name)):
            self.inventory.add_host(file.name, group="tenants")
            self.inventory.add_host(file.name, group=f"ring_{file.ring}")
            for name, value in host_variables(file, tokens, applications).items():
                self.inventory.set_variable(file.name, name, value)


def _read_estate(
    loader: DataLoader,
    source: str,
    directory: Path,
    rings: Sequence[str],
    expected: int | None,
    found: Sequence[Problem],
) -> list[TenantFile]:
    """Reads and checks everything; raises one error that names all problems, those found before too."""
    problems = [*found, *_check_rings(source, rings)]
    files, unreadable = _read_files(loader, directory)
    problems += unreadable
    for file in files:
        problems += check_tenant(file, rings)
    problems += check_estate(files)
    count = len(files) + len({problem.file for problem in unreadable})
    if expected is not None and count != expected:
        problems.append(Problem(source, 1, 1, f"{expected} tenants are expected, {count} files are in {directory}"))
    if problems:
        lines = "\n".join(f"  {problem}" for problem in sorted(set(problems)))
        raise AnsibleParserError(f"The estate has {len(set(problems))} problem(s); no tenant was loaded:\n{lines}")
    return files


def _check_rings(source: str, rings: Sequence[str]) -> list[Problem]:
    if not rings:
        return [Problem(source, 1, 1, "'rings' is empty; name at least one ring")]
    wrong = [ring for ring in rings if not ring.replace("_", "").isalnum() or rings.count(ring) > 1]
    return [Problem(source, 1, 1, f"ring {ring!r} must be letters, digits and '_', and named once") for ring in wrong]


def _read_files(loader: DataLoader, directory: Path) -> tuple[list[TenantFile], list[Problem]]:
    try:
        paths = sorted(directory.iterdir())
    except OSError as error:
        return [], [Problem(str(directory), 1, 1, f"the directory of tenant files cannot be read: {error.strerror}")]
    files: list[TenantFile] = []
    problems: list[Problem] = []
    for path in paths:
        if path.name.startswith(".") or path.suffix not in (".yml", ".yaml") or not path.is_file():
            continue
        layout, found = read_layout(loader.get_text_file_contents(str(path)), str(path))
        problems += found
        if not found:
            _load(loader, str(path), layout, files, problems)
    if not files and not problems:
        problems.append(Problem(str(directory), 1, 1, "there is no tenant file (*.yml) in this directory"))
    return files, problems


def _load(loader: DataLoader, path: str, layout: Layout, files: list[TenantFile], problems: list[Problem]) -> None:
    # Tenant files are kept and reviewed as playbooks are; their templates are the users' own.
    values = loader.load_from_file(path, cache="none", trusted_as_template=True)
    if isinstance(values, Mapping):
        files.append(TenantFile(path, values, layout))
    else:
        problems.append(Problem(path, 1, 1, "a tenant file must be a mapping with name, ring, tenant, directory, job"))

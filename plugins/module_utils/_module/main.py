# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The life of a module: options in, far ends on demand, result out, errors to fail_json.

Together with its neighbours the only code that knows AnsibleModule.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import HybridError, InputError, MissingLibrary
from ansible_collections.hybrid.exchange.plugins.module_utils._module.arguments import ArgumentSpec
from ansible_collections.hybrid.exchange.plugins.module_utils._module.requirements import fail_for_missing_library
from ansible_collections.hybrid.exchange.plugins.module_utils._run import selection as selections
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact, ArtifactWriter
from ansible_collections.hybrid.exchange.plugins.module_utils._run.progress import Progress


@dataclass(frozen=True)
class Outcome:
    """What a use case came to. ``result`` are keys of the task's result, ``diff`` is shown in diff mode only."""

    changed: bool
    result: Mapping[str, Any] = field(default_factory=dict)
    diff: list[dict[str, Any]] = field(default_factory=list)


class ModuleContext:
    """What a module hands to its use case. The far ends are imported and connected when first asked for."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self.params: Mapping[str, Any] = module.params
        self.check_mode: bool = module.check_mode
        self.diff_mode: bool = module._diff
        self.report_limit: int = module.params.get("report_limit", 20)
        self.progress = Progress(module.params.get("progress_file"))

    @cached_property
    def cloud(self) -> Any:
        """The far ends in the cloud, which share one token source and one HTTP session."""
        from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.connect import connect

        return connect(self.params)

    @property
    def exchange(self) -> Any:
        """Exchange Online."""
        return self.cloud.exchange

    @property
    def graph(self) -> Any:
        """Microsoft Graph."""
        return self.cloud.graph

    @property
    def mailboxes(self) -> Any:
        """The tenant's mailboxes."""
        return self.cloud.mailboxes

    @property
    def synchronization(self) -> Any:
        """The tenant's synchronization jobs."""
        return self.cloud.synchronization

    @cached_property
    def directory(self) -> Any:
        """Active Directory; InputError where no directory is given."""
        if not self.has_directory:
            raise InputError(
                "This needs Active Directory: give directory_hosts, and directory_user with directory_password (where "
                "directory_transport is kerberos, a ticket will do)."
            )
        from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.connect import connect_directory

        return connect_directory(self.params)

    @cached_property
    def windows(self) -> Any:
        """A session to the Windows server; InputError where none is given."""
        from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.connect import (
            connect_windows,
        )

        return connect_windows(self.params)

    @cached_property
    def exchange_server(self) -> Any:
        """A session to Exchange Server's management endpoint; InputError where none is given."""
        from ansible_collections.hybrid.exchange.plugins.module_utils._on_premises.powershell.connect import (
            connect_exchange_server,
        )

        return connect_exchange_server(self.params)

    @property
    def has_exchange_server(self) -> bool:
        """Whether the options name an Exchange Server."""
        return bool(self.params.get("exchange_server_host"))

    @property
    def has_windows(self) -> bool:
        """Whether the options name a Windows server."""
        return bool(self.params.get("windows_host"))

    @property
    def has_directory(self) -> bool:
        """Whether the options name a directory."""
        return bool(self.params.get("directory_hosts"))

    @cached_property
    def selection(self) -> selections.Selection:
        """The selection that the options state."""
        return selections.from_params(self.params)

    def artifacts(self, name: str) -> ArtifactWriter:
        """A writer for an artifact of that name in the run's artifact directory."""
        return ArtifactWriter(self.params["artifact_dir"], name)

    def find_program(self, names: Sequence[str]) -> str | None:
        """Where the first of these programs is that the machine has."""
        return next((path for name in names if (path := self._module.get_bin_path(name))), None)

    def run_program(self, command: Sequence[str]) -> tuple[int, str, str]:
        """Run a program: its exit code, output and errors."""
        code, output, errors = self._module.run_command(list(command))
        return int(code), str(output), str(errors)

    def warn(self, message: str) -> None:
        """Warn the user."""
        self._module.warn(message)

    def warn_of_service(self) -> None:
        """Hand on what Exchange Online and the servers warned of: the first report_limit texts of each, once."""
        for name in ("windows", "exchange_server"):
            if name in self.__dict__:
                for warning in self.__dict__[name].warnings[: self.report_limit]:
                    self.warn(f"{self.__dict__[name].host}: {warning}")
        if "cloud" not in self.__dict__:
            return
        warnings = list(dict.fromkeys(self.exchange.warnings))
        for warning in warnings[: self.report_limit]:
            self.warn(f"Exchange Online: {warning}")
        if len(warnings) > self.report_limit:
            self.warn(f"Exchange Online gave {len(warnings) - self.report_limit} more warnings.")

    def streams(self) -> dict[str, Any]:
        """What a Windows server said beside its answers: the last report_limit texts of each stream."""
        if "windows" not in self.__dict__ or not self.report_limit:
            return {}
        told = {name: list(texts[-self.report_limit :]) for name, texts in self.windows.streams.items()}
        return {"windows_streams": told} if told else {}

    def service(self) -> dict[str, Any]:
        """How often the service throttled this run and how long it waited for that; empty without a cloud."""
        if "cloud" not in self.__dict__:
            return {}
        return dict(_plain(self.cloud.statistics()))

    def close(self) -> None:
        """Give connections back that were opened."""
        for name in ("windows", "exchange_server"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "directory" in self.__dict__:
            self.directory.close()


def run(spec: ArgumentSpec, use_case: Callable[[ModuleContext], Outcome]) -> None:
    """Run a use case as an Ansible module: never returns normally, as AnsibleModule ends the process."""
    module = AnsibleModule(**spec.to_kwargs())
    context = ModuleContext(module)
    try:
        if context.report_limit < 0:
            raise InputError(f"report_limit must not be negative, it is {context.report_limit}.")
        try:
            outcome = use_case(context)
        finally:
            context.warn_of_service()
    except MissingLibrary as error:
        fail_for_missing_library(module, error)
    except HybridError as error:
        facts = {name: _plain(value) for name, value in error.facts.items()}
        facts.setdefault("changed", False)
        facts.setdefault("service", context.service())
        facts |= context.streams()
        facts["error_kind"] = type(error).__name__
        module.fail_json(msg=error.message, exception=None, **facts)
    else:
        result = {name: _plain(value) for name, value in outcome.result.items()}
        result.setdefault("counts", {})
        result.setdefault("failures", [])
        result.setdefault("service", context.service())
        result |= context.streams()
        if context.diff_mode and outcome.diff:
            result["diff"] = outcome.diff
        module.exit_json(changed=outcome.changed, **result)
    finally:
        context.close()


def _plain(value: Any) -> Any:
    """Data for JSON: artifacts and other dataclasses become mappings, sets become sorted lists."""
    if isinstance(value, Artifact):
        return value.as_result()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value

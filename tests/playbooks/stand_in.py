# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for every module: an action plugin that keeps a tiny tenant in a file and logs each call.

It knows just enough for roles and playbooks: which waves are cloud-managed, whether the job is there, whether both
sides are equal. A file named ``fail-<host>-<module>`` beside the state makes that call fail.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

MAILBOXES = 3
INFO = {"changed": False}


def wave_of(args: dict[str, Any]) -> str:
    kinds = ("identities", "identities_file", "group", "filter", "organizational_unit", "all_mailboxes")
    return json.dumps({kind: args[kind] for kind in kinds if args.get(kind)}, sort_keys=True)


class ActionModule(ActionBase):
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        module = self._task.resolved_action.rsplit(".", 1)[-1]
        host = task_vars["inventory_hostname"]
        home = Path(os.environ["STAND_IN_DIR"])
        args = json.loads(json.dumps(dict(self._task.args), default=str))
        with (home / "calls.jsonl").open("a") as log:
            log.write(json.dumps({"host": host, "module": module, "check": self._task.check_mode, "args": args}) + "\n")
        if (home / f"fail-{host}-{module}").exists():
            return {"failed": True, "msg": f"{module} was told to fail on {host}"}
        path = home / f"state-{host}.json"
        state = {"job": None, "rules": None, "moved": [], "written": [], "at_risk": 0, "differs": False}
        state |= {"edited": [], "unsure": 0, "agents": {}, "cold": False, "reboot_required": False}
        state |= {"exchange_servers": ["EX01", "EX02"], "blocking": [], "up": [], "hybrid_done": [], "soaks": None}
        state |= {"begun": []}
        if path.exists():
            state |= json.loads(path.read_text())
        before = json.dumps(state)
        result = getattr(self, f"_{module}")(args, state)
        if self._task.check_mode:
            return result
        if json.dumps(state) != before:
            path.write_text(json.dumps(state))
        return result

    def _mailbox_info(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        moved = MAILBOXES if wave_of(args) in state["moved"] else 0
        counts = {"total": MAILBOXES, "cloud_managed": moved, "eligible": MAILBOXES}
        return INFO | {"counts": counts, "mailboxes": [], "artifact": {"path": "/nowhere", "sha256": "", "lines": 3}}

    def _roundtrip_info(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        wave = wave_of(args)
        proven = not state["differs"] and (wave not in state["moved"] or wave in state["written"])
        counts = {"total": MAILBOXES, "equal": MAILBOXES if proven else 1, "cloud_only": 0}
        artifact = {"path": "/nowhere", "sha256": "", "lines": 3}
        percent = 100.0 if proven else 50.0
        # Who wants to have rules of the directory gives them as a list; files are not read here.
        rules = {"cloud_sync": [], "directory": [], "transformed_by_job": []}
        for rule in args.get("mappings") or ():
            rules[rule.get("owner") or "cloud_sync"].append(rule["target"])
            if rule.get("expression"):
                rules["transformed_by_job"].append(rule["target"])
        read = [
            {"name": item["name"], "not_kept": ["a"], "mailboxes_that_differ": 1}
            for item in args.get("applications") or ()
        ]
        return INFO | {
            "proven": proven,
            "percent": percent,
            "at_risk": state["at_risk"],
            "counts": counts,
            "attributes": {"mail": {"equal": MAILBOXES}},
            "rules": rules,
            **({"applications": read, "not_kept": [{"attribute": "a", "mailboxes_that_differ": None}]} if read else {}),
            "artifact": artifact,
        }

    def _writeback_prediction_info(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        loses = state["at_risk"] if args["cloud_managed"] == "assumed" and not args["give_up"] else 0
        unsure = [{"object": "double", "attributes": {"(all)": "two objects have its anchor"}}] * state["unsure"]
        counts = {"total": MAILBOXES, "changed": 1, "not_cloud_managed": 0, "loses": loses}
        lost = [{"object": "somebody", "attributes": {"proxyAddresses": ["smtp:x"]}}] * loses
        artifact = {"path": "/nowhere", "sha256": "", "lines": 3}
        safe = not loses and not unsure
        return INFO | {
            "safe": safe,
            "schema": "live" if state["job"] else "standard",
            "counts": counts,
            "lost": lost,
            "undetermined": unsure,
            "artifact": artifact,
        }

    def _mailbox_authority(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        wave, cloud = wave_of(args), args["authority"] == "cloud"
        lost = [name for name in state["edited"] if args.get("compare_with") and name not in args["give_up"]]
        if lost and not cloud:
            return {"failed": True, "msg": f"edited in the cloud since the move: {lost}"}
        changed = cloud != (wave in state["moved"])
        if changed:
            (state["moved"].append if cloud else state["moved"].remove)(wave)
            state["written"] = [other for other in state["written"] if other != wave]
        return {"changed": changed, "counts": {"changed": MAILBOXES if changed else 0}}

    def _sync_agent(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        agents, host = state["agents"], args["windows_host"]
        have, want = agents.get(host), {"absent": None, "present": "old", "latest": "new"}[args["state"]]
        others = [name for name in agents if name != host]
        if have and args["state"] != "present" and have != want and not others and args["last_agent"] != "accepted":
            return {"failed": True, "msg": f"{host} has the only active agent"}
        changed = not have if args["state"] == "present" else have != want
        if changed:
            agents.pop(host, None)
            agents.update({host: want} if want else {})
        return {"changed": changed, "reboot_required": state["reboot_required"]}

    def _sync_agent_info(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        there = args["windows_host"] in state["agents"]
        problems = ["It has a cold."] if state["cold"] else []
        return INFO | {"agree": not state["cold"], "problems": problems, "server": {"installed": there}}

    def _writeback_job_info(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        return INFO | {"jobs": [state["job"]] if state["job"] else []}

    def _writeback_job(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        have = state["job"] or {}
        running = {"started": True, "paused": False}.get(args["state"], have.get("running", False))
        ran = {"time_began": "2026-01-01T00:00:00Z"} if running else have.get("last_execution")
        job = {"domain": args["domain"], "exists": True, "running": running, "last_execution": ran, "problems": []}
        changed, state["job"] = have.get("running") is not running, job | {"quarantine": None}
        return {"changed": changed}

    def _writeback_mapping(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        if state["job"] is None:
            return {"failed": True, "msg": "there is no job"}
        rules = args.get("rules_file") or args.get("mappings")
        changed, state["rules"] = rules != state["rules"], rules
        return {"changed": changed}

    def _writeback_cycle(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        if state.get("restart_mends") and "stays" not in state:
            state["job"] |= {"quarantine": None, "deletions": None, "problems": [], "failures": []}
            state["job"]["escrows"] = {"count": 0, "mailboxes": []}
        if args["state"] == "provisioned":
            state["written"].append(wave_of(args))
        if args["state"] == "restarted":
            state["written"] = list(state["moved"])
        chosen = "restart" if args.get("method") == "restart" else "on_demand"
        return {"changed": True, "estimate": {"chosen": chosen, "reason": "the stand-in says so"}}

    def _directory_writeback(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        wave = wave_of(args)
        of_the_wave = not args.get("mappings") and "proxyAddresses" in args["attributes"]
        changed = of_the_wave and wave not in state["written"]
        if changed:
            state["written"].append(wave)
        return {"changed": changed, "counts": {}}

    def _directory_restore(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        changed, state["written"] = bool(state["written"]), []
        return {"changed": changed, "counts": {}}

    def _exchange_topology_info(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        servers = [{"name": name} for name in state["exchange_servers"]]
        return INFO | {"exchange": bool(servers), "servers": servers, "fingerprint": "f"}

    def _decommission_readiness_info(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        if args["trial_shutdown"] == "observe":
            trial = {"well": not state["up"], "why": "EX01 took connections", "hours": 2, "wanted_hours": 24}
            return INFO | {"ready": False, "counts": {"observations": 1}, "failures": [], "trial": trial}
        accepted = {item["gate"] for item in args.get("accepted_deviations") or ()}
        blocking = [gate for gate in state["blocking"] if gate not in accepted]
        return INFO | {
            "ready": not blocking,
            "counts": {"gates": 3, "blocking": len(blocking)},
            "failures": [{"object": gate, "kind": "failed", "error": f"{gate} failed: mend it."} for gate in blocking],
            "blocking": [f"{gate} failed: mend it." for gate in blocking],
            "readiness": {"path": f"/nowhere/readiness-{args['phase']}.json", "sha256": "aa"},
            "bundle": {"path": "/nowhere/evidence"},
        }

    def _hybrid_configuration(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """All steps are done, but for those after one that soaks for a run."""
        refused = ["AD still has servers"] if args["phase"] == "cloud_clean_up" and state["exchange_servers"] else []
        if refused and not self._task.check_mode:
            return {"failed": True, "msg": refused[0]}
        wanted = [step for step in args.get("steps") or ["cloud"] if step not in state["hybrid_done"]]
        soaking = [step for step in wanted if step == state["soaks"]]
        ready = wanted[: wanted.index(soaking[0])] if soaking else wanted
        state["soaks"] = None if soaking else state["soaks"]
        state["hybrid_done"] = [*state["hybrid_done"], *ready]
        rows = [{"step": step, "line": f"remove {step}"} for step in wanted]
        return {
            "changed": bool(ready),
            "steps": rows[: len(ready)],
            "waiting": [
                {**row, "reason": "it is still on" if not n else None} for n, row in enumerate(rows[len(ready) :])
            ],
            "left": [{"line": "send_connector To Northwind: not the wizard's"}],
            "refused": refused,
            "export": {"path": "/nowhere/export", "sha256": "bb", "lines": 2} if ready else None,
        }

    def _exchange_server(self, args: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        there, goes_on = args["server"] in state["exchange_servers"], args["server"] in state["begun"]
        if there and not goes_on and "readiness" not in args and not self._task.check_mode:
            return {"failed": True, "msg": "This needs the readiness"}
        state["exchange_servers"] = [name for name in state["exchange_servers"] if name != args["server"]]
        return {
            "changed": there,
            "goes_on": goes_on,
            "steps": [{"line": f"remove {args['server']}"}] if there else [],
            "refused": [],
            "left": [],
            "export": {"path": "/nowhere/export", "sha256": "cc", "lines": 2} if there else None,
            "reboot_required": state["reboot_required"],
        }

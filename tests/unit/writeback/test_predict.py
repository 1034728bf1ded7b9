# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""writeback_prediction_info through its real main(): what a cycle leaves in AD, and what is lost by it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import InputError
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.merge import merge, standard
from ansible_collections.hybrid.exchange.plugins.module_utils._mapping.source import from_attribute, from_expression
from ansible_collections.hybrid.exchange.plugins.module_utils._model.mailbox import Member
from ansible_collections.hybrid.exchange.plugins.module_utils._module import main as module_main
from ansible_collections.hybrid.exchange.plugins.module_utils._run.selection import Selection
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.predict import Options, predict
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.predict_give_up import GivenUp
from ansible_collections.hybrid.exchange.plugins.module_utils._writeback.source import Source
from ansible_collections.hybrid.exchange.plugins.modules import writeback_prediction_info
from hypothesis import given, settings
from hypothesis import strategies as st
from writeback_fakes import BASE, World, run_in

Run = Callable[..., dict[str, Any]]
PRINTER = ["SMTP:user@contoso.lab", "smtp:printer@contoso.lab"]


class Service:
    """The synchronization API, with a job where it has a schema."""

    def __init__(self) -> None:
        self.live: dict[str, Any] = {}

    def service_principals(self, _template: str) -> list[dict[str, Any]]:
        return [{"id": "sp", "displayName": "contoso.lab"}] if self.live else []

    def jobs(self, _principal: str) -> list[dict[str, Any]]:
        setting = {"name": "DomainFQDN", "value": "contoso.lab"}
        return [{"id": "Entra2ADExchangeOnlineAttributeWriteback.1", "synchronizationJobSettings": [setting]}]

    def schema(self, _principal: str, _job: str) -> dict[str, Any]:
        return copy.deepcopy(self.live)

    def template_schema(self, _principal: str, _template: str) -> dict[str, Any]:
        return standard()

    def organization(self) -> dict[str, Any]:
        return {"verifiedDomains": [{"name": "x.example"}, {"name": "contoso.lab", "isDefault": True}]}

    def use(self, *mappings: dict[str, Any], **rule: Any) -> None:
        """A job with the standard mappings, and these over them or beside them."""
        self.live = standard()
        first = self.live["synchronizationRules"][0]
        first |= rule
        objects = first["objectMappings"][0]
        named = {item["targetAttributeName"] for item in mappings}
        kept = [item for item in objects["attributeMappings"] if item["targetAttributeName"] not in named]
        objects["attributeMappings"] = [*kept, *mappings]


def mapping(target: str, expression: str, **more: Any) -> dict[str, Any]:
    source = from_expression(expression) if "(" in expression else from_attribute(expression)
    return {"targetAttributeName": target, "source": source, "flowType": "Always", **more}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def run(
    world: World,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    cloud = SimpleNamespace(mailboxes=world.mailboxes, synchronization=service, statistics=dict)
    monkeypatch.setattr(module_main.ModuleContext, "cloud", cloud)
    monkeypatch.setattr(module_main.ModuleContext, "directory", world.directory)

    def call(**options: Any) -> dict[str, Any]:
        arguments = {
            "tenant_id": "contoso.lab",
            "client_id": "app",
            "client_secret": "secret",
            "directory_hosts": ["dc1"],
            "domain": "contoso.lab",
            "all_mailboxes": True,
            "artifact_dir": str(tmp_path),
            **options,
        }
        with patch_module_args(arguments), pytest.raises(SystemExit):
            writeback_prediction_info.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert world.directory.modifications == []
        assert not result.get("changed")
        return result

    return call


def lines(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = map(json.loads, Path(result["artifact"]["path"]).read_text("utf-8").splitlines()[:-1])
    return {line["object"].partition("@")[0]: line for line in found}


def test_a_list_that_serves_several_selections_may_name_others(world: World, run: Run) -> None:
    world.user("same")
    assert "names what is not at risk: nobody" in run(give_up=["nobody"])["msg"]
    assert run(give_up=["nobody"], give_up_unused="ignore")["safe"] is True


def test_before_and_after_and_what_is_lost(world: World, run: Run) -> None:
    world.user("same")
    world.user("user", {"CustomAttribute1": "new"}, {"extensionAttribute1": "old", "proxyAddresses": PRINTER})
    result = run()
    assert result["safe"] is False
    assert result["schema"] == "standard"
    counts = {"total": 2, "changed": 1, "unchanged": 1, "loses": 1, "at_risk": 1, "given_up": 0, "undetermined": 0}
    assert result["counts"] | counts == result["counts"]
    assert result["attributes"]["proxyAddresses"] == {"changed": 1, "loses": 1}
    assert result["attributes"]["mail"] == {}
    gone = {"extensionAttribute1": ["old"], "proxyAddresses": ["smtp:printer@contoso.lab"]}
    assert [(item["object"], item["attributes"]) for item in result["lost"]] == [("user@contoso.lab", gone)]
    line = lines(result)["user"]
    assert line["attributes"]["extensionAttribute1"] == {"before": ["old"], "after": ["new"]}
    assert line["lost"] == gone
    assert lines(result)["same"]["outcome"] == "unchanged"


def test_the_service_may_merge_addresses(world: World, run: Run) -> None:
    world.user("user", directory={"proxyAddresses": PRINTER})
    assert run(proxy_addresses="overwrite")["counts"]["loses"] == 1
    merged = run(proxy_addresses="merge")
    assert (merged["safe"], merged["counts"]["unchanged"]) == (True, 1)


def test_a_rank_that_changes_is_no_loss(world: World, run: Run) -> None:
    cloud = ["SMTP:user@contoso.lab", "smtp:old@contoso.lab"]
    world.user("user", {"EmailAddresses": cloud}, {"proxyAddresses": ["smtp:user@contoso.lab", "SMTP:old@contoso.lab"]})
    result = run()
    assert (result["safe"], result["counts"]["changed"]) == (True, 1)


@pytest.mark.parametrize(("cloud_managed", "outcome"), [("as_is", "not_cloud_managed"), ("assumed", "changed")])
def test_mailboxes_that_ad_masters(world: World, run: Run, cloud_managed: str, outcome: str) -> None:
    world.user("user", {"CustomAttribute1": "new"}, {"extensionAttribute1": "old"}, managed=False)
    world.user("same", managed=False)
    result = run(cloud_managed=cloud_managed)
    assert lines(result)["user"]["outcome"] == outcome
    assert result["safe"] is (cloud_managed == "as_is")
    assert result["counts"]["not_cloud_managed"] == (2 if cloud_managed == "as_is" else 0)


# a mapping of the job, what the mailbox has, what AD has, what AD has afterwards, what is lost
MAPPINGS: list[tuple[dict[str, Any], dict[str, Any], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = [
    (
        mapping("extensionAttribute1", "ToUpper([displayName])"),
        {},
        ("x",),
        ("USER",),
        ("x",),
    ),
    (mapping("extensionAttribute1", "extensionAttribute1", flowType="ObjectAddOnly"), {}, ("x",), ("x",), ()),
    (mapping("extensionAttribute1", "extensionAttribute1", flowType="AttributeAddOnly"), {}, ("x",), ("x",), ()),
    (mapping("extensionAttribute1", "extensionAttribute1", flowType="ValueAddOnly"), {}, ("x",), ("x",), ()),
    (mapping("extensionAttribute1", "extensionAttribute1", flowType="Always"), {}, ("x",), (), ("x",)),
    (mapping("extensionAttribute1", "extensionAttribute1", defaultValue="d"), {}, ("x",), ("d",), ("x",)),
    (mapping("extensionAttribute1", "IgnoreFlowIfNullOrEmpty([extensionAttribute1])"), {}, ("x",), ("x",), ()),
    (
        mapping("msExchExtensionCustomAttribute1", "msExchExtensionCustomAttribute1", flowType="MultiValueAddOnly"),
        {"ExtensionCustomAttribute1": ["b"]},
        ("a",),
        ("a", "b"),
        (),
    ),
    (mapping("extensionAttribute1", "DefaultDomain()"), {}, (), ("contoso.lab",), ()),
]


@pytest.mark.parametrize(("made", "cloud", "before", "after", "lost"), MAPPINGS)
def test_the_live_mappings_count(
    world: World,
    run: Run,
    service: Service,
    made: dict[str, Any],
    cloud: dict[str, Any],
    before: tuple[str, ...],
    after: tuple[str, ...],
    lost: tuple[str, ...],
) -> None:
    name = made["targetAttributeName"]
    service.use(made)
    world.user("user", cloud, {name: before})
    result = run()
    assert result["schema"] == "live"
    line = lines(result)["user"]
    changed = before != after
    assert line["outcome"] == ("changed" if changed else "unchanged")
    assert (line.get("attributes") or {}) == ({name: {"before": [*before], "after": [*after]}} if changed else {})
    assert (line.get("lost") or {}) == ({name: [*lost]} if lost else {})


def test_rules_are_laid_over_the_mappings_of_the_job(world: World, run: Run, service: Service, tmp_path: Path) -> None:
    service.use(mapping("extensionAttribute1", "ToUpper([extensionAttribute1])"))
    world.user("user", {"CustomAttribute1": "x"}, {"extensionAttribute1": "x", "extensionAttribute2": "kept"})
    assert lines(run())["user"]["lost"] == {"extensionAttribute1": ["x"], "extensionAttribute2": ["kept"]}
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "- {target: extensionAttribute1, source: extensionAttribute1}\n- {target: mail, owner: directory}\n"
    )
    result = run(rules_file=str(rules))
    assert lines(result)["user"]["lost"] == {"extensionAttribute2": ["kept"]}
    assert "mail" in result["attributes"]
    assert "~ extensionAttribute1: ToUpper([extensionAttribute1]) -> [extensionAttribute1]" in result["mapping_changes"]


@pytest.mark.parametrize("option", ["purge", "add_missing"])
def test_the_service_default_counts_where_it_will_be_laid_over(
    world: World, run: Run, service: Service, option: str
) -> None:
    service.use(mapping("extensionAttribute1", "ToUpper([extensionAttribute1])"), mapping("deliverAndRedirect", "mail"))
    objects = service.live["synchronizationRules"][0]["objectMappings"][0]
    objects["attributeMappings"] = [
        item for item in objects["attributeMappings"] if item["targetAttributeName"] != "mail"
    ]
    world.user("user", {"CustomAttribute1": "x"}, {"extensionAttribute1": "x", "mail": "old@contoso.lab"})
    assert list(lines(run())["user"]["lost"]) == ["extensionAttribute1"]
    result = run(**{option: True})
    lost = ["mail"] if option == "purge" else ["extensionAttribute1", "mail"]
    assert sorted(lines(result)["user"]["lost"]) == lost
    assert ("deliverAndRedirect" in result["attributes"]) is (option == "add_missing")


@pytest.mark.parametrize(
    ("rule", "outcomes"),
    [
        ({"containerFilter": {"includedContainers": [f"OU=People,{BASE}"]}}, ["changed", "changed"]),
        ({"containerFilter": {"includedContainers": [f"OU=Other,{BASE}"]}}, ["not_in_scope", "not_in_scope"]),
        ({"groupFilter": {"includedGroups": ["pilots"]}}, ["changed", "not_in_scope"]),
        (
            {
                "groupFilter": {"includedGroups": ["pilots"]},
                "containerFilter": {"includedContainers": [f"CN=b,OU=People,{BASE}"]},
            },
            ["changed", "changed"],
        ),
    ],
)
def test_the_scope_of_the_job_is_respected(
    world: World, run: Run, service: Service, rule: dict[str, Any], outcomes: list[str]
) -> None:
    service.use(**rule)
    for name in ("a", "b"):
        world.user(name, {"CustomAttribute1": "new"})
    world.mailboxes.groups = {"pilots": {world.mailboxes.mailboxes[0].id}}
    found = lines(run())
    assert [found[name]["outcome"] for name in ("a", "b")] == outcomes


def test_what_cannot_be_told_stands_against_a_start_where_ad_holds_a_value(
    world: World, run: Run, service: Service
) -> None:
    service.use(mapping("extensionAttribute1", "Append([extensionAttribute2], Now())"), mapping("mail", "Guid()"))
    world.user("empty", directory={"mail": ()})
    result = run()
    assert (result["safe"], result["counts"]["undetermined"]) == (True, 1)
    world.user("user", directory={"extensionAttribute1": "held"})
    result = run()
    assert result["safe"] is False
    assert result["counts"]["undetermined"] == 2
    (told,) = result["undetermined"]
    assert set(told["attributes"]) == {"mail", "extensionAttribute1"}
    assert "Now" in told["attributes"]["extensionAttribute1"]
    assert run(give_up=["user@contoso.lab"])["safe"] is True


def test_two_mappings_of_one_attribute_are_not_guessed(world: World, run: Run, service: Service) -> None:
    service.use(mapping("mail", "extensionAttribute1"), mapping("mail", "extensionAttribute2"))
    world.user("user")
    assert "more than once" in run()["undetermined"][0]["attributes"]["mail"]
    service.use(mapping("mail", "Mail"), mapping("mail", "mail"), mapping("adminDescription", "displayName"))
    result = run()
    assert list(result["not_predicted"]) == ["adminDescription"]


def test_errors_of_the_service_lose_nothing(world: World, run: Run, service: Service) -> None:
    service.use(mapping("extensionAttribute1", "Left([extensionAttribute2], [extensionAttribute3])"))
    world.user("user", {"CustomAttribute3": "no number"}, {"extensionAttribute1": "held"})
    world.user("long", {"CustomAttribute4": "x" * 1025, "CustomAttribute3": "1"}, {"extensionAttribute4": "held"})
    result = run()
    assert (result["safe"], result["counts"]["problems"]) == (True, 2)
    found = {item["object"]: item["attributes"] for item in result["problems"]}
    assert "is not a number" in found["user@contoso.lab"]["extensionAttribute1"]
    assert "1024 characters" in found["long@contoso.lab"]["extensionAttribute4"]
    assert result["attributes"]["extensionAttribute4"] == {"problems": 1}


def test_a_job_that_may_not_update_changes_nothing(world: World, run: Run, service: Service) -> None:
    service.use()
    service.live["synchronizationRules"][0]["objectMappings"][0]["flowTypes"] = "Add"
    world.user("user", {"CustomAttribute1": "new"}, {"extensionAttribute1": "old"})
    result = run()
    assert (result["safe"], result["counts"]["unchanged"]) == (True, 1)
    assert any("changes no object that exists" in str(warning) for warning in result["warnings"])


@pytest.mark.parametrize(("name", "warned"), [("department", True), ("IsExchangeCloudManaged", False)])
def test_a_scoping_filter_is_warned_of(world: World, run: Run, service: Service, name: str, warned: bool) -> None:
    service.use()
    clause = {"sourceOperandName": name, "operatorName": "EQUALS", "targetOperand": {"values": ["x"]}}
    objects = service.live["synchronizationRules"][0]["objectMappings"][0]
    objects["scope"] = {"groups": [{"name": "g", "clauses": [clause]}]}
    world.user("user")
    said = [str(warning) for warning in run().get("warnings", ())]
    assert any("scoping filter" in text for text in said) is warned


def test_who_does_not_pass_the_scoping_filter_keeps_what_ad_holds(world: World, run: Run, service: Service) -> None:
    service.use()
    clause = {
        "sourceOperandName": "extensionAttribute2",
        "operatorName": "EQUALS",
        "targetOperand": {"values": ["Sales"]},
    }
    objects = service.live["synchronizationRules"][0]["objectMappings"][0]
    objects["scope"] = {"groups": [{"name": "g", "clauses": [clause]}]}
    for name, value in (("in", "Sales"), ("out", "sales"), ("none", "")):
        world.user(name, {"CustomAttribute2": value}, {"extensionAttribute1": "old", "extensionAttribute2": value})
    result = run()
    assert {name: line["outcome"] for name, line in lines(result).items()} == {
        "in": "changed",
        "out": "unchanged",
        "none": "unchanged",
    }
    assert [item["object"] for item in result["lost"]] == ["in@contoso.lab"]
    assert "warnings" not in result


def test_objects_that_cannot_be_joined(world: World, run: Run) -> None:
    world.user("gone", in_directory=False)
    world.user("far", domain="emea.contoso.lab", in_directory=False)
    world.user("cloud", synced=False)
    guid = world.user("double")
    world.directory.add("copy", b"D" * 16, consistency_guid=guid)
    world.user("bytes", directory={"extensionAttribute1": b"\xff"})
    world.mailboxes.left_out = (Member("id-1", "x@contoso.lab"),)
    result = run()
    outcomes = {name: line["outcome"] for name, line in lines(result).items()}
    assert outcomes == {
        "gone": "not_found",
        "far": "elsewhere",
        "cloud": "cloud_only",
        "double": "ambiguous_anchor",
        "bytes": "unreadable",
        "x": "without_mailbox",
    }
    assert result["safe"] is False
    assert {item["object"] for item in result["undetermined"]} == {"double@contoso.lab", "bytes@contoso.lab"}
    assert run(give_up=["double@contoso.lab", "bytes@contoso.lab"])["safe"] is True


# give_up, who still loses what, entries that name nothing
GIVEN: list[tuple[list[str], dict[str, list[str]], list[str]]] = [
    ([], {"a": ["extensionAttribute1", "mail"], "b": ["extensionAttribute1"]}, []),
    (["attribute extensionAttribute1"], {"a": ["mail"]}, []),
    (["Attribute EXTENSIONATTRIBUTE1"], {"a": ["mail"]}, []),
    (["a@contoso.lab"], {"b": ["extensionAttribute1"]}, []),
    (["A@Contoso.lab: Mail"], {"a": ["extensionAttribute1"], "b": ["extensionAttribute1"]}, []),
    (["a@contoso.lab:mail", "attribute extensionAttribute1"], {}, []),
    (["a@contoso.lab", "b@contoso.lab: extensionAttribute1"], {}, []),
    (["a@contoso.lab", "a@contoso.lab: mail"], {"b": ["extensionAttribute1"]}, []),
    (["b@contoso.lab: mail"], {}, ["b@contoso.lab: mail"]),
    (["attribute proxyAddresses"], {}, ["attribute proxyAddresses"]),
    (["nobody@contoso.lab", "a@contoso.lab"], {}, ["nobody@contoso.lab"]),
]


@pytest.mark.parametrize(("entries", "left", "unused"), GIVEN)
def test_what_is_given_up_by_name(
    world: World, run: Run, entries: list[str], left: dict[str, list[str]], unused: list[str]
) -> None:
    world.user("a", directory={"extensionAttribute1": "old", "mail": "old@contoso.lab"})
    world.user("b", directory={"extensionAttribute1": "old"})
    result = run(give_up=entries)
    if unused:
        assert result["failed"] is True
        assert f"give_up names what is not at risk: {', '.join(unused)}." in result["msg"]
        assert result["give_up"] == unused
        assert Path(result["artifact"]["path"]).exists()
        return
    shown = {item["object"].partition("@")[0]: sorted(item["attributes"]) for item in result["lost"]}
    assert shown == left
    assert result["safe"] is (not left)
    assert result["counts"]["loses"] == len(left)
    assert result["counts"]["given_up"] == sum("given_up" in line for line in lines(result).values())


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("attribute nope", "There is no Exchange attribute named 'nope'"),
        ("a@contoso.lab: nope", "There is no Exchange attribute"),
        ("mail", "say 'attribute mail'"),
        ("two words", "is not understood. Write 'user@contoso.com: proxyAddresses'"),
        (": mail", "is not understood"),
        ("a@contoso.lab:", "is not understood"),
        ("", "is not understood"),
    ],
)
def test_an_entry_that_is_none_is_told_before_anything_is_read(entry: str, words: str) -> None:
    with pytest.raises(InputError, match=r"^give_up\[1\]: ") as caught:
        GivenUp(["a@contoso.lab", entry])
    assert words in caught.value.message


def test_an_object_id_stands_for_a_name() -> None:
    given_up = GivenUp(["0EA8-1: mail"])
    source = Source("0ea8-1", "a@contoso.lab", True, True, b"a", "", "", ())
    assert given_up.covers(source, "mail")
    assert not given_up.covers(source, "extensionAttribute1")


def test_failing_on_a_loss_says_whose(world: World, run: Run) -> None:
    world.user("user", directory={"extensionAttribute1": "old"})
    failed = run(fail_on_loss=True)
    assert failed["failed"] is True
    assert "1 mailboxes lose values that only Active Directory has (user@contoso.lab)" in failed["msg"]
    assert failed["safe"] is False
    assert "failed" not in run(fail_on_loss=True, give_up=["attribute extensionAttribute1"])


def test_hidden_values_stay_hidden(world: World, run: Run, service: Service) -> None:
    service.use(mapping("extensionAttribute1", "Redact([extensionAttribute1])"))
    world.user("user", {"CustomAttribute1": "secret"}, {"extensionAttribute1": "older secret"})
    result = run()
    assert "secret" not in Path(result["artifact"]["path"]).read_text()
    assert result["lost"][0]["attributes"] == {"extensionAttribute1": ["[Redact]"]}


def test_a_directory_of_another_domain_is_refused(run: Run) -> None:
    assert "The directory is that of contoso.lab, and the job is that of other.lab" in run(domain="other.lab")["msg"]


def test_every_key_of_a_result_is_documented(world: World, run: Run) -> None:
    world.user("user", {"CustomAttribute1": "new"})
    documented = yaml.safe_load(writeback_prediction_info.RETURN)
    result = run()
    assert set(result) - {"changed", "invocation", "warnings", "failures"} == set(documented)
    own = yaml.safe_load(writeback_prediction_info.DOCUMENTATION)["options"]
    for name, option in own.items():
        for key in ("type", "default", "choices", "elements"):
            assert writeback_prediction_info.SPEC.options[name].get(key) == option.get(key), (name, key)


TEXTS = st.text(st.sampled_from("aAb ß\x1f"), max_size=4)
CLOUD = st.fixed_dictionaries(
    {},
    optional={
        "CustomAttribute1": TEXTS,
        "CustomAttribute2": TEXTS,
        "ExtensionCustomAttribute1": st.lists(TEXTS, max_size=3, unique_by=str.casefold),
        "RecipientTypeDetails": st.sampled_from(["UserMailbox", "SharedMailbox", "RoomMailbox"]),
    },
)
JOBS = st.sampled_from(
    [
        (),
        (mapping("extensionAttribute1", "ToUpper([extensionAttribute2])"),),
        (mapping("extensionAttribute1", "extensionAttribute2", flowType="ValueAddOnly", defaultValue="d"),),
        (mapping("msExchExtensionCustomAttribute2", "msExchExtensionCustomAttribute1", flowType="MultiValueAddOnly"),),
        (mapping("extensionAttribute3", 'Join(" ", [extensionAttribute1], [extensionAttribute2])'),),
    ]
)


@pytest.mark.once
@settings(max_examples=60, deadline=None)
@given(CLOUD, JOBS)
def test_a_mailbox_that_a_cycle_has_written_is_unchanged_by_the_next(
    cloud: dict[str, Any], mappings: tuple[dict[str, Any], ...]
) -> None:
    world, service = World(), Service()
    service.use(*mappings)
    kind = str(cloud.get("RecipientTypeDetails", "UserMailbox"))
    guid = world.user("user", cloud, {"proxyAddresses": PRINTER, "extensionAttribute1": "old"}, kind=kind)
    options = Options(Selection("all", None), "contoso.lab", merge(service.live, ()))
    with TemporaryDirectory() as directory:
        first = predict(options, world, run_in(Path(directory))).result
        line = json.loads(Path(first["artifact"].path).read_text("utf-8").splitlines()[0])
        assert line["outcome"] == "changed"
        for name, values in line["attributes"].items():
            world.directory.objects[guid].values[name] = tuple(value.encode() for value in values["after"])
        second = predict(options, world, run_in(Path(directory))).result
    assert second["counts"] | {"unchanged": 1, "changed": 0, "loses": 0} == second["counts"]
    assert second["safe"] is True

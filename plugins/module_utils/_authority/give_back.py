# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The guard of a way back to on-premises authority: nothing that was edited in the cloud is lost without a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._authority import losses, snapshots
from ansible_collections.hybrid.exchange.plugins.module_utils._authority.ports import Artifacts, Progress, Recipients
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import Refused
from ansible_collections.hybrid.exchange.plugins.module_utils._run.artifact import Artifact
from ansible_collections.hybrid.exchange.plugins.module_utils._run.report import listing


@dataclass(frozen=True)
class Comparison:
    """What was asked: snapshot files or directories of them, properties whose loss is accepted, and whether mailboxes
    that are in no snapshot may go back uncompared (``accept``) or not (``fail``)."""

    paths: tuple[str, ...]
    give_up: tuple[str, ...] = ()
    on_unknown: str = "fail"
    report_limit: int = 20


@dataclass(frozen=True, slots=True)
class Now:
    """A mailbox that is to be given back, and what its compared properties hold."""

    name: str
    state: losses.State


@dataclass(frozen=True)
class Loss:
    """One mailbox with the properties that would be lost, accepted or not."""

    id: str
    name: str
    differences: tuple[losses.Difference, ...]

    def lines(self, accepted: frozenset[str]) -> Iterable[dict[str, Any]]:
        """One line a property, for results and artifacts."""
        for item in self.differences:
            yield {
                "object": self.name,
                "id": self.id,
                "property": item.name,
                "attribute": item.attribute,
                "before": list(item.before),
                "now": list(item.now),
                "given_up": item.name in accepted,
            }


def guard(
    request: Comparison,
    mailboxes: Mapping[str, Now],
    *,
    recipients: Recipients,
    artifacts: Artifacts,
    progress: Progress,
) -> dict[str, Any]:
    """Compare mailboxes, by their ids, with the snapshots of their moves; the result's counts and first losses.

    Refused where a mailbox would lose something that is not given up, or is in no snapshot with on_unknown ``fail``.
    """
    accepted = losses.given_up(request.give_up)
    files = snapshots.files(request.paths) if mailboxes else []
    progress.start("compare with the snapshot", len(mailboxes))
    lost, known = _compare(files, mailboxes, recipients, progress)
    unknown = [(key, item.name) for key, item in mailboxes.items() if key not in known]
    refused = [loss for loss in lost if losses.not_given_up(loss.differences, accepted)]
    result: dict[str, Any] = {
        "counts": {"compared": len(known), "not_compared": len(unknown), "given_up": len(lost) - len(refused)},
        "losses": [line for loss in lost[: request.report_limit] for line in loss.lines(accepted)],
    }
    if lost or unknown:
        result["losses_artifact"] = _artifact(lost, unknown, accepted, artifacts)
    complaints = []
    if refused:
        complaints.append(_refused_words(refused, accepted, len(mailboxes)))
    if unknown and request.on_unknown == "fail":
        complaints.append(_unknown_words(unknown, len(mailboxes), request.paths, len(files)))
    if complaints:
        raise Refused(" ".join(["Nothing was changed.", *complaints]), **result)
    return result


def _compare(
    files: Sequence[Any], mailboxes: Mapping[str, Now], recipients: Recipients, progress: Progress
) -> tuple[list[Loss], set[str]]:
    """The mailboxes that differ, and the ids of all that are in a snapshot."""
    known: set[str] = set()
    differing: dict[str, losses.State] = {}
    unclear: dict[str, str] = {}
    for key, properties in snapshots.baselines(files, mailboxes, len(mailboxes)):
        known.add(key)
        before, now = losses.state(properties), mailboxes[key].state
        if before != now and any(losses.differences(before, now)):
            differing[key] = before
            unclear.update((name.casefold(), name) for name in losses.unclear_recipients(before, now))
        progress.advance()
    same = {name.casefold(): key for name, key in recipients.ids(list(unclear.values())).items()} if unclear else {}
    lost = []
    for key, before in differing.items():
        if found := tuple(losses.differences(before, mailboxes[key].state, same)):
            lost.append(Loss(key, mailboxes[key].name, found))
    return sorted(lost, key=lambda loss: loss.name.casefold()), known


def _artifact(
    lost: Iterable[Loss], unknown: Iterable[tuple[str, str]], accepted: frozenset[str], artifacts: Artifacts
) -> Artifact:
    with artifacts("authority-on_premises-losses") as writer:
        for loss in lost:
            for line in loss.lines(accepted):
                writer.write(line)
        for key, name in unknown:
            writer.write({"object": name, "id": key, "not_compared": "it is in none of the snapshots"})
    return writer.artifact


def _refused_words(refused: Sequence[Loss], accepted: frozenset[str], total: int) -> str:
    texts = (
        f"{loss.name}: {'; '.join(item.as_text() for item in losses.not_given_up(loss.differences, accepted))}"
        for loss in refused
    )
    names = sorted({item.name for loss in refused for item in losses.not_given_up(loss.differences, accepted)})
    return (
        f"{len(refused)} of {total} mailboxes were edited in the cloud since they were moved, in properties that the "
        f"next synchronization would overwrite and that this collection cannot write to Active Directory: "
        f"{listing(texts, 3)}. Set these values in Active Directory by hand, or take the edits back in the cloud. What "
        f"is set there, or may be lost, is named in give_up: [{', '.join(names)}]."
    )


def _unknown_words(unknown: Sequence[tuple[str, str]], total: int, paths: Iterable[str], files: int) -> str:
    looked = f"{files} snapshot(s) of moves to the cloud in {', '.join(paths)}"
    return (
        f"{len(unknown)} of {total} mailboxes are in none of the {looked}, so nobody can tell what was edited in the "
        f"cloud since they were moved: {listing((name for _key, name in unknown), 3)}. Give the snapshots of their "
        "move in compare_with, or accept it with on_unknown: accept."
    )

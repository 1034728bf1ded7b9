# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The checklist of a bundle: a page of HTML to read and to print, without scripts or anything from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence.files import Run, objects_file
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.evidence.style import STYLE
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.gates.evaluate import Verdict, counts
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import (
    CANNOT_TELL,
    CLEAN_UP,
    CLOUD_CLEAN_UP,
    FAILED,
    MANAGEMENT_TOOLS,
    PASSED,
    SOURCE_OF_AUTHORITY,
    UNINSTALL,
)
from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.readiness_file import stamp

_OBJECTS_SHOWN = 8
_TEXT_SHOWN = 1200
_PHASES = {
    CLEAN_UP: "before the hybrid clean-up on premises",
    UNINSTALL: "before Exchange Server is uninstalled",
    CLOUD_CLEAN_UP: "before the clean-up in the cloud",
}
_EXITS = {
    SOURCE_OF_AUTHORITY: "source of authority in the cloud: the last server is uninstalled",
    MANAGEMENT_TOOLS: "management tools: the last server is shut down and never uninstalled",
}
_MARKS = {PASSED: "\u2713 passed", FAILED: "\u2717 failed", CANNOT_TELL: "? cannot tell"}
_GROUPS = (
    ("What stands in the way", lambda item: item.blocks),
    ("Gone on without, with a reason", lambda item: item.accepted is not None),
    ("Passed", lambda item: item.verdict == PASSED),
)


def page(run: Run, about: Mapping[str, Any]) -> str:
    """The whole page."""
    title = f"Decommission of Exchange Server: {about['organization'] or about['forest']}"
    body = "".join(
        (
            f"<h1>{_text(title)}</h1>",
            f'<p class="lead">Gates {_text(_PHASES.get(str(about["phase"]), str(about["phase"])))}</p>',
            _banner(run),
            _facts(about),
            *(_group(name, [item for item in run.verdicts if choose(item)]) for name, choose in _GROUPS),
            _deviations([item for item in run.verdicts if item.accepted is not None]),
            _signatures(),
        )
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def _banner(run: Run) -> str:
    numbers = counts(run.verdicts)
    words = (
        f"{numbers['gates']} gates: {numbers['passed']} passed, {numbers['failed']} failed, "
        f"{numbers['cannot_tell']} cannot be told; {numbers['accepted']} of these gone on without, with a reason."
    )
    kind, head = (PASSED, "\u2713 Ready") if run.ready else (FAILED, "\u2717 Not ready")
    return f'<div class="banner {kind}"><strong>{head}</strong><span>{words}</span></div>'


def _facts(about: Mapping[str, Any]) -> str:
    rows = (
        ("Tenant", about["tenant_id"]),
        ("Forest", about["forest"]),
        ("Organisation", about["organization"] or "no Exchange organisation"),
        ("Servers", ", ".join(about["servers"]) or "none"),
        ("Way out", _EXITS.get(str(about["exit"]), about["exit"])),
        ("Evaluated", f"{about['evaluated_at']} by {about['performed_by']}"),
        ("Good until", about["expires_at"]),
        ("Fingerprint", about["fingerprint"]),
        ("Made by", f"hybrid.exchange {about['collection_version']}"),
    )
    pairs = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in rows)
    return f'<dl class="facts">{pairs}</dl>'


def _group(name: str, verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    return f"<h2>{_text(name)} ({len(verdicts)})</h2>{''.join(map(_gate, verdicts))}"


def _gate(item: Verdict) -> str:
    lines = [
        f"<h3>{_text(item.gate.title)} <code>{_text(item.gate.id)}</code></h3>",
        f'<p class="asserts">{_text(item.gate.asserts)}</p>',
        f"<p>{_text(item.detail)}</p>",
    ]
    if item.blocks:
        lines.append(f"<p><b>What to do:</b> {_text(item.fix)}</p>")
    if item.verdict != PASSED and item.objects:
        lines.append(_objects(item))
    many = f"{len(item.objects)} objects in {objects_file(item)}" if item.objects else "no objects"
    lines.append(
        f'<p class="small">Evidence from {_text(", ".join(item.ends))}, {_text(stamp(item.evaluated_at))}: '
        f"{_text(many)}. Good until {_text(stamp(item.expires_at))}. Source: {_text(item.gate.source)}.</p>"
    )
    kind = "accepted" if item.accepted is not None else item.verdict
    note = "<small>gone on without</small>" if item.accepted is not None else ""
    mark = f'<div class="mark {kind}">{_MARKS[item.verdict]}{note}</div>'
    return f'<div class="gate">{mark}<div>{"".join(lines)}</div></div>'


def _objects(item: Verdict) -> str:
    shown = "".join(f"<li>{_text(_row(row))}</li>" for row in item.objects[:_OBJECTS_SHOWN])
    more = len(item.objects) - _OBJECTS_SHOWN
    rest = f"<li>and {more} more</li>" if more > 0 else ""
    return f"<ul>{shown}{rest}</ul>"


def _row(row: Mapping[str, Any]) -> str:
    name = str(row.get("object", ""))
    known = {key: value for key, value in row.items() if key != "object" and value not in (None, "", [])}
    others = [f"{key.replace('_', ' ')}: {_value(value)}" for key, value in known.items()]
    return f"{name} ({'; '.join(others)})" if others else name


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def _deviations(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    rows = "".join(f"<tr>{_cells('td', _deviation(item))}</tr>" for item in verdicts)
    head = _cells("th", ("Gate", "Reason", "Accepted by", "Until", "May be accepted if"))
    return f"<h2>Deviations</h2><table><tr>{head}</tr>{rows}</table>"


def _deviation(item: Verdict) -> tuple[str, ...]:
    accepted = item.accepted
    if accepted is None:
        return ()
    until = stamp(accepted.until) if accepted.until is not None else "as long as the verdict"
    return (item.gate.id, accepted.reason, accepted.by, until, item.gate.acceptable or "")


def _cells(tag: str, values: Iterable[str]) -> str:
    return "".join(f"<{tag}>{_text(value)}</{tag}>" for value in values)


def _signatures() -> str:
    places = ("Carried out by, date", "Checked by, date", "Approved by (change board), date")
    return f'<div class="sign">{"".join(f"<div>{_text(place)}</div>" for place in places)}</div>'


def _text(value: Any) -> str:
    """Any text, harmless in HTML, and cut where it is very long: the files hold the whole."""
    found = " ".join(str(value).split())
    return escape(found if len(found) <= _TEXT_SHOWN else f"{found[:_TEXT_SHOWN]} ...")

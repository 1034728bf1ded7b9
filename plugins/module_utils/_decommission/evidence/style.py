# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The style of the checklist: for paper first, in one column, readable without colours."""

from __future__ import annotations

STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm 16mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #555; } }
:root { --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --pass: #1a7f37; --fail: #b42318; --open: #9a6700; }
* { box-sizing: border-box; }
html { font: 10pt/1.45 "Source Sans 3", "Segoe UI", "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; }
body { margin: 0 auto; max-width: 190mm; padding: 8mm; color: var(--ink); background: #fff; }
@media print { body { padding: 0; max-width: none; } }
h1 { font-size: 20pt; line-height: 1.15; margin: 0 0 1mm; letter-spacing: -0.01em; }
h2 { font-size: 12.5pt; margin: 9mm 0 3mm; padding-bottom: 1.2mm; border-bottom: 0.4mm solid var(--ink);
  break-after: avoid; }
p { margin: 0 0 2mm; }
.lead { color: var(--soft); margin-bottom: 5mm; }
.banner { display: flex; align-items: baseline; gap: 5mm; border: 0.5mm solid currentColor; border-radius: 1.5mm;
  padding: 3mm 4mm; margin: 5mm 0; break-inside: avoid; }
.banner strong { font-size: 15pt; white-space: nowrap; }
.banner span { color: var(--ink); }
.passed { color: var(--pass); } .failed { color: var(--fail); } .cannot_tell { color: var(--open); }
.accepted { color: var(--open); }
dl.facts { display: grid; grid-template-columns: 38mm 1fr; gap: 0.8mm 4mm; margin: 0; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.gate { display: grid; grid-template-columns: 26mm 1fr; gap: 0 4mm; padding: 2.6mm 0; break-inside: avoid;
  border-bottom: 0.2mm solid var(--line); }
.gate .mark { font-weight: 700; font-size: 9.5pt; }
.gate .mark small { display: block; font-weight: 400; color: var(--soft); font-size: 8pt; }
.gate h3 { font-size: 10.5pt; margin: 0; } .gate h3 code { font-size: 8pt; color: var(--soft); font-weight: 400; }
.gate p { margin: 0.4mm 0 0; } .gate .asserts { color: var(--soft); }
.gate .small { font-size: 8.2pt; color: var(--soft); }
.gate ul { margin: 0.8mm 0 0; padding-left: 4.5mm; font-size: 8.6pt; } .gate li { overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: 9pt; }
th, td { text-align: left; vertical-align: top; padding: 1.4mm 2.5mm 1.4mm 0; border-bottom: 0.2mm solid var(--line);
  overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; } tr { break-inside: avoid; }
td:first-child { white-space: nowrap; font-size: 8.2pt; }
code { font-family: "DejaVu Sans Mono", Consolas, monospace; font-size: 8.2pt; overflow-wrap: anywhere; }
.sign { display: grid; grid-template-columns: repeat(3, 1fr); gap: 14mm 8mm; margin-top: 16mm; break-inside: avoid; }
.sign div { border-top: 0.3mm solid var(--ink); padding-top: 1mm; font-size: 8.5pt; color: var(--soft); }
"""

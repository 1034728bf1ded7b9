# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/attributes.md from the catalogue; with --check says whether the page is what it would write."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "attributes.md"
sys.path.insert(0, str(ROOT / "build"))

from ansible_collections.hybrid.exchange.plugins.module_utils._model.attribute import CLOUD_EDITABLE, Attribute
from ansible_collections.hybrid.exchange.plugins.module_utils._model.catalogue import CATALOGUE, WRITEBACK

COLUMNS = (
    "Attribute in AD",
    "Property in Exchange Online",
    "Synchronized from AD",
    "Editable in the cloud",
    "Cloud Sync writes back",
    "Collection can write",
    "Note",
)
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"

INTRODUCTION = f"""# Exchange attributes: who may edit them, who writes them back

Generated from the catalogue by `tests/tools/attributes_table.py`; the same rows drive reading, comparing and writing.

Cloud Sync writes **{len(WRITEBACK)}** attributes back to Active Directory. The others that become editable in the cloud
stay in AD as they were on the day of the transfer, unless something else keeps them in step: where the last column
says *yes*, `hybrid.exchange.directory_writeback` can do it. A rule gives an attribute to it, for all mailboxes or for
those in a scope (see [estate.md](estate.md#mappings-or-the-rules-file)):

```yaml
- target: msExchHideFromAddressLists
  owner: directory
```

`hybrid.exchange.roundtrip_info` tells which of these attributes nobody keeps in step, in how many mailboxes they
differ, and which application reads them, where the estate says that.

Whether an attribute can be edited in Exchange Online once its mailbox is cloud-managed:

{chr(10).join(f"- **{name}**: {text}." for name, text in CLOUD_EDITABLE.items())}

Sources: Microsoft's reference of filterable properties (names on both sides), the Connect Sync attribute list (what is
synchronized), public schema dumps (syntax), the announcement of Exchange attribute writeback (the {len(WRITEBACK)}).
Microsoft's own table of all attributes was not at hand; where a running job's schema differs, the job is right.

{HEADER}
"""


def row(attribute: Attribute) -> str:
    """One line of the table."""
    back = {None: "yes", "ga": "since August 2026"}.get(attribute.written_back_since, "yes")
    cells = (
        attribute.ldap_name,
        attribute.exchange_property or "",
        "yes" if attribute.synced else "no",
        attribute.cloud_editable.replace("_", " "),
        back if attribute.written_back else "no",
        "yes" if attribute.directory_writable else "no",
        attribute.note,
    )
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Writes or checks the page."""
    text = INTRODUCTION + "\n".join(row(attribute) for attribute in CATALOGUE.values()) + "\n"
    if "--check" not in sys.argv:
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    print("docs/attributes.md is not what the catalogue says; run tests/tools/attributes_table.py.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

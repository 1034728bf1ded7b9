# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds one forest from nothing: domain, Exchange schema, Exchange organisation, people, rights.

Runs under the system's Python, the one that has Samba's modules::

    /usr/bin/python3 -m tests.lab.forest.provision contoso <run dir>

It works on the database files, before the domain controller starts, which is many times faster than LDAP. Every GUID
and SID is fixed, so that two runs yield the same source anchors. On standard output: one JSON object per stage with
its duration.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ldb
import samba.dckeytab
import samba.provision
from samba import param
from samba.auth import system_session
from samba.dcerpc import security
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.ms_display_specifiers import read_ms_ldif
from samba.net import Net
from samba.provision import FILL_FULL, provision
from samba.samdb import SamDB
from samba.schema import Schema

from tests.lab.forest.extend import extend
from tests.lab.forest.kept import build_or_copy
from tests.lab.forest.populate import populate
from tests.lab.forest.smbconf import smb_conf
from tests.lab.settings import DESCRIPTORS, Forest, Settings, fixed_guid, settings
from tests.lab.settings import forest as find_forest

LOCALE = "409"  # English (United States)
BASE_SCHEMA = "2016"
_SCHEMA_2016 = (
    "AD_DS_Attributes__Windows_Server_2016.ldf",
    "AD_DS_Classes__Windows_Server_2016.ldf",
    87,
)


@contextmanager
def stage(forest: Forest, name: str) -> Iterator[None]:
    """Print how long a stage took."""
    started = time.monotonic()
    yield
    seconds = round(time.monotonic() - started, 2)
    print(json.dumps({"forest": forest.name, "stage": name, "seconds": seconds}), flush=True)


def _display_specifiers(path: str) -> str:
    """Samba's display specifiers, in English only: what dialogs show in forty languages takes seconds to load."""
    entries = [entry.strip("\n") for entry in read_ms_ldif(path).split("\n\n")]
    other = re.compile(rf"CN=(?!(?:{LOCALE}),)[0-9A-F]{{3}},CN=DisplaySpecifiers,")
    return "".join(f"{entry}\n\n" for entry in entries if entry and not other.search(entry.split("\n", 1)[0]))


def create_domain(forest: Forest, config: Settings) -> SamDB:
    """Provision the domain; returns the open database.

    Samba 4.17 ships the Windows Server 2016 schema (it has msDS-ExternalDirectoryObjectId, which the agent wants) but
    does not list it as a choice, so it is listed here.
    """
    Schema.base_schemas.setdefault(BASE_SCHEMA, _SCHEMA_2016)
    samba.provision.read_ms_ldif = _display_specifiers
    root = config.forest_dir(forest.name)
    for part in ("etc", "private", "state", "cache", "run", "ncalrpc", "bind-dns"):
        (root / part).mkdir(parents=True, exist_ok=True, mode=0o700)
    conf = root / "etc" / "smb.conf"
    conf.write_text(smb_conf(forest, config))
    lp = param.LoadParm()
    lp.load(str(conf))
    logger = logging.getLogger("provision")
    session = system_session()
    result = provision(
        logger,
        session,
        smbconf=str(conf),
        targetdir=str(root),
        samdb_fill=FILL_FULL,
        realm=forest.domain,
        domain=forest.netbios,
        domainsid=security.dom_sid(forest.domain_sid),
        domainguid=fixed_guid("domain", forest.name),
        invocationid=fixed_guid("invocation", forest.name),
        ntdsguid=fixed_guid("ntds", forest.name),
        hostname="dc1",
        hostip=forest.dc_address,
        adminpass=forest.account("administrator").password,
        dns_backend="NONE",
        serverrole="active directory domain controller",
        base_schema=BASE_SCHEMA,
        dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
        plaintext_secrets=True,
        lp=lp,
    )
    return result.samdb


def open_database(forest: Forest, config: Settings) -> Any:
    """The domain controller's database, opened directly, as the system."""
    root = config.forest_dir(forest.name)
    lp = param.LoadParm()
    lp.load(str(root / "etc" / "smb.conf"))
    return SamDB(url=str(root / "private" / "sam.ldb"), session_info=system_session(), lp=lp, global_schema=False)


def prepare_kerberos(samdb: Any, forest: Forest, config: Settings) -> None:
    """Let clients get tickets for the addresses they connect to, and write the directory writer's keys to a file.

    There is no DNS that would lead ``dc1.<domain>`` to the relay, and a client that is given an address asks for a
    ticket for that address.
    """
    found = samdb.search(forest.base_dn, ldb.SCOPE_SUBTREE, "(sAMAccountName=DC1$)", ["servicePrincipalName"])
    present = {str(name).lower() for name in found[0]["servicePrincipalName"]}
    wanted = [name for name in forest.services if name.lower() not in present]
    if wanted:
        message = ldb.Message(found[0].dn)
        message["s"] = ldb.MessageElement([name.encode() for name in wanted], ldb.FLAG_MOD_ADD, "servicePrincipalName")
        samdb.modify(message)
    lp = param.LoadParm()
    lp.load(str(config.forest_dir(forest.name) / "etc" / "smb.conf"))
    keytab = config.keytab(forest.name)
    keytab.parent.mkdir(exist_ok=True, mode=0o700)
    keytab.unlink(missing_ok=True)
    Net(None, lp).export_keytab(keytab=str(keytab), principal=forest.account("writer").name)
    keytab.chmod(0o600)


def build(forest: Forest, config: Settings) -> None:
    """All that is the same at every address."""
    with stage(forest, "domain"):
        create_domain(forest, config)
    with stage(forest, "schema"):
        extend(lambda: open_database(forest, config))
    with stage(forest, "people"):
        descriptors = populate(open_database(forest, config), forest)
    (config.forest_dir(forest.name) / DESCRIPTORS).write_text(json.dumps(descriptors))


def settle(forest: Forest, config: Settings) -> None:
    """Make a forest at home in its directory and at its addresses, wherever it was built."""
    (config.forest_dir(forest.name) / "etc" / "smb.conf").write_text(smb_conf(forest, config))
    with stage(forest, "kerberos"):
        prepare_kerberos(open_database(forest, config), forest, config)


def main(arguments: list[str]) -> int:
    what, name, directory = arguments
    forest, config = find_forest(name), settings(Path(directory))
    if what == "build":
        build_or_copy(name, config.forest_dir(name), lambda: build(forest, config))
    settle(forest, config)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

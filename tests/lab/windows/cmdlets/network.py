# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host reaches: names, ports, downloads."""

from __future__ import annotations

import hashlib
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from tests.lab.clock import iso
from tests.lab.windows import paths, places, state
from tests.lab.windows.call import Call, Implementation
from tests.lab.windows.errors import CmdletError
from tests.lab.windows.values import Enum, Obj, uint32

Document = dict[str, Any]
_PORTS = {"HTTP": 80, "RDP": 3389, "SMB": 445, "WINRM": 5985}
_DOWNLOAD_SECONDS = 30.0


def _blocked(document: Document, name: str) -> bool:
    return any(paths.matches(name, one) for one in document["blocked"])


def _address(name: str) -> str | None:
    """A made-up address for a name that could be in the public DNS; None for one that cannot."""
    if "." not in name.strip(".") or name.lower().endswith((".invalid", ".test", ".example")) or "*" in name:
        return None
    if name.replace(".", "").isdigit():
        return name
    number = int(hashlib.sha256(name.lower().encode()).hexdigest()[:4], 16)
    return f"198.51.{100 + number // 256 % 100}.{number % 256}"


def test_connection(call: Call) -> None:
    """Test-Connection: one answer for each name, by the host's list of what it cannot reach."""
    for name in map(str, call.many("ComputerName")):
        address = _address(name)
        with call.state() as document:
            reached = address is not None and not _blocked(document, name)
        if call.get("Quiet"):
            call.write(reached)
        elif reached:
            shown = {"Address": name, "IPV4Address": address, "ResponseTime": uint32(1), "StatusCode": uint32(0)}
            call.write(
                Obj(("System.Management.ManagementObject#root\\cimv2\\Win32_PingStatus", "System.Object"), shown)
            )
        else:
            call.error(
                CmdletError(
                    f"Testing connection to computer '{name}' failed: No such host is known",
                    "TestConnectionException",
                    "ResourceUnavailable",
                    "System.Net.NetworkInformation.PingException",
                    name,
                )
            )


def test_net_connection(call: Call) -> None:
    """Test-NetConnection -ComputerName -Port: from the host's list of what it cannot reach."""
    name = str(call.get("ComputerName") or "internetbeacon.msedge.net")
    port = call.get("Port") or _PORTS.get(str(call.get("CommonTCPPort") or ""))
    address = _address(name)
    with call.state() as document:
        reached = address is not None and not _blocked(document, name)
    if address is None:
        call.warning(f"Name resolution of {name} failed")
    elif not reached and port:
        call.warning(f"TCP connect to ({address} : {port}) failed")
    if str(call.get("InformationLevel") or "") == "Quiet":
        call.write(reached)
        return
    properties = {
        "ComputerName": name,
        "RemoteAddress": address,
        "RemotePort": uint32(int(port or 0)),
        "NameResolutionSucceeded": address is not None,
        "InterfaceAlias": "Ethernet",
        "SourceAddress": call.host.address,
        "TcpTestSucceeded": reached and bool(port),
        "PingSucceeded": reached and not port,
        "Detailed": False,
    }
    call.write(Obj(("TestNetConnectionResult", "System.Object"), properties))


def resolve_dns_name(call: Call) -> None:
    """Resolve-DnsName: every name that could be public has an address here."""
    name = str(call.get("Name"))
    address = _address(name)
    if address is None:
        call.error(
            CmdletError(
                f"{name} : DNS name does not exist",
                "DNS_ERROR_RCODE_NAME_ERROR",
                "ResourceUnavailable",
                "System.ComponentModel.Win32Exception",
                name,
            )
        )
        return
    own = {
        "Name": name,
        "Type": Enum("Microsoft.DnsClient.Commands.RecordType", "A", 1),
        "TTL": uint32(60),
        "Section": Enum("Microsoft.DnsClient.Commands.DNSSection", "Answer", 1),
        "IPAddress": address,
    }
    call.write(
        Obj(
            ("Microsoft.DnsClient.Commands.DnsRecord_A", "Microsoft.DnsClient.Commands.DnsRecord", "System.Object"), own
        )
    )


def _web_error(message: str) -> CmdletError:
    return CmdletError(
        message,
        "WebCmdletWebResponseException",
        "InvalidOperation",
        "System.Net.WebException",
        "System.Net.HttpWebRequest",
        "HttpWebRequest",
        terminating=True,
    )


def invoke_web_request(call: Call) -> None:
    """Invoke-WebRequest: a real request, from the host's point of view."""
    uri, out = str(call.get("Uri")), call.get("OutFile")
    parts = urlsplit(uri)
    with call.state() as document:
        if not out and not call.get("UseBasicParsing"):
            raise CmdletError(
                "The response content cannot be parsed because the Internet Explorer engine is not available, or "
                "Internet Explorer's first-launch configuration is not complete. Specify the UseBasicParsing parameter "
                "and try again.",
                "WebCmdletIEDomNotSupportedException",
                "NotImplemented",
                "System.NotSupportedException",
                terminating=True,
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _web_error("Invalid URI: The format of the URI could not be determined.")
        strong = document["registry"].get(places.DOTNET, {})
        if parts.scheme == "https" and not any(
            strong.get(one, ["", 0])[1] == 1 for one in ("SystemDefaultTlsVersions", "SchUseStrongCrypto")
        ):
            raise _web_error("The request was aborted: Could not create SSL/TLS secure channel.")
        if document["behaviour"].get("url") == "unreachable" or _blocked(document, parts.hostname):
            raise _web_error("Unable to connect to the remote server")
        target = paths.located(str(out))[1] if out else None
        if target is not None and paths.key_of(document["files"], paths.parent_of(target)) is None:
            raise CmdletError(
                f"Could not find a part of the path '{target}'.",
                "System.IO.DirectoryNotFoundException",
                "NotSpecified",
                "System.IO.DirectoryNotFoundException",
                terminating=True,
            )
    call.sink.progress("Writing web request", "Writing request stream...", -1)
    status, data = _fetch(call, uri)
    if target is not None:
        with call.state() as document:
            document["files"][paths.key_of(document["files"], target) or target] = {
                **state.file(data, iso(call.estate.now())),
                "downloaded": True,
            }
    if target is None or call.get("PassThru"):
        own = {
            "StatusCode": status,
            "StatusDescription": "OK",
            "Content": data,
            "RawContentLength": len(data),
            "Headers": {},
        }
        call.write(Obj(("Microsoft.PowerShell.Commands.WebResponseObject", "System.Object"), own))


def _fetch(call: Call, uri: str) -> tuple[int, bytes]:
    context = ssl.create_default_context(cafile=call.estate.ca)
    try:
        with urllib.request.urlopen(uri, timeout=_DOWNLOAD_SECONDS, context=context) as answer:
            return int(answer.status), answer.read()
    except urllib.error.HTTPError as error:
        raise _web_error(f"The remote server returned an error: ({error.code}) {error.reason}.") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            text = (
                "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS secure "
                "channel."
            )
            raise _web_error(text) from error
        raise _web_error("Unable to connect to the remote server") from error
    except OSError as error:
        raise _web_error("Unable to connect to the remote server") from error


CMDLETS: dict[str, Implementation] = {
    "Test-NetConnection": test_net_connection,
    "Test-Connection": test_connection,
    "Resolve-DnsName": resolve_dns_name,
    "Invoke-WebRequest": invoke_web_request,
}

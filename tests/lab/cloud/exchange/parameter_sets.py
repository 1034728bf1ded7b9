# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter sets of cmdlets that have several, of which none is a matter of one parameter.

Each set: what it needs, and what it may have besides. Source: the SYNTAX of Microsoft's page of the cmdlet, as far as
the cloud's parameters go.
"""

from __future__ import annotations

Set = tuple[tuple[str, ...], tuple[str, ...]]

_ENDPOINT = (
    "Confirm",
    "MaxConcurrentIncrementalSyncs",
    "MaxConcurrentMigrations",
    "Partition",
    "SkipVerification",
    "WhatIf",
)
SETS: dict[str, tuple[Set, ...]] = {
    "New-MigrationEndpoint": (
        (("Name", "ExchangeRemoteMove", "RemoteServer"),
         ("Credentials", "ApplicationId", "AppSecretKeyVaultUrl", "RemoteTenant", *_ENDPOINT)),
        (("Name", "ExchangeRemoteMove", "Autodiscover", "EmailAddress", "Credentials"), _ENDPOINT),
        (("Name", "ExchangeOutlookAnywhere", "Autodiscover", "EmailAddress", "Credentials"),
         ("AcceptUntrustedCertificates", "SourceMailboxLegacyDN", "TestMailbox", *_ENDPOINT)),
        (("Name", "ExchangeOutlookAnywhere", "Credentials"),
         ("EmailAddress", "ExchangeServer", "AcceptUntrustedCertificates", "Authentication", "MailboxPermission",
          "NspiServer", "RpcProxyServer", "SourceMailboxLegacyDN", "TestMailbox", *_ENDPOINT)),
        (("Name", "IMAP", "RemoteServer"),
         ("Port", "Security", "AcceptUntrustedCertificates", "Authentication", *_ENDPOINT)),
        (("Name", "Gmail", "ServiceAccountKeyFileData"), ("EmailAddress", *_ENDPOINT)),
        (("Name", "Gmail", "OAuthCode", "RedirectUri"), ("TestMailbox", *_ENDPOINT)),
        (("Name", "PublicFolder", "PublicFolderDatabaseServerLegacyDN", "RpcProxyServer", "SourceMailboxLegacyDN",
          "Credentials"), ("Authentication", "TestMailbox", *_ENDPOINT)),
        (("Name", "PublicFolder", "RemoteServer", "Credentials"), _ENDPOINT),
        (("Name", "PublicFolderToUnifiedGroup", "RemoteServer", "Credentials"), ("TestMailbox", *_ENDPOINT)),
        (("Name", "PublicFolderToUnifiedGroup", "PublicFolderDatabaseServerLegacyDN", "RpcProxyServer",
          "SourceMailboxLegacyDN", "Credentials"), ("Authentication", "TestMailbox", *_ENDPOINT)),
        (("Name", "Compliance", "RemoteServer", "Credentials"), _ENDPOINT),
    ),
    "Get-MigrationBatch": (
        ((), ("Identity", "DiagnosticInfo", "IncludeReport", "Partition", "ResultSize", "Status")),
        ((), ("Endpoint", "DiagnosticInfo", "IncludeReport", "Partition", "ResultSize", "Status")),
    ),
    "Get-MigrationEndpoint": (
        ((), ("Identity", "DiagnosticInfo", "Partition")),
        (("Type",), ("DiagnosticInfo", "Partition")),
    ),
    "Get-MoveRequest": (
        ((), ("Identity", "ProxyToMailbox", "ResultSize")),
        ((), ("BatchName", "Flags", "Offline", "ProxyToMailbox", "RemoteHostName", "ResultSize", "Status", "Suspend",
              "SuspendWhenReadyToComplete")),
    ),
}  # fmt: skip

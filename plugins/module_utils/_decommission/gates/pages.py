# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The pages that the gates rest on, in the words that a reader can look them up by, and the sets of phases."""

from __future__ import annotations

from ansible_collections.hybrid.exchange.plugins.module_utils._decommission.phases import CLEAN_UP, PHASES, UNINSTALL

DECOMMISSION_PAGE = "Microsoft, Decommission your last Exchange Server"
MANAGEMENT_TOOLS_PAGE = "Microsoft, Manage recipients in Exchange hybrid environments using management tools"
AUTHORITY_PAGE = "Microsoft, Cloud-based management of Exchange attributes"
WRITEBACK_PAGE = "Microsoft, Exchange hybrid writeback with cloud sync"
HYBRID_APPLICATION_PAGE = "Microsoft, Deploy dedicated Exchange hybrid app"
SCENARIO_PAGE = "Microsoft, How and when to decommission your on-premises Exchange servers in a hybrid deployment"
DNS_PAGE = "Microsoft, External Domain Name System records for Office 365"
SETUP_PAGE = "Microsoft, Use unattended mode in Exchange Setup"

ALL = PHASES
BEFORE = (CLEAN_UP, UNINSTALL)

# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""Microsoft's names of the feature: what tells its configurations and jobs from others."""

from __future__ import annotations

APPLICATION_TEMPLATE = "3b99513e-0cee-4291-aea8-84356239fb82"
JOB_TEMPLATE = "Entra2ADExchangeOnlineAttributeWriteback"
DOMAIN_SETTING = "DomainFQDN"

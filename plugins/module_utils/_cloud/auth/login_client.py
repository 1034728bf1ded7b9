# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""The HTTP client that MSAL is given: our certificates, our patience, our errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud import http_errors
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.http import Http


class LoginResponse:
    """What MSAL needs of a response."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self.headers = dict(answer.headers)
        self.text = answer.body.decode("utf-8", "replace")

    def raise_for_status(self) -> None:
        """MSAL calls this after it has looked at the status; the body says what is wrong."""
        if self.status_code >= 400:
            raise ValueError(f"the sign-in service answered {self.status_code}: {self.text[:300]}")


class LoginClient:
    """MSAL's http_client over our own: throttling and lost connections are waited for here, not by MSAL."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._last: Answer | None = None

    def post(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_unused: Any,
    ) -> LoginResponse:
        return self._send("POST", url, params, data, headers)

    def get(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_unused: Any,
    ) -> LoginResponse:
        return self._send("GET", url, params, None, headers)

    def last_error(self) -> str:
        """What the sign-in service said, if it refused the last request; MSAL keeps that to itself at times."""
        if self._last is None or self._last.status < 400:
            return ""
        return http_errors.details(self._last)[1] or self._last.text

    def close(self) -> None:
        """Nothing to close: the session belongs to the run."""

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None,
        data: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
    ) -> LoginResponse:
        answer = self._http.request(method, url, None, headers=headers, form=data, params=params, raw=True)
        self._last = answer
        return LoginResponse(answer)

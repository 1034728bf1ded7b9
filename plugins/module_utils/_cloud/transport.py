# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""One HTTPS request, without any retry. The only file that knows the requests library's errors."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.hybrid.exchange.plugins.module_utils._cloud.answer import Answer
from ansible_collections.hybrid.exchange.plugins.module_utils._errors import (
    AuthenticationError,
    InputError,
    MissingLibrary,
    Unavailable,
)

try:
    import requests
except ImportError:
    HAS_REQUESTS = False
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    HAS_REQUESTS = True
    REQUESTS_IMPORT_ERROR = None

CONNECT_TIMEOUT = 30.0


class ConnectionLost(Unavailable):
    """The connection failed, or was cut before the whole answer had come: the request may have been carried out."""


class Transport:
    """Sends requests over one session. Certificates are always verified; redirects are never followed."""

    def __init__(self, ca_path: str | None, timeout: float) -> None:
        if not HAS_REQUESTS:
            raise MissingLibrary("requests", REQUESTS_IMPORT_ERROR)
        self._own = threading.local()
        self._verify: str | bool = ca_path or True
        self._timeout = timeout

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        token: str | None = None,
        form: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Raises ConnectionLost, AuthenticationError (the service's certificate is not trusted) or InputError (bad URL).
        """
        host = urlsplit(url).netloc

        def authorize(request: Any) -> Any:
            # As an auth object and not as a header: the library replaces the header where ~/.netrc knows the host.
            if token is not None:
                request.headers["Authorization"] = f"Bearer {token}"
            return request

        try:
            response = self._own_session().request(
                method,
                url,
                headers=dict(headers),
                data=body if form is None else dict(form),
                params=params,
                auth=authorize,
                timeout=(min(CONNECT_TIMEOUT, self._timeout), self._timeout),
                # Given with each request: set on the session, REQUESTS_CA_BUNDLE would override it.
                verify=self._verify,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            if "EOF occurred" in str(error) or "EOF_ERROR" in str(error):
                raise ConnectionLost(f"{host} cut the connection while it was being secured.") from error
            raise AuthenticationError(
                f"The certificate of {host} is not trusted: {_root(error)}. Nothing was sent. If the service uses a "
                "private certification authority, give its certificate file in ca_path; if a proxy inspects TLS, give "
                "the proxy's.",
                host=host,
            ) from error
        except requests.exceptions.Timeout as error:
            raise ConnectionLost(f"{host} did not answer within {self._timeout:g} seconds.") from error
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
            requests.exceptions.InvalidSchema,
            requests.exceptions.InvalidHeader,
        ) as error:
            raise InputError(f"The address {url} cannot be used: {error}.") from error
        except requests.exceptions.RequestException as error:
            raise ConnectionLost(f"The connection to {host} failed: {_root(error)}.") from error
        except OSError as error:
            raise InputError(f"ca_path cannot be used: {error}.") from error
        return Answer(
            method=method,
            url=response.url or url,
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
        )

    def _own_session(self) -> Any:
        """The session of this thread in this process: a session is not made to be shared, and the connections of a
        parent process are not a child's to write on."""
        if getattr(self._own, "process", 0) != os.getpid():
            self._own.session, self._own.process = requests.Session(), os.getpid()
        return self._own.session


def _root(error: BaseException) -> str:
    """The innermost reason of a chain of wrapped errors, in one line."""
    seen: BaseException = error
    while True:
        inner = getattr(seen, "reason", None) or (seen.args[0] if seen.args else None)
        if not isinstance(inner, BaseException):
            return " ".join(str(seen).split())[:200]
        seen = inner

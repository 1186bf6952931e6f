"""Alerts as HTTP requests, for whatever can take one: as JSON, or as a template says."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from ..common.alert_message import AlertMessage
from ..common.errors import ConfigError
from ..common.http import Request
from .body_template import EXAMPLE, filled, is_json, unknown_fields
from .ChannelTemplate import ChannelTemplate
from .http_post import check_url, deliver, target_of


class Webhook(ChannelTemplate):
    """One request per message. The header ``X-Ockle-Id`` is the same at each try of a message.

    With a ``sign_key``: ``X-Ockle-Signature: t=SECONDS,v1=HEX``, the HMAC-SHA256 of ``SECONDS.BODY``; the seconds are
    those of the try, so that a receiver can refuse what is old.
    """

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        super().__init__(name, settings)
        check_url(settings["url"])
        template, content_type = settings["body"], settings["content_type"]
        if unknown := unknown_fields(template):
            raise ConfigError(f"body: there is no {{{unknown[0]}}} to put in")
        if template and is_json(content_type):
            try:
                json.loads(filled(template, EXAMPLE, content_type))
            except ValueError as error:
                raise ConfigError(f"body: it does not become JSON: {error}") from error
        for line in settings["headers"]:
            _header(line, "headers")

    @override
    async def send(self, message: AlertMessage) -> str:
        settings = self.settings
        target = target_of(self.secret("url"), verify=settings["verify"], ca=settings["ca"])
        body = self._body(message).encode()
        request = Request(settings["method"], self._headers(message, body), body)
        return await deliver(target, request, self.timeout)

    def _body(self, message: AlertMessage) -> str:
        if self.settings["body"]:
            return filled(self.settings["body"], message, self.settings["content_type"])
        moment = datetime.fromtimestamp(message.at, UTC).isoformat(timespec="seconds")
        return json.dumps({**message.as_dict(), "time": moment})

    def _headers(self, message: AlertMessage, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": self.settings["content_type"], "X-Ockle-Id": message.id}
        headers |= dict(_header(line, "headers") for line in self.settings["headers"])
        if line := self.secret("secret_header"):
            headers |= dict([_header(line, "secret_header")])
        if token := self.secret("token"):
            headers["Authorization"] = f"Bearer {token}"
        if key := self.secret("sign_key"):
            headers["X-Ockle-Signature"] = signature(key, body, int(time.time()))
        return headers


def signature(key: str, body: bytes, seconds: int) -> str:
    """Return the value of ``X-Ockle-Signature``."""
    digest = hmac.new(key.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hexdigest()}"


def _header(line: str, where: str) -> tuple[str, str]:
    """Return name and value. Raises ConfigError, in which the line, which may be secret, does not stand."""
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise ConfigError(f"{where}: not of the form Name: value")
    return name.strip(), value.strip()

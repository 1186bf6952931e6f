"""Alerts by mail."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Mapping
from typing import Any

import aiosmtplib
from typing_extensions import override

from ..common.alert_message import AlertMessage
from ..common.errors import ConfigError, DeviceRefused, DeviceUnreachable, OckleError
from ..common.http import tls_context
from ..common.logs import redact
from ..common.oserrors import reason
from .ChannelTemplate import ChannelTemplate, MessageRefused
from .mail import envelope, mail

log = logging.getLogger(__name__)

PORTS = {"starttls": 587, "tls": 465, "plaintext": 25}


class Email(ChannelTemplate):
    """A connection per mail: alerts are rare, and servers end those that rest.

    It has arrived when the server takes it for one recipient at least; the others are named in the log.
    """

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        super().__init__(name, settings)
        self._addresses = envelope(settings["from"], settings["to"])
        if settings["encryption"] == "plaintext" and settings["user"] and not settings["plaintext_password"]:
            raise ConfigError(
                "encryption: the password would be sent in clear; write starttls or tls, or plaintext_password = true"
            )

    @override
    async def send(self, message: AlertMessage) -> str:
        settings, where = self.settings, self._where
        encryption, user = settings["encryption"], settings["user"]
        context = tls_context(verify=settings["verify"], ca=settings["ca"]) if encryption != "plaintext" else None
        try:
            refused, said = await aiosmtplib.send(
                mail(message, self._addresses),
                hostname=settings["host"],
                port=settings["port"] or PORTS[encryption],
                local_hostname=socket.gethostname(),  # its own way asks the name servers, and waits for them
                timeout=self.timeout,
                use_tls=encryption == "tls",
                start_tls=encryption == "starttls",
                tls_context=context,
                username=user or None,
                password=self.secret("password") if user else None,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _meaning(error, where) from error
        if refused:
            names = "; ".join(f"{address}: {_said(response.message)}" for address, response in refused.items())
            log.warning("channel %s: %s takes it, but not for %s", self.name, where, names)
            return f"{where}: {_said(said)}; not for {names}"
        return f"{where}: {_said(said)}"

    @property
    def _where(self) -> str:
        return f"{self.settings['host']}:{self.settings['port'] or PORTS[self.settings['encryption']]}"


def _meaning(error: Exception, where: str) -> OckleError:
    """Return what an error means for the message; RFC 5321 section 4.2.1: 4xx may pass, 5xx stays."""
    certificate = _certificate(error)
    if certificate is not None:
        return DeviceRefused(f"{where}: the certificate is not valid: {certificate.verify_message}")
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        said = "; ".join(f"{one.recipient}: {one.code} {_said(one.message)}" for one in error.recipients)
        passing = any(one.code < 500 for one in error.recipients)
        return (DeviceUnreachable if passing else DeviceRefused)(f"{where}: no recipient is taken: {said}")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        text = f"{where}: {error.code} {_said(error.message)}"
        if error.code < 500:
            return DeviceUnreachable(text)
        if isinstance(error, aiosmtplib.SMTPAuthenticationError | aiosmtplib.SMTPSenderRefused):
            return DeviceRefused(text)
        if isinstance(error, aiosmtplib.SMTPDataError):
            return MessageRefused(text)
        return DeviceRefused(text)
    if isinstance(error, aiosmtplib.SMTPTimeoutError):
        return DeviceUnreachable(f"{where}: no answer in time")
    if isinstance(error, ConnectionError):  # also aiosmtplib's own, whose cause says more
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        return DeviceUnreachable(f"{where}: {reason(cause) if cause.errno else _said(str(error))}")
    if isinstance(error, OSError):
        return DeviceUnreachable(f"{where}: {reason(error)}")
    return DeviceRefused(f"{where}: {_said(str(error))}")  # no STARTTLS, no way to log in: it stays so


def _certificate(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__
    return error


def _said(text: str) -> str:
    """Return the first words of a reply, printable, on one line; masked before it is cut."""
    words = " ".join(redact(text).split())[:160]
    return "".join(one if one.isprintable() else "?" for one in words)

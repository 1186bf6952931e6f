"""Where an MQTT broker is, how it is spoken to, and what its errors mean."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from dataclasses import dataclass, field

from ..common.errors import DeviceError, DeviceRefused, DeviceUnreachable

REFUSALS = {
    132: "it does not speak MQTT 3.1.1",
    133: "the client id is refused",
    134: "user or password is wrong",
    135: "user, password or client id is not let in",
}
"""Reason codes that somebody has to mend, as the library names what CONNACK says (MQTT 5, section 3.2.2.2)."""
_NUMBER = re.compile(r"^\[(Errno|code:) ?-?\d+\] ")
"""What stands before the words of an error, for programmers."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is and how it is spoken to. ``ca``: file with the authorities to trust, "" = those of the system."""

    host: str
    port: int
    tls: bool = True
    ca: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    client_id: str = ""
    keepalive: float = 60.0

    @property
    def where(self) -> str:
        return f"MQTT broker {self.host}:{self.port}"

    def context(self) -> ssl.SSLContext | None:
        """Return how TLS is spoken. Raises DeviceRefused when the file with the authorities cannot be used."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca or None)
        except (OSError, ssl.SSLError) as error:
            raise DeviceRefused(f"{self.where}: {self.ca or 'authorities'} cannot be read: {error}") from error

    def fault(self, error: Exception) -> DeviceError:
        """Return what an error of the library means."""
        code, text = getattr(getattr(error, "rc", None), "value", None), str(error)
        if code in REFUSALS:
            return DeviceRefused(f"{self.where}: {REFUSALS[code]}")
        if "CERTIFICATE_VERIFY_FAILED" in text:  # the library passes on no more than the text
            return DeviceRefused(f"{self.where}: the certificate is not valid: {text}")
        return DeviceUnreachable(f"{self.where}: {_NUMBER.sub('', text) or 'the connection broke'}")


def default_client_id(channel: str) -> str:
    """Return a client id of at most 23 letters and digits, the same after each restart of this machine's daemon."""
    return "ockle" + hashlib.sha256(f"{socket.gethostname()}\n{channel}".encode()).hexdigest()[:12]

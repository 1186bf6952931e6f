"""What the GUI needs to know before it can ask the daemon: the section [web] of config.ini, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..common.errors import ConfigError
from ..config.reader import MAIN_FILE
from ..config.site import load_site
from .ockle_client.address import parse_address
from .ockle_client.connection import DEFAULT_PORT

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The options of [web], see the reference of config.ini.

    ``daemon``      keyword arguments for ``Connection``: where the daemon is, without a token
    ``token``       by which the GUI itself looks at the daemon, "" for none
    ``local_role``  "" for none
    ``locales``     a folder with catalogues of the site's own
    ``metrics``     who may see /metrics: "off", "local", "viewer" or "open"
    ``grace``       seconds in which a person can take back what was just started
    """

    host: str = "127.0.0.1"
    port: int = 8080
    daemon: Mapping[str, Any] = field(default_factory=lambda: {"host": "127.0.0.1", "port": DEFAULT_PORT})
    token: str = ""
    url_prefix: str = ""
    trusted_proxy: str = ""
    hosts: tuple[str, ...] = ()
    local_role: str = ""
    wall: bool = False
    metrics: str = "local"
    language: str = ""
    locales: Path | None = None
    grace: float = 5.0
    threads: int = 8

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can reach the GUI."""
        return self.host in LOOPBACK or self.host.startswith("127.")


def read_settings(etc: Path, **instead: Any) -> WebSettings:
    """Return the settings of the site in ``etc``; ``instead``: options of [web], typed, that stand elsewhere.

    Raises ConfigError for faults in config.ini; what the other files hold is the daemon's business.
    """
    site = load_site(etc, check_secrets=False)
    faults = [fault for fault in site.faults if fault.file == MAIN_FILE and fault.section in ("", "web")]
    if faults:
        raise ConfigError(*map(str, faults))
    found: dict[str, Any] = {**site.web, **instead}
    listener = site.plugin_settings.get("SocketListener", {})
    return WebSettings(
        host=found["host"],
        port=found["port"],
        daemon=_daemon(found["daemon"], found["daemon_ca"], listener),
        token=found["token"] if isinstance(found["token"], str) else found["token"].reveal(),
        url_prefix=_prefix(found["url_prefix"]),
        trusted_proxy=found["trusted_proxy"],
        hosts=tuple(found["hosts"]),
        local_role="" if found["local_role"] == "none" else found["local_role"],
        wall=found["wall"],
        metrics=found["metrics"],
        language=found["language"],
        locales=etc / "locale",
        grace=found["grace"],
        threads=found["threads"],
    )


def _daemon(address: str, authority: Path | None, listener: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the daemon is; ``listener``: the options of its SocketListener, {} when it has none here."""
    if not address and listener.get("unix_socket"):
        return {"unix": str(listener["unix_socket"])}
    if not address:
        tls = "tls:" if listener.get("tls_cert") else ""
        host = listener.get("host", "127.0.0.1")
        # what listens everywhere is asked on this machine
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        port = listener.get("port") or DEFAULT_PORT
        address = f"{tls}[{host}]:{port}" if ":" in host else f"{tls}{host}:{port}"
    try:
        where = parse_address(address)
    except ValueError as error:
        raise ConfigError(f"{MAIN_FILE}: [web] daemon: {error}") from None
    if where.get("tls") and authority:
        where["tls"] = str(authority)
    return where


def _prefix(text: str) -> str:
    """Return a path with a leading slash and none at the end, "" for the root."""
    path = text.strip("/")
    return f"/{path}" if path else ""

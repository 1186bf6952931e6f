"""Monitors: what etc/monitors says about nodes that are asked for their figures, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from .checking import Refuse, check_plugin, check_selectors, readable, refusing
from .limits import Limit, parse_limit
from .model import PlainConfig
from .names import name_problem
from .reader import SiteReader
from .references import ReferenceProblem, Secret
from .templates import PLAIN_SECTION

PLUGIN = "Monitoring"
HOST = "{host}"
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}")


@dataclass(frozen=True)
class Monitor:
    """A group of nodes that are asked in the same way. Times in seconds; ``missing_after`` 0 = never.

    ``more``  name -> where it is, see ``parse_more``
    """

    name: str
    comment: str
    enabled: bool
    servers: tuple[str, ...]
    boards: bool
    more: dict[str, str]
    url: str
    token: Secret
    verify: bool
    interval: float
    timeout: float
    missing_after: float
    limits: tuple[Limit, ...]

    def url_of(self, place: str) -> str:
        """Return where to ask a node: ``place`` is its address, or the whole URL."""
        if "://" in place:
            return place
        return self.url.replace(HOST, f"[{place}]" if ":" in place else place)


def parse_more(text: str) -> tuple[str, str]:
    """Return the name and the place of ``pi7=10.0.0.7`` or ``nas=http://10.0.0.8/status``. Raises ValueError."""
    name, mark, place = (part.strip() for part in text.partition("="))
    if not mark or not place:
        raise ValueError(f"{text[:80]!r} is not of the form pi7=10.0.0.7, or nas=http://10.0.0.8/status")
    if problem := name_problem(name):
        raise ValueError(f"{text[:80]!r}: {problem}")
    if "://" in place:
        check_url(place)
    elif not _is_host(place):
        raise ValueError(f"{text[:80]!r}: {place[:80]!r} is neither a host nor a URL")
    return name, place


def _is_host(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def check_url(url: str) -> None:
    """Raise ValueError for what cannot be asked."""
    try:
        parts = urlsplit(url.replace(HOST, "host"))
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
        parts = urlsplit("")
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{url[:80]!r} is no URL such as http://{HOST}:3000/events")
    if parts.username is not None:
        raise ValueError("the URL has a user name in it: a secret goes into token")


def monitor_of(config: PlainConfig, refuse: Refuse | None = None) -> Monitor:
    """Return the monitor that a file means. Raises ValueError, unless ``refuse`` takes each fault."""
    settings, more = config.settings, dict[str, str]()

    def add(text: str) -> None:
        name, place = parse_more(text)
        if name in more:
            raise ValueError(f"{name} is listed twice")
        more[name] = place

    limits = {limit.text: limit for limit in readable(parse_limit, settings["limits"], "limits", refuse)}
    readable(add, settings["more"], "more", refuse)
    readable(check_url, [settings["url"]], "url", refuse)
    same = ("comment", "enabled", "boards", "url", "token", "verify", "interval", "timeout", "missing_after")
    return Monitor(
        name=config.name,
        servers=tuple(settings["servers"]),
        more=more,
        limits=tuple(limits.values()),
        **{key: settings[key] for key in same},
    )


def check_monitors(reader: SiteReader) -> None:
    """Collect the faults of the files in etc/monitors; one that asks nobody is worth a warning."""
    site, section = reader.site, PLAIN_SECTION["monitors"]
    for config in site.monitors.values():
        refuse = refusing(reader, config.file, section)
        monitor = monitor_of(config, refuse)
        check_selectors(reader, config.file, monitor.servers, refuse)
        if not _can_be_sent(monitor.token):
            refuse("token", "it has characters that HTTP cannot carry")
        if HOST not in monitor.url and (monitor.servers or monitor.boards):
            refuse("url", f"{HOST} is missing in it: all nodes would be asked at the same place")
        if not (monitor.servers or monitor.more or monitor.boards):
            site.warnings.append(f"{config.file}: it has no nodes: neither servers, boards nor more names any")
        if monitor.timeout > monitor.interval:
            site.warnings.append(
                f"{config.file}: timeout is longer than interval: nodes that hang are asked less often"
            )
    check_plugin(reader, "monitors", len(site.monitors), PLUGIN, "asks their nodes")


def _can_be_sent(token: Secret) -> bool:
    try:
        text = token.reveal().strip()
    except ReferenceProblem:  # told by whoever checks the references
        return True
    return re.fullmatch(r"[!-~]*", text) is not None

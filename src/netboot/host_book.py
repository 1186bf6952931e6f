"""The hosts of a boot server: hosts.csv on disk, read again when it changes, written without losing anything."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from ..common.errors import CommandError, OckleError
from ..config.atomic import write_atomic
from .hosts import Host, HostList, checked_host, index_of, parse_hosts
from .mac import parse_mac

log = logging.getLogger(__name__)

MOST_BYTES = 8_000_000
_LAST_USED = re.compile(r"^([^#;\n]*;[^;\n]*;[^;\n]*;)[^;\n]*$", re.MULTILINE)
USED_STEP_S = 600
"""Times of use are written no finer than this: each is a write of the whole file."""


class HostBook:
    """Finds hosts by MAC address, address or name. May be used from any thread.

    ``path``  the file, which need not exist
    A file that cannot be read leaves the hosts as they were, and is told once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self._lock = threading.RLock()
        self._seen: tuple[int, int, int] | None = None
        self._list = HostList()
        self._index: dict[object, Host] = {}
        self.reload()

    # -- finding

    def by_mac(self, mac: str) -> Host | None:
        """Return the host with that MAC address (as ``mac.parse_mac`` returns it)."""
        return self._index.get(mac)

    def by_ip(self, ip: IPv4Address) -> Host | None:
        return self._index.get(ip)

    def by_name(self, name: str) -> Host | None:
        return self._index.get(name.casefold()) if name else None

    def find(self, word: str) -> Host | None:
        """Return the host that a person means by its name, its MAC address or its address."""
        found = self.by_name(word)
        if found is not None:
            return found
        try:
            return self.by_mac(parse_mac(word))
        except ValueError:
            pass
        try:
            return self.by_ip(IPv4Address(word))
        except AddressValueError:
            return None

    def all(self) -> list[Host]:
        """Return the hosts in the order of the file."""
        return self._list.hosts

    @property
    def list(self) -> HostList:
        """The file as it was read last, with what is wrong in it."""
        return self._list

    # -- the file

    def text(self) -> tuple[str, str]:
        """Return the file's text and its revision, which names this content. Raises OckleError."""
        text = self._read()
        return text, revision(text)

    def reload(self) -> bool:
        """Read the file again if it has changed; tell whether that brought other hosts or faults."""
        with self._lock:
            mark = self._mark()
            if mark == self._seen and mark is not None:
                return False
            try:
                found = parse_hosts(self._read())
            except OckleError as error:
                if str(error) != self.problem:
                    log.error("%s; the hosts stay as they were", error)
                self.problem = str(error)
                return False
            self._seen, self.problem = mark, ""
            before, self._list = self._list, found
            if before == found:
                return False
            self._index = index_of(found.hosts)
            for problem in found.problems:
                if problem not in before.problems:
                    log.warning("%s, %s", self.path.name, problem)
            return True

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _read(self) -> str:
        try:
            with self.path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise OckleError(f"{self.path} cannot be read: {error.strerror}") from error
        if len(raw) > MOST_BYTES:
            raise OckleError(f"{self.path} is larger than {MOST_BYTES} bytes, which no list of hosts is")
        return raw.decode("utf-8", "replace")

    # -- changing it

    def add(self, mac: str, name: str = "", ip: str = "") -> Host:
        """Add a host. Raises CommandError when it is not valid, or when one with its MAC, address or name is there."""
        try:
            host = checked_host(mac, ip, name)
        except ValueError as error:
            raise CommandError(str(error)) from error
        with self._changing():
            for key in (host.mac, host.ip, host.name.casefold()):
                if key and key in self._index:
                    raise CommandError(f"{self._index[key].label} has {key} already", "conflict")
            self._write(self._list.put(host))
        return host

    def remove(self, mac: str) -> None:
        """Take a host out. Raises CommandError when there is none."""
        with self._changing():
            if self.by_mac(mac) is None:
                raise CommandError(f"there is no host {mac} in {self.path.name}", "not_found")
            self._write(self._list.without(mac))

    def set_text(self, text: str, rev: str | None = None) -> HostList:
        """Put ``text`` in the place of the whole file.

        ``rev``  what the file was when its editor began; None = whatever it is
        Raises CommandError, and changes nothing, when a line is wrong or the file has changed since.
        """
        found = parse_hosts(text)
        if found.problems:
            raise CommandError("; ".join(map(str, found.problems[:5])), data={"problems": _plain(found)})
        with self._changing():
            if rev is not None and revision(self._read()) != rev:
                raise CommandError(f"{self.path.name} has changed since you began; look at it again", "conflict")
            self._write(found.with_uses_of(self._list))
        return self._list

    def used(self, mac: str, at: float, hostname: str = "") -> None:
        """Note that a host has asked at ``at`` (seconds since 1970). A name is only given to a host without one."""
        self.used_all({mac: (at, hostname)})

    def used_all(self, uses: Mapping[str, tuple[float, str]]) -> None:
        """Note for each MAC address when its host has asked, and what it calls itself: one write for all of them."""
        if not self._news(uses):
            return
        with self._changing():
            self._write(self._list.replaced(self._news(uses)))

    def _news(self, uses: Mapping[str, tuple[float, str]]) -> dict[str, Host]:
        """Return the hosts that ``uses`` make other ones, by MAC address."""
        found: dict[str, Host] = {}
        names: set[str] = set()
        for mac, (at, hostname) in uses.items():
            host = self.by_mac(mac)
            if host is None:
                continue
            name = host.name
            if not name and hostname and self.by_name(hostname) is None and hostname.casefold() not in names:
                with contextlib.suppress(ValueError):
                    name = checked_host(mac, "", hostname).name
                    names.add(name.casefold())
            if name != host.name or abs(at - host.last_used) >= USED_STEP_S:
                found[mac] = replace(host, name=name, last_used=int(at))
        return found

    def _write(self, found: HostList) -> None:
        write_atomic(self.path, found.text())
        self.reload()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep other threads and processes from changing the file, and start from what it is now."""
        with self._lock, locked(self.path):
            self.reload()
            yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock beside a file that several processes change. Raises OckleError where it cannot be made."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("a")
    except OSError as error:
        raise OckleError(f"{path} cannot be changed: {error.strerror}") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def revision(text: str) -> str:
    """Return a short name of a text: two with the same differ in times of last use at most, which are nobody's edit."""
    return hashlib.sha256(_LAST_USED.sub(r"\1", text).encode()).hexdigest()[:16]


def _plain(found: HostList) -> list[dict[str, object]]:
    return [{"line": problem.number, "text": problem.text} for problem in found.problems]

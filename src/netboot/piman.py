"""A boot server from piman's own files: piman.yaml, hosts.csv, install/boot and reinstall.txt."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Any

from ..common.clock import Clock
from ..common.errors import ConfigError, OckleError
from ..config.atomic import write_atomic
from ..config.templates import plugin_template
from .boards import Boards
from .boot_server import BootConfig
from .folder import BootFolder
from .host_book import HostBook
from .profiles import Profiles

log = logging.getLogger(__name__)

STATE = ".ockle"
"""What the boot server remembers, beside piman's files."""
BOOT = Path("install") / "boot"
LEASE_S = 600.0
MOST_BYTES = 1_000_000
_KNOWN = ("private_number", "server_address", "subnet_mask", "interface", "switch_count", "switches")


@dataclass(frozen=True, slots=True)
class PimanConfig:
    """piman.yaml. ``switches``: their addresses; ``left_out``: keys that mean nothing here."""

    private_number: int
    server_address: IPv4Address
    interface: str
    switches: tuple[str, ...] = ()
    subnet_mask: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def communities(self) -> tuple[str, str]:
        """Return the communities for reading and for writing, each with piman's VLAN."""
        return f"public@{self.private_number}", f"private@{self.private_number}"

    def pi_address(self, switch: str, port: int) -> IPv4Address:
        """Return the address that piman gives the Pi at a port: of the switch's net, with the VLAN and the port."""
        first, second, *_ = str(IPv4Address(switch)).split(".")
        return IPv4Address(f"{first}.{second}.{self.private_number}.{port}")


def read_piman(path: Path) -> PimanConfig:
    """Read piman.yaml. Raises ConfigError."""
    try:
        import yaml  # an extra: only whoever comes from piman needs it
    except ImportError as error:
        raise ConfigError(f"{path} cannot be read without PyYAML: pip install 'ockle[piman]'") from error
    try:
        found = yaml.safe_load(path.read_bytes()[:MOST_BYTES])
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: no YAML: {' '.join(str(error).split())[:200]}") from error
    return parse_piman(found, path.name)


def parse_piman(found: Any, name: str = "piman.yaml") -> PimanConfig:
    """Return what piman.yaml says. Raises ConfigError with every fault."""
    if not isinstance(found, dict):
        raise ConfigError(f"{name}: it has to be a list of KEY: VALUE")
    faults: list[str] = []
    number = found.get("private_number")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 255:
        faults.append(f"private_number is {number!r}: the number of a VLAN is needed, from 0 to 255")
    try:
        address = IPv4Address(str(found.get("server_address")))
    except AddressValueError:
        faults.append(f"server_address is {found.get('server_address')!r}: an IPv4 address is needed")
    interface = found.get("interface")
    if not isinstance(interface, str) or not interface:
        faults.append(f"interface is {interface!r}: the name of a network interface is needed")
    switches = list(_switches(found.get("switches"), faults))
    if faults:
        raise ConfigError(*(f"{name}: {fault}" for fault in faults))
    left_out = tuple(str(key) for key in found if key not in _KNOWN)
    return PimanConfig(
        int(number or 0), address, str(interface), tuple(switches), str(found.get("subnet_mask", "")), left_out
    )


def _switches(rows: Any, faults: list[str]) -> Iterator[str]:
    for row in rows if isinstance(rows, list) else []:
        text = str(row.get("switch_address") if isinstance(row, dict) else row)
        try:
            yield str(IPv4Address(text))
        except AddressValueError:
            faults.append(f"switches: {text[:60]!r} is no IPv4 address")
    if rows is not None and not isinstance(rows, list):
        faults.append("switches has to be a list")


def boot_config(piman: PimanConfig, folder: Path, hosts: str, **options: Any) -> BootConfig:
    """Return what a boot server serves that takes piman's place in ``folder``; ``options`` of [plugins.NetBoot] win."""
    settings = {
        **plugin_template("NetBoot").defaults("plugins.NetBoot"),
        "interface": piman.interface,
        "address": str(piman.server_address),
        "hosts_file": hosts,
        "root": str(BOOT),
        "images": str(BOOT),
        "dhcp_lease": LEASE_S,
        **options,
    }
    folder = folder.resolve()
    return BootConfig(folder, folder / STATE, settings, Profiles())


class ReinstallFile:
    """``reinstall.txt``: addresses, one a line. Each is honoured once: it becomes a mark, and its line goes.

    What is no address of a host stays, and is told once.
    """

    def __init__(self, path: Path, hosts: HostBook, boards: Boards) -> None:
        self._path, self._hosts, self._boards = path, hosts, boards
        self._told: set[str] = set()
        self._seen: float | None = None

    def add_known(self, address: IPv4Address) -> None:
        """Add a line, if the address is that of a host. Raises OckleError."""
        if self._hosts.by_ip(address) is None:
            raise OckleError(f"{self._hosts.path.name} knows no host with the address {address}: nothing is marked")
        lines = self._lines()
        if str(address) not in lines:
            write_atomic(self._path, "".join(f"{line}\n" for line in [*lines, address]))

    def take(self) -> None:
        """Turn lines into marks. Raises OckleError."""
        try:
            changed = self._path.stat().st_mtime
        except OSError:
            return
        if changed == self._seen:
            return
        lines = self._lines()
        left = [line for line in lines if not self._mark(line)]
        if left != lines:
            write_atomic(self._path, "".join(f"{line}\n" for line in left))
            changed = self._path.stat().st_mtime
        self._seen = changed

    def _lines(self) -> list[str]:
        try:
            return [line for line in map(str.strip, self._path.read_text("utf-8", "replace").splitlines()) if line]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OckleError(f"{self._path}: {error.strerror}") from error

    def _mark(self, line: str) -> bool:
        self._hosts.reload()
        try:
            host = self._hosts.by_ip(IPv4Address(line))
        except AddressValueError:
            host = None
        if host is None:
            if line not in self._told:
                log.warning("%s: %r is no address of a host in %s", self._path.name, line[:60], self._hosts.path.name)
                self._told.add(line)
            return False
        self._boards.want_reinstall(host.mac, "", self._path.name)
        return True


def marks_of(config: BootConfig, clock: Clock) -> ReinstallFile:
    """Return piman's file of reinstallations, with boards and hosts that are not the server's own objects."""
    folder = BootFolder(config.state)
    folder.path.mkdir(parents=True, exist_ok=True, mode=0o750)
    hosts = HostBook(config.etc / config.settings["hosts_file"])
    return ReinstallFile(config.etc / "reinstall.txt", hosts, Boards(folder.boards, clock))

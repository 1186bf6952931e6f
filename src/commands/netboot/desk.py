"""What the commands about netboot share: where the plugin keeps things, and what people call a board."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address
from typing import Any, Protocol

from ...common.errors import CommandError
from ...common.services import DaemonServices
from ...netboot.boards import Board, Boards
from ...netboot.folder import BootFolder
from ...netboot.host_book import HostBook
from ...netboot.hosts import Host
from ...netboot.mac import parse_mac
from ...netboot.port_book import PortBook
from ...netboot.profiles import Profiles
from ...netboot.stages import Stage
from ..group import Data
from . import view
from .ties import tied_boards


class NetbootPlugin(Protocol):
    """What the plugin NetBoot has; ``failure`` is why it does not serve, "" = it does or need not."""

    boards: Boards
    hosts: HostBook
    folder: BootFolder
    failure: str


class Desk:
    """Looks at boards, hosts and live.json, all of them as they are now. For any thread."""

    def __init__(self, daemon: DaemonServices, plugin: NetbootPlugin, book: PortBook) -> None:
        self.daemon = daemon
        self.plugin = plugin
        self._book = book

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.daemon.plugin_settings("NetBoot")

    @property
    def boards(self) -> Boards:
        return self.plugin.boards

    @property
    def hosts(self) -> HostBook:
        self.plugin.hosts.reload()
        return self.plugin.hosts

    @property
    def live(self) -> view.Live:
        return self.plugin.folder.read_live()

    def all(self) -> list[Data]:
        """Return every board: the hosts in the order of their file, then those that were seen without being one."""
        hosts, boards = self.hosts, {board.mac: board for board in self.boards.all()}
        look = self._looker(hosts)
        found = [look(host, boards.pop(host.mac, Board(host.mac))) for host in hosts.all()]
        found += [look(None, board) for board in sorted(boards.values(), key=lambda one: one.mac) if board.first_seen]
        self._add_transfers(found)
        return found

    def counts(self) -> dict[str, int]:
        """Return stage -> how many boards are there."""
        seen = {board.mac: board.stage for board in self.boards.all() if board.first_seen}
        stages = {host.mac: Stage.NEW for host in self.hosts.all()} | seen
        return {stage.key: number for stage, number in Counter(stages.values()).items()}

    def one(self, word: str) -> Data:
        """Return the board that ``word`` names. Raises CommandError "not_found"."""
        hosts, mac = self.hosts, self.mac_of(word)
        found = self._looker(hosts)(hosts.by_mac(mac), self.boards.get(mac) or Board(mac))
        self._add_transfers([found])
        return found

    def mac_of(self, word: str) -> str:
        """Return the MAC address of a board that a person names by name, MAC address or address.

        Raises CommandError "not_found" when there is no such board.
        """
        host = self.hosts.find(word)
        if host is not None:
            return host.mac
        try:
            mac = parse_mac(word)
        except ValueError:
            mac = next((one.mac for one in self.boards.all() if word and word in (one.ip, one.hostname)), "")
        if not mac or self.boards.get(mac) is None:
            raise CommandError(f"there is no board {word}: `ockle netboot boards` shows them all", "not_found")
        return mac

    def transfers(self) -> list[Data]:
        """Return what is being sent, see ``netboot_view.transfers``."""
        hosts = self.hosts.all()
        by_ip = {board.ip: board.mac for board in self.boards.all() if board.ip}
        by_ip |= {str(host.ip): host.mac for host in hosts if host.ip}
        return view.transfers(self.live, {host.mac: host.label for host in hosts}, by_ip)

    def addresses(self) -> set[IPv4Address]:
        """Return addresses that boards without one of their own have now, and that of the boot server."""
        texts = [board.ip for board in self.boards.all()] + [str(self.live["wire"].get("address", ""))]
        found = set()
        for text in texts:
            try:
                found.add(IPv4Address(text))
            except AddressValueError:
                continue
        return found

    def proposal(self) -> str:
        """Return the address to propose for a new host, "" = none."""
        pools = view.pools(self.settings["dhcp_pool"])
        return view.next_address(view.wire_network(self.live), self.hosts.all(), self.addresses(), pools)

    def _looker(self, hosts: HostBook) -> Callable[[Host | None, Board], Data]:
        site = self.daemon.site
        ties, ports, profiles = tied_boards(site, hosts), view.ports(site), Profiles(site.boot.values())

        def look(host: Host | None, board: Board) -> Data:
            server = ties.get(board.mac, "")
            port = ports[server] if server else str(self._book.of(board.mac) or "")
            return view.board_view(host, board, server, port, profiles.of(host))

        return look

    def _add_transfers(self, boards: list[Data]) -> None:
        open_ones = [one for one in self.transfers() if one["state"] in ("running", "waiting")]
        loading = {one["mac"]: one for one in sorted(open_ones, key=lambda one: one["begun"])}
        for board in boards:
            board["loading"] = loading.get(board["mac"])

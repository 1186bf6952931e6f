"""Which board speaks, and what it is to be installed with: by the address of its connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from ..boards import Board
from ..service import BootContext
from ..stages import MarkState


@dataclass
class Installation:
    """What this process saw of a board's installation.

    ``formatted``  it has said that it is installed since it was told to format
    ``cut``        why its root file system was not sent whole the last time, "" = it was, or was not sent yet
    ``loading``    transfers that still have something to send; who has everything may be further than we can see
    """

    formatted: bool = False
    cut: str = ""
    loading: set[object] = field(default_factory=set)


class BoardsHere:
    """Finds boards, and remembers what their installations have come to. Bounded by the boards that are known."""

    def __init__(self, context: BootContext) -> None:
        self._context = context
        self._installations: dict[str, Installation] = {}

    def mac_of(self, ip: str) -> str:
        """Return the MAC address of the board that has an address, "" = nobody knows it.

        A host of hosts.csv has the address that stands there; any other one what the DHCP server has told of it last.
        """
        host = self._context.hosts.by_ip(IPv4Address(ip))
        if host is not None:
            return host.mac
        found = [board for board in self._context.boards.all() if board.ip == ip]
        return max(found, key=lambda board: board.last_seen).mac if found else ""

    def name_of(self, mac: str) -> str:
        host = self._context.hosts.by_mac(mac)
        return host.name if host is not None and host.name else mac

    def installation(self, mac: str) -> Installation:
        return self._installations.setdefault(mac, Installation())

    def board(self, mac: str) -> Board:
        return self._context.boards.get(mac) or Board(mac)

    def image_of(self, mac: str) -> str:
        """Return the name of the root file system that a board is to get."""
        board = self.board(mac)
        if board.reinstall is not MarkState.NONE and board.reinstall_image:
            return board.reinstall_image
        return self._context.profiles.of(self._context.hosts.by_mac(mac)).image

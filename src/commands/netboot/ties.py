"""Which server of the graph is which board: the one with a test that asks for it."""

from __future__ import annotations

from ...config.model import Site
from ...netboot.host_book import HostBook

TESTER = "HelloProtocol"


def tied_boards(site: Site, hosts: HostBook) -> dict[str, str]:
    """Return the MAC address of a board -> the name of its server.

    A server is tied to a board by a test of the type ``HelloProtocol``, whose ``board`` names it.
    """
    ties: dict[str, str] = {}
    for server in site.servers.values():
        for test in server.tests:
            generator = site.testers.get(test.generator)
            if generator is not None and generator.type == TESTER:
                host = hosts.find(test.params.get("board", ""))
                if host is not None:
                    ties.setdefault(host.mac, server.name)
    return ties

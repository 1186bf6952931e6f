"""Where the nodes of the monitors are: addresses of servers, and of boards in hosts.csv."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..config.model import PartConfig, ServerConfig, Site
from ..config.monitors import monitor_of
from ..config.templates import plugin_template
from ..engine.monitoring.nodes import Node, nodes_of
from ..netboot.host_book import HostBook
from ..networkTree.selection import select
from ..networkTree.ServerNetwork import ServerNetwork
from .netboot.ties import tied_boards

BOOT_PLUGIN = "NetBoot"


def hosts_of(site: Site) -> HostBook:
    """Return hosts.csv, wherever the boot server has it."""
    settings = site.plugin_settings.get(BOOT_PLUGIN) or plugin_template(BOOT_PLUGIN).defaults(f"plugins.{BOOT_PLUGIN}")
    return HostBook(site.etc / settings["hosts_file"])


@dataclass(frozen=True, slots=True)
class Members:
    """Who is in the network now: ``servers`` all of them, ``chosen``: monitor -> those that it selects."""

    servers: list[str]
    chosen: dict[str, list[str]]


def members_of(site: Site, network: ServerNetwork) -> Members:
    """On the device loop."""
    monitors = [monitor_of(config) for config in site.monitors.values()]
    chosen = {monitor.name: select(network, monitor.servers)[0] for monitor in monitors}
    return Members([node.name for node in network], chosen)


def find_nodes(site: Site, members: Members, hosts: HostBook) -> dict[str, Node]:
    """Return the nodes of all monitors by name. Reads hosts.csv if it has changed: not on the device loop."""
    monitors = [monitor_of(config) for config in site.monitors.values()]
    hosts.reload()
    ties = tied_boards(site, hosts)
    boards = {host.label: (ties.get(host.mac, ""), str(host.ip)) for host in hosts.all() if host.ip is not None}
    tied = {server: address for server, address in boards.values() if server}
    addresses = {name: address for name, config in site.servers.items() if (address := _address(site, config))}
    return nodes_of(monitors, members.chosen, {**tied, **addresses}, boards, members.servers)


def _address(site: Site, server: ServerConfig) -> str:
    """Return where a server is asked by its tests, or by SSH; "" if nothing says. Other controls may ask a plug."""
    by_ssh = [one for one in server.controls if site.controllers[one.generator].type == "SSHController"]
    return next(_hosts([*server.tests, *by_ssh]), "")


def _hosts(parts: Iterable[PartConfig]) -> Iterator[str]:
    for part in parts:
        host, url = part.params.get("host"), part.params.get("url")
        if isinstance(host, str) and host:
            yield host
        elif isinstance(url, str) and (name := urlsplit(url).hostname):
            yield name

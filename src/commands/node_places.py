"""Where the nodes of the monitors are: addresses of servers, and of boards in hosts.csv."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def find_nodes(site: Site, network: ServerNetwork, hosts: HostBook) -> dict[str, Node]:
    """Return the nodes of all monitors by name. On the device loop."""
    monitors = [monitor_of(config) for config in site.monitors.values()]
    members = {monitor.name: select(network, monitor.servers)[0] for monitor in monitors}
    hosts.reload()
    ties = tied_boards(site, hosts)
    boards = {host.label: (ties.get(host.mac, ""), str(host.ip)) for host in hosts.all() if host.ip is not None}
    tied = {server: address for server, address in boards.values() if server}
    addresses = {name: address for name, config in site.servers.items() if (address := _address(site, config))}
    return nodes_of(monitors, members, {**tied, **addresses}, boards, [node.name for node in network])


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

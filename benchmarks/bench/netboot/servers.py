"""The servers that are compared, each as a context that yields a process which answers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..processes import Process, find_program, running
from .loads import BootFile, Loads, WrongAnswerError
from .space import SERVER, WIRE, Space

POOL = "10.77.128.0", "10.77.255.250"
PATIENCE_S = 20.0


@dataclass(frozen=True)
class Site:
    """Where a server runs. ``root``: boot files; ``scratch``: what it writes, empty for each."""

    space: Space
    loads: Loads
    root: Path
    scratch: Path
    address: str = SERVER

    @contextmanager
    def run(self, *command: object) -> Iterator[Process]:
        with running([*self.space.there, *map(str, command)]) as process:
            yield process


class Start(Protocol):
    """Runs a server until the context is left."""

    def __call__(self, site: Site) -> AbstractContextManager[Process]: ...


def until(works: Callable[[], object], process: Process) -> None:
    """Wait until ``works`` gives no WrongAnswerError."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            works()
            return
        except WrongAnswerError as error:
            if process.popen.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.popen.args!r}: {error}\n{process.said[-1500:]}") from error
            time.sleep(0.05)


def serves_tftp(site: Site, process: Process) -> None:
    until(lambda: site.loads.tftp([BootFile("probe", site.root / "probe")], 1, 0, 0, server=site.address), process)


def serves_dhcp(site: Site, process: Process) -> None:
    until(lambda: site.loads.dhcp("relay", 1, 1, 1), process)


def _dnsmasq(*options: object) -> list[object]:
    program = find_program("dnsmasq")
    assert program
    quiet = ("--no-daemon", "--port=0", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--log-facility=-")
    return [program, *quiet, "--bind-interfaces", "--except-interface=lo", *options]


@contextmanager
def dnsmasq_tftp(site: Site) -> Iterator[Process]:
    options = (
        f"--listen-address={site.address}",
        "--enable-tftp",
        f"--tftp-root={site.root}",
        "--tftp-max=1000",
        "--quiet-tftp",
    )
    with site.run(*_dnsmasq(*options)) as process:
        serves_tftp(site, process)
        yield process


@contextmanager
def tftpd_hpa(site: Site) -> Iterator[Process]:
    address = f"--address={site.address}:69"
    with site.run(find_program("in.tftpd"), "-4", "-L", address, "--user=root", "--secure", site.root) as process:
        serves_tftp(site, process)
        yield process


@contextmanager
def atftpd(site: Site) -> Iterator[Process]:
    options = ("--daemon", "--no-fork", "--bind-address", site.address, "--user", "root.root", "--maxthread", "1000")
    quiet = ("--logfile", "-", "--verbose=1")
    with site.run(find_program("atftpd"), *options, *quiet, site.root) as process:
        serves_tftp(site, process)
        yield process


@contextmanager
def dnsmasq_dhcp(site: Site, *, leases: bool) -> Iterator[Process]:
    first, last = POOL
    leasing = f"--dhcp-leasefile={site.scratch / 'leases'}" if leases else "--leasefile-ro"
    pool = (f"--interface={WIRE}", f"--dhcp-range={first},{last},255.255.0.0,1h", "--dhcp-lease-max=100000")
    with site.run(*_dnsmasq(*pool, leasing, "--no-ping", "--quiet-dhcp")) as process:
        serves_dhcp(site, process)
        yield process


@contextmanager
def kea(site: Site) -> Iterator[Process]:
    """Its leases in a file ("memfile"), which is its default."""
    first, last = POOL
    leases = {"type": "memfile", "persist": True, "name": str(site.scratch / "leases.csv"), "lfc-interval": 0}
    settings = {
        "Dhcp4": {
            "interfaces-config": {"interfaces": [f"{WIRE}/{SERVER}"], "dhcp-socket-type": "udp"},
            "lease-database": leases,
            "valid-lifetime": 3600,
            "subnet4": [{"subnet": "10.77.0.0/16", "pools": [{"pool": f"{first} - {last}"}]}],
            "loggers": [{"name": "kea-dhcp4", "severity": "WARN", "output_options": [{"output": "stdout"}]}],
        }
    }
    (site.scratch / "kea.json").write_text(json.dumps(settings))
    environment = (f"KEA_PIDFILE_DIR={site.scratch}", f"KEA_LOCKFILE_DIR={site.scratch}")
    with site.run("env", *environment, find_program("kea-dhcp4"), "-c", site.scratch / "kea.json") as process:
        serves_dhcp(site, process)
        yield process


@contextmanager
def nginx(site: Site) -> Iterator[Process]:
    port, scratch = 8080, site.scratch
    folders = "".join(
        f"{what}_temp_path {scratch}/{what};" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (scratch / "nginx.conf").write_text(
        f"daemon off; worker_processes auto; pid {scratch}/pid; error_log stderr; user root;"
        f"events {{ worker_connections 1024; }} http {{ access_log off; sendfile on; tcp_nopush on; {folders}"
        f"server {{ listen {SERVER}:{port}; root {site.root}; }} }}"
    )
    with site.run(find_program("nginx"), "-p", scratch, "-e", "stderr", "-c", scratch / "nginx.conf") as process:
        request = "GET /probe HTTP/1.0\r\n\r\n"
        until(lambda: site.loads.tcp(port, 1, site.root / "probe", request), process)
        yield process


@contextmanager
def ockle(site: Site, *, services: str, hosts: str = "") -> Iterator[Process]:
    """The boot server as a process of its own. ``services``: with commas.

    ``hosts``: of hosts.csv, which alone are served; without them there is a pool for all.
    """
    etc = site.scratch / "etc"
    etc.mkdir()
    (etc / "hosts.csv").write_text(hosts)
    options = {
        "services": f"{services},", "interface": WIRE, "address": site.address, "root": site.root, "images": site.root,
    }  # fmt: skip
    if "dhcp" in services:
        options["dhcp_check"] = "0"
        if not hosts:
            options |= {"dhcp_pool": f"{'-'.join(POOL)},", "dhcp_known_only": "false", "dhcp_probe": "0"}
    lines = [f"{name} = {value}" for name, value in options.items()]
    head = ["[main]", f"state_dir = {site.scratch / 'state'}", "[plugins]", "plugins = NetBoot,", "[plugins.NetBoot]"]
    (etc / "config.ini").write_text("\n".join([*head, *lines, ""]))
    with site.run(sys.executable, "-m", "ockle", "--etc", etc, "netboot", "serve") as process:
        process.wait_for("boot server: ")
        yield process

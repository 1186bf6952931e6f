"""Boards on a PoE switch of the lab, and the folder of a daemon that powers them and serves what they boot from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ockle.simulator.lab import Lab
from ockle.simulator.spec import BoardSpec, LabSpec, MachineSpec, SwitchSpec
from own_daemon import written

SPEED = 0.1
MACS = {f"pi{number}": f"B8:27:EB:00:00:{number:02X}" for number in range(1, 7)}
HOST = {name: f"127.0.41.{name[2:]}" for name in MACS}
SERVER_AT = "127.0.42.1"

CONFIG = """[main]
poll_interval = 200ms
test_interval = 300ms
[plugins]
plugins = CoreCommunicationCommands, NetBoot{plugins}
[plugins.AutoControl]
enabled = false
[plugins.NetBoot]
serve = {serve}
services = {services}
interface = lo
address = {address}
{options}
"""
SWITCH = """[pdu]
type = PoE
host = {host}
port = {port}
write_community = private@9
timeout = 1s
init_delay = 0s
"""
SERVER = """[server]
outlets = poe
tests = hello
dependencies = {needs}
probe_interval = 100ms
boot_timeout = {boot_timeout}
shutdown_policy = cut
retry_cycle = always
{more}
[poe]
pdu = sw
port = {port}
min_off_time = 100ms
settle_timeout = 3s
max_per_minute = 0
[hello]
tester = boot
board = {board}
"""


@contextmanager
def boards(names: list[str], *, extra: int = 2, fast: float = SPEED) -> Iterator[Lab]:
    """Run boards on the ports 1, 2 … of the switch ``sw``, which has ``extra`` ports more; ``sw2`` has none."""
    machines = tuple(
        MachineSpec(
            name, (("sw", port),), boot_s=3.0, watts=5, services=("tcp",), host=HOST[name], board=BoardSpec(MACS[name])
        )
        for port, name in enumerate(names, 1)
    )
    switch = SwitchSpec("sw", len(names) + extra, write_community="private@9", detect_s=0.3)
    with Lab(LabSpec(devices=(switch, SwitchSpec("sw2", 2)), machines=machines, speed=fast)) as lab:
        yield lab


def site(
    etc: Path,
    lab: Lab,
    servers: Mapping[str, str] = {},
    *,
    hosts: str | None = None,
    serve: str = "no",
    services: str = '""',
    options: str = "",
    plugins: str = "",
    boot_timeout: str = "20s",
    more: str = "",
) -> Path:
    """Write a folder whose servers (name -> what they need) are boards of their name, on their ports."""
    ports = {machine.name: machine.supplies[0][1] for machine in lab.spec.machines}
    if hosts is None:
        hosts = "".join(f"{MACS[name]};{HOST[name]};{name};0\n" for name in ports)
    config = CONFIG.format(serve=serve, services=services, options=options, address=SERVER_AT, plugins=plugins)
    files = {
        "config.ini": config,
        "hosts.csv": hosts,
        "testers/boot.ini": "[tester]\ntype = HelloProtocol\n",
    }
    for switch in ("sw", "sw2"):
        at = lab.endpoints[switch]
        files[f"outlets/{switch}.ini"] = SWITCH.format(host=at.host, port=at.ports["snmp"])
    for name, needs in servers.items():
        files[f"servers/{name}.ini"] = SERVER.format(
            needs=f'"{needs}",' if needs else ",", port=ports[name], board=name, boot_timeout=boot_timeout, more=more
        )
    return written(etc, files)

"""A site whose boards are virtual machines on a wire of their own: the daemon serves them, and switches them.

Everything is the real thing: iPXE asks for an address and a boot script, the kernel of Debian starts our initramfs,
that installs a small system on an empty disk and starts it. The dependent ``after`` stands for what needs the boards.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaigns.netboot.kernel import Kernel, fetch_ipxe

from e2e import Daemon, ockle
from netboot_machine import DISK, MODULES, SCRIPT, Firmware, Machine, kernel
from netboot_net import Lan, lan, machines_possible
from ockle.webserver.ockle_client.connection import Connection
from peers import peer

HERE = Path(__file__).parent
BOOT_S = 120.0
"""Limit of a boot with an installation; it takes a sixth of that when nothing else runs."""
SYSTEM_RUNS = "the installed system runs"
INIT = f"""#!/bin/busybox sh
echo {SYSTEM_RUNS}
while :; do /bin/busybox sleep 3600; done
"""
POWER = """#!/bin/sh
# power.sh on|off|status FOLDER NAME: a virtual machine is its process
pid=$(cat "$2/$3.pid" 2>/dev/null)
alive() { [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; }
case $1 in
on) alive || exec sh "$2/$3.command" ;;
off) if alive; then kill -9 "$pid"; while alive; do sleep 0.05; done; fi; rm -f "$2/$3.pid" ;;
status) if alive; then echo on; else echo off; fi ;;
esac
"""
CONFIG = """[main]
state_dir = {state}
poll_interval = 500ms
test_interval = 500ms
[plugins]
plugins = SocketListener, CoreCommunicationCommands, Logger, NetBoot
[plugins.SocketListener]
port = 0
unix_socket = {socket}
[plugins.NetBoot]
interface = {interface}
address = {address}
dhcp_check = 1s
services = dhcp, tftp, install
dhcp_boot_ipxe = boot.ipxe
dhcp_boot_uefi64 = snponly.efi
"""
SERVER = """[server]
dependencies = {needs}
outlets = plug
tests = {tests}
[plug]
pdu = {pdu}
min_off_time = 0s
max_per_minute = 0
{more}"""
INITRAMFS = f"""[initramfs]
devices = {DISK},
table = dos
partitions = start=2048 type=83,
root = 1
modules = {MODULES}
modules_folder = {{modules}}
"""


@dataclass
class Stock:
    """The site at work. ``client`` has subscribed to the daemon's events."""

    wire: Lan
    folder: Path
    machines: dict[str, Machine]
    stack: ExitStack
    daemon: Daemon = field(init=False)
    client: Connection = field(init=False)

    def start(self) -> None:
        """Start a daemon and wait until it serves; also after another one has died."""
        self.daemon = Daemon(self.etc, self.wire.inside(sys.executable, "-m", "ockle", "daemon"))
        self.stack.callback(self.daemon.stop)
        self.daemon.said("is ready")
        self.client = Connection(unix=str(self.folder / "socket"), timeout=30.0, via="socket", user="tester")
        self.stack.callback(self.client.close)
        self.client.subscribe()

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    def call(self, command: str, **data: Any) -> dict[str, Any]:
        return self.client.call(command, data, 30.0)

    def order(self, action: str, *servers: str) -> int:
        plan = self.call("plan", action=action, servers=list(servers))
        request = {"action": action, "servers": list(servers), "rev": plan["rev"], "confirm": plan["confirm"]}
        return int(self.call("run", **request)["run"])

    def states(self) -> dict[str, str]:
        return {name: server["state"] for name, server in self.call("status")["servers"].items()}

    def until(self, what: str, holds: Callable[[], Any], timeout: float = BOOT_S) -> Any:
        """Ask ``holds`` anew with every event and now and then, until it returns something true."""
        deadline = time.monotonic() + timeout
        while not (found := holds()):
            if time.monotonic() > deadline:
                consoles = "\n".join(f"-- {one.name}\n{one.said()[-2500:]}" for one in self.machines.values())
                raise AssertionError(f"not {what}: {self.states()}\n{self.daemon.tail}\n{consoles}")
            self.client.next_event(0.3)
        return found

    def ended(self, run: int) -> dict[str, Any]:
        """Wait for the end of a run, which has to be good."""

        def look() -> dict[str, Any] | None:
            found = self.call("getRun", run=run)
            return found if found["state"] in ("done", "failed", "cancelled") else None

        found: dict[str, Any] = self.until(f"at the end of run {run}", look)
        assert found["state"] == "done", f"{found}\n{self.daemon.tail}"
        return found

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.call("events")["events"] if one["kind"] == kind]


def root_file_system(path: Path, busybox: str) -> None:
    """Write a system that does nothing but say that it runs."""
    with tarfile.open(path, "w:gz") as tar:
        for name in ("bin", "dev", "proc", "run", "sbin", "sys"):
            folder = tarfile.TarInfo(f"./{name}")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        tar.add(busybox, "./bin/busybox")
        init = tarfile.TarInfo("./sbin/init")
        init.size, init.mode = len(INIT.encode()), 0o755
        tar.addfile(init, io.BytesIO(INIT.encode()))


def write_site(folder: Path, wire: Lan, machines: Sequence[Machine], found: Kernel, arguments: str = "quiet") -> Path:
    """Write all that the boot server serves, and a network in which ``after`` needs all machines; return its etc."""
    etc = folder / "etc"
    boot, images = etc / "netboot" / "boot", etc / "netboot" / "images"
    for place in (boot, images, *(etc / name for name in ("outlets", "testers", "servers"))):
        place.mkdir(parents=True)
    shutil.copy(found.image, boot / "vmlinuz")
    if any(one.firmware == "edk2" for one in machines):
        shutil.copy(fetch_ipxe(), boot / "snponly.efi")
    (boot / "boot.ipxe").write_text(SCRIPT.format(arguments=f"master=${{next-server}} {arguments}"))
    (etc / "initramfs.ini").write_text(INITRAMFS.format(modules=found.modules))
    busybox = peer("busybox")
    words = ("netboot", "build-initramfs", str(boot / "initramfs.gz"), "--config", str(etc / "initramfs.ini"))
    built = ockle("--etc", str(etc), *words)
    assert built.code == 0, built.err
    root_file_system(images / "rootfs.tgz", busybox)
    (etc / "config.ini").write_text(
        CONFIG.format(state=folder / "state", socket=folder / "socket", interface=wire.BRIDGE, address=wire.ADDRESS)
    )
    hosts = "".join(f"{one.mac};10.214.0.{50 + place};{one.name};0\n" for place, one in enumerate(machines))
    (etc / "hosts.csv").write_text(hosts)
    (folder / "power.sh").write_text(POWER)
    power = f"/bin/sh, {folder}/power.sh"
    (etc / "outlets/vm.ini").write_text(
        "[pdu]\ntype = Command\n"
        + "".join(f"{word}_command = {power}, {word}, {folder}, {{outlet}}\n" for word in ("on", "off", "status"))
    )
    (etc / "outlets/dummy.ini").write_text("[pdu]\ntype = Dummy\n")
    (etc / "testers/booted.ini").write_text("[tester]\ntype = HelloProtocol\n")
    for one in machines:
        one.make_disk()
        (folder / f"{one.name}.command").write_text(f"exec {shlex.join(one.command())}\n")
        more = f"outlet = {one.name}\n[said]\ntester = booted\nboard = {one.name}\n"
        text = SERVER.format(needs=",", tests="said,", pdu="vm", more=more)
        (etc / f"servers/{one.name}.ini").write_text(text)
    needs = "".join(f"{one.name}, " for one in machines)
    (etc / "servers/after.ini").write_text(SERVER.format(needs=needs, tests=",", pdu="dummy", more=""))
    return etc


@contextmanager
def stock_site(folder: Path, *names: str, firmware: Firmware = "bios") -> Iterator[Stock]:
    """A site with these machines, switched off, their disks empty, and its daemon at work in their network."""
    found = kernel()
    machines_possible()
    with ExitStack() as stack:
        wire = stack.enter_context(lan())
        machines = {
            name: Machine(name, f"52:54:00:00:00:{number:02X}", wire.tap(f"tap{number}"), folder, firmware)
            for number, name in enumerate(names, 1)
        }
        write_site(folder, wire, list(machines.values()), found)
        router = wire.popen(sys.executable, HERE / "netboot_router.py", wire.BRIDGE, stdout=subprocess.PIPE)
        stack.callback(_end, router)
        for machine in machines.values():
            stack.callback(_kill, machine)
        stock = Stock(wire, folder, machines, stack)
        stock.start()
        yield stock


def live(stock: Stock) -> dict[str, Any]:
    """Return what the boot server says of itself."""
    found: dict[str, Any] = json.loads((stock.folder / "state/netboot/live.json").read_text())
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _kill(machine: Machine) -> None:
    if machine.pid_file.exists():
        with suppress(ProcessLookupError):
            os.kill(int(machine.pid_file.read_text()), 9)

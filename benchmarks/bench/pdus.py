"""The same simulated PDUs for Ockle, by SNMP, and for powerman, by lines of text: each request takes its time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from ockle.simulator.lab import Lab
from ockle.simulator.site_writer import write_site
from ockle.simulator.spec import LabSpec, MachineSpec, PduSpec

OUTLETS = 16

# Our own text for powerman, in the shape that powerman.dev(5) describes: a command, and the word with which it ends.
_DEVICE = """specification "{name}" {{
\ttimeout 60.0
\tplug name {{ {plugs} }}
\tscript login {{
\t\tsend "login\\n"
\t\texpect "ok\\n"
\t}}
\tscript on {{
\t\tsend "on %s\\n"
\t\texpect "ok\\n"
\t}}
\tscript off {{
\t\tsend "off %s\\n"
\t\texpect "ok\\n"
\t}}
{more}}}
"""
_ON_ALL = """\tscript on_all {
\t\tsend "on *\\n"
\t\texpect "ok\\n"
\t}
"""


class Pdus:
    """``count`` PDUs of 16 outlets, each with a machine; every request takes ``delay_s``, one at a time per PDU."""

    def __init__(self, lab: Lab, ports: list[int]) -> None:
        self._lab = lab
        self._ports = ports
        self._names = [spec.name for spec in lab.spec.devices]

    @property
    def nodes(self) -> list[str]:
        return [machine.name for machine in self._lab.spec.machines]

    def closed(self) -> int:
        """Return how many relays are closed."""
        return sum(self._lab.outlet(name, number).closed for name in self._names for number in range(1, OUTLETS + 1))

    def open_all(self) -> None:
        for name in self._names:
            for number in range(1, OUTLETS + 1):
                self._lab.press(name, number, False)

    def write_site(self, etc: Path, state: Path) -> None:
        """Write the site for Ockle; all options have their defaults but where it keeps and listens."""
        write_site(
            self._lab,
            etc,
            settings={
                "main": {"state_dir": str(state), "poll_interval": "30s", "test_interval": "15s"},
                "plugins.SocketListener": {"port": "0"},
            },
        )
        main = etc / "config.ini"  # `write_site` has no lists
        wanted = "[plugins]\nplugins = CoreCommunicationCommands, SocketListener\n"
        main.write_text(main.read_text("utf-8").replace("[plugins]\n", wanted), "utf-8")
        for pdu in (etc / "outlets").glob("*.ini"):  # as patient as by default: here two daemons share two cores
            pdu.write_text(pdu.read_text("utf-8").replace("timeout = 1s", "timeout = 5s"), "utf-8")

    def write_powerman(self, folder: Path, port: int, *, whole: bool) -> Path:
        """Write powerman's configuration and return its file; ``whole``: it may switch a whole PDU by one command."""
        plugs = " ".join(f'"{number}"' for number in range(1, OUTLETS + 1))
        (folder / "pdu.dev").write_text(_DEVICE.format(name="pdu", plugs=plugs, more=_ON_ALL if whole else ""), "ascii")
        lines = [f'include "{folder / "pdu.dev"}"', f'listen "127.0.0.1:{port}"']
        lines += [
            f'device "{name}" "pdu" "127.0.0.1:{port}"' for name, port in zip(self._names, self._ports, strict=True)
        ]
        for machine in self._lab.spec.machines:
            ((device, outlet),) = machine.supplies
            lines.append(f'node "{machine.name}" "{device}" "{outlet}"')
        path = folder / "powerman.conf"
        path.write_text("\n".join(lines) + "\n", "ascii")
        return path


@contextmanager
def pdus(count: int, delay_s: float) -> Iterator[Pdus]:
    devices = tuple(PduSpec(f"pdu{number:03}", OUTLETS, move_s=0.0) for number in range(count))
    machines = tuple(
        MachineSpec(f"srv{number:04}", ((devices[number // OUTLETS].name, number % OUTLETS + 1),), services=())
        for number in range(count * OUTLETS)
    )
    with Lab(LabSpec(devices, machines)) as lab, _text_fronts(lab, delay_s) as ports:
        for device in devices:
            lab.turn(device.name, slow_s=delay_s)
        yield Pdus(lab, ports)


@contextmanager
def _text_fronts(lab: Lab, delay_s: float) -> Iterator[list[int]]:
    """Listen for powerman, a port for each PDU, on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="text fronts", daemon=True)
    thread.start()
    presses = ThreadPoolExecutor(1)

    async def start() -> tuple[list[asyncio.Server], list[int]]:
        servers = []
        for spec in lab.spec.devices:
            front = _TextFront(lab, spec.name, delay_s, presses)
            servers.append(await asyncio.start_server(front.serve, "127.0.0.1", 0))
        return servers, [server.sockets[0].getsockname()[1] for server in servers]

    async def stop(servers: list[asyncio.Server]) -> None:
        for server in servers:
            server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    servers, ports = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    try:
        yield ports
    finally:
        asyncio.run_coroutine_threadsafe(stop(servers), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
        presses.shutdown()


class _TextFront:
    """``on 3``, ``off 3``, ``on *``: after the delay the relays move, and the answer is ``ok``."""

    def __init__(self, lab: Lab, device: str, delay_s: float, presses: ThreadPoolExecutor) -> None:
        self._lab, self._device, self._delay_s, self._presses = lab, device, delay_s, presses

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (asyncio.CancelledError, ConnectionError):  # the end of the run, or of powermand
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            verb, _, which = line.decode("ascii").strip().partition(" ")
            if verb in ("on", "off"):
                await asyncio.sleep(self._delay_s)
                numbers = range(1, OUTLETS + 1) if which == "*" else [int(which)]
                await asyncio.get_running_loop().run_in_executor(self._presses, self._press, numbers, verb == "on")
            writer.write(b"ok\n")
            await writer.drain()
        writer.close()

    def _press(self, numbers: range | list[int], on: bool) -> None:
        for number in numbers:
            self._lab.press(self._device, number, on)

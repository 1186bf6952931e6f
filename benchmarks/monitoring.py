#!/usr/bin/env python3
"""What asking nodes costs the engine: how late its event loop is while 2,000 machines are asked, answer, or hang.

A timer of 5 ms on the device loop of a daemon says how late it fires. The machines are ports of another process.

  idle      nobody is asked: the limit in the same run
  asked     every machine is asked every 30 s, and answers like `ockle agent`
  hanging   every machine is asked, accepts the connection, and says nothing
  cpu       CPU time of the daemon for an answer

Exit 1 when the device loop is later than ``--limit`` ms in one of a hundred looks while machines are asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from ockle.common.CommunicationMessage import Message
from ockle.MainDaemon import MainDaemon

EVERY_S, TICK_S, GROUP = 30.0, 0.005, 100
FIGURES = {"time": 0, "cpu_percent": 5.0, "memory_percent": 20.5, "disk_percent": 40.1, "num_pids": 99, "temp": 48.2}
FIGURES |= {"load_1m": 0.1, "load_5m": 0.1, "load_15m": 0.1, "num_cpus": 4, "uptime_s": 86400, "hanging": 0}


def machines(port_of: Connection, hang: bool) -> None:
    """Answer for all machines on one port."""
    body = json.dumps(FIGURES).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if hang:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def work() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
        port_of.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(work())


@contextmanager
def site(nodes: int, hang: bool) -> Iterator[MainDaemon]:
    """A daemon that asks ``nodes`` machines, each of which answers, or none of which does."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=machines, args=(there, hang), daemon=True)
    process.start()
    with tempfile.TemporaryDirectory() as folder:
        etc = Path(folder)
        (etc / "monitors").mkdir()
        (etc / "config.ini").write_text("[plugins]\nplugins = CoreCommunicationCommands, Monitoring\n")
        port = here.recv()
        for first in range(0, nodes, GROUP):
            more = ", ".join(f"m{first + place}=http://127.0.0.1:{port}/events" for place in range(GROUP))
            text = f"[monitor]\nmore = {more}\ninterval = {EVERY_S:g}s\ntimeout = 2s\n"
            (etc / f"monitors/from-{first}.ini").write_text(text)
        daemon = MainDaemon(etc)
        daemon.start()
        try:
            yield daemon
        finally:
            daemon.close()
            process.kill()
            process.join()


def lateness(daemon: MainDaemon, seconds: float) -> list[float]:
    """Return how many ms the device loop was late, each time, sorted."""

    async def look() -> list[float]:
        found, end = [], time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            await asyncio.sleep(TICK_S)
            found.append((time.perf_counter() - begun - TICK_S) * 1000)
        return found

    return sorted(daemon.device_loop.call(look()))


def shown(name: str, late: list[float]) -> float:
    """Print the median, the worst of a hundred, and the worst; return that of a hundred."""
    p99 = late[int(len(late) * 0.99)]
    print(f"{name:<9} median {late[len(late) // 2]:.2f} ms   p99 {p99:.2f} ms   most {late[-1]:.2f} ms")
    return p99


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--limit", type=float, default=50.0, help="ms")
    args = parser.parse_args()
    print(f"machine   {platform.machine()}, Python {platform.python_version()}, {args.nodes} nodes")
    with site(0, hang=False) as daemon:
        shown("idle", lateness(daemon, args.seconds))
    worst = []
    for name, hang in (("asked", False), ("hanging", True)):
        with site(args.nodes, hang) as daemon:
            before = resource.getrusage(resource.RUSAGE_SELF)
            worst.append(shown(name, lateness(daemon, args.seconds)))
            after = resource.getrusage(resource.RUSAGE_SELF)
            nodes = daemon.communicationHandler.handleMessage(Message("getNodes", {})).data["nodes"]
            answered = sum(node["at"] is not None for node in nodes)
            if answered:
                spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                print(f"cpu       {spent / answered * 1000:.2f} ms an answer, {answered} answers")
    return int(max(worst) > args.limit)


if __name__ == "__main__":
    sys.exit(main())

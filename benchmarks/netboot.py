#!/usr/bin/env python3
"""How fast machines boot over the network: beside dnsmasq, tftpd-hpa, atftpd, Kea and nginx, in one run.

Prints one line per figure with its targets below; exit 1 when one is not met. ``docs/performance.md`` explains them.

What is measured
  tftp      large files to 1, 32 and 128 clients, with and without windowsize
  small     a board's 30 small files, of which it also asks for some that are not there
  dhcp      whole exchanges (DISCOVER to ACK) of clients that nobody knows, each server started anew
  root      a root file system of 500 MiB to 1 and 16 clients
  storm     500 boards at once: address, boot files, installation, their word that they boot
  unknown   what 10,000 machines that are not known take from those that are
  status    what a daemon takes to answer `status` while 128 transfers run, serving in a thread and in a process
  memory    of the servers, after the above
All servers run in a network namespace, all clients in another; a cable joins them. The clients are C programs that
compare every byte. Servers take turns, and what is compared is each round with itself.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench.netboot import boards, leases, responsive, root_fs, servers, space, storms, transfers
from bench.netboot.loads import MIB, Loads
from bench.processes import find_program
from bench.report import Report

NICE = -10


@dataclass(frozen=True)
class Bench:
    report: Report
    site: servers.Site
    quick: bool

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 3

    def with_scratch(self, name: str) -> servers.Site:
        scratch = self.site.scratch / name
        scratch.mkdir()
        return replace(self.site, scratch=scratch)


def tftp(bench: Bench) -> None:
    kinds: dict[str, tuple[str, servers.Start]] = {
        transfers.OURS: (sys.executable, partial(servers.ockle, services="tftp")),
        transfers.DNSMASQ: ("dnsmasq", servers.dnsmasq_tftp),
        transfers.HPA: ("in.tftpd", servers.tftpd_hpa),
        transfers.ATFTPD: ("atftpd", servers.atftpd),
    }
    with ExitStack() as stack:
        contenders = []
        addresses = (space.SERVER, *space.MORE_SERVERS)
        for (name, (program, start)), address in zip(kinds.items(), addresses, strict=False):
            if find_program(program) is None:
                bench.report.line("tftp", f"without {name}, which is not installed")
                continue
            site = replace(bench.with_scratch(f"tftp-{name}"), address=address)
            contenders.append(transfers.Contender(name, address, stack.enter_context(start(site))))
        cases = transfers.QUICK if bench.quick else transfers.CASES
        transfers.compare(bench.report, bench.site.loads, bench.site.root, contenders, cases, bench.rounds)


def dhcp(bench: Bench) -> None:
    starts: dict[str, servers.Start] = {leases.OURS: partial(servers.ockle, services="dhcp")}
    if find_program("dnsmasq"):
        starts[leases.DNSMASQ] = partial(servers.dnsmasq_dhcp, leases=True)
        starts[leases.DNSMASQ_RO] = partial(servers.dnsmasq_dhcp, leases=False)
    if find_program("kea-dhcp4"):
        starts[leases.KEA] = servers.kea
    leases.compare(bench.report, bench.with_scratch("dhcp"), starts, leases.QUICK if bench.quick else leases.CASES)


def root(bench: Bench) -> None:
    path = bench.site.root / "rootfs.tgz"
    with path.open("wb") as file:
        piece = os.urandom(MIB)
        for _ in range(5 if bench.quick else 500):
            file.write(piece)
    with ExitStack() as stack:
        ours = stack.enter_context(
            servers.ockle(bench.with_scratch("root-ockle"), services="install", hosts=boards.hosts(1, 16))
        )
        contenders = [root_fs.Contender(root_fs.OURS, ours, 4444)]
        if find_program("nginx"):
            nginx = stack.enter_context(servers.nginx(bench.with_scratch("root-nginx")))
            words = root_fs.REQUEST.format(path.name)
            contenders.append(root_fs.Contender(root_fs.NGINX, nginx, 8080, words))
        root_fs.compare(bench.report, bench.site.loads, path, contenders, bench.rounds)
    path.unlink()


def storm(bench: Bench) -> None:
    storms.storm(bench.report, bench.with_scratch("storm"), *((10, 1) if bench.quick else (500, 4)))


def unknown(bench: Bench) -> None:
    storms.unknown(bench.report, bench.with_scratch("unknown"), *((20, 200, 1) if bench.quick else (4000, 10_000, 2)))


def status(bench: Bench) -> None:
    responsive.status(bench.report, bench.with_scratch("status"), *((4, 0.5) if bench.quick else (128, 5.0)))


PARTS: dict[str, Callable[[Bench], None]] = {
    "tftp": tftp,
    "dhcp": dhcp,
    "root": root,
    "storm": storm,
    "unknown": unknown,
    "status": status,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how fast machines boot over the network.")
    parser.add_argument(
        "--quick", action="store_true", help="little of everything, to see that it runs; nothing is judged"
    )
    parser.add_argument("--only", choices=list(PARTS), help="one part of it")
    options, _others = parser.parse_known_args()  # `make bench` hands its ARGS to every script
    if problem := space.cannot():
        print(f"left out: no network namespaces here: {problem}")
        return 0
    space.enter()
    report = Report(judge=not options.quick)
    report.machine()
    if not options.quick:
        os.nice(NICE - os.nice(0))
    with tempfile.TemporaryDirectory(prefix="ockle-bench-") as name, space.cabled() as wire:
        folder = Path(name)
        for part in ("root", "programs", "scratch"):
            (folder / part).mkdir()
        (folder / "root" / "probe").write_bytes(b"are you there?")
        try:
            loads = Loads(folder / "programs")
        except RuntimeError as problem:
            print(f"left out: {problem}")
            return 0
        bench = Bench(report, servers.Site(wire, loads, folder / "root", folder / "scratch"), options.quick)
        for part, measure in PARTS.items():
            if options.only in (None, part):
                measure(bench)
    report.verdict()
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())

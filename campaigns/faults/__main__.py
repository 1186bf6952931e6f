"""Fifty servers on six devices that fail in every way at once; exits with 1 when a promise breaks."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from ockle.simulator.machine import MachineState
from ockle.simulator.spec import LabSpec

from ..common import Report, TimeBox, parser
from ..life import forkserver
from ..networks import network
from ..site import Died, Site, Stuck
from .schedule import DOUBLED, LATE_S, disturb_network, mend_everything, schedule

SERVERS, DEVICES, MINUTES = 50, 6, 15.0
CYCLES = 1500
"""In 15 minutes."""
POLL_S, FRESH_S = 0.5, 6.25
"""Evidence is believed for 2.5 polls and 5 s."""
SEND_S = 0.25
"""From a guard's last look to the datagram that leaves, on a busy machine."""
PERSON_S = 8.0
"""How long a hung machine waits for somebody who presses its button."""
QUIET_S = 90.0
SETTLE_S, SETTLED_BY_S = 6.0, 60.0
"""After the last fault a person waits until no command has been sent for so long: what is halted then is
not about to be switched. At most for so long."""
PDU = {"timeout": "600ms", "retries": "5", "init_delay": "500ms"}
OUTLET = {"settle_timeout": "2s"}
"""Four times as long as a command may be on its way: the network is no faster than in life."""
SERVER = {"boot_timeout": "5s", "shutdown_timeout": "3s"}
"""As by default, 300 s and 180 s, for machines that are sixty times as fast."""


class Schedule:
    """One campaign: the faults with an operator at work, then everything on, then everything off."""

    def __init__(self, site: Site, report: Report) -> None:
        self._site, self._report = site, report
        self._hung: dict[str, float] = {}  # machine -> since when

    def run(self, seconds: float, seed: int) -> None:
        site = self._site
        site.judge.faulty = {device.name for device in site.spec.devices}
        site.judge.late_s = LATE_S + SEND_S
        site.serve()
        disturb_network(site)
        with self._report.phase(f"faults for {seconds:g} s"):
            self._disturb(seconds, seed)
        mend_everything(site)
        self._press_what_hangs()
        for goal in ("on", "off"):
            with self._report.phase(f"the faults have ended: all {goal}"):
                self._converge(goal)
        if site.life.stop() != 0:
            self._report.broken("C3: the daemon did not stop when it was asked to", site.log_tail())

    def _disturb(self, seconds: float, seed: int) -> None:
        site, began = self._site, time.monotonic()
        for event in schedule(site.spec, seconds, seed):
            while (left := began + event.at - time.monotonic()) > 0:
                self._look()
                time.sleep(min(left, 0.05))
            event.act(site)
        while time.monotonic() < began + seconds:
            self._look()
            time.sleep(0.05)

    def _look(self) -> None:
        site = self._site
        if not site.life.alive:
            raise Died("under faults")
        site.sync()
        states = site.lab.states()
        now = time.monotonic()
        for name, state in states.items():
            if state is not MachineState.HUNG:
                self._hung.pop(name, None)
            elif now - self._hung.setdefault(name, now) > PERSON_S:
                self._hung.pop(name)
                self._press(name)

    def _press(self, name: str) -> None:
        """A person takes a machine's plugs out and puts them in again."""
        site = self._site
        supplies = next(machine.supplies for machine in site.spec.machines if machine.name == name)
        for on in (False, True):
            site.disturbed(name)
            for device, outlet in supplies:
                site.lab.press(device, outlet, on)
            time.sleep(0.2)

    def _press_what_hangs(self) -> None:
        """The power is on and the machine is not: no software mends that, whoever lied to bring it about."""
        self._settle()
        for name, state in self._site.lab.states().items():
            if state in (MachineState.HUNG, MachineState.HALTED):
                self._press(name)

    def _settle(self) -> None:
        quiet, end, seen = time.monotonic(), TimeBox(SETTLED_BY_S), -1
        while time.monotonic() - quiet < SETTLE_S and not end.over:
            self._look()
            sent = self._site.judge.counts.get("set", 0) + self._site.judge.counts.get("shutdown", 0)
            if sent != seen:
                quiet, seen = time.monotonic(), sent
            time.sleep(0.05)

    def _converge(self, goal: str) -> None:
        site = self._site
        site.order(goal, site.names)
        site.goal = dict.fromkeys(site.names, goal)
        took = site.watch()
        self._report.figure(f"until all are {goal}", took, "s", most=site.bound_s())


def main(arguments: list[str]) -> int:
    made = parser("faults", __doc__)
    made.add_argument("--minutes", type=float, default=MINUTES, help=f"of faults (default: {MINUTES:g})")
    options = made.parse_args(arguments)
    minutes = 0.5 if options.quick else options.minutes
    report = Report("faults")
    spec = network(SERVERS, DEVICES, options.seed)
    run(report, spec, minutes * 60, options.seed, least_cycles=CYCLES * minutes / MINUTES)
    return report.end()


def run(report: Report, spec: LabSpec, seconds: float, seed: int, *, least_cycles: float) -> None:
    """Carry the campaign out and put its figures and findings into ``report``."""
    context = forkserver()
    with TemporaryDirectory(prefix="ockle-faults-") as folder:
        site = Site(
            spec,
            Path(folder),
            context,
            main={"poll_interval": f"{POLL_S}s", "test_interval": "2s"},
            quiet_s=QUIET_S,
            excuse_s=FRESH_S + 1.0,
            pdu=PDU,
            outlet=OUTLET,
            server=SERVER,
        )
        with site:
            try:
                Schedule(site, report).run(seconds, seed)
            except Died as death:
                report.broken(f"the daemon died by itself: {death}", site.log_tail())
            except Stuck as stuck:
                report.broken(str(stuck.args[0]), f"{stuck.args[1]}\n{site.log_tail()}")
        site.sync()
        _tell(report, site, least_cycles)


def _tell(report: Report, site: Site, least_cycles: float) -> None:
    for finding in site.findings:
        report.broken(finding.what, finding.how)
    counts = site.judge.counts
    report.figure("off/on cycles", site.judge.cycles, least=least_cycles)
    report.figure("SETs that the devices saw", counts.get("set", 0))
    report.figure("shutdowns that the machines saw", counts.get("shutdown", 0))
    report.figure("reboots of devices", counts.get("reboot", 0))
    report.figure("orders that were refused", site.refused)
    report.figure("requests doubled", DOUBLED * 100, "%")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

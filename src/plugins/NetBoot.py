"""NetBoot: the boot server, in a thread or process of the daemon or beside it, and what the daemon knows of boards."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable

from typing_extensions import override

from ..commands import netboot
from ..commands.netboot.ties import tied_boards
from ..common.boot_reports import REPORTS, BootReport
from ..common.errors import DeviceRefused, OckleError
from ..common.metrics import Family
from ..common.own_program import own_command
from ..common.problems import Problem
from ..common.services import DaemonServices
from ..netboot.boards import Board, Boards
from ..netboot.boot_server import TICK_S, BootServer
from ..netboot.figures import board_family
from ..netboot.folder import BootFolder
from ..netboot.from_site import boot_config
from ..netboot.host_book import HostBook
from ..netboot.problems import board_problems
from .ModuleTemplate import ModuleTemplate

RETRY_S = 5.0
CHILD_STOP_S = 1.5


class NetBoot(ModuleTemplate):
    """Serves, or watches who serves, as ``serve`` says; a boot server that cannot start is tried again for ever.

    Whoever serves: what the boards do comes from the database in the state folder, as events of the kind ``netboot``.
    """

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        config = boot_config(MainDaemon.site)
        self.folder = BootFolder(config.state)
        self.boards = Boards(self.folder.boards, MainDaemon.clock)
        self.hosts = HostBook(config.etc / config.settings["hosts_file"])
        self._told = self.boards.journal_end()
        self._server: BootServer | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._settings = dict(config.settings)
        self._anew = False
        self._problems: tuple[Problem, ...] | None = None  # None: not looked yet
        self._figures: tuple[Family, ...] = ()
        REPORTS.answer_by(self._report)
        self._mapping = netboot.register(MainDaemon, self)

    # -- who serves

    @override
    def run(self) -> None:
        self._mapping.begin()
        self.mainDaemon.engine.problem_sources.append(self._known_problems)
        self.mainDaemon.engine.gauges.append(self._known_figures)
        try:
            while not self.stop_requested.is_set():
                self._anew = False
                {"thread": self._serve, "process": self._supervise, "no": self._watch}[self.getConfigVar("serve")]()
        finally:
            REPORTS.answer_by(None)
            self.mainDaemon.engine.gauges.remove(self._known_figures)
            self.mainDaemon.engine.problem_sources.remove(self._known_problems)
            self.boards.close()

    def _serve(self) -> None:
        server = self._server = BootServer(
            boot_config(self.mainDaemon.site), by="thread", clock=self.mainDaemon.clock, tick=self._tick
        )
        try:
            if not self._over():
                server.run(self._works)
        except OckleError as error:
            self._fails(str(error))
            self._pause(RETRY_S)
        finally:
            self._server = None

    def _supervise(self) -> None:
        argv, environment = own_command("--etc", str(self.mainDaemon.etc), "netboot", "serve", "--by", "process")
        begun = time.monotonic()
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, env=environment) as child:
            self._child = child
            try:
                while child.poll() is None and not self._over():
                    self._pause(TICK_S)
                    if self.folder.read_live()["serving"]:
                        self._works()
            finally:
                self._child = None
                _end(child)
        if not self._over():
            problem = self.folder.read_live()["problem"] or f"the boot server ended with {child.returncode}"
            self._fails(problem)
            self._pause(max(0.0, RETRY_S - (time.monotonic() - begun)))

    def _watch(self) -> None:
        while not self._over():
            self._pause(TICK_S)

    def _over(self) -> bool:
        return self._anew or self.stop_requested.is_set()

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._over():
            self._tick()
            left = end - time.monotonic()
            if left <= 0 or self.stop_requested.wait(min(TICK_S, left)):
                return

    def _works(self) -> None:
        if self.failure:
            self._log.info("the boot server is at work")
        self.failure = ""

    def _fails(self, problem: str) -> None:
        if problem != self.failure:
            self._log.error("the boot server cannot serve: %s; tried again every %g s", problem, RETRY_S)
            self.mainDaemon.events.publish("plugin", f"NetBoot: {problem}", plugin=self.name)
        self.failure = problem

    @override
    def stop(self) -> None:
        super().stop()
        try:
            self._mapping.end()
        except OckleError as error:
            self._log.error("NetBoot: %s", error)
        if (server := self._server) is not None:
            server.stop()

    @override
    def reconfigured(self) -> None:
        config = boot_config(self.mainDaemon.site)
        changed, self._settings = dict(config.settings) != self._settings, dict(config.settings)
        if changed:
            self.hosts = HostBook(config.etc / config.settings["hosts_file"])
        server, child, self._anew = self._server, self._child, changed
        if server is not None:
            server.stop() if changed else server.reconfigure(config.profiles)
        elif child is not None and not changed:
            child.send_signal(signal.SIGHUP)

    # -- what the boards do

    def _tick(self) -> None:
        try:
            lines = self.boards.journal_since(self._told)
            self.boards.poll()  # after the lines: who hears an event and asks gets at least what it told
            self.hosts.reload()
        except OckleError as error:
            self.debug(str(error))
            return
        if not lines and self._problems is not None:
            return
        ties = tied_boards(self.mainDaemon.site, self.hosts)
        boards = self.boards.all()
        self._problems = tuple(board_problems(boards, self._label, ties))
        self._figures = (board_family(boards),)
        for line in lines:
            self._told = line.id
            if line.stage:
                label = self._label(line.mac)
                self.mainDaemon.events.publish(
                    "netboot", f"{label}: {line.text}", ties.get(line.mac, ""), mac=line.mac, stage=line.stage
                )

    def _known_problems(self) -> Iterable[Problem]:
        """Return what the last tick found: asked on the device loop, which must not wait for the database."""
        return self._problems or ()

    def _known_figures(self) -> Iterable[Family]:
        """Return what the last tick counted, for the same reason."""
        return self._figures

    def _label(self, mac: str) -> str:
        host = self.hosts.by_mac(mac)
        return host.label if host is not None else mac

    def _report(self, word: str) -> BootReport:
        """Return how far a board has come; the source of ``common.boot_reports``."""
        host = self.hosts.find(word)
        if host is None:
            raise DeviceRefused(f"{self.hosts.path.name} knows no board {word}: add it, or mend the option `board`")
        board = self.boards.get(host.mac) or Board(host.mac)
        stage = board.stage
        at, stamp = (board.booted_at, board.booted_stamp) if stage.ok else (board.stage_at, board.stage_stamp)
        return BootReport(host.label, host.mac, stage.value, board.note, at, stamp, stage.ok, stage.name == "UP")


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        os.kill(child.pid, signal.SIGTERM)
        try:
            child.wait(CHILD_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

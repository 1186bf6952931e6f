"""What can differ between two moments: plain tuples, so that a state can stand in a set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

HALTED, BOOTING, UP, STOPPING, WEDGED = "halted", "booting", "up", "stopping", "wedged"
ANSWERS = (UP, STOPPING)
"""A machine that is stopping still answers tests and controls as one that is up."""


class Outlet(NamedTuple):
    """One outlet. ``relay`` is the truth, ``shown`` what its device shows: they differ only after a lie.

    ``stuck``   its relay never moves again
    ``seen``    what the daemon believes, None = unknown
    ``task``    within a switching: "" not concerned, "todo" to be commanded, "sent" commanded and not verified
    """

    relay: bool = False
    shown: bool = False
    seen: bool | None = None
    silent: bool = False
    stuck: bool = False
    task: str = ""


class Server(NamedTuple):
    """One server: the machine, the daemon's facts of it, its running switching, and what only the judge knows.

    ``boot_known`` the machine named its boot when it took the shutdown: another one proves that nothing is stopping
    ``order``      a force that waits for the end of the running switching: "on", "off", "clear"
    ``op``         "on" or "off" while a switching runs, at ``step``; the flags after it are those of ``engine.guards``
    ``kept_sent``  ``shutdown_sent`` as it is on the disk
    ``asked``      (judge) a shutdown was heard in this boot
    ``stale``      (judge) the world changed it since the daemon looked; nobody can know it yet
    ``fooled``     (judge) its device says off and the relay is on: nothing but watts could tell (residual R1)
    ``owner``      (judge) what an operator forced it to, and was told that it is so
    """

    os: str = HALTED
    desired: str | None = None
    forced: str | None = None
    op_state: str = "INIT"
    shutdown_sent: bool = False
    boot_known: bool = False
    start_attempts: int = 0
    stop_attempts: int = 0
    serving: bool | None = None
    degraded: bool = False
    drifted: bool = False
    order: str = ""
    op: str = ""
    step: str = ""
    no_way_back: bool = False
    accepted: bool = False
    dropped: bool = False
    unguarded: bool = False
    overdue: bool = False
    kept_sent: bool = False
    asked: bool = False
    stale: bool = False
    fooled: bool = False
    owner: str | None = None


class State(NamedTuple):
    """Everything, and what may still happen: ``faults`` of the world, ``kills`` of the daemon, ``commands``."""

    servers: tuple[Server, ...]
    outlets: tuple[Outlet, ...]
    faults: int
    kills: int
    commands: int

    def server(self, index: int, **changes: object) -> State:
        servers = self.servers
        new = servers[index]._replace(**changes)  # type: ignore[arg-type]
        return self._replace(servers=(*servers[:index], new, *servers[index + 1 :]))

    def outlet(self, index: int, **changes: object) -> State:
        outlets = self.outlets
        new = outlets[index]._replace(**changes)  # type: ignore[arg-type]
        return self._replace(outlets=(*outlets[:index], new, *outlets[index + 1 :]))


@dataclass(frozen=True)
class Configuration:
    """A network to explore. ``needs``: server -> servers it needs; ``supplies``: server -> number of its outlets.

    ``begin``  "dark": all off and ordered on; "running": all on, ordered on; the daemon has looked at nothing yet
    """

    name: str
    needs: dict[str, tuple[str, ...]]
    supplies: dict[str, int] = field(default_factory=dict)
    begin: tuple[str, ...] = ("dark", "running")
    faults: int = 1
    kills: int = 1
    commands: int = 1
    shutdown_policy: str = "fail"
    retry_cycle: str = "if-down"
    on_failure: str = "alarm"
    drift: str = "alarm"
    max_attempts: int = 2

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.needs)

    def starts(self) -> list[State]:
        """Return the states in which the exploration begins."""
        servers = {
            "dark": Server(desired="on"),
            "running": Server(os=UP, desired="on"),
        }
        count = sum(self.supplies.get(name, 1) for name in self.needs)
        return [
            State(
                (servers[begin],) * len(self.needs),
                (Outlet(relay=begin == "running", shown=begin == "running"),) * count,
                self.faults,
                self.kills,
                self.commands,
            )
            for begin in self.begin
        ]


@dataclass(frozen=True)
class Rules:
    """What the switchings of the engine promise, beside the planner; a mutant breaks one of them."""

    controls_first: bool = True
    journal_first: bool = True
    journal_durable: bool = True
    recheck_shutdown: bool = True
    recheck_cut: bool = True
    recheck_on: bool = True
    point_of_no_return: bool = True
    remember_shutdown: bool = True
    force_durable: bool = True
    verify: bool = True
    silence_is_unknown: bool = True
    booting_is_not_halted: bool = True
    wait_until_down: bool = True
    keep_policy: bool = True
    compare_boots: bool = True

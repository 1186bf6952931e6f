"""A share of the kills: one after the other on one network, each followed by a life that has to put all right."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ..common import Finding, dice
from ..life import forkserver
from ..site import ClientError, Died, Site, Stuck
from .orders import AT_START, SCENARIOS, Named, Scenario
from .topologies import TOPOLOGIES

FIRST_HORIZON_S = 2.0
BURSTS = (1, 1, 2, 3)
"""Deaths in a row before a daemon may live; those behind the first hit it while it starts and resumes."""
START_HORIZON_S = 1.2
TRIES = 4


@dataclass(frozen=True, slots=True)
class Share:
    number: int
    topology: str
    named: tuple[Named, ...]
    randoms: int
    seed: int


@dataclass
class Outcome:
    """What came of a share. ``settles``: seconds from each new life to the goal."""

    named: int = 0
    randoms: int = 0
    lives: int = 0
    settles: list[float] = field(default_factory=list)
    bound_s: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def carry_out(share: Share) -> Outcome:
    """Run a share to its end; whatever happens, every kill of it happens."""
    worker = _Worker(share)
    while worker.left:
        with TemporaryDirectory(prefix="ockle-kills-") as folder:
            worker.live_through(Path(folder))
    return worker.outcome


class _Worker:
    def __init__(self, share: Share) -> None:
        self.share = share
        self.outcome = Outcome()
        self._dice = dice(share.seed, "share", share.number)
        self._named = list(share.named)
        self._randoms = share.randoms
        self._misses: dict[Named, int] = {}
        self._dice.shuffle(self._named)
        self._context = forkserver()
        self._site: Site

    @property
    def left(self) -> int:
        return len(self._named) + self._randoms

    def live_through(self, folder: Path) -> None:
        """Go on with a new site until all is done, or until the site is in a state that nobody mends."""
        with Site(TOPOLOGIES[self.share.topology], folder, self._context) as self._site:
            self.outcome.bound_s = self._site.bound_s()
            try:
                self._site.serve()
                while self.left:
                    self._next()
                if self._site.life.stop() != 0:
                    self._broken("C3: it did not stop when it was asked to")
            except Died as death:
                self._broken(f"the daemon died by itself: {death}")
            except Stuck as stuck:
                self._broken(str(stuck.args[0]), f"{stuck.args[1]}\n{self._site.log_tail()}")
            except ClientError as error:
                self._broken(f"refused: {error.code}: {error}")
        self._site.sync()
        self._collect()
        self.outcome.lives += self._site.lives
        for kind, count in self._site.judge.counts.items():
            self.outcome.counts[kind] = self.outcome.counts.get(kind, 0) + count

    # -- one case

    def _next(self) -> None:
        if self._named and self._dice.random() * self.left < len(self._named):
            kill = self._named[-1]
            scenario = SCENARIOS[kill.scenario]
            self._bring(scenario.base)
            self._named.pop()
            self._by_name(kill, scenario)
        else:
            scenario = self._dice.choice(list(SCENARIOS.values()))
            self._bring(scenario.base)
            self._by_chance(scenario)

    def _by_name(self, kill: Named, scenario: Scenario) -> None:
        self._case = str(kill)
        self.outcome.named += 1
        with self._may_die():
            if kill.point in AT_START:
                self._site.order("off" if scenario.base == "on" else "on", self._site.names)
                self._site.life.kill()
                self._site.life.ended()
                self._site.start(f"{kill.point}=kill@{kill.turn}").ready()
            else:
                self._site.life.arm(f"{kill.point}=kill@{kill.turn}")
                scenario.steps(self._site, self._dice)
            self._site.watch()
            self._missed(kill)
            self._site.life.kill()
        self._revive(scenario)

    def _missed(self, kill: Named) -> None:
        """The point was not passed: a busy machine may have booted before it was looked at. It is tried again."""
        self.outcome.named -= 1
        self._misses[kill] = self._misses.get(kill, 0) + 1
        if self._misses[kill] < TRIES:
            self._named.insert(0, kill)
        else:
            self._broken(f"the failpoint {kill.point} was not passed in {TRIES} tries")

    def _by_chance(self, scenario: Scenario) -> None:
        deaths = min(self._dice.choice(BURSTS), self._randoms)
        self._case = f"{deaths} random deaths in {scenario.name}"
        with self._may_die(), self._death_within(self._horizon()):
            scenario.steps(self._site, self._dice)
        self._site.life.ended()
        for _ in range(deaths - 1):
            self._site.start()
            with self._death_within(START_HORIZON_S):
                pass
        self._randoms -= deaths
        self.outcome.randoms += deaths
        self._revive(scenario)

    def _horizon(self) -> float:
        known = sorted(self.outcome.settles[-21:])
        return 1.5 * known[len(known) // 2] if len(known) > 4 else FIRST_HORIZON_S

    @contextmanager
    def _death_within(self, horizon: float) -> Iterator[None]:
        """Kill the living daemon at a random instant; leaves when it is dead."""
        life = self._site.life
        timer = threading.Timer(self._dice.uniform(0, horizon), life.kill)
        timer.start()
        try:
            yield
        finally:
            timer.join()
            life.ended()

    @contextmanager
    def _may_die(self) -> Iterator[None]:
        try:
            yield
        except Died:
            if self._site.life.ended() is None:
                raise

    # -- after it

    def _revive(self, scenario: Scenario) -> None:
        """The next life has to bring everything to its goal, and the journal has to explain every command."""
        site = self._site
        site.life.ended()
        site.buried()
        site.serve()
        site.recall(scenario.doubtful(site))
        self.outcome.settles.append(site.watch())
        site.settle_deeds()
        self._collect()

    def _bring(self, base: str) -> None:
        """Have all servers ``base`` and nothing in their way, as an operator would."""
        site, self._case = self._site, f"bringing all {base}"
        for name in list(site.judge.forced):
            site.force(name, "clear")
        for name in list(site.held):
            site.hold(name, False)
        site.set_auto(True)
        if set(site.goal.values()) != {base} or self._dice.random() < 0.05:
            site.order(base, site.names)
            site.watch()
        site.settle_deeds()
        self._collect()

    def _collect(self) -> None:
        for finding in self._site.findings:
            self._broken(finding.what, finding.how)
        self._site.findings.clear()

    def _broken(self, what: str, how: str = "") -> None:
        share = self.share
        where = f"{share.topology}, share {share.number} of seed {share.seed}: {self._case}"
        self.outcome.findings.append(Finding(f"{what} ({where})", how or self._site.log_tail()))

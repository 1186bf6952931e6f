"""What is ordered while a daemon is about to die, and which failpoints that passes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ockle.common.failpoints import POINTS

from ..site import ClientError, Site

Steps = Callable[[Site, random.Random], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """``base``: "on" or "off", how all servers are before; ``doubtful``: what a death in the middle leaves open."""

    name: str
    base: str
    steps: Steps
    doubtful: Callable[[Site], frozenset[str]] = lambda _site: frozenset()


def leaf(site: Site) -> str:
    """The last server: nobody needs it."""
    return site.names[-1]


def _all(action: str) -> Steps:
    return lambda site, _dice: site.order(action, site.names)


def _restart(site: Site, dice: random.Random) -> None:
    site.order("restart", [dice.choice(site.names)] if dice.random() < 0.5 else site.names)


def _part(site: Site, dice: random.Random) -> None:
    site.order("off", [dice.choice(site.names)])


def _flip(site: Site, dice: random.Random) -> None:
    site.order("off", site.names)
    time.sleep(dice.uniform(0, 0.8))  # an operator changes his mind
    site.order("on", site.names)


def _flop(site: Site, dice: random.Random) -> None:
    site.order("on", site.names)
    time.sleep(dice.uniform(0, 0.8))
    site.order("off", site.names)


def _force_off(site: Site, _dice: random.Random) -> None:
    site.force(leaf(site), "off")
    site.order("restart", site.names[:-1])
    site.force(leaf(site), "clear")


def _force_on(site: Site, _dice: random.Random) -> None:
    site.force(leaf(site), "on")
    site.order("on", site.names[:1])
    site.force(leaf(site), "clear")


def _hold(site: Site, _dice: random.Random) -> None:
    site.hold(leaf(site), True)
    site.order("on", site.names[:-1])
    site.hold(leaf(site), False)


def _reload(site: Site, dice: random.Random) -> None:
    path = site.etc / "servers" / f"{leaf(site)}.ini"
    text = path.read_text().splitlines()
    place = text.index("[server]") + 1
    text[place:] = [line for line in text[place:] if not line.startswith("comment")]
    text.insert(place, f"comment = {dice.randrange(10**6)}")
    path.write_text("\n".join(text) + "\n")
    site.call("reload")
    site.order("off", site.names)
    try:
        site.call("reload")
    except ClientError:
        return  # refused while servers are being switched


def _auto(site: Site, _dice: random.Random) -> None:
    site.set_auto(False)
    site.order("on", site.names)
    site.set_auto(True)


def _of_leaf(what: str) -> Callable[[Site], frozenset[str]]:
    return lambda site: frozenset({f"{what} {leaf(site)}"})


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        one.name: one
        for one in (
            Scenario("on", "off", _all("on")),
            Scenario("off", "on", _all("off")),
            Scenario("restart", "on", _restart),
            Scenario("part", "on", _part),
            Scenario("flip", "on", _flip),
            Scenario("flop", "off", _flop),
            Scenario("force-off", "on", _force_off, _of_leaf("force")),
            Scenario("force-on", "off", _force_on, _of_leaf("force")),
            Scenario("hold", "off", _hold, _of_leaf("hold")),
            Scenario("reload", "on", _reload),
            Scenario("auto", "off", _auto, lambda _site: frozenset({"auto"})),
        )
    }
)

AT_START = frozenset({"engine.loaded", "run.resuming"})
"""Points that a daemon passes when it comes back and finds an open run."""

_BY_PREFIX = {
    "switching.on": "on",
    "switching.booting": "on",
    "switching.off": "off",
    "switching.shutdown": "off",
    "switching.waiting": "off",
    "switching.down": "off",
    "control.": "off",
    "run.stage": "restart",
    "force.": "force-off",
    "hold.": "hold",
    "auto.": "auto",
    "adopt.": "reload",
}
ONCE = ("run.", "force.", "hold.", "auto.", "adopt.", "engine.")


@dataclass(frozen=True, slots=True)
class Named:
    """A death at the ``turn``-th pass of ``point`` while ``scenario`` goes on."""

    point: str
    turn: int
    scenario: str

    def __str__(self) -> str:
        return f"{self.point}@{self.turn} in {self.scenario}"


def named() -> list[Named]:
    """Every failpoint in every direction that passes it; those of a switching at their first and second pass."""
    found = []
    for point in POINTS:
        of = next((scenario for prefix, scenario in _BY_PREFIX.items() if point.startswith(prefix)), "")
        turns = (1,) if point.startswith(ONCE) else (1, 2)
        found += [Named(point, turn, scenario) for scenario in ([of] if of else ["on", "off"]) for turn in turns]
    return found

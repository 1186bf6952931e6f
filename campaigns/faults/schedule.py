"""What goes wrong when, thrown with dice beforehand: the same seed has the same faults at the same seconds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ockle.simulator.spec import LabSpec

from ..common import dice
from ..site import ClientError, Site

LATE_S = 0.5
"""Real seconds that a request may be late."""
LOST = (0.1, 0.3, 0.1, 0.0, 0.1, 0.0)
"""Part of the requests, and of the answers, that each device in turn loses."""
DOUBLED = 0.05
ORDER_S, REBOOT_S, LIE_S, WEDGE_S, LOCK_S, HANG_S = 5.0, 60.0, 12.0, 15.0, 90.0, 60.0
"""Mean seconds between two of each."""
MAINS, CLOCK_STEPS, DAY_S = 3, 6, 86400.0
ACTIONS = {"restart": 0.75, "on": 0.15, "off": 0.1}
"""How often an operator orders what."""
ORDERS, TARGETS, EVERYTHING = (2, 4), (1, 6), 0.05
"""So many orders an operator gives in a row, each for so many servers, and with them what needs them or what they need;
and how often one order for all stands in their place: that waits for the slowest of them."""
LEAVES = (12, 24)
"""So many servers that nothing needs are restarted beside that, each by an order of its own: those are soon back."""


@dataclass(frozen=True, slots=True)
class Event:
    """``act`` happens ``at`` so many seconds after the begin."""

    at: float
    what: str
    act: Callable[[Site], None]


def schedule(spec: LabSpec, seconds: float, seed: int) -> list[Event]:
    """All events of a campaign of ``seconds``, by time; every fault has ended by then."""
    throw = dice(seed, "faults")
    names = [machine.name for machine in spec.machines]
    leaves = sorted(set(names) - {needed for machine in spec.machines for needed in machine.depends})
    devices = [device.name for device in spec.devices]
    made: list[Event] = []

    def moments(mean_s: float) -> Iterator[float]:
        moment = throw.uniform(0.2, 1) * mean_s
        while moment < seconds:
            yield moment
            moment += mean_s * throw.uniform(0.7, 1.3)

    def turned(moment: float, longest_s: float, name: str, **knobs: tuple[Any, Any]) -> None:
        end = min(seconds, moment + throw.uniform(0.3, 1) * longest_s)
        made.append(Event(moment, ", ".join(knobs), _turn(name, {knob: on for knob, (on, _) in knobs.items()})))
        made.append(Event(end, "mended", _turn(name, {knob: off for knob, (_, off) in knobs.items()})))

    for moment in moments(ORDER_S):
        if throw.random() < EVERYTHING:
            orders = [(_action(throw), names)]
        else:
            orders = [(_action(throw), _some(throw, names, TARGETS)) for _ in range(throw.randint(*ORDERS))]
            orders += [("restart", [leaf]) for leaf in _some(throw, leaves, LEAVES)]
        made += [Event(moment, "order", _order(action, targets)) for action, targets in orders]
    for moment in moments(REBOOT_S):
        made.append(
            Event(moment, "reboot", _reboot(throw.choice(devices), throw.choice(("last", "last", "on", "off"))))
        )
    for moment in moments(LIE_S):
        device, outlet = throw.choice(spec.machines).supplies[0]
        turned(moment, LIE_S, device, lie=(frozenset({outlet}), frozenset()))
    for moment in moments(WEDGE_S):
        turned(moment, 20.0, throw.choice(names), shutdown_hangs=(throw.choice(("services", "disk")), ""))
    for moment in moments(LOCK_S):
        turned(moment, 10.0, throw.choice(devices), locked=(True, False))
    for moment in moments(HANG_S):
        turned(moment, 30.0, throw.choice(names), boot_fails=(1, 0))
    for number in range(MAINS):
        moment = seconds * (number + throw.uniform(0.3, 0.7)) / MAINS
        made += [
            Event(moment, "mains fail", _mains(False)),
            Event(moment + throw.uniform(0.5, 3), "mains", _mains(True)),
        ]
    for number in range(CLOCK_STEPS):
        moment = seconds * (number + throw.random()) / CLOCK_STEPS
        made.append(Event(moment, "clock step", _step(DAY_S if number % 2 else -DAY_S)))
    return sorted(made, key=lambda event: event.at)


def disturb_network(site: Site) -> None:
    """What goes on all the time: every device loses, doubles and delays."""
    for number, device in enumerate(site.spec.devices):
        site.lab.turn(
            device.name, lost=LOST[number % len(LOST)], doubled=DOUBLED, late_s=LATE_S / site.spec.speed * (number % 2)
        )


def mend_everything(site: Site) -> None:
    """The faults stop: what was turned is turned back, and the mains are there."""
    site.lab.mains(True)
    for device in site.spec.devices:
        site.lab.turn(device.name, lost=0.0, doubled=0.0, late_s=0.0, locked=False, lie=frozenset())
    for name in site.names:
        site.lab.turn(name, shutdown_hangs="", boot_fails=0)


def _turn(name: str, knobs: dict[str, Any]) -> Callable[[Site], None]:
    return lambda site: site.lab.turn(name, **knobs)


def _some(throw: random.Random, names: list[str], count: tuple[int, int]) -> list[str]:
    return throw.sample(names, min(len(names), throw.randint(*count)))


def _action(throw: random.Random) -> str:
    return throw.choices(list(ACTIONS), list(ACTIONS.values()))[0]


def _order(action: str, targets: list[str]) -> Callable[[Site], None]:
    def act(site: Site) -> None:
        try:
            site.order(action, targets)
        except ClientError:  # a site in trouble may refuse; the operator tries something else in a moment
            site.refused += 1

    return act


def _reboot(device: str, restore: str) -> Callable[[Site], None]:
    def act(site: Site) -> None:
        site.disturbed(fed_by=device)
        site.lab.reboot(device, down_s=0.3 / site.spec.speed, restore=restore)

    return act


def _mains(live: bool) -> Callable[[Site], None]:
    def act(site: Site) -> None:
        site.disturbed()
        site.lab.mains(live)

    return act


def _step(seconds: float) -> Callable[[Site], None]:
    return lambda site: site.life.step_clock(seconds)

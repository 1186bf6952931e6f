"""Plants deliberate bugs and looks who catches them: the model, and the real engine in random plays.

Exits with 1 when one survives that is not named as equivalent.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

from . import common
from .directed import DIRECTED
from .model.configurations import CHAIN, FORK, JOIN, ONE, bold
from .model.daemon import Model
from .model.explore import Explorer, Finding
from .model.state import Configuration, Rules
from .mutations import MUTANTS, Mutant
from .play import Scenario, play, scenarios

NETWORKS = [
    Configuration("join, started", JOIN, begin=("dark",), faults=0, kills=0, commands=0),
    Configuration("one", ONE, faults=1, kills=1, commands=1),
    Configuration("chain, running", CHAIN, begin=("running",), faults=0, kills=0, commands=2),
    Configuration("fork, running", FORK, begin=("running",), faults=0, kills=0, commands=2),
    Configuration("chain, two supplies, running", CHAIN, {"b": 2}, begin=("running",), faults=1, kills=0, commands=1),
    bold(Configuration("chain", CHAIN, faults=1, kills=0, commands=1)),
    Configuration("chain", CHAIN, faults=1, kills=1, commands=1),
]
MOST_STATES = 250_000


@dataclass
class Caught:
    """Who caught a mutant. ``plays``: how many it took, ``wrong``: what was seen in the shortest one."""

    mutant: str
    model: str = ""
    finding: Finding | None = None
    states: int = 0
    plays: int = 0
    wrong: str = ""
    scenario: Scenario | None = None
    seconds: float = 0.0


def by_model(mutant: Mutant) -> tuple[str, Finding | None, int]:
    """Return the network in which the model catches ``mutant``, how, and after how many states."""
    states = 0
    with mutant.planted():
        for one in sorted(NETWORKS, key=lambda one: one.name != mutant.network):
            configuration = replace(one, **mutant.limits)  # type: ignore[arg-type]
            result = Explorer(Model(configuration, Rules(**mutant.rules)), most=MOST_STATES).run()
            states += result.states
            if result.findings:
                return one.name, result.findings[0], states
    return "", None, states


def by_plays(mutant: Mutant, most: int, seed: int) -> tuple[int, str, Scenario | None]:
    """Return after how many plays, directed ones first, ``mutant`` is caught, what was seen, and a short such play."""
    for number, directed in enumerate(DIRECTED, 1):
        if _wrongs(mutant, directed):
            shortest = _shorter(mutant, directed)
            return number, _wrongs(mutant, shortest)[0], shortest
    plays = len(DIRECTED)

    def caught(scenario: Scenario) -> bool:
        nonlocal plays
        plays += 1
        return bool(_wrongs(mutant, scenario))

    try:
        scenario = find(
            scenarios(),
            caught,
            settings=settings(
                max_examples=most,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
            random=random.Random(seed),
        )
    except NoSuchExample:
        return plays, "", None
    scenario = _shorter(mutant, scenario)
    return plays, _wrongs(mutant, scenario)[0], scenario


def _shorter(mutant: Mutant, scenario: Scenario) -> Scenario:
    """Leave out every event without which it is caught as well."""
    for number in reversed(range(len(scenario.events))):
        less = replace(scenario, events=[*scenario.events[:number], *scenario.events[number + 1 :]])
        if _wrongs(mutant, less):
            scenario = less
    return scenario


def _wrongs(mutant: Mutant, scenario: Scenario) -> list[str]:
    with mutant.planted():
        try:
            return play(scenario, spec=False)
        except Exception as error:  # noqa: BLE001 - a mutant may raise whatever it likes, and is caught then
            return [f"{type(error).__name__}: {error}"]


def hunt(task: tuple[int, int, int]) -> Caught:
    """Look for one mutant by its number, with at most so many plays, from a seed."""
    number, most, seed = task
    began = time.process_time()
    mutant = MUTANTS[number]
    caught = Caught(mutant.name)
    if mutant.in_model:
        caught.model, caught.finding, caught.states = by_model(mutant)
    if mutant.code or mutant.rows:
        caught.plays, caught.wrong, caught.scenario = by_plays(mutant, most, seed)
    caught.seconds = time.process_time() - began
    return caught


def main(arguments: list[str]) -> int:
    parser = common.parser("mutants", __doc__)
    parser.add_argument("--only", metavar="TEXT", default="", help="only mutants with this in their name")
    parser.add_argument("--plays", type=int, default=200, help="random plays for each at most (default: 200)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--traces", action="store_true", help="print the shortest way to each")
    options = parser.parse_args(arguments)
    chosen = [number for number, one in enumerate(MUTANTS) if options.only in one.name]
    if not chosen:
        parser.error(f"no mutant has {options.only!r} in its name")
    report = common.Report("mutants")
    count = Counter[str]()
    with multiprocessing.get_context("fork").Pool(options.jobs, maxtasksperchild=1) as pool:
        for caught in pool.imap(hunt, [(number, options.plays, options.seed) for number in chosen]):
            mutant = next(one for one in MUTANTS if one.name == caught.mutant)
            _tell(mutant, caught, options.traces)
            count["caught by the model"] += caught.finding is not None
            count["caught on the engine"] += bool(caught.wrong)
            if caught.finding is None and not caught.wrong:
                count["equivalent, see above"] += bool(mutant.equivalent)
                if not mutant.equivalent:
                    report.broken(f"a mutant survived: {mutant.name}")
    report.figure("mutants", len(chosen))
    for name, number in count.items():
        report.figure(name, number)
    return report.end()


def _tell(mutant: Mutant, caught: Caught, traces: bool) -> None:
    print(f"{mutant.name} ({caught.seconds:.0f} s)")
    if caught.finding is not None:
        steps = f"after {len(caught.finding.trace)} steps"
        print(f"  model: {caught.finding.what}, {steps} ({caught.model}; {caught.states} states)")
    else:
        print(f"  model: {f'not in {caught.states} states' if mutant.in_model else 'does not have it'}")
    print(f"  engine: {caught.wrong or 'not seen'}, {'at' if caught.wrong else 'in'} play {caught.plays}")
    if mutant.equivalent and not caught.wrong and caught.finding is None:
        print(f"  equivalent: {mutant.equivalent}")
    if traces and caught.finding is not None:
        print(caught.finding)
    if traces and caught.scenario is not None:
        print(caught.scenario)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

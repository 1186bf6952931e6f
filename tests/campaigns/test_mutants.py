"""A few of the deliberate bugs; ``make campaign CAMPAIGNS=mutants`` plants them all."""

from __future__ import annotations

import pytest
from campaigns.directed import DIRECTED
from campaigns.mutants import by_model
from campaigns.mutations import MUTANTS, Mutant
from campaigns.play import Scenario, play
from campaigns.properties import Chunk, work


def mutant(name: str) -> Mutant:
    return next(one for one in MUTANTS if one.name == name)


@pytest.mark.parametrize("scenario", DIRECTED, ids=lambda one: " ".join(event[0] for event in one.events))
def test_the_engine_as_it_is_breaks_nothing(scenario: Scenario) -> None:
    assert play(scenario) == []


@pytest.mark.parametrize(
    ("name", "number", "law"),
    [
        ("the outlets go off before the shutdown", 0, "I2: cut while mounted"),
        ("nothing is durable", 0, "I9: sent, and no intent"),
        ("an acknowledgement is proof", 3, "I8: a OFF"),
        ("the disk does not know of the force", 6, "I6: an automatic command"),
        ("no guard before outlets go on", 13, "I1: switched on before a"),
        ("no guard before the cut", 14, "I2c: cut while b"),
    ],
)
def test_a_mutant_is_caught_by_the_law_that_it_breaks(name: str, number: int, law: str) -> None:
    with mutant(name).planted():
        assert play(DIRECTED[number], spec=False)[0].startswith(law)


def test_every_mutant_can_be_planted() -> None:
    for one in MUTANTS:
        with one.planted():
            pass


def test_what_the_model_would_not_send_is_told() -> None:
    with mutant("no guard before outlets go on").planted():
        assert any(wrong.startswith("spec: b on: the engine sends") for wrong in play(DIRECTED[13]))


@pytest.mark.parametrize("name", ["who gave up is tried again", "one satisfied dependency is enough"])
def test_the_model_runs_on_the_code_of_the_planner(name: str) -> None:
    network, finding, _ = by_model(mutant(name))
    assert network
    assert finding is not None


def test_a_law_that_breaks_comes_with_its_case() -> None:
    with mutant("the outlets go off before the shutdown").planted():
        assert "cut while mounted" in work(Chunk("plans", 1)).broken

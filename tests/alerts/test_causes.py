"""What is behind problems: laws over random sites, and the cases that people meet."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.problems import Problem, Severity
from ockle.engine.alerts.causes import EXPLAINS, MOST_ROOTS, find_roots

SUBJECTS = [f"server/s{number}" for number in range(6)] + ["outlets/a", "outlets/b", "circuit/c"]


def problem(subject: str, *hangs_on: str, kind: str = "server", severity: Severity = Severity.CRITICAL) -> Problem:
    return Problem(f"{kind}/{subject}", kind, severity, subject, f"{subject} is broken", "", hangs_on)


@st.composite
def sites(draw: st.DrawFn) -> tuple[list[Problem], dict[str, tuple[str, ...]]]:
    edges = {subject: tuple(draw(st.lists(st.sampled_from(SUBJECTS), max_size=3, unique=True))) for subject in SUBJECTS}
    how = {subject: draw(st.sampled_from(["broken", "passed", "fine", "limit"])) for subject in SUBJECTS}
    severities = st.sampled_from(list(Severity))
    problems = [
        problem(subject, *edges[subject], kind="server" if word == "broken" else "limit", severity=draw(severities))
        for subject, word in how.items()
        if word in ("broken", "limit")
    ]
    return problems, {subject: edges[subject] for subject, word in how.items() if word == "passed"}


def reached(start: Problem, problems: list[Problem], passes: dict[str, tuple[str, ...]]) -> set[str]:
    """Return the subjects with a problem that a search from ``start`` comes to, written as plainly as can be."""
    broken = {one.subject: one for one in problems if one.kind in EXPLAINS}
    seen: set[str] = set()
    todo = list(start.hangs_on)
    while todo:
        subject = todo.pop()
        if subject not in seen and (subject in broken or subject in passes):
            seen.add(subject)
            todo += broken[subject].hangs_on if subject in broken else passes[subject]
    return {broken[subject].key for subject in seen & broken.keys()}


@given(sites())
def test_every_problem_is_a_root_or_explained_by_roots(site: tuple[list[Problem], dict[str, tuple[str, ...]]]) -> None:
    problems, passes = site
    found = find_roots(problems, passes)
    assert found.keys() == {one.key for one in problems}
    for one in problems:
        roots = found[one.key]
        assert all(found[root] == () for root in roots)  # a root is never explained
        assert set(roots) <= reached(one, problems, passes)
        if not roots:  # nothing is behind it, but perhaps what hangs on it in turn
            behind = reached(one, problems, passes) - {one.key}
            assert all(found[other] == (one.key,) for other in behind)


@given(sites(), st.randoms(use_true_random=False))
def test_the_order_is_irrelevant(
    site: tuple[list[Problem], dict[str, tuple[str, ...]]], shuffler: random.Random
) -> None:
    problems, passes = site
    shuffled, turned = list(problems), list(passes.items())
    shuffler.shuffle(shuffled)
    shuffler.shuffle(turned)
    assert find_roots(shuffled, dict(turned)) == find_roots(problems, passes)


@given(sites())
def test_without_its_only_root_a_symptom_stands_for_itself(
    site: tuple[list[Problem], dict[str, tuple[str, ...]]],
) -> None:
    problems, passes = site
    found = find_roots(problems, passes)
    for root in [key for key, roots in found.items() if not roots]:
        left = [one for one in problems if one.key != root]
        after = find_roots(left, passes)
        for one in left:
            if found[one.key] == (root,):  # now a root, or behind one that was a symptom of the same
                assert all(found[other] == (root,) for other in after[one.key])


def test_a_dead_switch_explains_what_is_behind_it() -> None:
    servers = [problem(f"server/web{number}", "outlets/pdu-a", "server/sw1") for number in range(30)]
    found = find_roots([*servers, problem("server/sw1")], {})
    assert found == {"server/server/sw1": (), **{one.key: ("server/server/sw1",) for one in servers}}


def test_a_device_without_a_problem_is_passed() -> None:
    found = find_roots([problem("server/web", "outlets/a"), problem("server/sw")], {"outlets/a": ("server/sw",)})
    assert found["server/server/web"] == ("server/server/sw",)


def test_a_server_that_is_fine_ends_the_way() -> None:
    found = find_roots([problem("server/web", "server/db"), problem("server/sw")], {})
    assert found["server/server/web"] == ()


def test_a_missing_supply_explains_nothing() -> None:
    supply = problem("server/db", "outlets/a", kind="supply")
    found = find_roots([problem("server/web", "server/db"), supply, problem("outlets/a", kind="device")], {})
    assert found == {"server/server/web": (), "supply/server/db": ("device/outlets/a",), "device/outlets/a": ()}


def test_of_a_circle_the_most_severe_is_the_root() -> None:
    mild = problem("server/a", "server/b", severity=Severity.WARNING)
    found = find_roots([mild, problem("server/b", "server/a")], {})
    assert found == {"server/server/a": ("server/server/b",), "server/server/b": ()}


def test_two_problems_of_one_subject_share_what_explains_them() -> None:
    other = Problem("drift/a", "server", Severity.WARNING, "server/a", "a", "", ("server/b",))
    found = find_roots([problem("server/a"), other, problem("server/b")], {})
    assert found["server/server/a"] == found["drift/a"] == ("server/server/b",)


@pytest.mark.parametrize("count", [1, MOST_ROOTS + 5])
def test_few_of_many_causes_are_named(count: int) -> None:
    roots = [problem(f"outlets/{number:02}", kind="device") for number in range(count)]
    found = find_roots([problem("server/web", *(root.subject for root in roots)), *roots], {})
    assert found["server/server/web"] == tuple(root.key for root in roots)[:MOST_ROOTS]


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = [problem(f"server/{number}", f"server/{number + 1}") for number in range(20_000)]
    assert find_roots(chain, {})[chain[0].key] == (chain[-1].key,)

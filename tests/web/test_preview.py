"""What a plan shows is what is done: random networks, states and orders, by the addresses that a program uses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dummy_site import Client, dummy_site

NUMBERS = count()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with dummy_site(tmp_path_factory.mktemp("preview")) as found:
        yield found


@st.composite
def networks(draw: st.DrawFn) -> dict[str, list[str]]:
    """A random DAG; the names are new with each, so that no server is taken for an older one."""
    example = next(NUMBERS)
    names = [f"s{example}-{number}" for number in range(draw(st.integers(1, 6)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:place]), max_size=3, unique=True)) if place else []
        for place, name in enumerate(names)
    }


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(networks(), st.data())
def test_the_previewed_steps_are_the_executed_steps(client: Client, needs: dict[str, list[str]], data: Any) -> None:
    one = st.sampled_from(sorted(needs))
    before = data.draw(st.lists(one, unique=True), label="on before")
    action = data.draw(st.sampled_from(["on", "off", "restart", "cut"]), label="action")
    targets = data.draw(st.lists(one, unique=True, min_size=1), label="targets")
    exclude = data.draw(st.lists(one, max_size=1), label="excluded")
    client.configure(needs)
    if before:
        client.run(client.post("/plans", {"action": "on", "servers": before}))
    plan = client.post("/plans", {"action": action, "servers": targets, "exclude": exclude})
    was = {name: server["word"] for name, server in client.get("/servers")["servers"].items()}
    run = client.run(plan)

    previewed = [(step["server"], "off" if step["action"] == "cut" else step["action"]) for step in plan["steps"]]
    switched = [(sent["server"], sent["verb"]) for sent in run["log"] if sent["verb"] in ("on", "off")]
    assert sorted(switched) == sorted(previewed)
    assert {step["state"] for step in run["steps"]} <= {"done"}
    place = {one: number for number, one in enumerate(switched)}
    for step in plan["steps"]:  # and in an order that the plan allows
        verb = "off" if step["action"] == "cut" else step["action"]
        for needed in step["needs"]:
            assert place[needed, verb] < place[step["server"], verb]
    after = {name: server["word"] for name, server in client.get("/servers")["servers"].items()}
    last = dict(previewed)
    assert after == {name: last.get(name, was[name]) for name in after}
    assert not set(exclude) & {name for name, _verb in previewed}

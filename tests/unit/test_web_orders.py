"""Plans on their way through an address, and what follows from a run: pure functions, any text."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.webserver.orders import ACTIONS, LARGEST_ID, Looked, Wish, again, back, from_id, taken_over

NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]) | st.just(" "), min_size=1, max_size=40)
LISTS = st.lists(NAMES, max_size=6).map(tuple)
WISHES = st.builds(Wish, st.sampled_from(ACTIONS), LISTS, LISTS)
STEPS = st.lists(st.fixed_dictionaries({"server": NAMES, "action": st.sampled_from(["on", "off", "cut"])}), max_size=8)


@given(WISHES, STEPS)
def test_an_id_holds_the_question_and_the_steps_of_the_answer(wish: Wish, steps: list[dict[str, str]]) -> None:
    looked = from_id(Looked(wish, {"rev": "abc", "steps": steps}).id)
    assert looked.wish == wish
    assert looked.plan == {"rev": "abc", "steps": steps}


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_other_text_is_no_plan(text: str) -> None:
    with pytest.raises(ValueError, match="no plan"):
        from_id(text)


def packed(content: object) -> str:
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(content).encode())).decode()


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        [{"action": "on"}, "rev", []],
        [{"action": "burn", "servers": []}, "rev", []],
        [{"action": "on", "servers": [1]}, "rev", []],
        [{"action": "on", "servers": ["a\nb"]}, "rev", []],
        [{"action": "on", "servers": ["a"]}, 7, []],
        [{"action": "on", "servers": ["a"]}, "rev", [["a"]]],
        [{"action": "on", "servers": ["a"]}, "rev", [["a", ["on"]]]],
        [{"action": "on", "servers": ["a" * LARGEST_ID]}, "rev", []],  # small while it is packed
    ],
)
def test_what_is_packed_like_a_plan_and_is_none_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match="no plan"):
        from_id(packed(content))


def run(action: str, state: str, *steps: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "action": action,
        "state": state,
        "steps": [
            {"server": server, "action": what, "state": how, "started": None if how == "skipped" else 1.0}
            for server, what, how in steps
        ],
    }


@pytest.mark.parametrize(
    ("found", "rest", "undone"),
    [
        (run("on", "done", ("a", "on", "done")), None, Wish("off", ("a",))),
        (run("on", "failed", ("a", "on", "done"), ("b", "on", "failed")), Wish("on", ("b",)), Wish("off", ("a",))),
        (run("off", "failed", ("a", "off", "failed"), ("b", "off", "skipped")), Wish("off", ("a", "b")), None),
        (run("cut", "done", ("a", "cut", "done")), None, Wish("on", ("a",))),
        (run("restart", "failed", ("a", "off", "done"), ("a", "on", "failed")), Wish("on", ("a",)), None),
        (run("restart", "failed", ("a", "off", "failed"), ("a", "on", "skipped")), Wish("restart", ("a",)), None),
        (run("on", "running", ("a", "on", "failed")), None, None),
        (run("on", "cancelled", ("a", "on", "cancelled")), None, None),
    ],
)
def test_what_is_left_of_a_run_and_what_would_undo_it(
    found: dict[str, Any], rest: Wish | None, undone: Wish | None
) -> None:
    assert again(found) == rest
    assert back(found) == undone


def test_a_plan_takes_servers_out_of_the_hands_of_runs() -> None:
    servers: dict[str, dict[str, Any]] = {"a": {"run": 7}, "b": {"run": None}, "c": {"run": 7}, "d": {"run": 8}}
    plan = {"steps": [{"server": name} for name in ("a", "b", "c", "a", "new")]}
    assert taken_over(servers, plan) == {7: ["a", "c"]}

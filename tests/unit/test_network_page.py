"""What the network page works out: which boxes, in which looks, with which words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle import webserver
from ockle.webserver.layout.topology import Kind
from ockle.webserver.network.counts import WORST, counts, together
from ockle.webserver.network.drawing import draw, legend
from ockle.webserver.network.picture import MOST, Pictures
from ockle.webserver.network.standalone import STATE_COLOURS, stylesheet
from ockle.webserver.network.view import MOST_STEPS, STEPS, View
from ockle.webserver.network.words import box_width, cells, cut, letters
from ockle.webserver.states import GROUPS, LOOKS


def _servers(needs: dict[str, list[str]], **states: str) -> dict[str, dict[str, Any]]:
    return {
        name: {"state": states.get(name, "OK"), "why": "", "needs": wanted, "because": {}, "mates": {}}
        for name, wanted in needs.items()
    }


WEBS = {"nas": [], **{f"web{number}": ["nas"] for number in range(1, 25)}}


def test_alike_leaves_are_one_box_until_they_are_unfolded() -> None:
    servers, pictures = _servers(WEBS, web7="Failed to start"), Pictures()
    picture = pictures.of("1", servers, View())
    drawing = draw(picture, servers, View(select="web7"))

    assert [node.name for node in drawing.nodes] == ["nas", "web[1-24]"]
    stack = drawing.nodes[1]
    assert stack.word == "23 on, 1 failed"
    assert stack.look.word == "Failed to start"
    assert {"stack", "chosen", "near"} <= set(stack.classes.split())
    assert picture.box_of("web7") == "web[1-24]"

    view = View(unfold=("web[1-24]",))
    assert len(draw(pictures.of("1", servers, view), servers, view).nodes) == 25


def test_a_filter_dims_a_stack_only_when_nobody_in_it_is_meant() -> None:
    servers = _servers(WEBS, web7="Failed to start")
    for state, dimmed in (("failed", ["nas"]), ("on", []), ("off", ["nas", "web[1-24]"])):
        view = View(state=state)
        drawing = draw(Pictures().of("1", servers, view), servers, view)
        assert [node.name for node in drawing.nodes if "dim" in node.classes.split()] == dimmed


def test_of_a_network_too_large_to_draw_the_surroundings_of_a_failure_are_drawn() -> None:
    needs: dict[str, list[str]] = {"core": []}
    for number in range(MOST + 140):
        needs[f"host {number} x"] = ["core"] if number < 300 else [f"host {number - 300} x"]
    pictures, healthy = Pictures(), _servers(needs)
    picture = pictures.of("1", healthy, View())
    assert picture.centre == "core"
    assert picture.too_many == len(needs)
    assert 1 < len(picture.layout.boxes) <= MOST

    ill = _servers(needs, **{"host 350 x": "Failed to start"})
    picture = pictures.of("2", ill, View())
    assert picture.centre == "host 350 x"
    assert {box.name for box in picture.layout.boxes} == {"host 350 x", "host 50 x", "core"}
    assert pictures.of("2", ill, View(select="host 7 x")).centre == "host 7 x"
    assert pictures.of("2", ill, View(focus="core", steps=1)).too_many == 0
    near = pictures.of("2", ill, View(focus="core", steps=1))
    assert {box.name for box in near.layout.boxes} == {"core", "host [0-299] x"}  # alike, in so small a picture


def test_a_neighbourhood_says_how_many_more_there_are() -> None:
    servers = _servers({"sw": [], "nas": ["sw"], "dns": ["sw"], "hv": ["nas", "dns"], "vm": ["hv"]})
    view = View(focus="nas", steps=1)
    drawing = draw(Pictures().of("1", servers, view), servers, view)
    assert {node.name: (node.before, node.after) for node in drawing.nodes} == {
        "sw": (0, 1), "nas": (0, 0), "hv": (1, 1),
    }  # fmt: skip
    whole = draw(Pictures().of("1", servers, View()), servers, View())
    assert not any(node.before or node.after for node in whole.nodes)


def test_scripts_and_pages_agree_on_the_order_of_groups() -> None:
    script = (Path(webserver.__file__).parent / "static/js/graph-live.js").read_text("utf-8")
    for name, groups in (("WORST", WORST), ("LISTED", GROUPS)):
        found = re.search(rf"const {name} = (\[.*?\]);", script)
        assert found
        assert tuple(json.loads(found[1])) == groups


def test_positions_do_not_depend_on_states() -> None:
    before, after = _servers(WEBS), _servers(WEBS, nas="Unknown", web3="OFF")
    pictures = Pictures()

    assert pictures.of("2", after, View()) is pictures.of("1", before, View())
    more = _servers({**WEBS, "web25": ["nas"]})
    assert pictures.of("3", more, View()).layout.boxes[1].name == "web[1-25]"


def test_lines_say_why_they_are_there() -> None:
    servers = _servers({"sw": [], "nas": ["sw"], "twin": []})
    servers["nas"]["because"] = {"sw": "nas is reached through sw"}
    servers["nas"]["mates"], servers["twin"]["mates"] = {"twin": "pdu-a/4"}, {"nas": "pdu-a/4"}
    picture = Pictures().of("1", servers, View())
    lines = {line.kind: line for line in draw(picture, servers, View()).lines}

    assert lines[Kind.VIA].because == "nas is reached through sw"
    assert lines[Kind.MATE].because == "pdu-a/4"
    assert legend(picture) == {Kind.NEED: False, Kind.VIA: True, Kind.MATE: True}


@pytest.mark.parametrize("state", list(LOOKS))
def test_every_state_has_its_colour_in_the_picture(state: str) -> None:
    style = LOOKS[state].style  # type: ignore[index]
    assert style in STATE_COLOURS
    assert f".state-{style} .box" in stylesheet()


def test_counts_have_all_groups_and_the_worst_of_a_stack_decides() -> None:
    servers = _servers({"a": [], "b": [], "c": []}, b="OFF", c="Unknown")
    assert [(count.group, count.number) for count in counts(servers)] == [
        ("on", 1), ("switching", 0), ("failed", 0), ("forced", 0), ("off", 1), ("unknown", 1),
    ]  # fmt: skip
    assert together(["OK", "OFF", "Unknown"])[0].word == "Unknown"
    assert together(["OK", "OK"]) == (LOOKS["OK"], "2 on")  # type: ignore[index]


@given(st.text(max_size=40), st.integers(1, 30))
def test_cut_text_fits(text: str, room: int) -> None:
    found = cut(text, room)
    assert cells(found) <= room
    assert found == text or found.endswith("…")
    assert (found == text) == (cells(text) <= room)


def test_boxes_are_as_wide_as_most_names_need() -> None:
    assert box_width(["nas"], 0) == box_width([], 0) == 140
    assert letters(box_width(["a"] * 30 + ["fourteen-chars"], 0), 8.6) >= 14
    usual = [f"server-number-{number}" for number in range(20)]
    assert box_width(usual, 0) == box_width([*usual, "x" * 200], 0)
    assert letters(box_width(usual, 0), 8.6) >= len(usual[0])
    assert box_width(usual, 1000) == box_width(["x" * 200], 0) == 220


_texts = st.text(min_size=1, max_size=20)


@given(
    st.sampled_from(["", *GROUPS]),
    st.text(max_size=20),
    _texts,
    st.integers(1, MOST_STEPS),
    st.lists(_texts, unique=True),
)
def test_an_address_brings_its_view_back(state: str, select: str, focus: str, steps: int, unfold: list[str]) -> None:
    view = View(state, select, focus, steps, tuple(unfold))
    assert View.of(view.query()) == view
    assert View.of(view.query(focus="")).steps == STEPS


@given(st.lists(st.tuples(st.sampled_from(["state", "select", "focus", "steps", "unfold", "x"]), st.text())))
def test_any_address_is_a_view(query: list[tuple[str, str]]) -> None:
    view = View.of(query)
    assert 1 <= view.steps <= MOST_STEPS
    assert view.state in ("", *GROUPS)

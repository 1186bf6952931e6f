"""The GUI's snapshot: whoever applies what has changed since their last look knows all of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ockle.webserver.link import Snapshot, following

NAMES = ("a", "b", "c", "d")
states = st.fixed_dictionaries({"state": st.sampled_from(("OK", "OFF")), "power_w": st.sampled_from((None, 1.0, 2.0))})
replies = st.fixed_dictionaries(
    {"servers": st.dictionaries(st.sampled_from(NAMES), states), "time": st.floats(0, 1), "rev": st.integers(0, 3)}
)
lines = st.sampled_from(("x", "x", "x", "y"))


@given(st.lists(st.tuples(replies, lines, st.booleans()), max_size=12))
def test_a_browser_that_applies_what_changed_knows_everything(steps: list[tuple[dict[str, Any], str, bool]]) -> None:
    snapshot = Snapshot()
    known: dict[str, Any] = {}
    tag = ""
    for number, (reply, line, looks) in enumerate(steps):
        before = snapshot
        snapshot = following(snapshot, reply, float(number), line)
        assert snapshot.seen_at == number
        assert snapshot.servers == reply["servers"]
        if snapshot.tag == before.tag:
            assert snapshot.servers == before.servers
        if not looks:
            continue
        changed = snapshot.changed_since(tag)
        if changed is None:
            known = dict(snapshot.servers)
        else:
            known.update({name: snapshot.servers[name] for name in changed})
        tag = snapshot.tag
        assert known == snapshot.servers


@given(st.text(max_size=20))
def test_any_text_of_a_browser_is_a_tag_or_none(tag: str) -> None:
    snapshot = following(Snapshot(), {"servers": {"a": {}}, "rev": 1}, 0.0, "x")
    assert snapshot.changed_since(tag) in (None, [], ["a"])


def test_the_same_again_keeps_its_tag() -> None:
    first = following(Snapshot(), {"servers": {"a": {"state": "OK"}}, "rev": 1, "time": 1.0}, 0.0, "x")
    again = following(first, {"same": True, "rev": 1}, 5.0, "x")
    assert (again.tag, again.seen_at, again.servers) == (first.tag, 5.0, first.servers)
    assert again.changed_since(first.tag) == []


def test_after_a_new_connection_all_is_told_anew() -> None:
    reply = {"servers": {"a": {"state": "OK"}}, "rev": 1, "time": 1.0}
    first = following(Snapshot(), reply, 0.0, "x")
    assert following(first, reply, 1.0, "y").changed_since(first.tag) is None

"""What Grafana's data sources ask, and what they get: requests from hostile hands, gaps, names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.webserver.grafana.asked import (
    LONGEST_S,
    MOST_POINTS,
    BadQuery,
    Filter,
    body_of,
    kinds_of,
    query_of,
    span_of,
)
from ockle.webserver.grafana.patterns import alternatives, matcher
from ockle.webserver.grafana.series import chosen, name_of, together
from ockle.webserver.grafana.shown import datapoints, of_run, point_table

HOUR = {"from": "2026-11-21T22:00:00.000Z", "to": "2026-11-21T23:00:00.000Z"}


def series(server: str, kind: str, thing: str, key: str) -> dict[str, Any]:
    return {"server": server, "kind": kind, "object": thing, "key": key, "unit": "", "every_s": 10}


KNOWN = [
    series("", "network", "", "power_w"),
    series("", "ups", "rack", "charge_percent"),
    series("web1", "outlet", "psu1", "power_w"),
    series("web1", "outlet", "psu1", "current_a"),
    series("web2", "outlet", "psu1", "power_w"),
    series("web[3]", "server", "", "power_w"),
]


# -- requests


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "range is missing"),
        ({"range": "today"}, "range is missing"),
        ({"range": {"from": "now", "to": "now"}}, "range.from"),
        ({"range": {"from": 1e400, "to": 0}}, "range.from"),
        ({"range": {"from": HOUR["to"], "to": HOUR["from"]}}, "from has to be before to"),
        ({"range": {"from": "1926-11-21T22:00:00Z", "to": HOUR["to"]}}, "by up to 20 years"),
        ({"range": {"from": "0001-01-01T00:00:00+23:59", "to": HOUR["to"]}}, "range"),
        ({"range": {"from": "1965-11-21T22:00:00Z", "to": "1975-11-21T22:00:00Z"}}, "not before 1970"),
        ({"range": HOUR, "intervalMs": 0}, "intervalMs"),
        ({"range": HOUR, "intervalMs": -5}, "intervalMs"),
        ({"range": HOUR, "intervalMs": "1m"}, "intervalMs"),
        ({"range": HOUR, "intervalMs": 10**400}, "intervalMs"),
        ({"range": HOUR, "maxDataPoints": True}, "maxDataPoints"),
        ({"range": HOUR, "maxDataPoints": float("inf")}, "maxDataPoints"),
        ({"range": HOUR, "targets": {}}, ""),
        ({"range": HOUR, "targets": "all"}, "targets: a list"),
        ({"range": HOUR, "targets": [{"target": "x"}] * 51}, "51 are too many"),
        ({"range": HOUR, "targets": [{"target": "x" * 501}]}, "target: a text"),
        ({"range": HOUR, "targets": [{"target": 5}]}, "target: a text"),
        ({"range": HOUR, "adhocFilters": [{"key": "password", "operator": "=", "value": ""}]}, "adhocFilters"),
        ({"range": HOUR, "adhocFilters": [{"key": "key", "operator": "=~", "value": ""}]}, "adhocFilters"),
    ],
)
def test_what_cannot_be_answered_is_told_in_one_line(body: dict[str, Any], told: str) -> None:
    if not told:
        assert query_of(body).targets == ()
        return
    with pytest.raises(BadQuery, match=told) as raised:
        query_of(body)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("raw", [b"[]", b"{", b'{"a": NaN}', b"[" * 100_000, b"\xff", b'"x"'])
def test_no_json_object_no_answer(raw: bytes) -> None:
    with pytest.raises(BadQuery):
        body_of(raw)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(list(HOUR.values())),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "to", "target", "key"]), inner)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["range", "intervalMs", "maxDataPoints", "targets", "adhocFilters", "annotation"])


@given(st.dictionaries(KEYS, JSON))
def test_whatever_is_asked_there_is_an_answer_within_limits(body: dict[str, Any]) -> None:
    for work in (query_of, span_of, kinds_of):
        try:
            found = work(body)
        except BadQuery as error:
            assert len(str(error)) < 400
            continue
        if work is query_of:
            query: Any = found
            assert query.since >= 0
            assert 0 < query.until - query.since <= LONGEST_S
            assert 1 <= query.points <= MOST_POINTS


def test_points_follow_the_interval_and_the_width_of_the_panel() -> None:
    def points(**more: float) -> int:
        return query_of({"range": HOUR, **more}).points

    assert points() == 600
    assert points(maxDataPoints=100) == 100
    assert points(intervalMs=60_000) == 60
    assert points(intervalMs=60_000, maxDataPoints=10) == 10
    assert points(intervalMs=10**12) == 1
    assert points(maxDataPoints=10**9) == MOST_POINTS


def test_hidden_targets_are_not_asked_for() -> None:
    targets = [{"target": "a", "refId": "A", "hide": True}, {"target": "b", "refId": "B", "type": "table"}]
    (only,) = query_of({"range": HOUR, "targets": targets}).targets
    assert (only.text, only.ref, only.table) == ("b", "B", True)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", ("runs", "alerts", "emergencies", "notes")),
        ("runs, notes runs", ("runs", "notes")),
        ("alerts", ("alerts",)),
    ],
)
def test_annotations_are_of_the_kinds_that_are_named(text: str, kinds: tuple[str, ...]) -> None:
    assert kinds_of({"annotation": {"query": text}}) == kinds
    with pytest.raises(BadQuery, match="'logs' is none of runs, alerts"):
        kinds_of({"annotation": {"query": f"{text} logs"}})


# -- names


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("web1/outlet/psu1/power_w", ["web1/outlet/psu1/power_w"]),
        (
            "*/power_w",
            ["network/power_w", "web1/outlet/psu1/power_w", "web2/outlet/psu1/power_w", "web[3]/server/power_w"],
        ),
        ("web?/outlet/*/power_w", ["web1/outlet/psu1/power_w", "web2/outlet/psu1/power_w"]),
        ("{web2,ups}/{outlet/psu1,rack}/*", ["ups/rack/charge_percent", "web2/outlet/psu1/power_w"]),
        ("web[3]/server/power_w", ["web[3]/server/power_w"]),
        ("web\\[3\\]/server/*", ["web[3]/server/power_w"]),
        ("(web2|web\\[3\\])/*", ["web2/outlet/psu1/power_w", "web[3]/server/power_w"]),
        ("web\\*/outlet/psu1/power_w", []),
        ("", []),
        ("{", []),
        ("power_w", []),
    ],
)
def test_a_target_means_series_by_name(text: str, meant: list[str]) -> None:
    assert [name_of(one) for one in chosen(KNOWN, text)] == meant


def test_alternatives_do_not_explode() -> None:
    assert len(alternatives("{a,b}" * 50)) == 200
    with pytest.raises(BadQuery, match="patterns are too many"):
        chosen(KNOWN, "{" + ",".join(f"a{number}*" for number in range(21)) + "}")
    assert chosen(KNOWN * 100, "*a" * 100) == []


@given(st.text(max_size=30))
def test_every_name_means_itself_however_a_variable_writes_it(name: str) -> None:
    escaped = "".join(f"\\{letter}" if not letter.isalnum() else letter for letter in name)
    assert matcher(name)(name)
    assert matcher(escaped)(name)
    assert matcher(f"(other|{escaped})")(name)
    assert not matcher(escaped)(f"{name}x")


def test_filters_narrow() -> None:
    rules = [Filter("server", "web1", True), Filter("key", "power_w", False)]
    assert [name_of(one) for one in chosen(KNOWN, "*", rules)] == ["web1/outlet/psu1/current_a"]


def test_series_of_many_servers_are_asked_for_in_one_question() -> None:
    there = {"web1", "web2"}
    wanted = [*chosen(KNOWN, "*/power_w"), series("gone", "outlet", "psu1", "power_w")]
    asked = list(together(wanted, there, 200))
    assert {"kind": "outlet", "object": "psu1", "key": "power_w", "servers": ["web1", "web2"]} in asked
    assert {"kind": "outlet", "object": "psu1", "key": "power_w", "server": "gone"} in asked
    assert {"kind": "network", "object": "", "key": "power_w", "server": ""} in asked
    assert len(list(together(wanted, there, 1))) == len(wanted)


# -- answers


def test_a_gap_is_null_and_never_a_number() -> None:
    segments = [[[10.0, 20.0, 1.0, 3.0, 2.0, 4]], [[100.0, 110.0, 5.0, 5.0, 5.0, 1], [110.0, 120.0, 6.0, 6.0, 6.0, 1]]]
    points = datapoints(segments)
    assert points == [[2.0, 10_000], [None, 10_001], [5.0, 100_000], [6.0, 110_000]]
    assert [row[2] for row in point_table([("a", points)], "A")["rows"]] == [2.0, 5.0, 6.0]
    assert datapoints([]) == []
    json.dumps(points, allow_nan=False)


def test_a_run_under_way_reaches_to_now() -> None:
    run = {
        "id": 7, "action": "off", "targets": [f"web{number}" for number in range(7)], "who": "anna", "note": "works",
        "created": 1000.0, "ended": None, "state": "running", "done": 3, "failed": 1, "total": 7,
    }  # fmt: skip
    shown = of_run(run, 1060.0)
    assert (shown["time"], shown["timeEnd"], shown["isRegion"]) == (1_000_000, 1_060_000, True)
    assert shown["title"] == "run 7: off web0, web1, web2, web3, web4 and 2 more"
    assert shown["text"] == "running, 3 of 7 done, 1 failed; ordered by anna: works"

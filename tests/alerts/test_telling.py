"""What people read: one message for many, notices at a bounded rate, lines that stay short."""

from __future__ import annotations

from typing import Any

import pytest

from ockle.common.events import Event
from ockle.common.problems import Problem, Severity
from ockle.engine.alerts.keeper import Change, Keeper, What
from ockle.engine.alerts.notices import MOST, WINDOW_S, Notices
from ockle.engine.alerts.record import MOST_AFFECTED, MOST_HAPPENINGS, MOST_TOLD, Alert
from ockle.engine.alerts.rules import Moment, Rules
from ockle.engine.alerts.telling import FEW, MOST_LINES, Sender, messages, words_of

SENDER = Sender("rack", "https://ockle.example.org/")


def problem(name: str, *hangs_on: str) -> Problem:
    ways = tuple(f"server/{one}" for one in hangs_on)
    return Problem(f"server/{name}", "server", Severity.WARNING, f"server/{name}", f"{name} is bad", name, ways)


def changes_of(*problems: Problem) -> list[Change]:
    keeper = Keeper(Rules(confirm=1))
    keeper.look(problems, {}, Moment(0, 0))
    return keeper.look(problems, {}, Moment(2, 2))


def test_few_have_a_message_each_and_many_share_one() -> None:
    few = messages(changes_of(*(problem(f"web{number}") for number in range(FEW))), SENDER, 2)
    assert [message.title for message in few] == [f"web{number} is bad" for number in range(FEW)]
    assert few[0].url == "https://ockle.example.org/alerts/1"
    assert (few[0].about, few[0].site, few[0].servers) == ("server", "rack", ("web0",))
    (one,) = messages(changes_of(*(problem(f"web{number:02}") for number in range(MOST_LINES + 7))), SENDER, 2)
    assert one.title == f"{MOST_LINES + 7} problems: web[00-26]"
    assert len(one.lines) == MOST_LINES + 1
    assert one.lines[-1] == "and 7 more"
    assert (one.alert, one.url, len(one.servers)) == (0, "https://ockle.example.org/alerts", MOST_LINES + 7)


def test_ids_are_unique() -> None:
    changes = changes_of(problem("a"), problem("b"))
    found = [message.id for _ in range(2) for message in messages(changes, SENDER, 2)]
    assert len(set(found)) == 4


def test_what_is_over_comes_first() -> None:
    keeper = Keeper(Rules(confirm=1, settle=1, grace=1))
    keeper.look([problem("a")], {}, Moment(0, 0))
    keeper.look([problem("a")], {}, Moment(2, 2))
    keeper.look([problem("b")], {}, Moment(4, 4))
    found = messages(keeper.look([problem("b")], {}, Moment(3600, 3600)), SENDER, 3600)
    assert [(message.kind, message.title) for message in found] == [
        ("recovery", "over after 59 min: a is bad"),
        ("problem", "b is bad"),
    ]


def test_a_cause_says_what_was_told_before() -> None:
    keeper = Keeper(Rules(confirm=1))
    keeper.look([problem("web", "sw")], {}, Moment(0, 0))
    keeper.look([problem("web", "sw")], {}, Moment(2, 2))
    both = [problem("web", "sw"), problem("sw")]
    keeper.look(both, {}, Moment(4, 4))
    (message,) = messages(keeper.look(both, {}, Moment(6, 6)), SENDER, 6)
    assert message.lines == ("with it: 1 server: web", "was told before as alert 1: web is bad")
    assert message.servers == ("sw", "web")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (7260, "2 h 1 min"),
        (172800, "2 days"),
    ],
)
def test_a_span_in_words(seconds: float, words: str) -> None:
    assert words_of(seconds) == words


def event(kind: str = "cut", server: str = "web", **data: Any) -> Event:
    return Event(1, 100.0, kind, server, f"{server} was cut", data)


@pytest.mark.parametrize(
    ("one", "severity"),
    [
        (event(), Severity.CRITICAL),
        (event("drift", policy="enforce"), Severity.WARNING),
        (event("drift", policy="alarm"), None),
        (event("run", state="failed"), Severity.WARNING),
        (event("run", state="done"), None),
        (event("force", failed=True), Severity.WARNING),
        (event("force"), None),
        (event("netboot", stage="alarm"), Severity.WARNING),
        (event("netboot", stage="up"), None),
        (event("state"), None),
    ],
)
def test_which_events_are_notices(one: Event, severity: Severity | None) -> None:
    message = Notices(lambda *_: False).take(one, SENDER, 0.0)
    assert (message.severity if message is not None else None) is severity
    if message is not None:
        assert (message.kind, message.at, message.servers) == ("notice", 100.0, ("web",))


def test_notices_come_at_a_bounded_rate() -> None:
    notices = Notices(lambda *_: False)
    told = [notices.take(event(server=f"web{number}"), SENDER, number) for number in range(MOST + 7)]
    assert [message is not None for message in told] == [True] * MOST + [False] * 7
    assert notices.held_back(SENDER, WINDOW_S - 1, 0.0) == []
    assert notices.take(event("run", state="failed"), SENDER, 20.0) is not None  # another kind
    (rest,) = notices.held_back(SENDER, WINDOW_S + 1, 0.0)
    assert (rest.title, rest.severity) == ("7 more of the kind cut", Severity.CRITICAL)
    assert len(rest.lines) == MOST
    assert notices.held_back(SENDER, WINDOW_S + 2, 0.0) == []


def test_a_silenced_server_has_no_notices() -> None:
    notices = Notices(lambda server, subject: (server, subject) == ("web", "server/web"))
    assert notices.take(event(), SENDER, 0.0) is None
    assert notices.take(event(server="db"), SENDER, 0.0) is not None


def test_records_stay_small() -> None:
    keeper = Keeper(Rules(confirm=1))
    many = [problem("sw"), *(problem(f"web{number}", "sw") for number in range(MOST_AFFECTED + 50))]
    keeper.look(many, {}, Moment(0, 0))
    (change,) = keeper.look(many, {}, Moment(2, 2))
    alert = change.alert
    for number in range(1000):
        alert.tell(number, "reminder")
    found = alert.with_history()
    assert found["affected_count"] == MOST_AFFECTED + 50
    assert (len(found["affected"]), len(found["told"]), len(found["history"])) == (
        MOST_AFFECTED, MOST_TOLD, MOST_HAPPENINGS,
    )  # fmt: skip
    assert found["history"][0]["what"] == "opened"
    assert Alert.of_body(alert.body()).affected_count == MOST_AFFECTED + 50
    assert change.what is What.OPENED

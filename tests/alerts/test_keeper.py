"""The keeper: what becomes an alert, what becomes a part of one, and that each that was told is told to be over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.common.errors import CommandError
from ockle.common.problems import Problem, Severity
from ockle.engine.alerts.keeper import Change, Keeper, What
from ockle.engine.alerts.record import Alert, State
from ockle.engine.alerts.rules import Moment, Rules

EVERY_S = 10.0
RULES = Rules(confirm=60, settle=30, grace=120, remind=3600, steady=600)
PASSES: Mapping[str, tuple[str, ...]] = {}


def problem(name: str, *hangs_on: str, severity: Severity = Severity.CRITICAL) -> Problem:
    ways = tuple(f"server/{one}" for one in hangs_on)
    return Problem(f"server/{name}", "server", severity, f"server/{name}", f"{name} has failed", name, ways)


class Bench:
    """A keeper, a clock that a test moves, and all that was to be told."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.keeper = Keeper(rules)
        self.now = 1000.0
        self.ahead = 1e9
        self.told: list[Change] = []
        self.words: list[tuple[str, str]] = []

    @property
    def at(self) -> Moment:
        return Moment(self.now, self.now + self.ahead)

    def wait(self, seconds: float, *problems: Problem) -> list[tuple[str, str]]:
        """Look for so long; returns what was told meanwhile."""
        before = len(self.words)
        for _ in range(round(seconds / EVERY_S)):
            for change in self.keeper.look(problems, PASSES, self.at):
                self.told.append(change)
                self.words.append((change.what.value, change.alert.server))
            keys = [alert.key for alert in self.keeper.alerts.values()]
            assert len(keys) == len(set(keys))
            self.now += EVERY_S
        return self.words[before:]

    def restarted(self) -> Bench:
        after = Bench(self.keeper.rules)
        after.now, after.ahead = self.now, self.ahead
        kept = [Alert.of_body(alert.body()) for alert in self.keeper.alerts.values()]
        after.keeper.load(kept, self.keeper.silences.values(), self.at)
        after.keeper.next_id = self.keeper.next_id  # as the store knows it
        after.keeper.changed |= self.keeper.changed | {alert.id: alert for alert in after.keeper.alerts.values()}
        return after


def test_what_does_not_last_is_not_told() -> None:
    bench = Bench()
    assert bench.wait(50, problem("web")) == []
    assert bench.wait(300) == []


def test_what_lasts_is_told_once_and_once_that_it_is_over() -> None:
    bench = Bench()
    assert bench.wait(600, problem("web")) == [("opened", "web")]
    assert bench.wait(600) == [("recovered", "web")]


def test_a_gap_shorter_than_settle_ends_nothing() -> None:
    bench = Bench()
    for _ in range(20):
        bench.wait(80, problem("web"))
        bench.wait(20)
    assert bench.words == [("opened", "web")]


def test_what_comes_and_goes_before_it_is_told_is_told_once_it_was_there_long_enough() -> None:
    bench = Bench()
    for _ in range(2):
        bench.wait(30, problem("web"))
        bench.wait(20)
    assert bench.words == []
    for _ in range(3):
        bench.wait(30, problem("web"))
        bench.wait(20)
    assert bench.words == [("opened", "web")]


def test_thirty_servers_behind_a_dead_switch_are_one_message_and_one_recovery() -> None:
    bench = Bench()
    servers = [problem(f"web{number}", "sw") for number in range(30)]
    bench.wait(30, *servers)
    bench.wait(300, *servers, problem("sw"))  # the symptoms show first
    (alert,) = bench.keeper.alerts.values()
    assert alert.affected_count == 30
    assert bench.keeper.next_id == 2  # none of them ever had an alert of its own, told or not
    bench.wait(60, *servers)  # the switch is back, the servers boot
    bench.wait(600)
    assert bench.words == [("opened", "sw"), ("recovered", "sw")]
    assert all(one.until is not None for one in alert.affected.values())


def test_what_was_told_becomes_part_of_the_cause_that_shows_later() -> None:
    bench = Bench()
    bench.wait(100, problem("web", "sw"))
    bench.wait(100, problem("web", "sw"), problem("sw"))
    assert bench.words == [("opened", "web"), ("opened", "sw")]
    change = bench.told[1]
    assert [other.server for other in change.merged] == ["web"]
    assert change.merged[0].state is State.CLOSED and change.merged[0].explained_by == change.alert.id
    bench.wait(600)
    assert bench.words[2:] == [("recovered", "sw")]


def test_a_cause_is_over_as_soon_as_all_behind_it_are_back() -> None:
    bench = Bench()
    bench.wait(300, problem("web", "sw"), problem("sw"))
    bench.wait(20, problem("web", "sw"))
    assert bench.wait(20) == [("recovered", "sw")]  # 30 s after the switch, though the server was gone for 10 s only


def test_what_is_just_gone_does_not_become_part_of_a_cause() -> None:
    bench = Bench()
    bench.wait(100, problem("web", "sw"))
    bench.wait(50, problem("web", "sw"), problem("sw"))
    bench.wait(20, problem("sw"))  # the switch is told now, and the server serves again
    bench.wait(60, problem("sw"))
    assert bench.words == [("opened", "web"), ("opened", "sw"), ("recovered", "web")]


def test_who_does_not_come_back_with_its_cause_gets_an_alert_of_its_own_after_a_grace() -> None:
    bench = Bench()
    both = problem("web1", "sw"), problem("web2", "sw")
    bench.wait(300, *both, problem("sw"))
    bench.wait(100, *both)
    assert bench.words == [("opened", "sw")]
    bench.wait(300, both[1])
    assert bench.words == [("opened", "sw"), ("recovered", "sw"), ("opened", "web2")]
    still = [one.server for one in bench.told[1].alert.affected.values() if one.until is None]
    assert still == ["web2"]


def test_a_cause_that_is_never_told_hides_a_problem_for_a_time_only() -> None:
    bench = Bench()
    for _ in range(20):  # the switch is gone for good each time before it counts
        bench.wait(20, problem("web", "sw"), problem("sw"))
        bench.wait(30, problem("web", "sw"))
    assert ("opened", "web") in bench.words


def test_worse_is_told_better_is_not() -> None:
    bench = Bench()
    for severity in (Severity.WARNING, Severity.CRITICAL, Severity.WARNING, Severity.CRITICAL):
        bench.wait(100, problem("web", severity=severity))
    assert bench.words == [("opened", "web"), ("raised", "web")]


def test_an_alert_is_as_severe_as_the_worst_that_is_part_of_it() -> None:
    bench = Bench()
    cause = problem("sw", severity=Severity.WARNING)
    bench.wait(100, cause)
    bench.wait(100, cause, problem("web", "sw"))
    assert bench.words == [("opened", "sw"), ("raised", "sw")]
    assert bench.told[1].alert.severity is Severity.CRITICAL
    bench.wait(100, cause)
    assert bench.keeper.alerts["server/sw"].severity is Severity.WARNING


def test_what_comes_and_goes_is_told_at_a_bounded_rate() -> None:
    bench = Bench()
    for _ in range(30):
        bench.wait(100, problem("web"))
        bench.wait(100)
    assert bench.words == [
        ("opened", "web"),
        ("recovered", "web"),
        ("opened", "web"),
        ("recovered", "web"),
        ("flapping", "web"),
    ]
    assert {change.alert.id for change in bench.told} == {1}
    assert bench.wait(700) == [("recovered", "web")]


def test_what_stays_after_flapping_is_an_alert_as_any() -> None:
    bench = Bench()
    for _ in range(4):
        bench.wait(100, problem("web"))
        bench.wait(100)
    bench.wait(700, problem("web"))
    assert not bench.keeper.alerts["server/web"].flapping
    assert bench.wait(100) == [("recovered", "web")]


def test_reminders_end_with_an_acknowledgement() -> None:
    bench = Bench()
    assert bench.wait(3 * 3600, problem("web")).count(("reminder", "web")) == 2
    alert = bench.keeper.acknowledge(1, "eva", "on my way", bench.at)
    assert alert.state is State.ACKNOWLEDGED
    assert bench.wait(3 * 3600, problem("web")) == []
    assert bench.wait(100) == [("recovered", "web")]
    with pytest.raises(CommandError, match="no open alert 1"):
        bench.keeper.acknowledge(1, "eva", "", bench.at)


@pytest.mark.parametrize(("servers", "subject"), [(["web"], ""), ([], "server/*"), ([], "server/web")])
def test_what_is_silenced_is_told_when_the_silence_ends(servers: list[str], subject: str) -> None:
    bench = Bench()
    bench.keeper.silences.add(servers, subject, 600, "eva", "", bench.at)
    assert bench.wait(590, problem("web")) == []
    assert bench.keeper.alerts["server/web"].state is State.SILENCED
    assert bench.wait(100, problem("web")) == [("opened", "web")]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_clock_that_is_set_back_makes_no_silence_longer(restarts: bool) -> None:
    bench = Bench()
    bench.keeper.silences.add(["web"], "", 600, "eva", "", bench.at)
    assert bench.wait(100, problem("web")) == []
    bench.ahead -= 86400
    bench = bench.restarted() if restarts else bench
    assert bench.wait(400, problem("web")) == []
    assert bench.wait(300, problem("web")) == [("opened", "web")]


def test_what_ends_within_a_silence_is_never_told() -> None:
    bench = Bench()
    silence = bench.keeper.silences.add(["web"], "", 6000, "eva", "", bench.at)
    bench.wait(300, problem("web"))
    bench.wait(300)
    bench.keeper.silences.end(silence.id)
    assert bench.wait(300) == []
    with pytest.raises(CommandError, match="no silence 1"):
        bench.keeper.silences.end(silence.id)


def test_the_end_of_what_was_told_is_told_in_a_silence_too() -> None:
    bench = Bench()
    bench.wait(100, problem("web"))
    bench.keeper.silences.add(["web"], "", 6000, "eva", "", bench.at)
    assert bench.wait(4000, problem("web")) == []  # nor is anybody reminded
    assert bench.wait(100) == [("recovered", "web")]


def test_what_was_told_does_not_vanish_in_a_silenced_cause() -> None:
    bench = Bench()
    bench.wait(100, problem("web", "sw"))
    bench.keeper.silences.add(["sw"], "", 6000, "eva", "", bench.at)
    bench.wait(300, problem("web", "sw"), problem("sw"))
    bench.wait(300)
    assert bench.words == [("opened", "web"), ("recovered", "web")]


def test_a_restart_tells_nothing_twice() -> None:
    bench = Bench()
    bench.wait(300, problem("web"), problem("db"))
    after = bench.restarted()
    after.wait(20)  # devices have to be asked first
    after.wait(300, problem("web"))
    assert after.words == [("recovered", "db")]
    assert after.keeper.next_id == 3


def test_reminders_go_on_after_a_restart() -> None:
    bench = Bench()
    bench.wait(3000, problem("web"))
    after = bench.restarted()
    assert after.wait(1000, problem("web")) == [("reminder", "web")]


def test_records_survive_json() -> None:
    bench = Bench()
    bench.wait(100, problem("web", "sw"), problem("sw"))
    bench.keeper.acknowledge(1, "eva", "known", bench.at)
    alert = bench.keeper.get(1)
    assert alert is not None
    assert Alert.of_body(alert.body()) == alert


NAMES = ("sw", "db", "web1", "web2")
ALL = {
    "sw": problem("sw"),
    "db": problem("db", "sw"),
    "web1": problem("web1", "db"),
    "web2": problem("web2", "db", "sw"),
}
steps = st.lists(
    st.tuples(
        st.sets(st.sampled_from(NAMES)),
        st.sampled_from([10, 30, 60, 150, 700]),
        st.sampled_from(["", "", "", "silence", "ack", "worse", "restart"]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_after_any_history_all_that_was_told_is_told_to_be_over(history: list[tuple[set[str], int, str]]) -> None:
    bench = Bench()
    told: list[Change] = []
    begun = bench.now
    for wrong, seconds, extra in history:
        if extra == "restart":
            told += bench.told
            bench = bench.restarted()
        elif extra == "silence":
            bench.keeper.silences.add([NAMES[seconds % 4]], "", 200, "eva", "", bench.at)
        elif extra == "ack" and bench.keeper.alerts:
            bench.keeper.acknowledge(next(iter(bench.keeper.alerts.values())).id, "eva", "", bench.at)
        severity = Severity.CRITICAL if extra == "worse" else Severity.WARNING
        bench.wait(seconds, *(replace(ALL[name], severity=severity) for name in sorted(wrong)))
    bench.wait(2000)
    told += bench.told
    assert not bench.keeper.alerts
    balance: Counter[int] = Counter()
    for change in told:
        number = change.alert.id
        balance[number] += {What.OPENED: 1, What.FLAPPING: 1, What.RECOVERED: -1}.get(change.what, 0)
        assert balance[number] in (0, 1)  # never told twice to be there, nor to be over
    for number in balance:
        last = number
        while balance[last]:  # what ended as a part of another has that one's recovery
            last = bench.keeper.changed[last].explained_by
            assert last, "told, and never that it is over"
    restarts = 1 + sum(extra == "restart" for _, _, extra in history)
    for number in balance:
        count = sum(change.alert.id == number for change in told)
        assert count <= restarts * (6 + 3 * (bench.now - begun) / RULES.steady)

"""Schedules in the configuration: what is wrong with them is told, and who names whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from config_site import write_site
from ockle.config.edits import Edits
from ockle.config.meaning import meaning
from ockle.config.site import load_site
from ockle.config.uses import uses

GOOD = "[schedule]\nservers = web, nas\naction = off\ntimes = mon-fri 22:00, sat, sun 23:00\n"
ENABLED = "[plugins]\nplugins = AutoControl, Schedules\n"


def lines(etc: Path) -> tuple[list[str], list[str]]:
    site = load_site(etc)
    return [str(fault) for fault in site.faults], site.warnings


def test_a_good_one_says_nothing(tmp_path: Path) -> None:
    assert lines(write_site(tmp_path, schedules__night=GOOD, config=ENABLED)) == ([], [])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("servers = web\ntimes = mon 25:00", "[schedule] times: 'mon 25:00' is no time such as mon-fri 07:30"),
        ("servers = web\ntimes = noon", "[schedule] times: 'noon' is no time"),
        ("servers = web\ncron = 0 7 * *", "[schedule] cron: '0 7 * *' has not five fields"),
        ("servers = web\ntimes = 7:00\ntime_zone = Berlin", "[schedule] time_zone: 'Berlin' is no time zone"),
        ("servers = web\ntimes = 7:00\nexceptions = christmas", "[schedule] exceptions: 'christmas' is no date"),
        ("times = 7:00", "[schedule] servers: missing"),
        ("servers = web[1,4-5]\ntimes = 7:00", "stands in quotes"),
        ("servers = web\ntimes = 7:00\naction = cut", "[schedule] action = 'cut'"),
    ],
)
def test_a_fault_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    faults, _ = lines(write_site(tmp_path, schedules__night=f"[schedule]\n{text}\n", config=ENABLED))
    assert len(faults) == 1 + ("web[1," in text)  # ConfigObj makes two items of it
    assert says in faults[0]
    assert faults[0].startswith("schedules/night.ini")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("servers = web", "it never comes: neither times nor cron says when"),
        ("servers = web\ncron = 0 7 31 2 *", "it never comes: cron 0 7 31 2 * is no day of the next 50 years"),
        (
            "servers = web\ntimes = 7:00\nexceptions = 01-01..12-31",
            "it never comes: the exceptions leave out all its days",
        ),
        ("servers = web, wbe\ntimes = 7:00", "nobody is called wbe"),
        ("servers = @tag\ntimes = 7:00", "nobody is called @tag"),
    ],
)
def test_what_never_comes_is_one_warning(tmp_path: Path, text: str, says: str) -> None:
    faults, warnings = lines(write_site(tmp_path, schedules__night=f"[schedule]\n{text}\n", config=ENABLED))
    assert faults == []
    assert len(warnings) == 1
    assert warnings[0].startswith("schedules/night.ini: ")
    assert says in warnings[0]


def test_nobody_carries_them_out(tmp_path: Path) -> None:
    assert "add Schedules to [plugins]" in lines(write_site(tmp_path, schedules__night=GOOD))[1][0]


def test_a_server_that_a_schedule_names_is_in_use_and_renamed_there(tmp_path: Path) -> None:
    etc = write_site(tmp_path, schedules__night=GOOD)
    assert [str(use) for use in uses(etc)["servers", "web"]] == ["schedule night"]
    files = Edits(etc).rename("servers/web.ini", "shop")
    assert "servers = shop, nas" in str(files["schedules/night.ini"])


def test_what_a_change_means(tmp_path: Path) -> None:
    before = load_site(write_site(tmp_path / "a", config=ENABLED, schedules__night=GOOD))
    after = load_site(write_site(tmp_path / "b", config=ENABLED, schedules__night=GOOD.replace("off", "on")))
    assert meaning(before, after) == ["schedule night: action is on now, was off"]

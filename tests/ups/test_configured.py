"""UPSes in the configuration: what is wrong with them is told, and their passwords are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from config_site import write_site
from ockle.config.edits import Edits
from ockle.config.site import load_site
from ockle.config.ups import Stage, parse_stage
from ockle.MainDaemon import _secrets

ENABLED = "[plugins]\nplugins = AutoControl, UPS\n"


def lines(etc: Path) -> tuple[list[str], list[str]]:
    site = load_site(etc)
    return [str(fault) for fault in site.faults], site.warnings


def test_a_good_one_says_nothing_and_its_password_is_a_secret(tmp_path: Path) -> None:
    text = "[ups]\nservers = all\nshed = web after 30s, nas below 60%\nuser = ockle\npassword = hush\n"
    etc = write_site(tmp_path, ups__rack=text, config=ENABLED)
    assert lines(etc) == ([], [])
    assert "hush" in {secret.reveal() for secret in _secrets(load_site(etc))}


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("@lab after 30s", Stage("@lab after 30s", "@lab", after=30.0)),
        ("web[1-3] below 60%", Stage("web[1-3] below 60%", "web[1-3]", charge=60.0)),
        (" db2 below 15m", Stage("db2 below 15m", "db2", runtime=900.0)),
    ],
)
def test_stages(text: str, stage: Stage) -> None:
    assert parse_stage(text) == stage


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("servers = all\nshed = web soon", "[ups] shed: 'web soon' is not of the form @lab after 30s"),
        ("servers = all\nshed = web below 101%", "more than 100 %"),
        ("servers = all\nshed = web after soon", "not a duration"),
        ("shed = web after 30s", "[ups] servers: missing"),
        ("servers = all\nlost = maybe", "[ups] lost = 'maybe'"),
        ("servers = all\nmin_charge = 200", "[ups] min_charge = '200'"),
    ],
)
def test_a_fault_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    faults, _ = lines(write_site(tmp_path, ups__rack=f"[ups]\n{text}\n", config=ENABLED))
    assert len(faults) == 1
    assert says in faults[0]
    assert faults[0].startswith("ups/rack.ini")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("servers = web, wbe", "servers: nobody is called wbe"),
        ("servers = all\nshed = @tag after 30s", "shed: nobody is called @tag"),
        ("servers = all\nrestore_charge = 10", "restore_charge is less than min_charge"),
    ],
)
def test_what_is_odd_is_one_warning(tmp_path: Path, text: str, says: str) -> None:
    faults, warnings = lines(write_site(tmp_path, ups__rack=f"[ups]\n{text}\n", config=ENABLED))
    assert faults == []
    assert len(warnings) == 1
    assert says in warnings[0]


def test_nobody_looks_after_it(tmp_path: Path) -> None:
    assert "add UPS to [plugins]" in lines(write_site(tmp_path, ups__rack="[ups]\nservers = all\n"))[1][0]


def test_a_server_that_it_feeds_is_renamed_there(tmp_path: Path) -> None:
    etc = write_site(tmp_path, ups__rack="[ups]\nservers = web, nas\n")
    assert "servers = shop, nas" in str(Edits(etc).rename("servers/web.ini", "shop")["ups/rack.ini"])

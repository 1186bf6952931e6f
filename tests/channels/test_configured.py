"""What is wrong with files in etc/channels is found by a check, at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ockle.common.problems import Severity
from ockle.config.channels import rules_of
from ockle.config.site import load_site
from ockle.networkTree.ServerNetworkFactory import check
from own_daemon import written

MAIN = {"config.ini": "[plugins]\nplugins = Alerts\n", "servers/web1.ini": "[server]\ntags = web\n"}


def checked(etc: Path, *lines: str, kind: str = "Log", main: str = MAIN["config.ini"]) -> tuple[list[str], list[str]]:
    text = "\n".join(("[channel]", f"type = {kind}", *lines))
    faults, warnings = check(written(etc, {**MAIN, "config.ini": main, "channels/ops.ini": text}))
    return [str(one) for one in faults], warnings


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("quiet = 22:00", "'22:00' is no time of quiet"),
        ("quiet = 24:00-01:00", "is no time of quiet"),
        ("time_zone = Mars/North", "Mars/North"),
        ("kinds = servers", "'servers' is no kind of problem; did you mean 'server'?"),
        ("servers = state:failed", "the state of a server changes"),
        ("servers = web[1", "web[1"),
        ("severity = fatal", "info, warning or critical"),
        ("rate = 0", "rate"),
    ],
)
def test_faults(tmp_path: Path, line: str, text: str) -> None:
    faults, _ = checked(tmp_path, line)
    assert len(faults) == 1
    assert "channels/ops.ini" in faults[0] and text in faults[0]


def test_what_only_the_type_knows_is_found_too(tmp_path: Path) -> None:
    faults, _ = checked(tmp_path, "url = canary.example/without-a-scheme", kind="Slack")
    [fault] = faults
    assert fault.startswith("channels/ops.ini: url: not a URL") and "canary" not in fault


@pytest.mark.parametrize(
    ("lines", "main", "text"),
    [
        (("servers = db1",), MAIN["config.ini"], "nobody is called db1, so nothing is ever sent"),
        (("servers = web1, db1",), MAIN["config.ini"], "nobody is called db1"),
        (("quiet = 00:00-24:00", "through_quiet = nothing"), MAIN["config.ini"], "nothing is ever sent"),
        ((), "[plugins]\nplugins =\n", "etc/channels has 1, and nothing is sent to them: add Alerts"),
    ],
)
def test_warnings(tmp_path: Path, lines: tuple[str, ...], main: str, text: str) -> None:
    faults, warnings = checked(tmp_path, *lines, main=main)
    assert not faults
    assert any(text in warning for warning in warnings)


def test_what_a_file_means(tmp_path: Path) -> None:
    lines = ("quiet = 22:00-07:00, sat,sun 00:00-24:00", "time_zone = Europe/Berlin", "through_quiet = nothing")
    faults, warnings = checked(tmp_path, *lines, "servers = @web", "kinds = server, ups", "severity = critical")
    assert not faults and not warnings
    rules = rules_of(load_site(tmp_path).channels["ops"])
    assert len(rules.quiet.windows) == 2 and rules.quiet.windows[1].days == {0, 6}
    assert rules.severity is Severity.CRITICAL and rules.through_quiet is None
    assert rules.kinds == {"server", "ups"}

"""docs/monitoring.md: its files load, and its table of keys is what the agent sends."""

from __future__ import annotations

import re
from pathlib import Path

from ockle.agent.gauges import Gauges
from ockle.agent.settings import read_settings
from ockle.config.site import load_site
from own_daemon import written

PAGE = (Path(__file__).parents[2] / "docs/monitoring.md").read_text("utf-8")


def test_the_agents_file(tmp_path: Path) -> None:
    (text,) = re.findall(r"agent\.ini <<END\n(.*?)^END$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "agent.ini").write_text(text)
    settings = read_settings(tmp_path / "agent.ini")
    assert settings.watch is None
    assert settings.metrics is not None
    assert (settings.metrics.port, settings.metrics.disks) == (3000, ("/", "/srv"))


def test_the_monitor(tmp_path: Path) -> None:
    (text,) = re.findall(r"```ini\n# etc/(?:monitors/machines\.ini)\n(.*?)```", PAGE, re.DOTALL)
    server = "[server]\ntags = pi\n"
    files = {"config.ini": "[plugins]\nplugins = Monitoring\n", "monitors/machines.ini": text, "agent.token": "x"}
    site = load_site(written(tmp_path, {**files, "servers/nas01.ini": server}))
    assert site.faults == []
    assert [warning for warning in site.warnings if "read by every user" not in warning] == []


def test_the_keys_that_the_agent_sends() -> None:
    """A machine without swap or sensors sends fewer, none sends others."""
    table = PAGE.split("| key | |\n", 1)[1].split("\n\n", 1)[0]
    named = set(re.findall(r"`(\w+)`", table))
    assert set(Gauges(["/"]).read()) <= named

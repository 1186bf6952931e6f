"""Which messages are for a channel."""

from __future__ import annotations

from pathlib import Path

import pytest

from ockle.common.alert_message import AlertMessage
from ockle.common.problems import Severity
from ockle.config.channels import rules_of
from ockle.config.selectors import named
from ockle.config.site import load_site
from ockle.engine.alerts.routing import wanted
from outbox_rig import Rig
from own_daemon import written


def about(*servers: str) -> AlertMessage:
    return AlertMessage("1", "problem", Severity.WARNING, "something", servers=servers, about="server")


@pytest.mark.parametrize(
    ("selectors", "servers", "expected"),
    [
        (["web1"], ("web1",), True),
        (["web1"], ("db1", "web1"), True),  # one of those that it is about is enough
        (["web1"], ("web2",), False),
        (["web[1-2]"], ("web2",), True),
        (["@db"], ("db1",), True),
        (["@db"], ("web1",), False),
        (["all"], ("web1",), True),
        (["all"], (), False),
        ([], (), True),
        (["nobody"], ("web1",), False),
    ],
)
def test_servers(tmp_path: Path, selectors: list[str], servers: tuple[str, ...], expected: bool) -> None:
    files = {f"servers/{name}.ini": "[server]\n" for name in ("web1", "web2")}
    site = load_site(written(tmp_path, {"config.ini": "", **files, "servers/db1.ini": "[server]\ntags = db\n"}))
    rules = rules_of(Rig.config("ops", {"servers": selectors}))
    assert wanted(about(*servers), "ops", rules, named(site, rules.servers)) is expected

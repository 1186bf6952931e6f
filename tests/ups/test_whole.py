"""A mains failure on the whole: NUT's dummy driver, a real daemon, the virtual lab, whose mains do fail."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from webtest import TestApp

import peers_nut
from e2e import Site, chain, site
from ockle.webserver.application import make_app
from ockle.webserver.settings import WebSettings

BATTERY_S = 60.0
"""How long the battery lasts, and so what the shutdown may take; an idle machine needs 4 s, the busiest one less."""
OPTIONS = {
    "after": "1s",
    "min_runtime": "0s",
    "margin": "0s",
    "back_for": "1s",
    "shed": "web after 500ms",
}
PLUGINS = {
    "UPS": {"interval": "500ms"},
    "AutoControl": {"enabled": "true"},
    "Logger": {"interval": "1s", "write_every": "1s"},
    "Alerts": {"look_interval": "100ms", "confirm": "1s", "settle": "1s"},
}


ENABLED = "CoreCommunicationCommands, SocketListener, AutoControl, Logger, UPS, Alerts"


def pages(made: Site) -> TestApp:
    """Return a browser on the GUI for this daemon."""
    settings = WebSettings(daemon={"host": "127.0.0.1", "port": made.daemon.port}, local_role="admin")
    return TestApp(make_app(settings), extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1"})


@pytest.mark.peer
def test_a_mains_failure(tmp_path: Path) -> None:
    with (
        peers_nut.running(tmp_path / "nut") as nut,
        site(chain("core", "nas", "web", "spare", speed=0.1), tmp_path, plugins=PLUGINS, start=False) as made,
    ):
        lines = [f"{key} = {value}" for key, value in OPTIONS.items()]
        (made.etc / "ups").mkdir()
        (made.etc / "ups/rack.ini").write_text("\n".join(["[ups]", "servers = all", f"port = {nut.port}", *lines, ""]))
        made.edit("config.ini", "plugins", plugins=ENABLED)
        for pdu in ("pdu", "pdu2"):
            made.edit(f"outlets/{pdu}.ini", "pdu", init_delay="200ms", timeout="300ms")
        made.start()
        made.switch("on", "all")
        made.switch("off", "spare")
        was_on = {name for name, state in made.states().items() if state == "OK"}
        assert was_on == {"core", "nas", "web"}
        made.until("on mains", lambda: made.call("getUps")["upses"][0]["supply"] == "on mains")

        mark, begun = len(made.ledger), time.monotonic()
        nut.set(battery_runtime=f"{BATTERY_S:.0f}", ups_status="OB DISCHRG")
        made.until("dark", lambda: all(state == "off" for state in made.lab.states().values()))
        assert time.monotonic() - begun < BATTERY_S, "the battery was empty before"
        made.until("seen to be off", lambda: set(made.states().values()) == {"OFF"})
        alerts = made.call("getAlerts", state="all")["alerts"]
        assert [one["subject"] for one in alerts] == ["ups/rack"], "who is down on purpose is no problem"
        made.lab.mains(False)  # the battery is empty now
        shut = made.cli("ups", "rack")
        assert "took down" in shut.out.lower()
        assert "waits for the mains" in shut.out
        page, rest = pages(made), made.call("getUps")["upses"][0]
        page.get("/ups").mustcontain("rack", "on battery", "Went down", "Waits for")
        assert page.get("/api/v1/ups").json["upses"][0]["down"] == rest["down"]
        page.app.registry.link.stop()
        made.lab.mains(True)
        nut.set(battery_charge="80", battery_runtime="3600", ups_status="OL CHRG")
        made.until("up again", lambda: all(made.states()[name] == "OK" for name in was_on))
        assert made.states()["spare"] == "OFF"
        assert made.call("getEmergency")["emergency"] is None
        made.until("over", lambda: not made.call("getAlerts")["alerts"])

        assert made.ledger.cuts_while_mounted() == []
        since = made.ledger.entries()[mark:]
        assert [one.device for one in since if one.kind == "halted"] == ["web", "nas", "core"]
        assert [one.device for one in since if one.kind == "up"] == ["core", "nas", "web"]
        runs = made.call("runs")["runs"]
        assert {(run["who"], run["via"]) for run in runs[:2]} == {("UPS rack", "ups")}
        audit = [one for one in made.call("audit")["entries"] if one["via"] == "ups"]
        assert {one["command"] for one in audit} == {"declareEmergency", "run"}
        made.until("samples", lambda: any(one["kind"] == "ups" for one in made.call("series")["series"]))

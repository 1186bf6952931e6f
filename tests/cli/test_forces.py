"""The command line against a real socket: forces, holds, single parts and emergencies."""

from __future__ import annotations

import io
from typing import Any

import pytest

from cli_site import NAMES, Site
from ockle.cli.force import consequences


def test_force_hold_reset_auto_cancel_and_outlets_send_what_was_typed(site: Site) -> None:
    site.run("force", "on", "web1", "--note", "x", "--yes", "--confirm", "web1")
    site.run("force", "clear", "web1")
    site.run("hold", "web[1-2]")
    site.run("hold", "--release", "web1")
    site.run("reset", "web1")
    site.run("auto", "off")
    site.run("cancel", "214")
    site.run("outlet", "off", "web1", "psu1", "--yes", "--confirm", "web1", "--force")
    site.run("control", "off", "web1", "ssh", "--yes", "--confirm", "web1")
    assert site.sent == [
        ("force", {"server": "web1", "state": "on", "note": "x"}),
        ("force", {"server": "web1", "state": "clear"}),
        ("hold", {"server": "web1", "held": True}),
        ("hold", {"server": "web2", "held": True}),
        ("hold", {"server": "web1", "held": False}),
        ("reset", {"server": "web1"}),
        ("setAutoControlStatus", {"status": "off"}),
        ("cancel", {"run": "214"}),
        ("switchOutlet", {"server": "web1", "obj": "psu1", "state": "off", "force": True}),
        ("switchControl", {"server": "web1", "obj": "ssh", "state": "off"}),
    ]


ON = dict.fromkeys(NAMES, "on")


def _servers(site: Site, **words: str) -> dict[str, dict[str, Any]]:
    site.words = {**ON, **{name.replace("_", "-"): word for name, word in words.items()}}
    servers: dict[str, dict[str, Any]] = site._status({})["servers"]
    return servers


def test_forcing_off_tells_who_loses_what_it_needs(site: Site) -> None:
    text = consequences("off", ["sw-core"], _servers(site, web2="off"))
    assert text.splitlines() == [
        "Force off sw-core, at once and whatever the neighbours do:",
        "  sw-core is on",
        "  Still needed by: nas01 (on), web1 (on).",
        "  They are not shut down first; they lose what they need.",
        "  sw-core: shut down before the power is cut.",
        "Then no automation touches sw-core until: ockle force clear sw-core",
    ]
    text = consequences("off", ["web1", "web2"], _servers(site), ["web2"])
    assert "Still needed by: nobody." in text
    assert "web2: no control, so the power is cut without a shutdown." in text
    assert "ockle force clear web[1-2]" in text


def test_forcing_on_tells_what_is_missing(site: Site) -> None:
    text = consequences("on", ["web1"], _servers(site, web1="off", nas01="failed", sw_core="off"))
    assert "  Needed, and not on: nas01 (failed), sw-core (off).\n  They are neither started nor waited for." in text
    assert "Needed, and not on: nobody." in consequences("on", ["web1"], _servers(site, web1="off"))


@pytest.mark.parametrize(("typed", "code", "sent"), [("sw-core\n", 0, 1), ("y\n", 6, 0), ("\n", 6, 0), ("", 6, 0)])
def test_force_wants_the_name_typed(
    site: Site, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, sent: int
) -> None:
    monkeypatch.setattr("ockle.cli.confirm._can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    result = site.run("force", "off", "sw-core")
    assert (result.code, len(site.sent)) == (code, sent)
    assert "Still needed by: nas01 (on), web1 (on), web2 (on)." in result.err
    assert 'Type "sw-core" to go on:' in result.err


def test_an_emergency_is_declared_with_what_was_typed(site: Site) -> None:
    agreed = ("--yes", "--confirm", "emergency")
    assert site.run("emergency", "declare", "web1", "--within", "5m", "--no-wait", *agreed).code == 0
    assert site.sent == [("declareEmergency", {"servers": ["web1"], "within_s": 300.0})]


def test_an_emergency_says_when_its_time_is_short(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.cli.confirm._can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("no\nno\n"))
    short, ample = (site.run("emergency", "declare", "web1", "--within", time) for time in ("60s", "5m"))
    assert (short.code, ample.code, site.sent) == (6, 6, [])
    assert "cut while it runs" in short.err
    assert "cut while it runs" not in ample.err


def test_clearing_an_emergency_too_early_says_what_to_type(site: Site) -> None:
    site.emergency = {"not_down": ["web1"]}
    result = site.run("emergency", "clear")
    assert (result.code, site.sent) == (2, [])
    assert "not down yet: web1; to clear it all the same: --confirm 'clear emergency'" in result.err
    assert site.run("emergency", "clear", "--confirm", "clear emergency").code == 0
    assert site.sent == [("clearEmergency", {"confirm": "clear emergency"})]

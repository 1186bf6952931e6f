"""PDUs that restart, are exchanged, or take no commands, as the daemon and its users see them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from e2e import chain, site

pytestmark = pytest.mark.slow


def test_a_pdu_that_restarts_with_everything_off_is_seen_at_once_and_nothing_is_sent(tmp_path: Path) -> None:
    spec = chain("nas", "db")
    with site(spec, tmp_path, server={"drift": "alarm"}) as made:
        made.edit("outlets/pdu.ini", "pdu", init_delay="0s")
        made.call("reload")
        made.switch("on", "all")
        sets = len(made.ledger.entries("set"))
        made.lab.reboot("pdu", down_s=0.1, restore="off")
        made.until_state(nas="OFF", db="OFF")
        assert "pdu has restarted" in made.daemon.log
        assert len(made.ledger.entries("set")) == sets


def test_another_pdu_in_its_place_is_not_switched_until_it_is_pinned(tmp_path: Path) -> None:
    spec = chain("nas")
    with site(spec, tmp_path) as made:
        checked = made.cli("outlet", "check", "nas")
        assert checked.code == 0
        assert "it takes commands" in checked.out
        assert "pin_serial = LAB-pdu" in checked.out
        made.edit("outlets/pdu.ini", "pdu", pin_serial="LAB-pdu", init_delay="0s")
        made.call("reload")
        made.until_state(nas="OFF")
        made.lab.reboot("pdu", down_s=0.1, serial="X2")
        made.until_state(nas="Unknown")
        why = made.cli("why", "nas").out
        assert "its serial number is X2, pinned is LAB-pdu" in why
        assert "pin_serial = X2" in why
        made.edit("outlets/pdu.ini", "pdu", pin_serial="X2")
        made.call("reload")
        made.until_state(nas="OFF")
        assert made.ledger.entries("relay") == []


def test_a_login_that_may_only_read_is_told_before_it_is_needed(tmp_path: Path) -> None:
    with site(chain("nas"), tmp_path) as made:
        made.edit("outlets/pdu.ini", "pdu", write_community="public")
        made.call("reload")
        made.until_state(nas="OFF")
        checked = made.cli("outlet", "check", "nas")
        assert checked.code == 1
        assert "noAccess" in checked.out
        assert "commands were refused" in made.cli("plan", "on", "nas").out
        assert "refusal" in made.cli("outlet", "list", "nas").out


def test_an_outlet_that_shows_off_and_feeds_its_machine_is_not_believed(tmp_path: Path) -> None:
    spec = chain("nas")
    pdu, spare = spec.devices
    spec = replace(spec, devices=(replace(pdu, on_at_start=frozenset({1})), spare))
    with site(spec, tmp_path) as made:
        made.until_state(nas="OK")
        made.lab.turn("pdu", lie={1})
        made.lab.press("pdu", 1, False)
        made.until_state(nas="Unknown")
        assert "it shows off and draws 60 W: its relay may be stuck" in made.cli("why", "nas").out
        made.event("relay", "its relay may be stuck")
        assert made.lab.states() == {"nas": "up"}
        made.lab.turn("pdu", lie=set())
        made.until_state(nas="OK")

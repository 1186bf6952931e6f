"""``ockle agent`` on the command line."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from e2e import ockle
from ockle.simulator.lab import Lab
from plug_site import KEY, plug_lab, watched


def ini(lab: Lab, folder: Path, **agent: str) -> Path:
    point = lab.endpoints["plug"]
    lines = ["[plug]", f"host = {point.host}", f"port = {point.ports['esphome']}", f"key = {KEY}", "timeout = 1s"]
    lines += ["[agent]", *(f"{name} = {value}" for name, value in agent.items()), "[metrics]", "serve = no"]
    path = folder / "agent.ini"
    path.write_text("\n".join(lines))
    return path


def test_check_tells_everything_and_switches_nothing(tmp_path: Path) -> None:
    with plug_lab() as lab:
        lab.press("plug", 1, True)
        lab.ledger.wait("relay", "plug")
        path = ini(lab, tmp_path, shutdown_command="true")
        good = ockle("agent", "check", "--config", str(path))
        assert good.code == 0, good
        assert "pin_mac = 02:" in good.out
        assert "Real Delay Switch is on" in good.out
        lab.click("plug")
        asked = ockle("agent", "check", "--config", str(path), "-o", "json")
        assert asked.code == 1
        found = {one["what"]: one for one in json.loads(asked.out)}
        assert found["delay_switch"]["text"] == "Delay Switch is off: the agent would shut this machine down"
        assert [entry.what for entry in lab.ledger.entries("plug")] == ["delay switch off"]


def test_check_finds_what_is_wrong(tmp_path: Path) -> None:
    with plug_lab() as lab:
        path = ini(lab, tmp_path, shutdown_command="no-such-program")
        lab.turn("plug", silent=True)
        bad = ockle("agent", "check", "--config", str(path))
        assert bad.code == 1
        assert "there is no program no-such-program" in bad.out
        assert "no answer within 1 s" in bad.out
        assert "127.0.10" not in ockle("agent", "check", "--offline", "--config", str(path)).out


def test_an_agent_without_permission_does_not_start(tmp_path: Path) -> None:
    with plug_lab() as lab:
        result = ockle("agent", "run", "--config", str(ini(lab, tmp_path, shutdown_command="no-such-program")))
        assert result.code == 4
        assert result.err.count("\n") == 1
        assert "there is no program no-such-program" in result.err


def test_a_file_with_faults_is_told_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "agent.ini"
    path.write_text("[plug]\nhots = a\n")
    result = ockle("agent", "run", "--config", str(path))
    assert result.code == 2
    assert "hots: unknown option; " in result.err
    assert "host: missing" in result.err


def test_migrate_writes_a_file_for_its_owner_only(tmp_path: Path) -> None:
    source, target = tmp_path / "config.json", tmp_path / "agent.ini"
    names = {"DelaySwitchName": "S26 Delay Switch", "RealDelaySwitchName": "S26 Real Delay Switch"}
    source.write_text(json.dumps({"Hostname": "s26.lan", "EncryptionKey": KEY, "Password": "x", **names}))
    shown = ockle("agent", "migrate", str(source))
    assert shown.code == 0
    assert "Password is left out" in shown.err
    written = ockle("agent", "migrate", str(source), "--to", str(target))
    assert written.code == 0
    assert target.read_text() == shown.out
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert watched(target).delay_switch == "S26 Delay Switch"
    again = ockle("agent", "migrate", str(source), "--to", str(target))
    assert (again.code, again.err) == (2, f"ockle: {target} is there already\n")

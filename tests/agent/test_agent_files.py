"""agent.ini, RPiMP's config.json, and the permission to shut down."""

from __future__ import annotations

import asyncio
import json
import os
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.agent import shutdown
from ockle.agent.migrate import migrate
from ockle.agent.settings import LogSettings, read_settings
from ockle.agent.shutdown import problem_with
from ockle.common.errors import ConfigError
from plug_site import KEY, watched

RPIMP = """{
    "Hostname": "sonoffs26", //can be an ip address
    "EncryptionKey": "KEY", //EncryptionKey configured in the yaml
    "DelaySwitchName": "Sonoff S26 Delay Switch", //friendly name of the delay switch
    "RealDelaySwitchName": "Sonoff S26 Real Delay Switch", //friendly name of the real delay switch
    "HeartbeatSwitchName": "Sonoff S26 Heartbeat Switch", //friendly name of the heartbeat switch
    "LogLevel": "Info", //set logging to info, error, warning and debug
    "LogFile": true //get a log file besides the RPiMP.py as RPiMP.log
}""".replace("KEY", KEY)


def written(folder: Path, text: str) -> Path:
    path = folder / "agent.ini"
    path.write_text(text)
    return path


class TestSettings:
    def test_all_defaults(self, tmp_path: Path) -> None:
        settings = watched(written(tmp_path, f"[plug]\nhost = plug.lan\nkey = {KEY}\n"))
        assert (settings.plug.host, settings.plug.port, settings.plug.key) == ("plug.lan", 6053, KEY)
        assert settings.delay_switch == "Delay Switch"
        assert settings.shutdown_command == ("systemctl", "poweroff")
        assert settings.restart_after == 300
        assert read_settings(tmp_path / "agent.ini").log == LogSettings("INFO", None, 7)

    def test_a_key_in_a_file_of_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text(KEY + "\n")
        assert watched(written(tmp_path, "[plug]\nhost = a\nkey = ${file:key}\n")).plug.key == KEY

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("[plug]\nkey = x\n", "host: missing"),
            ("[plug]\nhost = a\n", "key: missing"),
            ("[plug]\nhost = a\nkey = abc\n", "not 32 bytes in base64"),
            ("[plug]\nhost = a\nencryption = none\n", "encryption = 'none'"),
            ("[plugs]\nhost = a\n", "[plugs]"),
            ("host = a\n", "before the first section"),
            ("[agent]\nconfirm = 1s\n", "[agent]: it is about a plug"),
            ("[metrics]\nserve = no\n", "nothing is to be done"),
            ("[metrics]\nport = 0\n", "port = '0'"),
            ('[metrics]\ntoken = "a b"\n', "HTTP cannot carry"),
            ("[plug]\nhost = a\nencryption = plaintext\n[agent]\nconfirm = soon\n", "confirm = 'soon'"),
            ("[plug]\nhost = a\nencryption = plaintext\n[agent]\nconfrim = 1s\n", "confirm"),
        ],
    )
    def test_each_fault_is_named(self, tmp_path: Path, text: str, problem: str) -> None:
        with pytest.raises(ConfigError) as caught:
            read_settings(written(tmp_path, text))
        assert problem in str(caught.value)
        assert "agent.ini" in str(caught.value)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"agent\.ini: cannot be read"):
            read_settings(tmp_path / "agent.ini")


class TestMigration:
    def test_the_file_of_rpimps_documentation(self, tmp_path: Path) -> None:
        text, notes = migrate(RPIMP, "config.json")
        assert notes == []
        settings = watched(written(tmp_path, text))
        assert (settings.plug.host, settings.plug.key) == ("sonoffs26", KEY)
        assert settings.delay_switch == "Sonoff S26 Delay Switch"
        assert settings.real_delay_switch == "Sonoff S26 Real Delay Switch"
        assert settings.heartbeat_switch == "Sonoff S26 Heartbeat Switch"
        assert read_settings(tmp_path / "agent.ini").log == LogSettings("INFO", Path("/var/log/ockle-agent"), 7)

    def test_what_it_cannot_take_over_is_told(self) -> None:
        found = json.loads(json.dumps({"Hostname": "a", "EncryptionKey": KEY, "DelaySwitchName": "d"}))
        found |= {"RealDelaySwitchName": "r", "Password": "p", "LogLevel": "loud", "Colour": 1}
        text, notes = migrate(json.dumps(found), "config.json")
        assert "heartbeat_switch =\n" in text
        assert len(notes) == 4
        assert not any("'p'" in note for note in notes)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [("", "not JSON"), ("[]", "not a config.json"), ("{}", "Hostname is missing"), ('{"Hostname": 1}', "Hostname")],
    )
    def test_each_fault_is_one_line(self, text: str, problem: str) -> None:
        with pytest.raises(ConfigError, match=problem) as caught:
            migrate(text, "config.json")
        assert "\n" not in str(caught.value)

    @given(st.text(string.ascii_letters + string.digits + " #,;$'\"{}=[]/\\%", min_size=1).filter(lambda t: t.strip()))
    def test_every_name_survives(self, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
        found = json.loads(RPIMP.split("{")[0] + json.dumps({"Hostname": "a", "EncryptionKey": KEY}))
        found |= {"DelaySwitchName": name, "RealDelaySwitchName": "r", "HeartbeatSwitchName": "h"}
        try:
            text, _ = migrate(json.dumps(found), "config.json")
        except ConfigError:
            assert '"' in name and "'" in name
            return
        path = written(tmp_path_factory.getbasetemp(), text)
        assert watched(path).delay_switch == name.strip()


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


class TestPermission:
    @pytest.fixture(autouse=True)
    def _path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def ask(self, *command: str, uid: int = 1000) -> str:
        return asyncio.run(problem_with(command, uid=uid))

    def test_a_program_that_is_not_there(self) -> None:
        assert self.ask("no-such-program", uid=0) == "shutdown_command: there is no program no-such-program"

    def test_root_may(self) -> None:
        assert self.ask("sh", uid=0) == ""

    def test_sudo_is_asked_for_its_rules_only(self, tmp_path: Path) -> None:
        program(tmp_path, "sudo", f'printf "%s " "$@" >> {tmp_path}/asked')
        assert self.ask("sudo", "-n", "shutdown", "-P", "now") == ""
        assert (tmp_path / "asked").read_text() == "-n -l shutdown -P now "
        program(tmp_path, "sudo", "echo 'sudo: a password is required' >&2; exit 1")
        answer = self.ask("sudo", "shutdown", "-P", "now")
        assert "a password is required" in answer
        assert "NOPASSWD" in answer
        assert "\n" not in answer

    def test_logind_is_asked_for_its_verdict(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program(tmp_path, "systemctl", "exit 99")
        monkeypatch.setattr(shutdown, "BOOTED", tmp_path / "systemd")
        assert self.ask("systemctl", "poweroff", uid=0).endswith("needs systemd, which does not run this machine")
        (tmp_path / "systemd").mkdir()
        program(tmp_path, "busctl", "echo 's \"yes\"'")
        assert self.ask("systemctl", "poweroff") == ""
        program(tmp_path, "busctl", "echo 's \"challenge\"'")
        answer = self.ask("systemctl", "poweroff")
        assert "may not run `systemctl poweroff`" in answer
        assert "challenge" in answer

"""``ockle doctor``, ``backup``, ``restore`` and ``db copy`` on a site, with its daemon and without."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from e2e import Result, Site, chain, ockle, site

pytestmark = pytest.mark.slow


@pytest.fixture
def made(tmp_path: Path) -> Any:
    with site(chain("nas", "db"), tmp_path, start=False) as one:
        yield one


def doctor(made: Site, *, port: int = 0) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit code and what was found: text -> finding."""
    result = local(made, "doctor", "-o", "json", port=port)
    return result.code, {one["what"]: one for one in json.loads(result.out)["findings"]}


def local(made: Site, *words: str, port: int = 1) -> Result:
    return ockle(*words, "--etc", str(made.etc), port=port)


def one_with(findings: dict[str, dict[str, str]], text: str) -> dict[str, str]:
    [found] = [finding for what, finding in findings.items() if text in what]
    return found


def test_doctor_sees_what_is_wrong_with_the_daemon_up_and_down(made: Site, tmp_path: Path) -> None:
    state = tmp_path / "state"
    code, found = doctor(made, port=1)
    assert code == 0, found
    assert one_with(found, "yet")["level"] == "note"

    made.edit("outlets/pdu.ini", "pdu", timeout="300ms", retries="0")
    made.start()
    made.switch("on", "nas")
    assert made.cli("hold", "db").code == 0
    code, found = doctor(made, port=made.daemon.port)
    assert code == 0, found
    assert one_with(found, "used by the daemon")["what"].endswith(str(made.daemon.process.pid))
    assert one_with(found, "state.db is sound")
    assert one_with(found, "1 snapshot")

    made.lab.turn("pdu", silent=True)
    made.until_state(nas="Unknown")
    code, found = doctor(made, port=made.daemon.port)
    assert code == 7
    assert one_with(found, "nas is unknown")["level"] == "warning"

    made.daemon.stop()
    (made.etc / "servers" / "db.ini").unlink()
    os.utime(state / "snapshots" / "state-000001.db", (1.8e9 - 2**20, 1.5e9))
    (state / "state.critical-a").write_bytes(b"damaged")
    code, found = doctor(made)
    assert code == 7
    assert "held, and not in the configuration" in one_with(found, "db is held")["what"]
    assert one_with(found, "state.critical-a is damaged")["mend"]
    assert one_with(found, "1 snapshot")["level"] == "warning"

    made.edit("servers/nas.ini", "server", boot_timeout="soon")
    (state / "state.db").write_bytes(b"nonsense" * 1000)
    code, found = doctor(made)
    assert code == 1
    assert "ockle resume" in one_with(found, "cannot be trusted")["mend"]
    assert one_with(found, "boot_timeout")["level"] == "fault"
    text = local(made, "doctor")
    assert "why it matters: forces, holds and orders may be lost" in text.out
    assert (state / "state.db").read_bytes() == b"nonsense" * 1000  # it changes nothing


def test_a_backup_comes_back_and_nothing_moves_until_a_person_looked(made: Site, tmp_path: Path) -> None:
    made.start()
    made.switch("on", "nas")
    assert made.cli("force", "off", "db", "--yes", "--confirm", "db").code == 0
    file = tmp_path / "backup.tar.gz"
    result = local(made, "backup", str(file))
    assert (result.code, "the configuration and the state" in result.out) == (0, True)
    assert "secrets" in result.err
    result = local(made, "restore", str(file), "--yes")
    assert (result.code, "another daemon (process" in result.err) == (1, True)
    assert made.cli("force", "clear", "db", "--yes").code == 0
    made.edit("servers/db.ini", "server", comment="changed")
    made.daemon.stop()
    assert "--yes" in local(made, "restore", str(file)).err
    result = local(made, "restore", str(file), "--yes")
    assert result.code == 0, result.err
    assert "comment = changed" not in (made.etc / "servers" / "db.ini").read_text()
    made.start()
    made.until_state(nas="OK", db="Forced off")
    assert "restored from a backup" in made.cli("status").err
    assert made.call("getAutoControlStatus") == {"status": "off"}
    assert made.cli("resume").code == 0
    made.switch("off", "nas")


def test_a_store_is_copied_only_while_no_daemon_uses_it(made: Site, tmp_path: Path) -> None:
    source, target = f"sqlite:///{tmp_path / 'state' / 'state.db'}", f"sqlite:///{tmp_path / 'copy.db'}"
    made.start()
    made.switch("on", "nas")
    assert "another daemon" in local(made, "db", "copy", source, target).err
    made.daemon.stop()
    result = local(made, "db", "copy", source, target, "-o", "json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["rows"]["runs"] == 1
    assert "not empty" in local(made, "db", "copy", source, target).err
    made.edit("config.ini", "main", database=target)
    made.start()
    made.until_state(nas="OK")
    assert made.run(1)["state"] == "done"
    assert made.event("run", "run 1 done")

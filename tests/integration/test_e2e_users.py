"""Users on the daemon process: what was answered survives a kill, the chain too; roles hold on every way in."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from e2e import chain, site
from ockle.webserver.ockle_client.connection import ClientError

pytestmark = pytest.mark.slow

GOOD = "correct horse battery"


def test_a_kill_loses_neither_users_nor_what_they_did(tmp_path: Path) -> None:
    with site(chain("one"), tmp_path) as made:
        code = made.daemon.said(r"first page of the web GUI asks for this code: ([A-Z0-9-]{14})")[1]
        session = made.call("setupUser", code=code, user="guy", password=GOOD)["session"]
        made.call("userAdd", user="vera", role="viewer", password=GOOD)
        token = made.call("tokenAdd", name="ci", user="vera")["token"]
        with made.daemon.connect(token=session, via="gui", address="198.51.100.4") as guy:
            guy.call("hold", {"server": "one", "held": True, "note": "looked at"})
            guy.call("userRemove", {"user": "vera"})
        assert made.daemon.stop(signal.SIGKILL) == -signal.SIGKILL
        assert code not in "\n".join(made.start().lines), "nobody needs a code any more"
        with made.daemon.connect(token=session) as guy:
            assert guy.call("whoAmI")["name"] == "guy", "who was logged in still is"
        with made.daemon.connect(token=token) as vera, pytest.raises(ClientError, match="it has ended"):
            vera.call("status")
        reply = made.call("audit", check=True)
        assert reply["problem"] == ""
        done = [(entry["who"], entry["reported"], entry["command"], entry["object"]) for entry in reply["entries"]]
        local = done[-2][0]
        assert re.fullmatch(r"(.+ \()?local\)?", local)
        assert [entry for entry in reversed(done) if entry[2] != "login"] == [
            ("guy", "", "setupUser", "guy"),
            (local, "", "userAdd", "vera"),
            (local, "", "tokenAdd", "ci"),
            ("guy", "198.51.100.4", "hold", "one"),
            ("guy", "198.51.100.4", "userRemove", "vera"),
        ]
        doctor = made.cli("doctor", "--etc", str(made.etc))
        assert "the audit log is whole: " in doctor.out
        assert "nobody can log in" not in doctor.out
        text = "\n".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
        assert GOOD not in text
        assert session not in text
        assert session not in made.daemon.log

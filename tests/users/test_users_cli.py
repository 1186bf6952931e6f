"""``ockle user``, ``ockle token`` and ``ockle audit`` over the real socket."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from ockle.cli.main import main
from ockle.store import tables
from store_site import connected
from users_site import GOOD, OTHER, UsersSite


class CommandLine:
    def __init__(self, address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._address, self._capsys, self._monkeypatch = address, capsys, monkeypatch

    def __call__(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        code = main(["--host", self._address, *words])
        return code, *self._capsys.readouterr()


@pytest.fixture
def ockle(
    site: UsersSite, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CommandLine]:
    with site.listening() as listener:
        yield CommandLine(listener.address, capsys, monkeypatch)


def test_the_life_of_a_user(site: UsersSite, ockle: CommandLine) -> None:
    assert ockle("user", "list") == (0, "no users yet: ockle user add NAME\n", "")
    code, shown, _err = ockle("user", "setup-code")
    assert (code, len(shown.strip())) == (0, 14)
    assert ockle("user", "add", "guy", "--role", "admin", stdin=f"{GOOD}\n")[:2] == (0, "guy may log in as admin\n")
    assert ockle("user", "add", "vera", stdin=f"{GOOD}\n")[:2] == (0, "vera may log in as viewer\n")
    assert site.granted(site.login("vera")) is not None
    assert ockle("user", "passwd", "vera", stdin=OTHER)[0] == 0
    secret = site.login("vera", OTHER)
    assert ockle("user", "role", "vera", "operator")[0] == 0
    assert site.granted(secret) is None
    assert ockle("user", "disable", "vera")[0] == 0
    assert "disabled" in ockle("user", "list")[1].splitlines()[2]
    assert ockle("user", "enable", "vera")[0] == 0
    assert ockle("user", "list", "-o", "name")[1] == "guy\nvera\n"
    assert ockle("user", "remove", "vera")[0] == 2, "there is no terminal to ask at"
    assert ockle("user", "remove", "vera", "--yes", "--confirm", "guy")[0] == 2
    assert ockle("user", "remove", "vera", "--yes", "--confirm", "vera")[:2] == (0, "vera is removed\n")
    code, _out, err = ockle("user", "remove", "guy", "--yes", "--confirm", "guy")
    assert (code, err) == (2, "ockle: guy is the last admin: make another one first\n")


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("user", "add", "guy"), "", "no password on stdin"),
        (("user", "add", "guy"), "short\n", "10 characters at least"),
        (("user", "add", "<guy>"), f"{GOOD}\n", "the name of a user has"),
        (("user", "role", "nobody", "admin"), "", "there is no user nobody"),
        (("token", "remove", "guy/ci"), "", "there is no token guy/ci"),
        (("token", "add", "ci", "--user", "nobody"), "", "there is no user nobody"),
        (("token", "add", "ci", "--user", "guy", "--for", "0d"), "", "'0d' is no duration"),
    ],
)
def test_mistakes_are_one_line(ockle: CommandLine, words: tuple[str, ...], stdin: str, said: str) -> None:
    code, out, err = ockle(*words, stdin=stdin)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_the_life_of_a_token(site: UsersSite, ockle: CommandLine) -> None:
    ockle("user", "add", "guy", "--role", "operator", stdin=GOOD)
    code, secret, said = ockle("token", "add", "ci", "--user", "guy", "--role", "viewer", "--for", "90d")
    assert (code, said) == (0, "guy/ci, viewer; it is not shown again:\n")
    grant = site.granted(secret.strip())
    assert grant is not None
    assert grant.role == "viewer"
    listed = json.loads(ockle("token", "list", "-o", "json")[1])
    assert (listed[0]["name"], listed[0]["expires"] - listed[0]["created"]) == ("ci", 90 * 86400)
    assert secret.strip() not in ockle("token", "list")[1]
    assert ockle("token", "remove", "guy/ci")[:2] == (0, "guy/ci is removed\n")
    assert site.granted(secret.strip()) is None
    assert ockle("token", "list") == (0, "no tokens\n", "")


def test_the_audit_log_is_shown_and_checked(site: UsersSite, ockle: CommandLine) -> None:
    assert ockle("audit")[:2] == (0, "nothing of that kind\n")
    site.ok("switch", server="nas")
    site.refused("switch")
    code, out, _err = ockle("audit", "--since", "1000000h")
    assert code == 0
    assert [line.split()[-3:] for line in out.splitlines()[1:]] == [
        ["switch", "needs", "server"],
        ["(run", "7)", "ok"],
    ]
    assert ockle("audit", "--since", "1s")[1] == "nothing of that kind\n", "by this machine's clock all is long ago"
    assert ockle("audit", "--server", "nas", "-o", "name")[1] == "1\n"
    assert ockle("audit", "--check")[2] == "the log is as it was written\n"
    with connected(site._url) as connection:
        connection.execute(tables.audit.update().where(tables.audit.c.id == 1).values(who="x"))
    code, _out, err = ockle("audit", "--check")
    assert (code, err) == (1, "ockle: the log was changed: entry 1 is not as it was written\n")

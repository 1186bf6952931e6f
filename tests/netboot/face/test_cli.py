"""``ockle netboot``: what it writes, its exit codes, and the editor; against a real daemon."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e import Result
from e2e import ockle as run_ockle
from netboot_face import HOSTS, PI1, PI2, STRANGER, NetbootSite, netboot_site
from ockle.cli.codes import ABORTED, DENIED, NOT_ON, OK, USAGE
from ockle.cli.netboot_transfers import JsonView, LineView
from web_site import TOKENS

Run = Callable[..., Result]
"""What the fixture ``ockle`` is: the words after ``ockle netboot`` -> what came of them."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetbootSite]:
    with netboot_site(tmp_path_factory.mktemp("cli")) as found:
        yield found


@pytest.fixture(autouse=True)
def hosts(site: NetbootSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What a test does to the hosts is undone."""
    monkeypatch.setenv("OCKLE_TOKEN", TOKENS["admin"])
    yield site.hosts
    site.hosts.write_text(HOSTS)


@pytest.fixture
def ockle(site: NetbootSite) -> Run:
    return lambda *words: run_ockle("netboot", *words, port=site.web.daemon.port)


def test_status_says_it_in_a_few_lines(ockle: Run) -> None:
    found = ockle("status")
    assert found.code == OK
    assert found.out.splitlines() == [
        "the boot server serves dhcp, tftp, install, ntp on eth1 10.7.0.1",
        "3 boards: 1 loading, 1 new, 1 up",
        "1 transfer under way",
        "1 unknown board: ockle netboot unknown",
    ]
    assert json.loads(ockle("status", "-o", "json").out)["running"]


def test_a_boot_server_that_does_not_run_has_an_exit_code(ockle: Run, site: NetbootSite) -> None:
    with site.stand.away():
        found = ockle("status")
    assert found.code == NOT_ON
    assert found.out.startswith("the boot server does not run\nproblem: ")


def test_boards_as_a_table_and_by_name(ockle: Run) -> None:
    lines = ockle("boards").out.splitlines()
    assert lines[0].split() == ["BOARD", "STATE", "SINCE", "MAC", "ADDRESS", "PORT", "SERVER", "NOTE"]
    assert lines[1].startswith("pi1    ✓ is up")
    assert "kernel8.img 31 %" in lines[2]
    assert ockle("boards", "-o", "name").out.split() == ["pi1", "pi2", "pi3"]
    assert "Raspberry Pi 4" in ockle("boards", "-o", "wide").out
    assert [one["mac"] for one in json.loads(ockle("boards", "-o", "json").out)][:2] == [PI1, PI2]


def test_the_log_of_a_board(ockle: Run) -> None:
    lines = ockle("log", "pi1").out.splitlines()
    assert lines[0].endswith("= is up")
    assert lines[1].endswith("MOUNTING")
    assert ockle("log", "pi1", "-n", "1").out.splitlines() == lines[1:2]
    assert ockle("log", "nobody").code == USAGE


def test_unknown_and_transfers(ockle: Run) -> None:
    assert STRANGER in ockle("unknown").out
    head, row = ockle("transfers").out.splitlines()
    assert head.split()[:3] == ["BOARD", "FILE", "VIA"]
    assert row.split()[:3] == ["pi2", "kernel8.img", "TFTP"]
    assert "2.9 MiB" in row
    assert ockle("leases").out == "no address is given out\n"


def test_transfers_are_told_when_they_begin_and_end(site: NetbootSite, capsys: pytest.CaptureFixture[str]) -> None:
    with site.web.client() as client:
        [one] = client.call("netbootStatus")["transfers"]
    view, as_json = LineView(), JsonView()
    for sent, state in ((0, "running"), (5, "running"), (5, "done"), (5, "done")):
        view.update([{**one, "sent": sent, "state": state}])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["pi2: kernel8.img, 0 B of 9.0 MiB", "pi2: kernel8.img done, 5 B of 9.0 MiB"]
    for sent in (0, 0, 5):
        as_json.update([{**one, "sent": sent}])
    assert [json.loads(line)["sent"] for line in capsys.readouterr().out.splitlines()] == [0, 5]


def test_adopting_needs_an_address_that_somebody_said(ockle: Run, hosts: Path) -> None:
    found = ockle("adopt", STRANGER, "newpi")
    assert found.code == USAGE
    assert "10.7.0.13 is the next free one" in found.err
    assert hosts.read_text() == HOSTS
    assert ockle("adopt", STRANGER, "newpi", "--ip", "next").out == f"newpi is {STRANGER} at 10.7.0.13\n"
    assert hosts.read_text() == f"{HOSTS}{STRANGER};10.7.0.13;newpi;0\n"
    assert ockle("hosts", "remove", "newpi").out == "newpi is no host any more\n"
    assert ockle("hosts", "add", STRANGER, "newpi", "--ip", "none").out.endswith("at an address of the pool\n")
    assert ockle("hosts", "add", STRANGER, "twin", "--ip", "none").code == ABORTED


def test_hosts_are_listed_exported_and_imported_again(ockle: Run, hosts: Path, tmp_path: Path) -> None:
    assert ockle("hosts", "list", "-o", "name").out.split() == ["pi1", "pi2", "pi3"]
    assert ockle("hosts", "export").out == HOSTS
    assert ockle("hosts", "export", str(tmp_path / "out.csv")).code == OK
    assert ockle("hosts", "import", str(tmp_path / "out.csv")).out == "the hosts are the same\n"
    (tmp_path / "in.csv").write_text(f"mac,ip,name\n{PI1},,first\n{STRANGER},10.7.0.30,newpi\n")
    shown = f"new      {STRANGER}  newpi 10.7.0.30\nchanged  {PI1}  first 10.7.0.11\n"
    assert ockle("hosts", "import", str(tmp_path / "in.csv"), "--dry-run").out == shown
    assert ockle("hosts", "import", str(tmp_path / "in.csv")).code == USAGE  # nobody to ask
    assert hosts.read_text() == HOSTS
    assert ockle("hosts", "import", str(tmp_path / "in.csv"), "--yes").out == shown
    assert hosts.read_text().startswith(f"# the rack in the cellar\n{PI1};10.7.0.11;first;1767000000\n{PI2}")
    assert "gone" in ockle("hosts", "import", str(tmp_path / "in.csv"), "--replace", "--dry-run").out


def test_a_list_that_is_longer_than_a_message(ockle: Run, hosts: Path, tmp_path: Path) -> None:
    lines = [f"02:00:00:00:{n >> 8:02X}:{n & 255:02X};10.8.{n >> 8}.{n & 255};node{n};0\n" for n in range(1, 2001)]
    (tmp_path / "big.csv").write_text("".join(lines))
    found = ockle("hosts", "import", str(tmp_path / "big.csv"), "--yes", "-o", "name")
    assert found.code == OK, found.err
    assert len(found.out.split()) == 2000
    assert hosts.read_text() == HOSTS + "".join(lines)


def test_faults_are_named_by_line(ockle: Run, hosts: Path, tmp_path: Path) -> None:
    assert ockle("hosts", "check").out == "3 hosts, no faults\n"
    (tmp_path / "bad.csv").write_text(f"{PI1};10.7.0.300;pi1;0\nnonsense;;;\n")
    for command in ("check", "import"):
        found = ockle("hosts", command, str(tmp_path / "bad.csv"))
        assert found.code == USAGE
        assert "300" in found.err
        assert "nonsense" in found.err
    assert ockle("hosts", "check", str(tmp_path / "none.csv")).code == USAGE


def edit_with(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Make a line of Python the editor: ``text`` is the file."""
    program = f"import sys, pathlib; p = pathlib.Path(sys.argv[1]); text = p.read_text(); {code}; p.write_text(text)"
    monkeypatch.setenv("VISUAL", f"{sys.executable} -c '{program}'")


def test_the_editor(ockle: Run, hosts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit_with(monkeypatch, "text")
    assert ockle("hosts", "edit").out == "nothing was changed\n"
    edit_with(monkeypatch, 'text = text.replace("pi3", "three")')
    assert "three" in ockle("hosts", "edit").out
    assert hosts.read_text() == HOSTS.replace("pi3", "three")
    edit_with(monkeypatch, 'text += "nonsense\\n"')
    found = ockle("hosts", "edit")
    assert found.code == ABORTED
    assert "line 7" in found.err
    kept = Path(found.err.rstrip().rpartition(" ")[2])
    assert kept.read_text().endswith("nonsense\n")
    kept.unlink()
    assert "nonsense" not in hosts.read_text()


def test_an_editor_that_is_not_there(ockle: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", os.devnull + "/none")
    assert "cannot be started" in ockle("hosts", "edit").err


def test_a_viewer_may_look_only(ockle: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKLE_TOKEN", TOKENS["viewer"])
    assert ockle("boards").code == OK
    assert ockle("hosts", "remove", "pi1").code == DENIED

"""The INI files that pages show load without a fault or a warning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ockle.cli.main import main
from ockle.config.site import load_site
from ockle.networkTree.ServerNetworkFactory import ServerNetworkFactory, check
from plug_site import KEY, watched

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```ini\n# (\S+\.ini)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECRET = re.compile(r"\$\{file:([^}]+)\}")


class _Owner:
    def __init__(self, etc: Path) -> None:
        self.etc = etc

    def debug(self, message: str) -> None:
        raise AssertionError(message)


def write_site(page: str, etc: Path) -> dict[str, str]:
    """Write the INI blocks of ``page``, named by their first line, and the secrets they refer to."""
    files = dict(_BLOCK.findall((DOCS / page).read_text("utf-8")))
    for name, text in files.items():
        (etc / name).parent.mkdir(parents=True, exist_ok=True)
        (etc / name).write_text(text, "utf-8")
        for secret in _SECRET.findall(text):
            (etc / secret).parent.mkdir(exist_ok=True)
            (etc / secret).write_text("long enough")
            (etc / secret).chmod(0o600)
    return files


def test_the_first_rack_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write_site("first-rack.md", tmp_path)
    assert {"outlets/pdu-a.ini", "outlets/sw-poe.ini", "servers/nas01.ini", "servers/pi1.ini"} <= set(files)
    assert check(tmp_path) == ([], [])
    assert main(["config", "check", "--etc", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}: no faults\n"


def test_a_relative_secret_reaches_the_driver(tmp_path: Path) -> None:
    write_site("first-rack.md", tmp_path)
    network = ServerNetworkFactory(_Owner(tmp_path)).buildNetwork(load_site(tmp_path))
    (outlet,) = network.getServernode("pi1").outlets
    assert outlet.secret("privacy_password") == "long enough"


@pytest.mark.parametrize("page", ["configuration.md", "operations.md"])
def test_the_files_of_other_pages_fit_beside_them(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDU_B_COMMUNITY", "another one")
    write_site("first-rack.md", tmp_path)
    assert write_site(page, tmp_path)
    assert check(tmp_path) == ([], [])


def test_the_smart_plug_loads(tmp_path: Path) -> None:
    (tmp_path / "config.ini").write_text("[main]\n[plugins]\n")
    files = write_site("smart-plug.md", tmp_path)
    assert {"outlets/plug-backup.ini", "controllers/plug-backup.ini", "servers/backup.ini"} <= set(files)
    assert check(tmp_path) == ([], [])
    network = ServerNetworkFactory(_Owner(tmp_path)).buildNetwork(load_site(tmp_path))
    assert [type(control).__name__ for control in network.getServernode("backup").controls] == ["ESPHomeDelay"]


def test_the_agents_file_of_the_smart_plug_is_read(tmp_path: Path) -> None:
    page = (DOCS / "smart-plug.md").read_text("utf-8")
    (text,) = re.findall(r"agent\.ini <<END\n(.*?)^END$", page, re.MULTILINE | re.DOTALL)
    path = tmp_path / "agent.ini"
    path.write_text(text.replace("the plug_key of secrets.yaml", KEY))
    assert watched(path).plug.host == "192.0.2.40"

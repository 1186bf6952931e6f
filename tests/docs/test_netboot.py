"""What the pages about installing boards show is accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ockle.cli.main import main
from ockle.netboot.hosts import parse_hosts
from ockle.netboot.initramfs.settings import load_settings

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```ini\n# (\S+\.ini)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_pi_rack_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "netboot-pi-rack.md").read_text("utf-8")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "sw-poe").write_text("community")
    (tmp_path / "secrets" / "sw-poe").chmod(0o600)
    for name, text in _BLOCK.findall(page):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    hosts = "".join(f"{line}\n" for line in page.splitlines() if line.startswith("DC:A6"))
    assert len(parse_hosts(hosts).hosts) == 2 and not parse_hosts(hosts).problems
    (tmp_path / "hosts.csv").write_text(hosts)
    assert main(["--etc", str(tmp_path), "config", "check"]) == 0, capsys.readouterr()


def test_the_initramfs_options_of_the_page_are_accepted(tmp_path: Path) -> None:
    (name, text), *_ = _BLOCK.findall((DOCS / "netboot-install.md").read_text("utf-8"))
    (tmp_path / name).write_text(text)
    settings = load_settings(tmp_path / name)
    assert settings.devices == ("/dev/mmcblk0", "/dev/nvme0n1") and settings.patience == 300
    assert settings.sfdisk_script.splitlines()[-2:] == ["start=8192, size=88472, type=c", "start=98304, type=83"]


def test_the_options_of_the_page_about_pcs_are_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = dict(_BLOCK.findall((DOCS / "netboot-pc.md").read_text("utf-8")))
    options, initramfs = blocks["etc/config.ini"], blocks["etc/initramfs.ini"]
    (tmp_path / "config.ini").write_text(f"[plugins]\nplugins = NetBoot,\n{options}")
    assert main(["--etc", str(tmp_path), "config", "check"]) == 0, capsys.readouterr()
    (tmp_path / "initramfs.ini").write_text(initramfs)
    settings = load_settings(tmp_path / "initramfs.ini")
    assert settings.devices == ("/dev/sda", "/dev/nvme0n1") and settings.root == 1
    assert settings.sfdisk_script.splitlines()[-1] == "start=2048, type=linux"

"""What is opened below the root, and what is refused before it is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ockle.netboot.mounts import Mounts, remote_folders
from ockle.netboot.tftp.files import BootFiles
from ockle.netboot.tftp.names import View
from ockle.netboot.tftp.packet import TftpError

MOUNTINFO = """22 28 0:21 / /proc rw,nosuid - proc proc rw
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
40 28 0:40 / {boot}/of\\040nas rw,relatime shared:7 - nfs4 10.0.0.9:/boot rw,vers=4.2
41 40 0:41 / {boot}/of\\040nas/local rw - tmpfs tmpfs rw
"""


def read(files: BootFiles, name: str, view: View | None = None) -> bytes:
    _, content = files.open(name, "octet", view or View(), "10.0.0.1")
    try:
        return content.read(0, 100_000)
    finally:
        content.close()


def test_a_network_file_system_is_refused_before_it_is_touched(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTINFO.format(boot=tmp_path))
    for name in ("of nas/f", "of nas/local/f", "of nasty"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    files = BootFiles(tmp_path, Mounts(tmp_path / "mountinfo"))
    assert read(files, "of nas/local/f") == read(files, "of nasty") == b"x"
    with pytest.raises(TftpError, match="access violation") as refusal:
        read(files, "of nas/f")
    assert "tftp_network_files" in str(refusal.value.__cause__)
    assert read(BootFiles(tmp_path), "of nas/f") == b"x"
    with pytest.raises(TftpError, match="tftp_network_files"):
        read(BootFiles(tmp_path / "of nas", Mounts(tmp_path / "mountinfo")), "f")
    files.close()


def test_no_network_file_system_means_nothing_to_compare() -> None:
    assert remote_folders(MOUNTINFO.replace("nfs4", "ext4")) == []
    assert remote_folders("garbage\n - \n1 2 3\n") == []


def test_another_root_is_noticed(tmp_path: Path) -> None:
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text(name)
    (tmp_path / "boot").symlink_to("v1")
    files = BootFiles(tmp_path / "boot")
    assert read(files, "f") == b"v1"
    (tmp_path / "new").symlink_to("v2")
    (tmp_path / "new").rename(tmp_path / "boot")
    assert read(files, "f") == b"v2"
    (tmp_path / "boot").unlink()
    with pytest.raises(TftpError, match="cannot be opened"):
        read(files, "f")
    files.close()


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "cmdline.txt").write_text("x")
    (tmp_path / "d").mkdir()
    files = BootFiles(tmp_path)
    read(files, "cmdline.txt")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("cmdline.txt", "d", "missing", "../x"):
        for _ in range(5):
            try:
                read(files, name)
            except TftpError:
                continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    files.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "f").touch(0)
    files = BootFiles(tmp_path)
    with pytest.raises(TftpError, match="access violation") as refusal:
        read(files, "f")
    assert "Permission denied" in str(refusal.value.__cause__)
    files.close()

"""The archive that the kernel unpacks: read back by GNU cpio, and by a reader of its own."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpio_reader import read_back
from ockle.netboot.initramfs.cpio import archive, character_device, file, folder, link
from peers import peer

NAMES = st.text(alphabet="abcXYZ09._- ü", min_size=1, max_size=12).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(st.dictionaries(PATHS, st.binary(max_size=40), max_size=12))
def test_whatever_is_put_in_is_there_again_below_its_folders(files: dict[str, bytes]) -> None:
    folders = {path.rpartition("/")[0] for path in files}
    while deeper := {path.rpartition("/")[0] for path in folders} - folders:
        folders |= deeper
    folders -= {""}
    entries = [file(path, data) for path, data in files.items()]
    if folders & files.keys():
        with pytest.raises(ValueError, match="no folder"):
            archive(entries)
        return
    data = archive(entries)
    assert data == archive(reversed(entries))
    found = read_back(data)
    assert {entry.path: entry.data for entry in found if stat.S_ISREG(entry.mode)} == files
    assert {entry.path for entry in found if stat.S_ISDIR(entry.mode)} == folders
    seen = {""}
    for entry in found:
        assert entry.path.rpartition("/")[0] in seen
        seen.add(entry.path)


@pytest.mark.parametrize("path", ["", "/etc", "a/../b", "./a", "a//b", "a/", "nul\0", "TRAILER!!!", "x" * 5000])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"archive|entry"):
        archive([file(path, b"")])


def test_the_same_path_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        archive([file("a", b"1"), file("a", b"2")])


@pytest.mark.peer
def test_gnu_cpio_reads_it(tmp_path: Path) -> None:
    data = archive(
        [
            file("bin/busybox", b"\x7fELF", 0o755),
            link("bin/sh", "busybox"),
            folder("tmp", 0o1777),
            character_device("dev/null", 1, 3, 0o666),
            file("etc/ü b", b"x" * 1025),
        ]
    )
    listed = subprocess.run([peer("cpio"), "-itv"], input=data, capture_output=True, check=True, timeout=20)
    lines = [line.split() for line in listed.stdout.decode().splitlines()]
    assert [(line[0], line[-1]) for line in lines if line[-1] != "b"] == [
        ("drwxr-xr-x", "bin"),
        ("-rwxr-xr-x", "bin/busybox"),
        ("lrwxrwxrwx", "busybox"),
        ("drwxr-xr-x", "dev"),
        ("crw-rw-rw-", "dev/null"),
        ("drwxr-xr-x", "etc"),
        ("drwxrwxrwt", "tmp"),
    ]
    subprocess.run(
        [peer("cpio"), "-id", "etc/*", "bin/*"], cwd=tmp_path, input=data, capture_output=True, check=True, timeout=20
    )
    assert (tmp_path / "etc" / "ü b").read_bytes() == b"x" * 1025
    assert (tmp_path / "bin" / "sh").readlink() == Path("busybox")

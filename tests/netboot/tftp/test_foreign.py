"""Clients that others wrote load files from us."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from peers import missing, peer

from .conftest import Site

pytestmark = pytest.mark.peer
NAMES = ("s0", "s512", "s100000")


def run(folder: Path, arguments: Sequence[str], text: str = "") -> None:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        arguments, cwd=folder, input=text, capture_output=True, text=True, errors="replace", timeout=20, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def same(site: Site, folder: Path, *names: str) -> None:
    for name in names or NAMES:
        assert (folder / name).read_bytes() == (site.boot / name).read_bytes(), name


def test_curl(site: Site, tmp_path: Path) -> None:
    curl, (host, port) = peer("curl"), site.where
    if "tftp" not in subprocess.run([curl, "-V"], capture_output=True, text=True, timeout=10, check=True).stdout:
        missing("this curl speaks no TFTP")
    for options in (["--tftp-no-options"], [], ["--tftp-blksize", "1428"]):
        names = NAMES if "--tftp-no-options" in options else NAMES[1:]  # takes a size of 0 for a fault (curl 7.88)
        for name in names:
            run(tmp_path, [curl, "-sS", *options, "-o", name, f"tftp://{host}:{port}/{name}"])
        same(site, tmp_path, *names)
    refused = subprocess.run(
        [curl, "-sS", f"tftp://{host}:{port}/missing"], capture_output=True, text=True, timeout=20, check=False
    )
    assert refused.returncode == 68  # "TFTP: file not found"


def test_busybox(site: Site, tmp_path: Path) -> None:
    host, port = site.where
    for options in ([], ["-b", "1428"], ["-b", "65464"]):
        for name in NAMES:
            run(tmp_path, [peer("busybox"), "tftp", "-g", *options, "-r", name, "-l", name, host, str(port)])
        same(site, tmp_path)


def test_tftp_hpa(site: Site, tmp_path: Path) -> None:
    host, port = site.where
    for mode in ("binary", "netascii"):
        run(tmp_path, [peer("tftp"), host, str(port), "-m", mode, "-c", "get", "hello.txt"])
        same(site, tmp_path, "hello.txt")
    for name in NAMES:
        run(tmp_path, [peer("tftp"), host, str(port), "-m", "binary", "-c", "get", name])
    same(site, tmp_path)


@pytest.mark.parametrize(
    "options", [[], ["blksize 1428", "tsize 0", "timeout 3"], ["blksize 1428", "windowsize 16"], ["windowsize 3"]]
)
def test_atftp(site: Site, tmp_path: Path, options: list[str]) -> None:
    host, port = site.where
    words = [word for option in options for word in ("--option", option)]
    for name in NAMES:
        run(tmp_path, [peer("atftp"), *words, "--get", "-r", name, "-l", name, host, str(port)])
    same(site, tmp_path)

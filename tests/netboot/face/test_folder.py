"""Who looks whether a boot server is at work does not keep one from beginning."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest

from ockle.common.errors import OckleError
from ockle.netboot import folder as module
from ockle.netboot.folder import BootFolder


def test_a_look_at_the_wrong_moment_does_not_keep_a_server_from_beginning(tmp_path: Path) -> None:
    folder = BootFolder(tmp_path)
    folder.path.mkdir()
    looking = (folder.path / "server.lock").open("a+")
    fcntl.flock(looking, fcntl.LOCK_SH)  # as `served` does
    ended = threading.Timer(0.05, looking.close)
    ended.start()
    folder.take()
    assert BootFolder(tmp_path).served
    folder.release()
    ended.join()


def test_two_servers_are_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.02)
    first = BootFolder(tmp_path)
    first.take()
    with pytest.raises(OckleError, match="at work already"):
        BootFolder(tmp_path).take()
    first.release()
    assert not BootFolder(tmp_path).served

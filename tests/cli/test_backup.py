"""``ockle backup`` and ``ockle db copy`` where there is nothing to read or no place to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from ockle.cli.main import main


def test_a_copy_from_a_file_that_is_not_there_makes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "copy", f"sqlite:///{tmp_path}/none.db", f"sqlite:///{tmp_path}/new.db"]) == 2
    assert "none.db: there is no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_backup_into_no_folder_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "etc").mkdir()
    target = tmp_path / "missing" / "ockle.tar.gz"
    assert main(["--etc", str(tmp_path / "etc"), "backup", str(target)]) == 1
    text = capsys.readouterr().err
    assert f"cannot write {target}: there is no folder {target.parent}" in text
    assert "Errno" not in text

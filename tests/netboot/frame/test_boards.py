"""What is kept of a board, and the mark that it is to be installed anew."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from netboot_site import PI
from ockle.common.clock import SystemClock
from ockle.common.errors import OckleError
from ockle.netboot.boards import LINES_KEPT, LINES_PER_MINUTE, Boards
from ockle.netboot.stages import MarkState, Stage

OTHER = "DC:A6:32:01:02:04"


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Boards]:
    boards = Boards(tmp_path / "boards.db", SystemClock())
    yield boards
    boards.close()


def again(boards: Boards) -> Boards:
    return Boards(boards.path, SystemClock())


def test_a_boot_is_kept_stage_by_stage(boards: Boards) -> None:
    boards.note(PI, Stage.ASKING, kind="Raspberry Pi 3", serial="44444444")
    boards.note(PI, Stage.ADDRESSED, "10.0.0.3", ip="10.0.0.3")
    boards.log(PI, "asks for bootcode.bin")
    boards.note(PI, Stage.BOOTED)
    other = again(boards)
    board = other.get(PI)
    assert board is not None
    assert (board.stage, board.ip, board.kind, board.booted_at > 0) == (
        Stage.BOOTED,
        "10.0.0.3",
        "Raspberry Pi 3",
        True,
    )
    assert [(line.stage, line.text) for line in other.lines(PI)] == [
        ("asking", "asks for an address"),
        ("addressed", "10.0.0.3"),
        ("", "asks for bootcode.bin"),
        ("booted", "has booted"),
    ]
    other.close()


def test_another_process_sees_it_by_polling(boards: Boards) -> None:
    other = again(boards)
    assert not other.poll()
    end = other.journal_end()
    boards.note(PI, Stage.LOADING)
    assert other.get(PI) is None
    assert other.poll()
    assert other.get(PI) == boards.get(PI)
    assert [line.text for line in other.journal_since(end)] == ["loads boot files"]
    other.close()


def test_the_moment_of_the_boot_stays_when_the_system_says_that_it_is_up(boards: Boards) -> None:
    boards.note(PI, Stage.BOOTED)
    first = boards.get(PI)
    boards.note(PI, Stage.UP, "pi3 6.1.0")
    second = boards.get(PI)
    assert first and second and first.booted_at == second.booted_at
    boards.note(PI, Stage.ASKING)
    boards.note(PI, Stage.UP)
    third = boards.get(PI)
    assert third and third.booted_at > first.booted_at


def test_the_same_again_writes_nothing(boards: Boards) -> None:
    boards.note(PI, Stage.ASKING)
    for _ in range(50):
        boards.note(PI, Stage.ASKING)
        boards.touch(PI)
    assert len(boards.lines(PI)) == 1


def test_a_mark_is_taken_once_whoever_asks(boards: Boards) -> None:
    mark = boards.want_reinstall(PI, "buster.tgz", "alice")
    other = again(boards)
    taken = [who.take_reinstall(PI) for who in (other, boards, other)]
    assert [one is not None for one in taken] == [True, False, False]
    assert taken[0] and (taken[0].reinstall, taken[0].reinstall_id, taken[0].reinstall_image) == (
        MarkState.STARTED,
        mark,
        "buster.tgz",
    )
    assert boards.confirm_reinstall(PI)
    assert not other.confirm_reinstall(PI)
    assert other.take_reinstall(PI) is None
    other.close()


def test_a_mark_that_is_only_wanted_is_not_confirmed(boards: Boards) -> None:
    boards.want_reinstall(PI)
    assert not boards.confirm_reinstall(PI)
    assert boards.drop_reinstall(PI)
    assert not boards.drop_reinstall(PI)
    assert boards.take_reinstall(PI) is None
    assert boards.take_reinstall(OTHER) is None


def test_marks_outlive_the_process_that_made_them(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        Boards(tmp_path / "boards.db", SystemClock()).want_reinstall(PI)
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    boards = Boards(tmp_path / "boards.db", SystemClock())
    assert boards.take_reinstall(PI) is not None
    boards.close()


def test_a_board_that_says_too_much_is_cut_short(boards: Boards) -> None:
    for number in range(LINES_PER_MINUTE + 500):
        boards.log(PI, f"line {number}\n\x1b[31m")
    lines = boards.lines(PI, limit=10_000)
    assert len(lines) == LINES_PER_MINUTE
    assert "says too much" in lines[-1].text
    assert lines[0].text == "line 0··[31m", "control characters do not reach a terminal"


def test_the_journal_of_a_board_is_bounded(boards: Boards) -> None:
    boards.note(OTHER, Stage.ASKING)
    for number in range(LINES_KEPT + 120):
        boards.note(PI, Stage.LOADING, f"file {number}")
    assert LINES_KEPT <= len(boards.lines(PI, limit=10_000)) <= LINES_KEPT + 60
    assert boards.lines(PI, limit=1)[0].text == f"file {LINES_KEPT + 119}"
    assert len(boards.lines(OTHER)) == 1


def test_a_disk_that_refuses_costs_no_stage_but_no_mark_is_promised(
    boards: Boards, caplog: pytest.LogCaptureFixture
) -> None:
    boards.note(PI, Stage.ASKING)
    with sqlite3.connect(boards.path) as blocker:
        blocker.execute("ALTER TABLE boards RENAME TO gone")
    boards.note(PI, Stage.LOADING)
    boards.note(PI, Stage.HELLO)
    board = boards.get(PI)
    assert board and board.stage is Stage.HELLO
    assert len([line for line in caplog.messages if "is not kept meanwhile" in line]) == 1
    with pytest.raises(OckleError, match=r"boards\.db"):
        boards.want_reinstall(PI)
    with pytest.raises(OckleError, match=r"boards\.db"):
        boards.take_reinstall(PI)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "boards.db").write_text("not a database at all, but long enough to be taken for one" * 100)
    with pytest.raises(OckleError, match=r"boards.db cannot be used: .* may be moved away"):
        Boards(tmp_path / "boards.db", SystemClock())


def test_a_file_of_a_newer_ockle_is_left_alone(boards: Boards) -> None:
    with sqlite3.connect(boards.path) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(OckleError, match="written by a newer Ockle"):
        again(boards)

"""Boards whose boot has failed, for the alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ..common.problems import Problem, Severity
from .boards import Board
from .stages import Stage


def board_problems(
    boards: Iterable[Board], label: Callable[[str], str], servers: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield one problem per board that says that it failed. ``servers``: MAC -> the server that it is."""
    for board in boards:
        if board.stage is Stage.FAILED:
            name, server = label(board.mac), servers.get(board.mac, "")
            what = "its installation failed" if board.reinstall else "its boot failed"
            text = f"board {name}: {what}: {board.note or 'it does not say why'}"
            hangs_on = (f"server/{server}",) if server else ()
            yield Problem(f"boot/{board.mac}", "boot", Severity.WARNING, f"boot/{board.mac}", text, server, hangs_on)

"""How many boards are how far, for monitoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..common.metrics import GAUGE, Family
from .boards import Board
from .stages import Stage


def board_family(boards: Iterable[Board]) -> Family:
    """Return the number of boards by stage; a stage without any is 0."""
    family = Family("ockle_netboot_boards", GAUGE, "Boards that boot over the network, by how far they have come.")
    count = Counter(board.stage for board in boards)
    for stage in Stage:
        family.add(count[stage], stage=stage.key)
    return family

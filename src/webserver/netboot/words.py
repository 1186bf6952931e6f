"""How the stage of a board looks: glyph, word and colour, as the states of servers do; and sizes and rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ...common.sizes import size_text
from ..states import Look
from ..texts import N_, _, ngettext

STAGES = {
    "new": Look("○", N_("not seen yet"), "init", "quiet"),
    "asking": Look("▲", N_("asks for an address"), "rising", "busy"),
    "addressed": Look("▲", N_("has an address"), "rising", "busy"),
    "loading": Look("▲", N_("loads boot files"), "rising", "busy"),
    "hello": Look("▲", N_("says hello"), "rising", "busy"),
    "formatting": Look("▼", N_("was told to format"), "falling", "busy"),
    "installing": Look("▼", N_("loads its root file system"), "falling", "busy"),
    "installed": Look("▲", N_("is installed"), "rising", "busy"),
    "booting": Look("▲", N_("was told to boot"), "rising", "busy"),
    "booted": Look("✓", N_("has booted"), "on", "up"),
    "up": Look("✓", N_("is up"), "on", "up"),
    "failed": Look("✕", N_("failed"), "gave-up", "failed"),
}
"""By the name that the daemon uses. What writes to a board's disk looks different from what only reads."""
GROUPS = {"up": N_("up"), "busy": N_("booting"), "failed": N_("failed"), "quiet": N_("not seen yet")}
"""Under which word boards are counted, in this order."""
_UNKNOWN = Look("?", N_("unknown"), "unknown", "quiet")

SERVICES = {"dhcp": "DHCP", "tftp": "TFTP", "install": N_("Installation"), "ntp": "NTP"}


def look(stage: str) -> Look:
    """Return the look of a stage; one that this version does not know looks unknown."""
    return STAGES.get(stage, _UNKNOWN)


def counts(boards: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many boards are up, booting, failed and not seen yet; groups without any are left out."""
    found = Counter(look(board["stage"]).group for board in boards)
    return {group: found[group] for group in GROUPS if found[group]}


def summary(boards: Iterable[Mapping[str, Any]]) -> str:
    """Return the counts as a person says them: ``12 boards: 9 up, 2 booting, 1 failed``."""
    boards = list(boards)
    parts = ", ".join(f"{number} {_(GROUPS[group])}" for group, number in counts(boards).items())
    return f"{ngettext('{} board', '{} boards', len(boards))}: {parts}"


def size(amount: float | None) -> str:
    """Return bytes as ``1.4 MiB``."""
    return "–" if amount is None else size_text(amount)


def rate(amount: float | None) -> str:
    """Return bytes per second as ``11.2 MiB/s``."""
    return "–" if amount is None else f"{size(amount)}/s"

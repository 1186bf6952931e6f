"""How alerts look: glyph, word and colour of a severity and of a state, as the states of servers have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...common.hostranges import fold_names
from ..states import Look
from ..texts import N_, _

SEVERITIES = {
    "critical": Look("✕", N_("critical"), "gave-up", "critical"),
    "warning": Look("!", N_("warning"), "failed", "warning"),
    "info": Look("i", N_("info"), "rising", "info"),
}
"""The worst first."""
STATES = {
    "open": Look("●", N_("open"), "failed", "open"),
    "acknowledged": Look("⚑", N_("acknowledged"), "forced-on", "acknowledged"),
    "silenced": Look("–", N_("silenced"), "off", "silenced"),
    "closed": Look("✓", N_("over"), "on", "closed"),
}
HAPPENINGS = {
    "opened": N_("It was seen"),
    "came back": N_("It came back"),
    "told": N_("Told"),
    "acknowledged": N_("Acknowledged"),
    "silenced": N_("Silenced"),
    "no longer silenced": N_("No longer silenced"),
    "explains": N_("It explains"),
    "closed": N_("Closed"),
}
"""What became of an alert, as the daemon names it."""
_UNKNOWN = Look("?", N_("unknown"), "unknown", "open")
MOST_NAMES = 12
"""Names of those that an alert takes along, after folding; the alert's page has all of them."""


MOST_ALONG = 50
"""Lines about them in the list of alerts."""


def severity_look(severity: str) -> Look:
    """Return the look of a severity; one that this version does not know looks unknown."""
    return SEVERITIES.get(severity, _UNKNOWN)


def state_look(state: str) -> Look:
    """Return the look of an alert's state; one that this version does not know counts as open."""
    return STATES.get(state, _UNKNOWN)


def happening(what: str) -> str:
    """Return what became of an alert in the language of the GUI; what this version does not know, as it is."""
    return _(HAPPENINGS[what]) if what in HAPPENINGS else what


def badge(counts: Mapping[str, int] | None) -> dict[str, Any]:
    """Return how many alerts are open and how the worst of them looks; {} without any.

    ``counts``  severity -> open alerts, as ``status`` has it; None: the daemon has no alerts
    """
    worst = next((name for name in SEVERITIES if counts and counts.get(name)), "")
    if not counts or not worst:
        return {}
    seen = SEVERITIES[worst]
    return {
        "count": sum(counts.values()),
        "severity": worst,
        "word": seen.word,
        "glyph": seen.glyph,
        "style": seen.style,
    }


def folded(affected: Sequence[Mapping[str, Any]]) -> str:
    """Return in one line whom an alert takes along: ``web[1-29], nas``."""
    names = fold_names([one["server"] or one["subject"] for one in affected])
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (" " + _("and {} more").format(more) if more > 0 else "")

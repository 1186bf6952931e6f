"""Runs in words: what one does, and how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .gantt.axis import clock
from .texts import _, ngettext

_TITLES = {"on": "Power-up", "off": "Shutdown", "restart": "Restart", "cut": "Cut of power"}
_STATES = {"running": "Running", "done": "Done", "failed": "Failed", "cancelled": "Cancelled"}
SHOWN_TARGETS = 3


def title(run: Mapping[str, Any]) -> str:
    """Return what a run does: ``Power-up of nas, db and 2 more``."""
    targets, more = run["targets"][:SHOWN_TARGETS], len(run["targets"]) - SHOWN_TARGETS
    names = ", ".join(targets) + (_(" and {} more").format(more) if more > 0 else "")
    return _("{} of {}").format(kind(run), names)


def kind(run: Mapping[str, Any]) -> str:
    return _(_TITLES.get(run["action"], run["action"]))


def state(run: Mapping[str, Any]) -> str:
    return _(_STATES.get(run["state"], run["state"]))


def short(run: Mapping[str, Any]) -> str:
    """Return the indicator of a running run: ``Power-up 7/12, 1:40 left``."""
    if not run["begun"]:
        return _("{} is about to begin").format(kind(run))
    ended = run["done"] + run["failed"] + run["skipped"]
    return _("{} {}/{}, {} left").format(kind(run), ended, run["total"], clock(run["eta_s"] or 0.0))


def recap(run: Mapping[str, Any]) -> str:
    """Return how a run with its steps went: ``10 on, 1 failed, 1 skipped in 1:44``."""
    done = Counter(step["action"] for step in run["steps"] if step["state"] == "done")
    parts = [f"{count} {_(action)}" for action, count in done.items()]
    parts += [_("{} failed").format(run["failed"]), _("{} skipped").format(run["skipped"])]
    spent = "" if run["ended"] is None else _(" in {}").format(clock(run["ended"] - run["begins"]))
    return ", ".join(parts) + spent


def steps(count: int) -> str:
    return ngettext("{} step", "{} steps", count)

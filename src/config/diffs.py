"""Unified diffs of a site's files that tell no secret."""

from __future__ import annotations

from .history import unified
from .masking import Masked


def masked_diff(file: str, old: str | None, new: str | None) -> str:
    """Return the diff between two real texts of ``file``; a secret that changes shows as ``*** (new)``."""
    before, after = Masked(file, old or ""), Masked(file, new or "")
    # A comment of one may tell the secret of the other.
    old_shown = before.text(literals=after.literals)
    new_shown = after.text(literals=before.literals, against=before)
    return unified(file, None if old is None else old_shown, None if new is None else new_shown)

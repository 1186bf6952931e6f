"""When to look again whether a booting server serves."""

from __future__ import annotations

PROBE_PART, PROBE_LEAST_S, PROBE_REST = 1 / 25, 0.05, 4.0
"""While a server boots: the pause to the next probe as a part of the boot so far, the least pause in seconds, and how
many times as long as the last probe it is at least. The server's ``probe_interval`` limits it from above."""


def next_probe(booting_s: float, probe_s: float) -> float:
    """Return the seconds until the next probe of a server that boots for ``booting_s``; its last took ``probe_s``.

    In proportion to the boot, so that what a fast server loses by probing is as small a part as what a slow one does;
    never so soon that a server is mostly busy with being probed, nor this machine with probing.
    """
    return max(PROBE_LEAST_S, PROBE_PART * booting_s, PROBE_REST * probe_s)

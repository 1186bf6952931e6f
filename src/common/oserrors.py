"""Errors of the operating system in words."""

from __future__ import annotations

import os


def reason(error: OSError) -> str:
    """Return "Connection refused" where asyncio says "[Errno 111] Connect call failed ('10.0.0.1', 80)"."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error) or type(error).__name__

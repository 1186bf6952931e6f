"""Errors of the operating system in words."""

from __future__ import annotations

import os


def reason(error: OSError) -> str:
    """Return "Connection refused" where asyncio says "[Errno 111] Connect call failed ('10.0.0.1', 80)"."""
    if error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__  # (a name that is not found has a number below 0)

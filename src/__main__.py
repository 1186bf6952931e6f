"""``python -m ockle``, and the console script ``ockle``."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command line of this process and return the exit code."""
    # Modules live until the end: looking for garbage among them while they are made only costs time.
    gc.disable()
    from .cli.main import main as run

    return run(start=_started)


def _started() -> None:
    gc.freeze()
    gc.enable()


if __name__ == "__main__":
    sys.exit(main())

"""Feeds every parser that takes bytes from strangers with what coverage leads to (libFuzzer by way of atheris).

A target fails by an exception that is not its documented error, by a broken promise (an assertion), by more than 1 s
for one input, or by more than 256 MB. Prints a line per target; exit 1 when one failed, and then the input is kept.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .process import Outcome, fuzz, run_child
from .target import TARGETS, load

GOAL = 10_000_000
"""Executions that a small target is to reach in a long run."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m campaigns.fuzz", description="Fuzz the parsers.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target (default: 60)")
    parser.add_argument("--quick", action="store_true", help="five seconds for each")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at the same time")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="where inputs are kept and found again")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="only give this file to the targets")
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    names = options.targets or list(TARGETS)
    if options.replay:
        for name in names:
            target, data = load(name), options.replay.read_bytes()
            began = time.process_time()
            target.run(data)
            print(f"{name}: {time.process_time() - began:.3f} s of CPU")
        return 0
    try:
        import atheris  # noqa: F401
    except ImportError:
        parser.error("atheris is missing: .venv/bin/pip install -c constraints.txt -e '.[fuzz]'")
    folder: Path = options.corpus or Path(tempfile.mkdtemp(prefix="ockle-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        seconds = 5.0 if options.quick else options.seconds
        for work in [pool.submit(fuzz, name, seconds, folder) for name in names]:
            outcomes.append(work.result())
            print(outcomes[-1].line(), flush=True)
    small = [one for one in outcomes if load(one.name).small]
    reached = sum(one.executions >= GOAL for one in small)
    total = sum(one.executions for one in outcomes)
    print(f"{total:,} executions; {reached} of {len(small)} small targets reached {GOAL:,}; inputs and logs: {folder}")
    return 1 if any(one.failed for one in outcomes) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run_child(sys.argv[2], sys.argv[3:])
    sys.exit(main())

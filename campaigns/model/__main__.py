"""Explores the model; exits with 1 when a promise breaks."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time

from .configurations import CONFIGURATIONS, QUICK
from .daemon import Model
from .explore import Exploration, Explorer
from .state import Configuration, Rules

HEAD = (
    f"{'network':28} {'faults':>6} {'kills':>5} {'orders':>6} {'states':>8} {'steps':>9} {'at rest':>7} {'longest':>7}"
)


def explored(configuration: Configuration) -> tuple[Exploration, float]:
    """Return what the exploration of one configuration found, and the seconds of a processor it took."""
    began = time.process_time()
    return Explorer(Model(configuration, Rules()), findings=5).run(), time.process_time() - began


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="campaigns.model", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small bounds, a few seconds")
    parser.add_argument("--only", metavar="NAME", help="only the configurations whose name begins so")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args(arguments)
    chosen = [one for one in (QUICK if options.quick else CONFIGURATIONS) if one.name.startswith(options.only or "")]
    if not chosen:
        parser.error(f"no configuration begins with {options.only!r}")
    began, total, broken = time.monotonic(), 0, 0
    print(HEAD)
    with multiprocessing.get_context("fork").Pool(options.jobs, maxtasksperchild=1) as pool:
        for one, (result, seconds) in zip(chosen, pool.imap(explored, chosen), strict=True):
            total += result.states
            broken += len(result.findings)
            print(
                f"{one.name:28} {one.faults:6} {one.kills:5} {one.commands:6} {result.states:8} {result.steps:9} "
                f"{result.rests:7} {result.longest:7}  {seconds:.1f} s",
                flush=True,
            )
            for finding in result.findings:
                print(finding)
    print(f"{len(chosen)} networks, {total} states, {broken} violations, {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

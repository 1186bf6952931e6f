"""Kills the daemon at every failpoint and at random instants; exits with 1 when a promise breaks."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from statistics import median

from ..common import Report, dice, parser
from .orders import named
from .share import Outcome, Share, carry_out
from .topologies import TOPOLOGIES

SHARES = 4
"""Per topology; each has a lab of its own."""
NAMED = len(named()) * len(TOPOLOGIES)


def shares(of_names: int, randoms: int, seed: int) -> list[Share]:
    """Deal the kills out: ``of_names`` of the named ones, drawn by the dice, to the topologies in turn."""
    every = [(topology, kill) for topology in TOPOLOGIES for kill in named()]
    chosen = dice(seed, "named").sample(every, min(of_names, len(every)))
    made = []
    count = SHARES * len(TOPOLOGIES)
    for number in range(count):
        topology = list(TOPOLOGIES)[number % len(TOPOLOGIES)]
        turn = number // len(TOPOLOGIES)
        mine = [kill for name, kill in chosen if name == topology][turn::SHARES]
        made.append(
            Share(number, topology, tuple(mine), randoms * (number + 1) // count - randoms * number // count, seed)
        )
    return made


def judge(report: Report, outcomes: list[Outcome], of_names: int, randoms: int) -> None:
    """Print the figures of all shares."""
    settles = sorted(one for outcome in outcomes for one in outcome.settles)
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for kind, count in outcome.counts.items():
            counts[kind] = counts.get(kind, 0) + count
    report.figure("kills at a failpoint", sum(one.named for one in outcomes), least=of_names)
    report.figure("kills at random instants", sum(one.randoms for one in outcomes), least=randoms)
    report.figure("lives of the daemon", sum(one.lives for one in outcomes))
    report.figure("SETs that the devices saw", counts.get("set", 0))
    report.figure("shutdowns that the machines saw", counts.get("shutdown", 0))
    report.figure("boots", counts.get("boot", 0))
    report.figure("cuts of a mounted disk", counts.get("violation", 0), most=0)
    if settles:
        report.figure("from a start to the goal: median", median(settles), "s")
        report.figure("from a start to the goal: 99 of 100", settles[int(len(settles) * 0.99)], "s")
        report.figure("from a start to the goal: longest", settles[-1], "s", most=min(one.bound_s for one in outcomes))


def main(arguments: list[str]) -> int:
    made = parser("kills", __doc__)
    made.add_argument("--named", type=int, default=NAMED, help=f"kills at a failpoint (default: all {NAMED})")
    made.add_argument("--random", type=int, default=850, help="kills at random instants (default: 850)")
    made.add_argument("--jobs", type=int, default=6, help="daemons at the same time (default: 6; most wait, mostly)")
    made.add_argument("--share", type=int, help="only this share of the kills, to see a finding again")
    options = made.parse_args(arguments)
    of_names = 6 if options.quick else min(options.named, NAMED)
    randoms = 6 if options.quick else options.random
    work = [one for one in shares(of_names, randoms, options.seed) if options.share in (None, one.number)]
    report = Report("kills")
    outcomes = []
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(carry_out, share) for share in work]):
            outcomes.append(done.result())
            kills = sum(one.named + one.randoms for one in outcomes)
            print(f"  {len(outcomes)} of {len(work)} shares, {kills} kills", flush=True)
            for finding in outcomes[-1].findings:
                report.broken(finding.what, finding.how)
    judge(report, outcomes, sum(len(one.named) for one in work), sum(one.randoms for one in work))
    return report.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""How much the web application costs: drawing networks of 10 to 5,000 servers, a hundred browsers, and Prometheus.

Prints one line per figure; exit 1 when a limit is broken. ``docs/performance.md`` explains the figures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench.report import Report
from bench.web_layout import measure as layout
from bench.web_load import measure as load
from bench.web_metrics import measure as metrics

PARTS: dict[str, Callable[[Report, bool], None]] = {"layout": layout, "load": load, "metrics": metrics}
"""What can be measured: each takes the report to print to, and whether it is a quick run."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what the web application costs.")
    parser.add_argument("--quick", action="store_true", help="small and once, to see that it runs; nothing is judged")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this; may be given again")
    options, _others = parser.parse_known_args()  # `make bench` hands its ARGS to every script
    report = Report(judge=not options.quick)
    report.machine()
    for name in options.only or PARTS:
        PARTS[name](report, options.quick)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())

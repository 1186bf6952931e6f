#!/usr/bin/env python3
"""What one event costs the engine, in networks of 100 to 30,000 servers: growth, not seconds.

An event concerns one server of a network that is on: its outlets are read, its tests are run, it is ordered off and on
again, somebody asks why it is as it is. The cost is CPU time of all threads until the engine has nothing more to do
about it, on dummies without delay, the store in memory. The growth is that of the largest network divided by that of
the smallest; exit 1 when one is above its limit.
"""

from __future__ import annotations

import argparse
import os
import sys

from bench import measure
from bench.events import EVENTS, LAYERS, Costs, costs

from ockle.common.device_loop import DeviceLoop

SIZES = (100, 1000, 10_000, 30_000)
MEMORY_SIZES = (1000, 5000)
GROWTH_LIMIT, MEMORY_LIMIT = 3.0, 1.3


def verdict(value: float, limit: float, *, judge: bool) -> str:
    return f"{value:.2f} (limit {limit:g}: {'not judged' if not judge else 'ok' if value <= limit else 'BROKEN'})"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what one event costs.")
    parser.add_argument("--quick", action="store_true", help="small networks, to see that it runs; nothing is judged")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="SERVERS", help="from small to large")
    options, _others = parser.parse_known_args()
    judge = not options.quick
    sizes, batch, batches = ((50, 150), 10, 1) if options.quick else (options.sizes, 20, 3)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{'machine':<9} {os.cpu_count()} CPUs, Python {sys.version.split()[0]}, load {load}", flush=True)
    loop = DeviceLoop()
    found: list[Costs] = [costs(loop, size, batch, batches) for size in sizes]
    broken = False
    for name in EVENTS:
        growth = found[-1].of[name] / found[0].of[name]
        broken |= judge and growth > GROWTH_LIMIT
        each = ", ".join(f"{one.of[name] * 1e6:.0f} µs with {one.servers:,}" for one in found)
        print(f"{name:<9} {verdict(growth, GROWTH_LIMIT, judge=judge)}; {each}", flush=True)
    few, many = sizes if options.quick else MEMORY_SIZES
    small, large = (measure.bytes_per_server(loop, size, LAYERS) / 1024 for size in (few, many))
    broken |= judge and large / small > MEMORY_LIMIT
    print(
        f"{'bytes':<9} {verdict(large / small, MEMORY_LIMIT, judge=judge)}; {small:.1f} KiB per server with {few:,}, "
        f"{large:.1f} with {many:,}, by tracemalloc"
    )
    loop.stop()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

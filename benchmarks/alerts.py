#!/usr/bin/env python3
"""What a look at all problems costs: a network of thousands of servers, all fine, and all behind one dead switch.

  fine    the look while nothing is wrong, on the device loop
  dark    the same while no server answers, and each hangs on the switch and on one of 300 PDUs
  causes  what follows on the loop of the alerts: what is behind what
  keep    all that, and the alerts kept up to date

Milliseconds of CPU time, the median of several. Exit 1 when one is above its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable

from ockle.common.clock import LoopClock
from ockle.common.common import OpState
from ockle.common.device import Device
from ockle.common.events import EventBus
from ockle.engine.alerts.causes import find_roots
from ockle.engine.alerts.keeper import Keeper
from ockle.engine.alerts.looking import Looker
from ockle.engine.alerts.rules import Moment, Rules
from ockle.engine.engine import Engine
from ockle.networkTree.facts import Desired, Supply
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.dummy import Dummy
from ockle.store.store import Store

LIMITS_MS = {"fine": 50.0, "dark": 300.0, "causes": 50.0, "keep": 150.0}
PDUS = 300


def network_of(servers: int) -> ServerNetwork:
    """Return a switch, and servers that need it, each with an outlet."""
    network = ServerNetwork()
    devices = [Device(f"pdu{number}", clock=LoopClock()) for number in range(PDUS)]
    network.addServer(ServerNode("switch"))
    for number in range(servers):
        outlet = Dummy("psu", {"via": ["switch"]}, {"pdu": f"pdu{number % PDUS}"})
        outlet.device = devices[number % PDUS]
        network.addServer(ServerNode(f"srv{number:05}", [outlet]))
    network.addDependencies((node.name, "switch") for node in network if node.name != "switch")
    for node in network:
        node.facts.op_state, node.facts.desired, node.facts.supply = OpState.OK, Desired.ON, Supply.ON
    return network


def darken(network: ServerNetwork) -> None:
    """Have the switch fail, and nobody behind it answer."""
    for node in network:
        node.facts.op_state, node.facts.supply = OpState.UNKNOWN, Supply.UNKNOWN
        for outlet in node.outlets:
            outlet.last_error = "no answer"
    switch = network.getServernode("switch").facts
    switch.op_state, switch.supply, switch.degraded = OpState.failedToStart, Supply.ON, True


def median_ms(work: Callable[[], object], times: int) -> float:
    found = []
    for _ in range(times):
        begun = time.process_time()
        work()
        found.append((time.process_time() - begun) * 1000)
    return statistics.median(found)


async def measured(servers: int, times: int) -> dict[str, float]:
    store = Store("sqlite://")
    store.open()
    clock = LoopClock()
    engine = Engine(network_of(servers), store, events=EventBus(clock=clock), clock=clock)
    looker = Looker(engine)
    found = {"fine": median_ms(looker.look, times)}
    assert looker.look().problems == ()
    darken(engine.network)
    found["dark"] = median_ms(looker.look, times)
    seen = looker.look()
    found["causes"] = median_ms(lambda: find_roots(seen.problems, seen.passes), times)
    keeper, at = Keeper(Rules()), [0.0]

    def keep() -> None:
        at[0] += 30.0
        keeper.look(seen.problems, seen.passes, Moment(at[0], at[0]))

    found["keep"] = median_ms(keep, times)
    (alert,) = keeper.alerts.values()  # one, for all of them
    assert alert.server == "switch" and alert.affected_count >= servers
    await store.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what a look at all problems costs.")
    parser.add_argument("--quick", action="store_true", help="a small network, to see that it runs; nothing is judged")
    parser.add_argument("--servers", type=int, default=5000)
    options, _others = parser.parse_known_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{'machine':<9} {os.cpu_count()} CPUs, Python {sys.version.split()[0]}, load {load}", flush=True)
    servers, times = (100, 4) if options.quick else (options.servers, 9)
    broken = False
    for name, value in asyncio.run(measured(servers, times)).items():
        limit = LIMITS_MS[name]
        broken |= not options.quick and value > limit
        judged = "not judged" if options.quick else "ok" if value <= limit else "BROKEN"
        print(f"{name:<9} {value:.1f} ms with {servers:,} servers (limit {limit:g}: {judged})", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

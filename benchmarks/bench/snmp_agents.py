"""A process of simulated PoE switches: ``python snmp_agents.py SWITCHES PORTS`` prints where they listen, as JSON.

It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from ockle.simulator.ledger import Ledger
from ockle.simulator.poe_switch import PoeSwitch
from ockle.simulator.snmp_agent import SnmpAgent
from ockle.simulator.snmp_endpoint import SnmpEndpoint
from ockle.simulator.spec import SwitchSpec

HOST = "127.0.0.1"


async def serve(switches: int, ports: int) -> None:
    """Serve, and print the UDP ports of the agents."""
    endpoints = []
    for number in range(switches):
        device = PoeSwitch(SwitchSpec(f"sw{number}", ports), Ledger(), 1.0)
        endpoint = SnmpEndpoint(SnmpAgent(device.mib(), b"public", b"private"), device.knobs, 1.0, random.Random(1))
        await endpoint.open(HOST)
        endpoints.append(endpoint)
    print(json.dumps([endpoint.port for endpoint in endpoints]), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await asyncio.gather(*(endpoint.close() for endpoint in endpoints))


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))

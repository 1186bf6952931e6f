"""What a switch tells of its ports and of who hangs on them: BRIDGE-MIB, Q-BRIDGE-MIB and a little of IF-MIB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from .snmp_agent import Variable, integer, text
from .snmp_ber import Oid, Value

BRIDGE: Oid = (1, 3, 6, 1, 2, 1, 17)
IF_NAME: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
IF_ALIAS: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18)
FIRST_INDEX = 1000
"""Port 1 is the interface 1001: nobody shall get along by taking one number for the other."""
VLAN, FILTERING_DATABASE = 9, 3
LEARNED, SELF = 3, 4
OWN_PORT = 0


def port_variables(ports: Iterable[int], label: Callable[[int], str], unit: int) -> Iterator[Variable]:
    """Yield the bridge ports and their interfaces, gi UNIT/0/PORT."""
    for port in ports:
        index = FIRST_INDEX + port
        yield _fixed((*BRIDGE, 1, 4, 1, 2, port), integer(index))
        yield _fixed((*IF_NAME, index), text(f"gi{unit}/0/{port}"))
        yield Variable((*IF_ALIAS, index), partial(_label, label, port))
    yield _fixed((*BRIDGE, 7, 1, 4, 2, 1, 3, 0, VLAN), integer(FILTERING_DATABASE))


def learned_variables(seen: Iterable[tuple[int, str]], own: str) -> Iterator[Variable]:
    """Yield the forwarding tables: who was ``seen``, as (port, MAC address), and the switch itself."""
    rows = [(port, mac, LEARNED) for port, mac in seen]
    for port, mac, status in (*rows, (OWN_PORT, own, SELF)):
        octets = tuple(int(octet, 16) for octet in mac.split(":"))
        yield _fixed((*BRIDGE, 4, 3, 1, 2, *octets), integer(port))
        yield _fixed((*BRIDGE, 4, 3, 1, 3, *octets), integer(status))
        yield _fixed((*BRIDGE, 7, 1, 2, 2, 1, 2, FILTERING_DATABASE, *octets), integer(port))
        yield _fixed((*BRIDGE, 7, 1, 2, 2, 1, 3, FILTERING_DATABASE, *octets), integer(status))


def _label(label: Callable[[int], str], port: int) -> Value:
    return text(label(port))


def _fixed(oid: Oid, value: Value) -> Variable:
    return Variable(oid, lambda: value)

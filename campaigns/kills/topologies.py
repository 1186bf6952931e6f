"""The three networks of the kill campaign."""

from __future__ import annotations

from typing import Any

from ockle.simulator.spec import LabSpec, MachineSpec, PduSpec

SPEED = 0.1


def _machine(name: str, *supplies: tuple[str, int], depends: tuple[str, ...] = (), **fields: Any) -> MachineSpec:
    return MachineSpec(
        name, supplies, **{"boot_s": 1.5, "shutdown_s": 1.0, "services": ("ssh", "tcp"), "depends": depends, **fields}
    )


def _lab(*machines: MachineSpec) -> LabSpec:
    return LabSpec(devices=(PduSpec("pdu-a", 8), PduSpec("pdu-b", 8)), machines=machines, speed=SPEED)


TOPOLOGIES: dict[str, LabSpec] = {
    "chain": _lab(
        _machine("a", ("pdu-a", 1)),
        _machine("b", ("pdu-a", 2), depends=("a",)),
        _machine("c", ("pdu-b", 1), depends=("b",)),
    ),
    "fork": _lab(
        _machine("root", ("pdu-a", 1)),
        _machine("left", ("pdu-a", 2), depends=("root",)),
        _machine("right", ("pdu-b", 2), depends=("root",), boot_s=3.0),
        _machine("join", ("pdu-b", 3), depends=("left", "right")),
    ),
    "dual": _lab(
        _machine("nas", ("pdu-a", 1), ("pdu-b", 1)),
        _machine("db", ("pdu-a", 2), ("pdu-b", 2), depends=("nas",), shutdown_s=2.5),
        _machine("web", ("pdu-a", 3), depends=("db",)),
        _machine("lone", ("pdu-a", 4)),
    ),
}
"""A chain; a fork and its join; two supplies per server on two PDUs that they share."""

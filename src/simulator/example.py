"""The hardware of the example site in ``etc/``: what the INI files there claim, as it is really cabled.

The order in which it has to start stands only in ``etc/servers``.
"""

from __future__ import annotations

from pathlib import Path

from .spec import LabSpec, MachineSpec, PduSpec, SwitchSpec

SITE = Path(__file__).with_name("site")
"""The INI files of the example: a link to ``etc/`` in a checkout, a copy of it in a wheel."""

_NETWORK_GEAR = ("ssh", "tcp")


def example_spec(speed: float = 1.0) -> LabSpec:
    """Thirteen machines on two PDUs and a PoE switch; from dark to all up takes about 15 s times ``speed``."""
    return LabSpec(
        devices=(
            PduSpec("pdu-a", 8, write_community="rack-a", host="127.0.10.1"),
            PduSpec("pdu-b", 8, write_community="rack-b", host="127.0.10.2"),
            SwitchSpec("sw-poe", 8, write_community="private@9", host="127.0.10.3"),
        ),
        machines=(
            MachineSpec("core-switch", (("pdu-a", 1),), 2.0, 0.6, 45, services=_NETWORK_GEAR, host="127.0.20.1"),
            MachineSpec("dns1", (("pdu-a", 2),), 1.5, 0.8, 15, host="127.0.20.2"),
            MachineSpec("nas01", (("pdu-a", 3), ("pdu-b", 3)), 4.0, 2.0, 120, host="127.0.20.3"),
            MachineSpec("hv1", (("pdu-a", 4),), 3.5, 1.8, 180, host="127.0.20.4"),
            MachineSpec("hv2", (("pdu-b", 4),), 3.0, 1.8, 180, host="127.0.20.5"),
            MachineSpec("db1", (("pdu-a", 5),), 2.5, 1.5, 90, host="127.0.20.6"),
            MachineSpec("web1", (("pdu-a", 6),), 2.0, 1.0, 60, host="127.0.20.7"),
            MachineSpec("web2", (("pdu-b", 6),), 2.0, 1.0, 60, host="127.0.20.8"),
            MachineSpec("mon01", (("pdu-b", 5),), 2.5, 1.0, 25, first_boot_fails=1, host="127.0.20.9"),
            MachineSpec("pi1", (("sw-poe", 1),), 2.2, 1.2, 6, host="127.0.20.11"),
            MachineSpec("pi2", (("sw-poe", 2),), 2.2, 1.2, 6, host="127.0.20.12"),
            MachineSpec("pi3", (("sw-poe", 3),), 2.4, 1.2, 6, host="127.0.20.13"),
            MachineSpec("pi4", (("sw-poe", 4),), 2.4, 1.2, 6, host="127.0.20.14"),
        ),
        speed=speed,
    )

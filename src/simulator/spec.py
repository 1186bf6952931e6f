"""What a lab consists of: the hardware and its cabling, not what Ockle is told about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

SERVICES = ("ssh", "tcp", "http")
"""What a machine can listen with; each gets a port of its own on the machine's address."""


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """What PDUs and switches share. ``outlets`` are numbered from 1; ``labels`` number -> text.

    ``on_at_start``: outlets that are closed when the lab starts, as after a crash of the daemon
    ``move_s``: from the command to the contacts; ``host``: "" = the next free address of 127.0.10.0/24
    ``serial``: its serial number; "" = made from its name
    """

    name: str
    outlets: int
    read_community: str = "public"
    write_community: str = "private"
    move_s: float = 0.05
    on_at_start: frozenset[int] = frozenset()
    host: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True)
class PduSpec(DeviceSpec):
    """A metered PDU that speaks Raritan's PX dialect."""


@dataclass(frozen=True, slots=True)
class SwitchSpec(DeviceSpec):
    """A PoE switch of RFC 3621; ``detect_s``: from admin enable to deliveringPower."""

    group: int = 1
    detect_s: float = 0.3
    budget_w: int = 370


@dataclass(frozen=True, slots=True)
class BoardSpec:
    """What a machine has that boots from the network.

    ``files``      what its firmware asks for; one of them has to be there
    ``installed``  there is a system on its disk when the lab begins
    """

    mac: str
    serial: str = "5f0e1d2c"
    files: tuple[str, ...] = ("bootcode.bin", "config.txt", "cmdline.txt", "kernel8.img")
    installed: bool = True


@dataclass(frozen=True, slots=True)
class PlugSpec(DeviceSpec):
    """A smart plug with the firmware of ``packaging/esphome``, which speaks ESPHome's native API.

    ``key``: 32 bytes in base64, "" = not encrypted
    ``delay_s``: from the real delay switch to the cut, which waits up to ``latest_s`` more while the machine draws
    ``quiet_w`` or more; ``heartbeat_limit`` heartbeats missed, one each ``heartbeat_s``, cut too
    ``update_s``: how often the sensors are told
    """

    outlets: int = 1
    key: str = field(default="", repr=False)
    friendly_name: str = ""
    delay_s: float = 15.0
    quiet_w: float = 5.0
    latest_s: float = 180.0
    heartbeat_s: float = 30.0
    heartbeat_limit: int = 20
    update_s: float = 10.0


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """One machine.

    ``supplies``: (device, outlet) of each power supply; the machine runs while one of them is live. Machines may share
    an outlet (a Y cable).
    ``depends``: nothing to the lab; ``write_site`` and ``random_spec`` keep the order that Ockle shall find there
    ``host``: "" = the next free address of 127.0.20.0/22
    ``board``: it boots from the network; None = from its own disk
    """

    name: str
    supplies: tuple[tuple[str, int], ...]
    boot_s: float = 2.0
    shutdown_s: float = 1.5
    watts: float = 60.0
    first_boot_fails: int = 0
    services: tuple[str, ...] = SERVICES
    depends: tuple[str, ...] = ()
    host: str = ""
    board: BoardSpec | None = None


@dataclass(frozen=True, slots=True)
class LabSpec:
    """A whole lab. ``speed`` multiplies every time of the hardware: 0.1 is ten times as fast.

    ``seed`` decides which packets are lost; ``user`` and ``password`` log in to every machine.
    """

    devices: tuple[PduSpec | SwitchSpec | PlugSpec, ...]
    machines: tuple[MachineSpec, ...]
    speed: float = 1.0
    seed: int = 1
    user: str = "ockle"
    password: str = field(default="only-in-the-lab", repr=False)

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))

    def _faults(self) -> Iterator[str]:
        names = Counter(item.name for item in (*self.devices, *self.machines))
        yield from (f"{name} is there {count} times" for name, count in names.items() if count > 1)
        if not 0 < self.speed <= 1000:
            yield f"speed {self.speed} is not above 0"
        outlets = {device.name: device.outlets for device in self.devices}
        for machine in self.machines:
            if not machine.supplies:
                yield f"{machine.name} has no supply"
            if not set(machine.services) <= set(SERVICES):
                yield f"{machine.name}: services are {', '.join(SERVICES)}"
            for device, outlet in machine.supplies:
                if not 1 <= outlet <= outlets.get(device, 0):
                    yield f"{machine.name}: there is no outlet {outlet} on {device}"

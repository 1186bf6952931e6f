"""Networks of any size for the campaigns, the same for the same seed."""

from __future__ import annotations

from ockle.simulator.spec import LabSpec, MachineSpec, PduSpec

from .common import dice

LAYERS = 4
TWO_SUPPLIES = 0.2


def network(
    servers: int,
    devices: int,
    seed: int,
    *,
    speed: float = 1 / 60,
    boot_s: tuple[float, float] = (15.0, 60.0),
    shutdown_s: tuple[float, float] = (5.0, 20.0),
) -> LabSpec:
    """``servers`` machines in four layers on ``devices`` PDUs; each needs one or two of the layer before its own."""
    throw = dice(seed, "network", servers)
    taken = [0] * devices
    layers: list[list[str]] = [[] for _ in range(LAYERS)]
    machines = []
    for number in range(servers):
        layer = number * LAYERS // servers
        name = f"srv{number + 1:03}"
        before = layers[layer - 1] if layer else []
        depends = tuple(sorted(throw.sample(before, min(len(before), throw.choice((1, 1, 2))))))
        supplies = []
        for device in throw.sample(range(devices), 2 if throw.random() < TWO_SUPPLIES else 1):
            taken[device] += 1
            supplies.append((f"pdu{device + 1}", taken[device]))
        boot, shutdown = throw.uniform(*boot_s), throw.uniform(*shutdown_s)
        machines.append(MachineSpec(name, tuple(supplies), boot, shutdown, services=("ssh", "tcp"), depends=depends))
        layers[layer].append(name)
    return LabSpec(
        devices=tuple(PduSpec(f"pdu{number + 1}", max(1, count)) for number, count in enumerate(taken)),
        machines=tuple(machines),
        speed=speed,
        seed=seed,
    )

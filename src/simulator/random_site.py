"""Random hardware with random dependencies, the same for the same seed."""

from __future__ import annotations

import random

from .spec import LabSpec, MachineSpec, PduSpec, SwitchSpec

OUTLETS = 24
POE_PART, TWO_SUPPLIES_PART = 0.25, 0.1


def random_spec(seed: int, servers: int = 50, layers: int = 5, speed: float = 0.1) -> LabSpec:
    """``servers`` machines named srv001… in exactly ``layers`` layers, on as many PDUs and switches as that takes.

    A machine of layer n depends on one of layer n-1 and on up to two of any earlier layer.
    """
    if not 1 <= layers <= servers:
        raise ValueError(f"{servers} servers do not fill {layers} layers")
    dice = random.Random(seed)
    places = [*range(layers), *(dice.randrange(layers) for _ in range(servers - layers))]
    rows: list[list[str]] = [[] for _ in range(layers)]
    machines: list[MachineSpec] = []
    pdus, switches = _Sockets("pdu"), _Sockets("sw")
    for number, layer in enumerate(sorted(places), 1):
        name = f"srv{number:03}"
        earlier = [other for row in rows[:layer] for other in row]
        depends = set(dice.sample(earlier, dice.randint(0, min(2, len(earlier)))))
        if layer:
            depends.add(dice.choice(rows[layer - 1]))
        rows[layer].append(name)
        by_cable = dice.random() < POE_PART
        watts = 6.0 if by_cable else float(dice.randrange(20, 200))
        supplies = [switches.take() if by_cable else pdus.take()]
        if not by_cable and dice.random() < TWO_SUPPLIES_PART:
            supplies.append(pdus.take())
        boot_s, shutdown_s = round(dice.uniform(0.5, 4), 2), round(dice.uniform(0.5, 2), 2)
        depends_on = tuple(sorted(depends))
        machines.append(MachineSpec(name, tuple(supplies), boot_s, shutdown_s, watts, depends=depends_on))
    return LabSpec(
        devices=(
            *(PduSpec(name, OUTLETS) for name in pdus.names),
            *(SwitchSpec(name, OUTLETS, budget_w=740) for name in switches.names),
        ),
        machines=tuple(machines),
        speed=speed,
        seed=seed,
    )


class _Sockets:
    """Hands out outlets, one device after the other."""

    def __init__(self, prefix: str) -> None:
        self._prefix, self._taken = prefix, 0
        self.names: list[str] = []

    def take(self) -> tuple[str, int]:
        place, outlet = divmod(self._taken, OUTLETS)
        self._taken += 1
        if outlet == 0:
            self.names.append(f"{self._prefix}{place + 1:02}")
        return self.names[-1], outlet + 1

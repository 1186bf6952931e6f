"""What every circuit carries now: kept up to date outlet by outlet, so that a start costs no look at the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..common.clock import Clock
from ..common.events import EventBus
from ..networkTree.budget import Demand, Lack, Load, find_lack
from ..networkTree.facts import Desired
from ..networkTree.ServerNetwork import ServerNetwork
from ..networkTree.ServerNode import ServerNode
from ..outlets.circuit import Circuit
from ..outlets.OutletTemplate import OutletTemplate

NO_LIFE_W = 0.5
"""An outlet that is on and measures less than this feeds nothing."""
SETTLES_S = 60.0
"""How long an outlet that was switched on is given to show that it feeds something."""


@dataclass(frozen=True, slots=True)
class _Draw:
    """What one outlet counts for: watts, and 0 or 1 for showing life and for missing it."""

    steady: float = 0.0
    inrush: float = 0.0
    live: int = 0
    dead: int = 0


_NOTHING = _Draw()


@dataclass(frozen=True, slots=True)
class _Start:
    """A start that is under way: where it counts, and the outlets that are reserved for it."""

    loads: list[Load]
    outlets: list[OutletTemplate]


class Budget:
    """Counts what runs and what starts on each circuit.

    ``freed``  circuits that carry less than before: True = lastingly; emptied by who acts on it
    An outlet that cannot be read counts as on. One that several servers share counts for each of them what its own
    files say: each names the watts of its own machine.
    """

    def __init__(
        self,
        clock: Clock,
        events: EventBus,
        later: Callable[[float, Callable[[], None]], object],
        wake: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._events = events
        self._later = later
        self._wake = wake
        self._network = ServerNetwork()
        self._site: Load | None = None
        self._loads: dict[Circuit, Load] = {}
        self._draws: dict[OutletTemplate, _Draw] = {}
        self._owners: dict[OutletTemplate, ServerNode] = {}
        self._reserved: set[OutletTemplate] = set()  # being switched on
        self._easing: set[OutletTemplate] = set()  # whose inrush is going to be over
        self._starting: dict[str, _Start] = {}
        self.freed: dict[Load, bool] = {}

    def watch(self, network: ServerNetwork, start_limit: int) -> None:
        """Count for ``network`` from now on; ``start_limit`` holds for all of it, 0 = no limit."""
        self._network = network
        self._site = Load(Circuit("", max_starts=start_limit)) if start_limit else None
        self._loads, self._draws, self._owners, self._starting, self.freed = {}, {}, {}, {}, {}
        self._reserved, self._easing = set(), set()
        for node in network:
            for circuit in node.circuits:
                self._loads.setdefault(circuit, Load(circuit))
            for outlet in node.outlets:
                if outlet.circuit is not None:
                    self._owners[outlet] = node
                    self._loads.setdefault(outlet.circuit, Load(outlet.circuit))
        for node in network:
            self.refresh(node)

    # -- asking

    def circuits(self) -> Iterator[Load]:
        """Yield what each fuse carries."""
        return (load for load in self._loads.values() if load.circuit.name and not load.circuit.waits)

    def loads(self, node: ServerNode) -> list[Load]:
        """Return what limits the starts of a server: the whole site first, then its circuits."""
        fuses = (outlet.circuit for outlet in self._fed_with(node) if outlet.circuit)
        found = dict.fromkeys(self._loads[circuit] for circuit in (*node.circuits, *fuses))
        return [*([self._site] if self._site is not None else []), *found]

    def lacking(self, node: ServerNode) -> Lack | None:
        """Return what is missing for a start of ``node``, which also feeds its mates; None = nothing."""
        return find_lack(self._demands(node))

    def _demands(self, node: ServerNode) -> Iterator[Demand]:
        loads = self.loads(node)
        needed = {load: [0.0, 0.0] for load in loads}
        for outlet in self._fed_with(node):
            if outlet.circuit is None or outlet.state is True:
                continue
            counted = self._draws.get(outlet, _NOTHING)
            most = max(float(outlet.params["watts"]), float(outlet.params["inrush_watts"]))
            needed[self._loads[outlet.circuit]][0] += max(0.0, most - counted.steady - counted.inrush)
            needed[self._loads[outlet.circuit]][1] += max(0.0, float(outlet.params["watts"]) - counted.steady)
        return (Demand(load, *needed[load]) for load in loads)

    def _fed_with(self, node: ServerNode) -> Iterator[OutletTemplate]:
        """Yield the outlets that are switched on with ``node``: its own, and those of its mates that are the same."""
        yield from node.outlets
        for name in self._network.mates(node.name):
            for outlet in self._network.getServernode(name).outlets:
                if any(outlet.marks is own.marks for own in node.outlets):
                    yield outlet

    # -- counting

    def begin(self, node: ServerNode) -> None:
        """Count a start: all that it is going to switch on draws its most from now on."""
        fed = [outlet for outlet in self._fed_with(node) if outlet.circuit is not None and outlet.state is not True]
        start = _Start(self.loads(node), [outlet for outlet in fed if outlet not in self._reserved])
        self._starting[node.name] = start
        for load in start.loads:
            load.starts += 1
        self._reserved.update(start.outlets)
        for outlet in start.outlets:
            self._count(outlet)

    def end(self, node: ServerNode) -> None:
        """Count a start as ended, however it did; what it switched on draws its inrush until that is over."""
        start = self._starting.pop(node.name, _Start([], []))
        for load in start.loads:
            load.starts -= 1
            self.freed.setdefault(load, False)
        self._reserved.difference_update(start.outlets)
        for outlet in start.outlets:
            self._count(outlet)

    def refresh(self, node: ServerNode) -> None:
        """Take in what the outlets of ``node`` show now."""
        for outlet in node.outlets:
            self._count(outlet)

    def _count(self, outlet: OutletTemplate) -> None:
        load = self._loads.get(outlet.circuit) if outlet.circuit is not None else None
        if load is None or outlet not in self._owners:
            return  # it is on no circuit, or the network is another one by now
        before, now = self._draws.get(outlet, _NOTHING), self._draw(outlet)
        if before == now:
            return
        was_tripped = load.tripped
        self._draws[outlet] = now
        load.steady += now.steady - before.steady
        load.inrush += now.inrush - before.inrush
        load.live += now.live - before.live
        load.dead += now.dead - before.dead
        if now.steady < before.steady or (was_tripped and not load.tripped):
            self.freed[load] = True
        elif now.inrush < before.inrush:
            self.freed.setdefault(load, False)
        if self.freed:
            self._wake()
        if load.tripped is not was_tripped:
            self._tell(load)

    def _draw(self, outlet: OutletTemplate) -> _Draw:
        watts, inrush = float(outlet.params["watts"]), float(outlet.params["inrush_watts"])
        extra = max(0.0, inrush - watts)
        since = self._clock.now() - outlet.marks.on_at
        if outlet in self._reserved:
            return _Draw(watts, extra)
        if outlet.state is False:
            return _NOTHING
        left = float(outlet.params["inrush_time"]) - since
        if left > 0:
            if outlet not in self._easing:
                self._easing.add(outlet)
                self._later(left, lambda: self._over(outlet))
            return _Draw(watts, extra)
        facts = self._owners[outlet].facts
        expected = facts.op is None and facts.desired is not Desired.OFF and since > SETTLES_S
        return _Draw(watts, 0.0, int(expected), int(expected and _shows_no_life(outlet)))

    def _over(self, outlet: OutletTemplate) -> None:
        self._easing.discard(outlet)
        self._count(outlet)

    def _tell(self, load: Load) -> None:
        name = load.circuit.name
        text = f"circuit {name} seems to have tripped" if load.tripped else f"circuit {name} shows life again"
        self._events.publish("circuit", text, circuit=name, tripped=load.tripped)


def _shows_no_life(outlet: OutletTemplate) -> bool:
    if outlet.last_error:
        return outlet.marks.seen_at > float("-inf")
    watts = outlet.data.get("power_w")
    return outlet.state is True and watts is not None and watts < NO_LIFE_W

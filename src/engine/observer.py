"""Watches the world: reads outlets device by device, and turns evidence into transitions."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence

from ..common.common import UNOBSERVED, OpState
from ..common.device import Device
from ..common.errors import DeviceError
from ..networkTree.facts import Desired, Supply
from ..networkTree.ServerNode import ServerNode
from ..networkTree.states import Trigger
from ..networkTree.supplies import Supplies, is_read, take_together
from ..outlets.OutletTemplate import OutletTemplate
from .core import Core
from .power_on import PowerOn
from .reading import Pair, measure_pairs, read_pairs
from .relay_watch import RelayWatch
from .rounds import Rounds
from .tasks import Tasks

log = logging.getLogger(__name__)


class Observer:
    """Keeps the evidence of every server fresh, and moves those that no switching moves.

    ``tests``     runs the tests of servers that no switching tests
    ``observed``  set when every device was asked once since the start, whether it answered or not
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._relays = RelayWatch(core)
        self._outlets: dict[Device, list[Pair]] = {}
        self._tasks = Tasks("a watch of a device")
        self.tests = Rounds(core, self.evaluate)
        self.observed = asyncio.Event()
        self._unasked: set[Device] = set()

    # -- life

    def start(self) -> None:
        """Begin to watch every device of the network."""
        by_device: dict[Device, list[Pair]] = defaultdict(list)
        power_on = PowerOn(self._core.clock, self._core.journal)
        for node in self._core.network:
            power_on.tell(node)
            for outlet in node.outlets:
                by_device[outlet.device].append((node, outlet))
            if not node.outlets:
                self._evaluate_soon(node)
        self._outlets = dict(by_device)
        self._unasked = set(by_device)
        if not by_device:
            self.observed.set()
        for device in by_device:
            self._tasks.spawn(self._watch(device))

    async def stop(self) -> None:
        await self.tests.stop()
        await self._tasks.stop()

    # -- outlets

    async def _watch(self, device: Device) -> None:
        while True:
            try:
                await self.read_device(device)
            except Exception:  # the outermost loop of one device's watch: without it nothing would be known any more
                log.exception("looking at %s failed", device.name)
            await self._core.clock.sleep(self._core.settings.poll_interval)

    async def read_device(self, device: Device) -> None:
        """Read all outlets of ``device`` and bring their servers up to date."""
        pairs = self._outlets.get(device, [])
        await self._read(pairs)
        await measure_pairs(pairs)
        self._relays.look(pairs)
        if device in self._unasked:
            self._unasked.discard(device)
            if not self._unasked:
                self.observed.set()
        for node in dict.fromkeys(node for node, _ in pairs):
            self.evaluate(node)

    async def read_server(self, node: ServerNode) -> None:
        """Read the server's outlets now."""
        await self._read([(node, outlet) for outlet in node.outlets])
        self.evaluate(node)

    async def look(self, node: ServerNode) -> Supply:
        """Read the outlets of a server that is being switched, and return what they show now."""
        await self._read([(node, outlet) for outlet in node.outlets])
        return self.see_supplies(node)

    async def _read(self, pairs: Sequence[Pair]) -> None:
        for node, outlet, answer in await read_pairs(pairs):
            self._take(node, outlet, answer)

    def _take(self, node: ServerNode, outlet: OutletTemplate, answer: bool | DeviceError) -> None:
        before = outlet.last_error
        try:
            state = outlet.observe(answer)
        except DeviceError as error:
            if not before:
                log.warning("%s: cannot read outlet %s: %s", node.name, outlet.name, error)
                self._core.events.publish("device", f"{node.name}: {error}", node.name, outlet=outlet.name)
            return
        if before:
            log.info("%s: outlet %s answers again", node.name, outlet.name)
            self._core.events.publish("device", f"{node.name}: {outlet.name} answers again", node.name)
        if node.facts.op is None:
            outlet.opState = OpState.OK if state else OpState.OFF

    def supplies(self, node: ServerNode) -> Supplies:
        """Return what the server's outlets show, as far as the last good reads may be believed."""
        oldest = self._core.clock.now() - self._core.settings.fresh_for
        if node.facts.op is None:
            for outlet in node.outlets:
                if not is_read(outlet, oldest):
                    outlet.opState = OpState.UNKNOWN
        return take_together(node.outlets, oldest, node.facts.policy.min_supplies)

    def supply(self, node: ServerNode) -> Supply:
        """Return ``supplies`` in a word."""
        return self.supplies(node).supply

    def see_supplies(self, node: ServerNode) -> Supply:
        """Bring what is known of the server's supplies up to date."""
        facts, found = node.facts, self.supplies(node)
        if found.missing != facts.missing:
            self._tell_missing(node, found.missing)
        facts.supply, facts.missing, facts.unread, facts.feedable, facts.off_doubt = (
            found.supply,
            found.missing,
            found.unread,
            found.known,
            found.doubt,
        )
        return facts.supply

    def _tell_missing(self, node: ServerNode, missing: str) -> None:
        text = f"{node.name}: degraded: {missing}" if missing else f"{node.name}: no longer degraded"
        log.log(logging.WARNING if missing else logging.INFO, "%s", text)
        self._core.events.publish("supply", text, node.name, missing=missing)
        self._core.revision += 1

    # -- tests

    def forget_boot(self, node: ServerNode) -> None:
        """Take back what tests and controls know: the server's power is switched, the old boot proves nothing."""
        node.facts.released_at = float("-inf")
        self.tests.forget(node)
        for control in node.controls:
            control.forget()

    def _evaluate_soon(self, node: ServerNode) -> None:
        self._core.later(0, lambda: self.evaluate(node))

    # -- evidence

    def evaluate(self, node: ServerNode) -> None:
        """Bring the server's state in line with the evidence, unless a switching owns it."""
        facts = node.facts
        self._core.budget.refresh(node)
        if facts.op is not None:
            return
        before, supply = facts.op_state, (facts.supply, facts.missing, facts.unread, facts.off_doubt)
        self.see_supplies(node)
        if facts.supply is Supply.UNKNOWN:
            self._lost(node)
        elif facts.supply is Supply.OFF:
            self._saw_off(node)
        elif self.tests.are_old(node):
            facts.serving = None
            self._core.move(node, Trigger.LOST, "its tests have not ended for too long")
            self.tests.schedule(node, 0.0)
        elif not node.outlets and not node.tests and not node.controls:
            self._saw_nothing_to_see(node)
        else:
            self._saw_supplied(node)
        if facts.op_state is not before:
            self._core.journal.save(node)
            for outlet in node.outlets if facts.supply is Supply.OFF else ():
                self._core.journal.save_marks(node, outlet)
        elif (
            facts.supply,
            facts.missing,
            facts.unread,
            facts.off_doubt,
        ) != supply:  # the state stays, but what may be done about it changes
            self._core.mark_around(node)

    def _lost(self, node: ServerNode) -> None:
        node.facts.serving = None  # without knowing that it has power all the time, what its tests said is past
        node.facts.error = next(
            (text for outlet in node.outlets if (text := outlet.last_error or outlet.doubt)), "not read yet"
        )
        self._core.move(node, Trigger.LOST, node.facts.error)
        self._core.set_why(node, node.facts.error)

    def _saw_off(self, node: ServerNode) -> None:
        self.forget_boot(node)
        facts = node.facts
        facts.degraded = False
        facts.forget_shutdown()
        self._drift(node, is_on=False)
        self._core.move(node, Trigger.SAW_OFF)
        if facts.op_state is OpState.OFF:
            facts.error = ""

    def _saw_nothing_to_see(self, node: ServerNode) -> None:
        """A server without outlets, tests and controls only groups others: it is what it was last switched to."""
        on = node.facts.serving is True
        self._core.move(node, Trigger.SAW_ON if on else Trigger.SAW_OFF)

    def _saw_supplied(self, node: ServerNode) -> None:
        facts = node.facts
        if facts.supply is Supply.MIXED:
            off = ", ".join(outlet.name for outlet in node.outlets if outlet.state is False)
            facts.error = f"supply {off} is off"
            self._fault(node)
        elif facts.serving is True and not facts.shutdown_sent:
            facts.error = "" if facts.forced is not Desired.OFF else facts.error or "forced off, but it serves"
            facts.degraded = False
            self._drift(node, is_on=True)
            self._core.move(node, Trigger.SAW_ON)
        elif facts.serving is False:
            self._fault(node)
        else:
            self._drift(node, is_on=True)
            if facts.shutdown_sent and facts.op_state is OpState.OK:
                facts.error = "it was asked to shut down, and may be on its way"
            self._core.move(node, Trigger.DOUBTED if facts.shutdown_sent else Trigger.UNTESTED)
        self.tests.schedule(node, self._core.settings.test_interval if facts.serving is not None else 0.0)

    def _fault(self, node: ServerNode) -> None:
        facts = node.facts
        if facts.supply is Supply.NONE:
            self._core.move(node, Trigger.SAW_OFF, facts.error)
            return
        if facts.op_state in UNOBSERVED and self._may_be_booting(node):
            self._core.set_why(node, f"booting: {facts.error}")
            return
        if facts.op_state is OpState.OK:
            facts.degraded = True
            log.warning("%s: was on, now: %s", node.name, facts.error)
        self._drift(node, is_on=True)
        self._core.move(node, Trigger.SAW_FAULT, facts.error)
        self._core.mark(node)  # what is told of it is what the decision says: a round of tests must not hide that

    def _may_be_booting(self, node: ServerNode) -> bool:
        newest = max((outlet.fed_at for outlet in node.outlets), default=float("-inf"))
        return self._core.clock.now() - newest < node.facts.policy.boot_timeout

    def _drift(self, node: ServerNode, *, is_on: bool) -> None:
        """Act on a change that nobody ordered here, as the server's policy says (S16)."""
        facts = node.facts
        was = {OpState.OK: True, OpState.OFF: False}.get(facts.op_state)
        if was is None or was is is_on or facts.desired is None:
            if facts.desired is not None and is_on is (facts.desired is Desired.ON):
                facts.drifted = False
            return
        if is_on is (facts.desired is Desired.ON):
            facts.drifted = False
            return
        cause = next((outlet.cause for outlet in node.outlets if outlet.cause), "") if not is_on else ""
        who = f"its outlet itself: {cause}" if cause else "somebody else"
        text = f"{node.name} was switched {'on' if is_on else 'off'} by {who}"
        log.warning("%s (drift: %s)", text, facts.policy.drift)
        self._core.events.publish("drift", text, node.name, policy=facts.policy.drift)
        if facts.policy.drift == "adopt":
            self._core.set_desired(node, Desired.ON if is_on else Desired.OFF)
        else:
            facts.drifted = facts.policy.drift == "alarm"

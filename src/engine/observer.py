"""Watches the world: reads outlets device by device, runs tests, and turns evidence into transitions."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from typing import Any

from ..common.common import UNOBSERVED, OpState
from ..common.device import Device
from ..common.errors import DeviceError
from ..controllers.ControllerTemplate import ControllerTemplate
from ..networkTree.facts import Desired, Supply
from ..networkTree.ServerNode import ServerNode
from ..networkTree.states import Trigger
from ..networkTree.supplies import Supplies, is_read, take_together
from ..outlets.OutletTemplate import OutletTemplate
from ..testers.TemplateTester import TemplateTester
from .core import Core
from .reading import Pair, measure_pairs, read_pairs

log = logging.getLogger(__name__)


class Observer:
    """Keeps the evidence of every server fresh, and moves those that no switching moves.

    ``observed``  set when every device was asked once since the start, whether it answered or not
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._outlets: dict[Device, list[Pair]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}  # server -> its next round of tests
        self._failing: dict[str, int] = {}  # server -> rounds of tests in a row that failed
        self._passing: dict[str, int] = {}
        self._begun = core.clock.now()
        self._tested_at: dict[str, float] = {}  # server -> when the newest tests that have ended were begun
        self._boots: dict[str, int] = {}  # server -> how often its evidence was forgotten
        self.observed = asyncio.Event()
        self._unasked: set[Device] = set()

    # -- life

    def start(self) -> None:
        """Begin to watch every device of the network."""
        by_device: dict[Device, list[Pair]] = defaultdict(list)
        for node in self._core.network:
            for outlet in node.outlets:
                by_device[outlet.device].append((node, outlet))
            if not node.outlets:
                self._evaluate_soon(node)
        self._outlets = dict(by_device)
        self._unasked = set(by_device)
        if not by_device:
            self.observed.set()
        for device in by_device:
            self._spawn(self._watch(device))

    async def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a watcher of devices died", exc_info=task.exception())

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
        facts.supply, facts.missing, facts.unread, facts.feedable = (
            found.supply,
            found.missing,
            found.unread,
            found.known,
        )
        return facts.supply

    def _tell_missing(self, node: ServerNode, missing: str) -> None:
        text = f"{node.name}: degraded: {missing}" if missing else f"{node.name}: no longer degraded"
        log.log(logging.WARNING if missing else logging.INFO, "%s", text)
        self._core.events.publish("supply", text, node.name, missing=missing)
        self._core.revision += 1

    # -- tests

    def tests_are_old(self, node: ServerNode) -> bool:
        """Tell whether what the tests of a serving server said is too long ago to be believed."""
        if node.facts.serving is not True or not (node.tests or node.controls):
            return False
        longest = max(part.timeout for part in (*node.tests, *node.controls))
        limit = (node.facts.policy.fail_after + 1) * (self._core.settings.test_interval + longest)
        return self._core.clock.now() - self._tested_at.get(node.name, self._begun) > limit

    async def run_tests(self, node: ServerNode) -> bool:
        """Run all tests of the server at once; True when all pass. Publishes those whose result changed."""
        begun = self._core.clock.now()
        before = [test.opState for test in node.tests]
        results = await asyncio.gather(*(test.run_test() for test in node.tests))
        self._tested_at[node.name] = begun
        for test, old in zip(node.tests, before, strict=True):
            if test.opState is not old:
                self._tell(node, test)
        return all(results)

    def _tell(self, node: ServerNode, test: TemplateTester) -> None:
        reason = f": {test.last_error}" if test.last_error else ""
        self._core.events.publish(
            "test", f"{node.name}: test {test.name} {test.opState.value}{reason}", node.name, test=test.name
        )

    def failed_tests_text(self, node: ServerNode) -> str:
        """Return which tests fail and why, for a person."""
        return ", ".join(
            f"test {test.name} failed" + (f": {test.last_error}" if test.last_error else "")
            for test in node.getFailedTests()
        )

    async def test_now(self, node: ServerNode) -> None:
        """Run the tests and take the results in, unless a switching owns them."""
        await self._test_round(node)

    async def _test_round(self, node: ServerNode) -> None:
        before = node.facts.desired_gen, self._boots.get(node.name)
        passed = await self.run_tests(node)
        for control in node.controls if not node.tests else ():
            passed = passed and await _answers(control)
        booted_anew = passed and await self._booted_anew(node)
        if node.facts.op is not None:
            return
        if booted_anew and node.facts.shutdown_sent:
            node.facts.shutdown_sent, node.facts.poison_boot = False, ""
            self._core.journal.save(node)
            self._core.events.publish("boot", f"{node.name} has booted anew since it was shut down", node.name)
            self._core.mark_around(node)
        if before == (node.facts.desired_gen, self._boots.get(node.name)):  # else they may be of the boot before
            self.take_result(node, passed)
        self.evaluate(node)

    @staticmethod
    async def _booted_anew(node: ServerNode) -> bool:
        """Tell whether the server serves in another boot than the one that was asked to shut down."""
        facts = node.facts
        if not facts.shutdown_sent or not facts.poison_boot:
            return False
        boots = [await control.get_boot_id() for control in node.controls]
        return any(boots) and facts.poison_boot not in boots

    def take_result(self, node: ServerNode, passed: bool) -> None:
        """Count a round of tests, so that a single lost packet does not make a server fail."""
        facts = node.facts
        if passed:
            self._failing.pop(node.name, None)
            count = self._passing[node.name] = self._passing.get(node.name, 0) + 1
            if facts.serving is not True and count >= facts.policy.ok_after:
                facts.serving = True
        else:
            self._passing.pop(node.name, None)
            count = self._failing[node.name] = self._failing.get(node.name, 0) + 1
            if facts.serving is not True or count >= facts.policy.fail_after:
                facts.serving = False
                facts.error = self.failed_tests_text(node) or "it does not answer"

    def forget_boot(self, node: ServerNode) -> None:
        """Take back what tests and controls know: the server is being switched, the old boot proves nothing."""
        node.facts.serving = None
        node.facts.released_at = float("-inf")
        self._boots[node.name] = self._boots.get(node.name, 0) + 1
        self._failing.pop(node.name, None)
        self._passing.pop(node.name, None)
        for test in node.tests:
            test.forget()
        for control in node.controls:
            control.forget()
        self._cancel_tests(node)

    def _cancel_tests(self, node: ServerNode) -> None:
        timer = self._timers.pop(node.name, None)
        if timer is not None:
            timer.cancel()

    def _schedule_tests(self, node: ServerNode, delay: float) -> None:
        if node.name not in self._timers:
            self._timers[node.name] = self._core.later(delay, lambda: self._tests_due(node))

    def _tests_due(self, node: ServerNode) -> None:
        self._timers.pop(node.name, None)
        if self._core.network.getServer(node.name) is node and node.facts.op is None:
            self._spawn(self._test_round(node))

    def _evaluate_soon(self, node: ServerNode) -> None:
        self._core.later(0, lambda: self.evaluate(node))

    # -- evidence

    def evaluate(self, node: ServerNode) -> None:
        """Bring the server's state in line with the evidence, unless a switching owns it."""
        facts = node.facts
        if facts.op is not None:
            return
        before, supply = facts.op_state, (facts.supply, facts.missing, facts.unread)
        self.see_supplies(node)
        if facts.supply is Supply.UNKNOWN:
            self._lost(node)
        elif facts.supply is Supply.OFF:
            self._saw_off(node)
        elif self.tests_are_old(node):
            facts.serving = None
            self._core.move(node, Trigger.LOST, "its tests have not ended for too long")
            self._schedule_tests(node, 0.0)
        elif not node.outlets and not node.tests and not node.controls:
            self._saw_nothing_to_see(node)
        else:
            self._saw_supplied(node)
        if facts.op_state is not before:
            self._core.journal.save(node)
        elif (
            facts.supply,
            facts.missing,
            facts.unread,
        ) != supply:  # the state stays, but what may be done about it changes
            self._core.mark_around(node)

    def _lost(self, node: ServerNode) -> None:
        node.facts.serving = None  # without knowing that it has power all the time, what its tests said is past
        node.facts.error = next((outlet.last_error for outlet in node.outlets if outlet.last_error), "not read yet")
        self._core.move(node, Trigger.LOST, node.facts.error)
        self._core.set_why(node, node.facts.error)

    def _saw_off(self, node: ServerNode) -> None:
        self.forget_boot(node)
        facts = node.facts
        facts.degraded = False
        facts.shutdown_sent, facts.poison_boot = False, ""  # without power nothing is stopping any more
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
            self._core.move(node, Trigger.UNTESTED)
        self._schedule_tests(node, self._core.settings.test_interval if facts.serving is not None else 0.0)

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
        self._core.set_why(node, facts.error)

    def _may_be_booting(self, node: ServerNode) -> bool:
        newest = max((outlet.marks.on_at for outlet in node.outlets), default=float("-inf"))
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
        text = f"{node.name} was switched {'on' if is_on else 'off'} by somebody else"
        log.warning("%s (drift: %s)", text, facts.policy.drift)
        self._core.events.publish("drift", text, node.name, policy=facts.policy.drift)
        if facts.policy.drift == "adopt":
            self._core.set_desired(node, Desired.ON if is_on else Desired.OFF)
        else:
            facts.drifted = facts.policy.drift == "alarm"


async def _answers(control: ControllerTemplate) -> bool:
    try:
        return await control.get_state()
    except DeviceError:
        return False

"""Runs the tests of servers, again and again, and counts what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..common.errors import DeviceError
from ..controllers.ControllerTemplate import ControllerTemplate
from ..networkTree.facts import UNNAMED
from ..networkTree.ServerNode import ServerNode
from ..testers.TemplateTester import TemplateTester
from .core import Core
from .tasks import Tasks


class Rounds:
    """Whether servers serve, as far as their tests, and without tests their controls, say so.

    ``evaluate``  called with a server when a round has ended
    """

    def __init__(self, core: Core, evaluate: Callable[[ServerNode], None]) -> None:
        self._core = core
        self._evaluate = evaluate
        self._timers: dict[str, asyncio.TimerHandle] = {}  # server -> its next round
        self._tasks = Tasks("a round of tests")
        self._failing: dict[str, int] = {}  # server -> rounds in a row that failed
        self._passing: dict[str, int] = {}
        self._begun = core.clock.now()
        self._tested_at: dict[str, float] = {}  # server -> when the newest tests that have ended were begun
        self._serves_on: dict[str, float] = {}  # server in doubt whether it stops -> since when it serves all the time
        self._boots: dict[str, int] = {}  # server -> how often its evidence was forgotten

    # -- once

    async def run(self, node: ServerNode) -> bool:
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

    @staticmethod
    def failed_text(node: ServerNode) -> str:
        """Return which tests fail and why, for a person."""
        return ", ".join(
            f"test {test.name} failed" + (f": {test.last_error}" if test.last_error else "")
            for test in node.getFailedTests()
        )

    # -- rounds

    async def round(self, node: ServerNode) -> None:
        """Run the tests and take the results in, unless a switching owns them."""
        before = node.facts.desired_gen, self._boots.get(node.name)
        passed = await self.run(node)
        for control in node.controls if not node.tests else ():
            passed = passed and await _answers(control)
        boots = await self._boots_in_question(node) if passed else []
        if node.facts.op is not None:
            return
        self._look_whether_it_stops(node, passed, boots)
        if before == (node.facts.desired_gen, self._boots.get(node.name)):  # else they may be of the boot before
            self._count(node, passed)
        self._evaluate(node)

    @staticmethod
    async def _boots_in_question(node: ServerNode) -> list[str]:
        """Return what names the server's present boot, where it matters which one it is."""
        if not node.facts.shutdown_sent or UNNAMED in (node.facts.poison_boot or UNNAMED):
            return []
        return [await control.get_boot_id() for control in node.controls]

    def _look_whether_it_stops(self, node: ServerNode, passed: bool, boots: list[str]) -> None:
        """End the doubt whether a serving server is on its way down, where it is proven that it is not.

        It serves in another boot than the one that was asked to shut down; or no control has accepted the shutdown,
        and it has served since for longer than a shutdown may take.
        """
        facts, now = node.facts, self._core.clock.now()
        if not facts.shutdown_sent or not passed:
            self._serves_on.pop(node.name, None)
            return
        if facts.poison_boot == "":
            if now - self._serves_on.setdefault(node.name, now) <= facts.policy.shutdown_timeout:
                return
            text = f"{node.name} serves on: the shutdown that it did not answer has not come to it"
        elif any(boots) and not {UNNAMED, *boots} & set(facts.poison_boot.split()):
            text = f"{node.name} has booted anew since it was shut down"
        else:
            return
        self._serves_on.pop(node.name, None)
        facts.forget_shutdown()
        self._core.journal.save(node)
        self._core.events.publish("boot", text, node.name)
        self._core.mark_around(node)

    def _count(self, node: ServerNode, passed: bool) -> None:
        """Count a round, so that a single lost packet does not make a server fail."""
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
                facts.error = self.failed_text(node) or "it does not answer"

    # -- what they are worth

    def are_old(self, node: ServerNode) -> bool:
        """Tell whether what the tests of a serving server said is too long ago to be believed."""
        if node.facts.serving is not True or not (node.tests or node.controls):
            return False
        longest = max(part.timeout for part in (*node.tests, *node.controls))
        limit = (node.facts.policy.fail_after + 1) * (self._core.settings.test_interval + longest)
        return self._core.clock.now() - self._tested_at.get(node.name, self._begun) > limit

    def forget(self, node: ServerNode) -> None:
        """Take back what the tests know: it was of another boot."""
        node.facts.serving = None
        self._serves_on.pop(node.name, None)
        self._boots[node.name] = self._boots.get(node.name, 0) + 1
        self._failing.pop(node.name, None)
        self._passing.pop(node.name, None)
        for test in node.tests:
            test.forget()
        timer = self._timers.pop(node.name, None)
        if timer is not None:
            timer.cancel()

    # -- when

    def schedule(self, node: ServerNode, delay: float) -> None:
        """Have the next round begin after ``delay`` seconds, unless it is scheduled already."""
        if node.name not in self._timers:
            self._timers[node.name] = self._core.later(delay, lambda: self._due(node))

    def _due(self, node: ServerNode) -> None:
        self._timers.pop(node.name, None)
        if self._core.network.getServer(node.name) is node and node.facts.op is None:
            self._tasks.spawn(self.round(node))

    def cancel_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    async def stop(self) -> None:
        self.cancel_timers()
        await self._tasks.stop()


async def _answers(control: ControllerTemplate) -> bool:
    try:
        return await control.get_state()
    except DeviceError:
        return False

"""What follows for a server when its switching has ended: its state, its attempts, and when it is tried again."""

from __future__ import annotations

import logging

from ..common.common import OpState
from ..common.errors import OckleError
from ..networkTree.facts import Desired
from ..networkTree.ServerNode import ServerNode
from ..networkTree.states import Trigger
from .core import Core
from .durations import Durations
from .settings import back_off
from .switching import is_final

log = logging.getLogger(__name__)

UNLIMITED_BACK_OFF_S = 60.0
"""The least back-off where attempts are not limited: else a wedged server would be switched for ever."""

EMERGENCY_RETRY_S = 2.0
"""In an emergency nothing gives up, and time is short."""


class Endings:
    """Draws the consequences. What its supplies show by now is to be taken in before."""

    def __init__(self, core: Core, durations: Durations) -> None:
        self._core = core
        self._durations = durations

    def succeeded(self, node: ServerNode, goal: Desired, seconds: float) -> None:
        """Take in that ``goal`` was reached, after ``seconds``."""
        facts = node.facts
        facts.error = ""
        facts.retry_at = 0.0
        facts.degraded = facts.drifted = False
        if goal is Desired.ON:
            facts.serving = True
            self._core.move(node, Trigger.STARTED)
            if facts.start_attempts:
                self._core.later(facts.policy.stable_for, lambda: self._proven_stable(node, facts.desired_gen))
        else:
            facts.start_attempts = facts.stop_attempts = 0
            facts.serving = None
            self._core.move(node, Trigger.STOPPED)
        self._durations.learn(node.name, goal.value, seconds)

    def _proven_stable(self, node: ServerNode, generation: int) -> None:
        facts = node.facts
        if facts.op_state is OpState.OK and facts.desired_gen == generation:
            facts.start_attempts = 0
            self._core.journal.save(node)

    def failed(self, node: ServerNode, goal: Desired, error: OckleError) -> None:
        """Count the attempt; a switching that was dropped before it sent anything does not come here."""
        facts = node.facts
        facts.error = str(error)
        if facts.forced is not None:  # its state keeps saying what it was forced to, and nobody tries again
            log.error("%s: cannot be forced %s: %s", node.name, goal, error)
            self._core.events.publish("force", f"{node.name}: not forced {goal}: {error}", node.name, failed=True)
        if goal is Desired.ON:
            attempts, most = node.incrementStartAttempt(), self._core.settings.max_start_attempts
            failed, gave_up = Trigger.START_FAILED, Trigger.START_GAVE_UP
        else:
            attempts, most = node.incrementShutdownAttempt(), self._core.settings.max_stop_attempts
            failed, gave_up = Trigger.STOP_FAILED, Trigger.STOP_GAVE_UP
        if facts.emergency_by is not None:
            facts.retry_at = self._core.clock.now() + EMERGENCY_RETRY_S
            self._core.move(node, failed, f"attempt {attempts}: {facts.error}")
            return
        if is_final(error) or (most and attempts >= most):
            self._core.move(node, gave_up, facts.error)
            return
        wait = back_off(attempts) if most else max(UNLIMITED_BACK_OFF_S, back_off(attempts))
        facts.retry_at = self._core.clock.now() + wait
        self._core.move(node, failed, f"attempt {attempts} of {most or 'any number'}: {facts.error}")

"""What is known of a server: the plain values that decisions are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..common.common import OpState


class Desired(StrEnum):
    """What a server shall be. None, in its place, means: observe only."""

    ON = "on"
    OFF = "off"


UNNAMED = "?"
"""A boot of which nothing is known but that it may have accepted a shutdown."""


class Phase(StrEnum):
    """How far the running switching of a server is. From ``SHUTDOWN`` and ``SET`` on there is something sent."""

    INTENT = "intent"
    SET = "switching outlets on"
    BOOT = "booting"
    SHUTDOWN = "shutting down"
    CUT = "switching outlets off"
    CYCLE = "power-cycling"


class Supply(StrEnum):
    """What the outlets of a server show, taken together."""

    NONE = "none"
    """It has no outlets."""
    ON = "on"
    """As many as it needs are on."""
    OFF = "off"
    MIXED = "partly on"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Policy:
    """How a server wants to be treated; its options in ``serverNodes.ini``. Times in seconds.

    ``carries_daemon``  why Ockle itself would stop without it, for a person; "" = it would not. Not an option
    """

    boot_timeout: float = 300.0
    shutdown_timeout: float = 180.0
    shutdown_policy: str = "fail"
    retry_cycle: str = "if-down"
    down_evidence: str = "auto"
    halt_grace: float = 20.0
    idle_watts: float = 5.0
    probe_interval: float = 1.0
    fail_after: int = 3
    ok_after: int = 1
    stable_for: float = 30.0
    drift: str = "alarm"
    on_failure: str = "alarm"
    min_supplies: int = 0
    priority: int = 0
    protected: bool = False
    carries_daemon: str = ""
    tags: tuple[str, ...] = ()
    comment: str = ""


@dataclass(slots=True)
class ServerFacts:
    """All that a decision about a server may depend on.

    Durable: ``desired`` to ``poison_boot``, ``retry_at`` as time left; of ``op_state`` only failures.

    ``desired_gen``    rises with each change of ``desired``
    ``forced_since``   seconds since 1970, for people
    ``forced_until``   moment of the clock when the force ends by itself, None = never
    ``forced_open``    the switching that a force asks for has not ended
    ``shutdown_sent``  a shutdown may have been sent, and a new boot is not proven since: the server may be stopping
                       although it still answers
    ``poison_boot``    the boot that was asked to shut down, by a name from each control that accepted: once another one
                       serves, nothing is stopping any more. UNNAMED stands for a name that is not known; "" = no
                       control has accepted
    ``emergency_by``   in an emergency: moment of the clock when it is to be off, come what may. Until the emergency is
                       cleared it is not switched on
    ``retry_at``       moment of the clock before which it is not tried again
    ``op``             "on" or "off" while a switching runs
    ``serving``        the tests of this boot pass (None = not known)
    ``missing``        which supplies are not on although enough are, for a person
    ``unread``         which supplies cannot be read, for a person
    ``off_doubt``      which supplies were off when last read and cannot be read since, for a person
    ``feedable``       enough supplies can be read to switch it on
    ``released_at``    moment of the clock when it was last found ready to lose its power: proven down, or ordered to be
                       cut; -inf = not since it last got some
    ``degraded``       it was OK and its tests fail since
    ``drifted``        switched by somebody else, and the policy is to tell, not to act
    """

    desired: Desired | None = None
    desired_gen: int = 0
    held: str = ""
    forced: Desired | None = None
    forced_note: str = ""
    forced_by: str = ""
    forced_since: float = 0.0
    forced_until: float | None = None
    forced_open: bool = False
    start_attempts: int = 0
    stop_attempts: int = 0
    retry_at: float = 0.0
    shutdown_sent: bool = False
    poison_boot: str = ""
    op_state: OpState = OpState.INIT
    since: float = 0.0
    op: Desired | None = None
    phase: Phase = Phase.INTENT
    graceful: bool = True
    supply: Supply = Supply.UNKNOWN
    missing: str = ""
    unread: str = ""
    off_doubt: str = ""
    feedable: bool = False
    serving: bool | None = None
    released_at: float = float("-inf")
    emergency_by: float | None = None
    degraded: bool = False
    drifted: bool = False
    error: str = ""
    policy: Policy = field(default_factory=Policy)

    def forget_shutdown(self) -> None:
        """Take in that nothing is stopping any more: it has no power, or serves in another boot."""
        self.shutdown_sent, self.poison_boot = False, ""

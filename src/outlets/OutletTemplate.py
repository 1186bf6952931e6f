"""OutletTemplate: what every outlet does around the three methods that a type implements."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from typing_extensions import override

from ..common.clock import TICK_S
from ..common.errors import (
    DeviceAnswerError,
    DeviceError,
    DeviceRefused,
    DeviceStateError,
    DeviceUnreachable,
)
from ..common.failpoints import failpoint
from ..drivers.switchable import Switchable
from .circuit import Circuit
from .marks import OutletMarks

log = logging.getLogger(__name__)

READ_BACK_FIRST_S = 0.05
READ_BACK_MOST_S = 1.0


class OutletTemplate(Switchable):
    """A power socket, or anything else that feeds a server and can be switched.

    A type implements ``_setOutletState`` and ``_getOutletState`` (and ``updateData`` if it measures), plain or async.
    It sets and reads, nothing more: the template gives deadlines and a place in the device's queue, reads back until
    the outlet shows what was asked, and keeps the OpState.

    ``data``   measured values; ``power_w``, ``current_a``, ``voltage_v``, ``energy_wh`` where the device has them
    ``marks``  what is known of the physical outlet; servers on the same one have an object of this class each, and
               their marks in common
    ``doubt``  why what it shows does not fit what it draws; "" = it does, as far as that is measured
    ``refusal``  why the device took no commands when it was last given one; "" = it did, or was given none
    ``cause``  why the device has switched it by itself, in its own words; "" = it has not, or does not say
    ``circuit``  the fuse behind which it is, None = not known
    """

    KIND: ClassVar[str] = "outlets"
    SECTION: ClassVar[str] = "pdu"
    PARAMS: ClassVar[str] = "outletParams"

    def __init__(
        self,
        name: str,
        outletConfigDict: Mapping[str, object] | None = None,
        outletParams: Mapping[str, object] | None = None,
    ) -> None:
        self.marks = OutletMarks(name)
        self.refusal = ""
        self.doubt = ""
        self.cause = ""
        self.circuit: Circuit | None = None
        super().__init__(name, outletConfigDict, outletParams)

    @property
    def state(self) -> bool | None:
        """What was last read, unless the device has restarted since."""
        return self.marks.state if self.marks.seen_at >= self.device.restarted_at else None

    @state.setter
    def state(self, state: bool | None) -> None:
        self.marks.state = state

    # -- what a type implements

    def _setOutletState(self, state: bool) -> Any:
        """Ask the device to switch to ``state``; may be ``async def``. An acknowledgement is never taken as proof.

        Raises DeviceError; after any of them the outlet is read back, for the command may have worked all the same.
        """
        raise DeviceRefused(f"{self.name}: the type {type(self).__name__} cannot switch")

    def _getOutletState(self) -> Any:
        """Return True or False as the device shows it now; may be ``async def``.

        Raises DeviceStateError for a state between the two, DeviceAnswerError for a value that is neither, and
        DeviceUnreachable for silence: unknown is never "off".
        """
        raise DeviceRefused(f"{self.name}: the type {type(self).__name__} cannot be read")

    def _checkOutlet(self) -> Any:
        """Command the state that the device shows now, so that nothing changes; may be ``async def``.

        Raises DeviceRefused when commands are not taken: a login that may only read, say.
        """
        raise DeviceRefused(f"{self.name}: the type {type(self).__name__} cannot be checked without switching it")

    def about(self) -> list[str]:
        """Return what the device says it is, as lines for its file, as far as that is known."""
        return []

    # -- batched reading

    @classmethod
    async def read_many(cls, outlets: Sequence[OutletTemplate]) -> list[bool | DeviceError]:
        """Return the state, or the error, of each of ``outlets``, which share one device.

        A type that can read many outlets in one exchange overrides this. Never raises DeviceError.
        """
        return [await outlet._read_once() for outlet in outlets]

    @classmethod
    async def measure_many(cls, outlets: Sequence[OutletTemplate]) -> None:
        """Update ``data`` of each of ``outlets``, which share one device; of one that fails it is empty afterwards.

        A type that can measure many outlets in one exchange overrides this. Never raises DeviceError.
        """
        for outlet in outlets:
            try:
                await outlet.measure()
            except DeviceError as error:
                log.debug("%s: cannot measure: %s", outlet.name, error)

    async def _read_once(self) -> bool | DeviceError:
        try:
            state = await self.invoke(self._getOutletState)
        except DeviceError as error:
            return error
        if not isinstance(state, bool):
            return DeviceAnswerError(f"{self.name}: the state read is {state!r}, neither on nor off")
        return state

    # -- what the engine uses, on the device loop

    @override
    async def get_state(self) -> bool:
        """Read the outlet now; raises DeviceError when that fails."""
        begun = self.marks.switchings
        seen = await self._read_once()
        return self.observe(seen) if begun == self.marks.switchings or isinstance(seen, DeviceError) else seen

    def observe(self, seen: bool | DeviceError) -> bool:
        """Take in what was read, for a single outlet or as part of a batch; raises ``seen`` if it is an error."""
        if isinstance(seen, DeviceError):
            self.last_error = str(seen)
            raise seen
        self.seen_at = self.device.clock.now()
        self.marks.seen(seen, self.seen_at)
        self.last_error = ""
        return seen

    async def set_state(
        self, state: bool, timeout: float | None = None, before_send: Callable[[], None] | None = None
    ) -> None:
        """Switch and read back until the outlet shows ``state``.

        ``timeout``      seconds from the last command; default: the option ``settle_timeout``
        ``before_send``  called right before each send; what it raises ends the matter, unsent
        A command without an answer is followed by a read-back before it is sent again; a refused one is not sent
        again. What somebody else on the same outlet has done meanwhile, and verified, is not done again.
        Raises DeviceStateError when the outlet shows otherwise to the end, else the last DeviceError.
        """
        begun = self.marks.switchings
        async with self.marks.lock:
            if self.marks.switchings == begun or self.state is not state:
                if self.marks.switchings != begun:  # the one before may have left a command that is still under way
                    await self.wait_ready(state, urgent=True)
                await self._switch(state, timeout, before_send)

    async def _switch(self, state: bool, timeout: float | None, before_send: Callable[[], None] | None) -> None:
        clock = self.device.clock
        limit = float(self.params["settle_timeout"]) if timeout is None else timeout
        began = clock.now()
        sends_left = 1 + int(self.settings["retries"])

        def about_to_send() -> None:
            if self.marks.seen_at < self.device.restarted_at:
                raise DeviceStateError(f"{self.name}: not switched, it was not read since {self.device.name} restarted")
            if before_send is not None:
                before_send()
            self.marks.switchings += 1
            self.state = None  # whatever ends the matter before the read-back: it may have moved
            self.marks.begin(state, clock.now())
            failpoint("outlet.sending")

        while True:
            sent_before = self.marks.switchings
            problem = await self._send(state, about_to_send)
            if self.marks.switchings != sent_before and not isinstance(problem, DeviceUnreachable):
                self.marks.answered()
            failpoint("outlet.sent")
            sends_left -= 1
            deadline = max(began, self.marks.sent_at) + limit  # what it waited for its turn is not the device's time
            seen = await self._read_back(state, deadline, patient=problem is None or sends_left <= 0)
            if seen is state:
                failpoint("outlet.verified")
                self.marks.switchings += 1
                self.observe(state)
                self.marks.moved(state, clock.now())
                self.refusal = ""
                return
            final = isinstance(problem, DeviceRefused | DeviceAnswerError)
            if final or sends_left <= 0 or clock.now() >= deadline:
                self.marks.switchings += 1
                self.state = None
                raise self._failure(state, seen, problem, limit)

    async def _send(self, state: bool, before_send: Callable[[], None]) -> DeviceError | None:
        await self.device.wait_gap()
        if self.circuit is not None and self.circuit.pace is not None:
            await self.circuit.pace.wait()
        try:
            await self.invoke(self._setOutletState, state, before=before_send)
        except DeviceRefused as error:
            self.refusal = str(error)
            return error
        except DeviceError as error:
            return error
        return None

    async def check(self, before_send: Callable[[], None] | None = None) -> None:
        """Have the device take a command that changes nothing, to find out whether it takes any. Raises DeviceError."""
        async with self.marks.lock:
            await self.device.wait_gap()
            try:
                await self.invoke(self._checkOutlet, before=before_send)
            except DeviceRefused as error:
                self.refusal = str(error)
                raise
            self.refusal = ""

    async def _read_back(self, state: bool, deadline: float, *, patient: bool) -> bool | DeviceError:
        """Read until the outlet shows ``state``: once or twice only when not ``patient`` (it will be sent again)."""
        clock = self.device.clock
        wait, reads = READ_BACK_FIRST_S, 0
        while True:
            seen = await self._read_once()
            reads += 1
            if seen is state or isinstance(seen, DeviceRefused) or (reads >= 2 and not patient):
                return seen
            left = deadline - clock.now()
            if left <= 0:
                return seen
            await clock.sleep(min(wait, left))
            wait = min(wait * 2, READ_BACK_MOST_S)

    def _failure(self, state: bool, seen: bool | DeviceError, problem: DeviceError | None, limit: float) -> DeviceError:
        wanted = "on" if state else "off"
        if isinstance(problem, DeviceRefused | DeviceAnswerError):
            self.last_error = str(problem)
            return problem
        if isinstance(seen, bool):
            text = f"{self.name}: asked to switch {wanted}, still shows {'on' if seen else 'off'} after {limit:g} s"
            error: DeviceError = DeviceStateError(text + (f" ({problem})" if problem else ""))
        else:
            error = type(seen)(f"{self.name}: asked to switch {wanted}, then: {seen}")
        self.last_error = str(error)
        return error

    def ready(self, state: bool, *, urgent: bool = False) -> tuple[float, str]:
        """Return the moment of the clock before which ``state`` is not to be sent, and why.

        ``urgent``  whatever the number of switchings
        """
        return self.marks.ready(
            state,
            min_off_s=float(self.params["min_off_time"]),
            settle_s=float(self.params["settle_timeout"]),
            per_minute=0 if urgent else int(self.params["max_per_minute"]),
        )

    async def wait_ready(self, state: bool, *, urgent: bool = False) -> None:
        """Wait until ``state`` may be sent, see ``ready``."""
        clock = self.device.clock
        while (wait := self.ready(state, urgent=urgent)[0] - clock.now()) > TICK_S:
            await clock.sleep(wait)

    @property
    def asks_first(self) -> bool:
        """Whether off is only asked for, and the machine shuts down before the device cuts."""
        return False

    @property
    def fed_at(self) -> float:
        """The last moment when its power may have come: it was switched on, or its device restarted."""
        return max(self.marks.on_at, self.device.restarted_at)

    @property
    def in_doubt(self) -> bool:
        """Whether a command that was not answered may still turn it over, or it shows off and draws power."""
        if self.doubt and self.state is False:
            return True
        if self.state is None or self.marks.unconfirmed is None:
            return False
        return self.marks.may_still_turn(not self.state, self.device.clock.now(), float(self.params["settle_timeout"]))

    @override
    async def _carry_out(self, state: bool) -> None:
        await self.wait_ready(state)
        await self.set_state(state)

"""What outlets, controls and tests have in common: settings checked before I/O, two ways to be written, a deadline."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..common.device import Device
from ..common.device_loop import DeviceLoop, run_blocking, shared_loop
from ..common.errors import (
    DeviceAnswerError,
    DeviceError,
    DeviceRefused,
    DeviceStateError,
    DeviceUnreachable,
    OckleError,
)
from ..common.logs import register_secret
from ..config.templates import Template, check_settings, driver_template

log = logging.getLogger(__name__)

OPERATIONS = {
    "_setOutletState": "set", "_setControlState": "set", "_checkOutlet": "check", "_test": "test",
    "updateData": "measure",
}  # fmt: skip
"""Method of a type -> how its calls are counted; all others are reads."""
RESULTS = (
    (DeviceUnreachable, "unreachable"), (DeviceRefused, "refused"), (DeviceAnswerError, "bad_answer"),
    (DeviceStateError, "wrong_state"),
)  # fmt: skip


class Driver:
    """Base of the three templates.

    ``settings``  typed options of the generator (the PDU, controller or tester)
    ``params``    typed options of this one outlet, control or test
    ``data``      measured values by name, for logs and plots: ``power_w``, ``current_a`` …
    ``device``    the physical device, shared with its siblings; the factory hands it in, else it has its own
    ``seen_at``   moment of the clock of the last state that was read, or of the last run of a test
    """

    KIND: ClassVar[str]
    """Folder of the templates: ``outlets``, ``controllers`` or ``testers``."""
    SECTION: ClassVar[str]
    PARAMS: ClassVar[str]

    def __init__(
        self,
        name: str,
        configDict: Mapping[str, object] | None = None,  # noqa: N803 - documented spelling of the three templates
        params: Mapping[str, object] | None = None,
    ) -> None:
        self.name = name
        template = self.template()
        # an INI file must name its type, and a server's part its PDU, controller or tester; here both are known
        settings = {"type": type(self).__name__, **(configDict or {})}
        self.settings: dict[str, Any] = check_settings(template, self.SECTION, settings, where=name)
        self.params: dict[str, Any] = check_settings(
            template, self.PARAMS, {self.SECTION: name, **(params or {})}, where=name
        )
        self.data: dict[str, Any] = {}
        self.last_error = ""
        self.seen_at = float("-inf")
        self._device: Device | None = None
        self._loop: DeviceLoop | None = None

    @classmethod
    def template(cls) -> Template:
        """Return the INI template of this type."""
        return driver_template(cls.KIND, cls.__name__)

    @property
    def timeout(self) -> float:
        """Seconds that one exchange with the device may take."""
        return float(self.settings["timeout"])

    def secret(self, option: str) -> str:
        """Return the text of a secret option of the generator; from now on log lines show ``***`` instead.

        Raises DeviceRefused when its ``${file:…}`` or ``${env:…}`` cannot be resolved any more.
        """
        try:
            text: str = self.settings[option].reveal()
        except ValueError as error:
            raise DeviceRefused(f"{self.name}: {option}: {error}") from error
        default = self.template().defaults(self.SECTION).get(option)
        if default is None or text != default.reveal():  # "public" is no secret
            register_secret(text)
        return text

    @property
    def device(self) -> Device:
        if self._device is None:
            self._device = Device(
                self.name, parallel=self.settings.get("parallel", 0), gap_s=self.settings.get("gap", 0.0)
            )
        return self._device

    @device.setter
    def device(self, device: Device) -> None:
        self._device = device

    def bind(self, loop: DeviceLoop) -> None:
        """Name the loop on which the synchronous methods do their work."""
        self._loop = loop

    def run_sync(self, work: Any) -> Any:
        """Run a coroutine of this driver from any thread but the device loop's, and wait for it."""
        return (self._loop or shared_loop()).call(work)

    async def invoke(
        self,
        method: Callable[..., Any],
        *arguments: object,
        timeout: float | None = None,
        before: Callable[[], None] | None = None,
    ) -> Any:
        """Call a driver's method, plain (in a thread) or async, as one command in the device's queue.

        Raises DeviceUnreachable when ``timeout`` seconds (default: the type's ``timeout`` and a margin, since the
        driver should notice first) are over, DeviceAnswerError when the driver has a bug, and the DeviceErrors that it
        raises. ``before`` is called when the command's
        turn has come, right before it is sent; what it raises keeps the command from being sent.
        """
        limit = timeout if timeout is not None else self.timeout * 1.5 + 1.0
        async with self.device.turn():
            begun = self.device.clock.now()
            try:
                answer = await self._exchange(method, arguments, limit, before)
            except DeviceError as error:
                self._note(method, next((name for kind, name in RESULTS if isinstance(error, kind)), "failed"), begun)
                raise
            self._note(method, "ok", begun)
            return answer

    async def _exchange(
        self, method: Callable[..., Any], arguments: tuple[object, ...], limit: float, before: Callable[[], None] | None
    ) -> Any:
        try:
            if not inspect.iscoroutinefunction(method):
                return await run_blocking(lambda: method(*arguments), limit, self.name, before, self.device.overdue)
            if before is not None:
                before()
            async with asyncio.timeout(limit):  # wait_for would start a task for each command
                return await method(*arguments)
        except TimeoutError:
            raise DeviceUnreachable(f"{self.name}: no answer within {limit:g} s") from None
        except OckleError:
            raise
        except Exception as bug:
            log.exception("%s: the type %s has a bug", self.name, type(self).__name__)
            raise DeviceAnswerError(f"{self.name}: the type {type(self).__name__} has a bug: {bug!r}") from bug

    def _note(self, method: Callable[..., Any], result: str, begun: float) -> None:
        """Count a command; what a type reads in a way of its own, for many at once, counts as ``read``."""
        op = OPERATIONS.get(getattr(method, "__name__", ""), "read")
        self.device.requests.note(op, result, self.device.clock.now() - begun)

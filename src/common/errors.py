"""Errors, sorted by who can mend them."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any


class OckleError(Exception):
    """Any fault that Ockle itself reports; its text is one line for a person."""


class ConfigError(OckleError):
    """A fault in the configuration, which the user mends in a file.

    ``faults``  one line each, already naming file, section, key, value and what is allowed
    ``data``    goes with a refusal, for programs: the same faults by file, section and key, where they are known so
    """

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
        self.data: dict[str, Any] = {}


class DependencyException(OckleError):
    """The dependencies have a cycle. ``cycle`` names its servers, the first one again at the end.

    ``place``  file and section of the ``via`` that makes the first need the second; None: it was written down so
    """

    def __init__(self, message: str, cycle: tuple[str, ...] = (), place: tuple[str, str] | None = None) -> None:
        super().__init__(message)
        self.cycle = cycle
        self.place = place


class CommandError(OckleError):
    """A command that cannot be carried out as asked; ``code`` is stable for programs.

    Codes: ``bad_request``, ``not_found``, ``refused`` (a guard says no), ``conflict`` (the plan changed or a run is
    busy), ``denied`` (role), ``timeout``, ``internal``. ``data`` goes with the refusal: the plan as it is now, say.
    """

    def __init__(self, message: str, code: str = "bad_request", data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data or {}


class StoreError(OckleError):
    """The durable store cannot be read or written; nothing new may be switched."""


class StoreFull(StoreError):
    """There is no room for the store. It is tried again; the log gives up its room first."""


class StoreBroken(StoreError):
    """The disk failed, or what is on it is damaged: memory and disk may differ, so the process has to end."""


class DeviceError(OckleError):
    """The world is not as it should be; the subclasses say whether trying again helps."""


class DeviceUnreachable(DeviceError):
    """No answer within the limit. Trying again may help."""


class DeviceRefused(DeviceError):
    """Credentials or permissions do not suffice. Trying again does not help."""


class DeviceAnswerError(DeviceError):
    """The answer makes no sense; it stands in the message. Trying again does not help."""


class DeviceStateError(DeviceError):
    """The device said yes and shows otherwise, or is between two states. Trying again may help."""

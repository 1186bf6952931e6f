"""What can be made to go wrong in the lab, and when: any knob, at any moment (``Lab.turn``).

Seconds are the lab's: its speed multiplies them, too.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field, fields
from typing import Any


class KnobError(ValueError):
    """No such knob, or not a value for it."""


@dataclass(frozen=True, slots=True)
class _Allowed:
    """Which values a knob takes; ``text`` says it to a person."""

    text: str
    test: Callable[[Any], bool]


def _up_to(limit: float) -> _Allowed:
    return _Allowed(
        f"a number from 0 to {limit:g}",
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= limit,
    )


def _one_of(*choices: str) -> _Allowed:
    return _Allowed("one of " + ", ".join(map(repr, choices)), lambda value: value in choices)


_FLAG = _Allowed("True or False", lambda value: isinstance(value, bool))
_COUNT = _Allowed("a whole number from 0", lambda value: type(value) is int and value >= 0)
_OUTLETS = _Allowed("a set of outlet numbers", lambda value: isinstance(value, Set) and all(map(_COUNT.test, value)))


def _knob(default: Any, allowed: _Allowed, doc: str) -> Any:
    return field(default=default, metadata={"allowed": allowed, "doc": doc})


@dataclass(slots=True)
class DeviceKnobs:
    """Faults of a switch, PDU or plug."""

    slow_s: float = _knob(0.0, _up_to(3600), "seconds before each answer, one request at a time")
    silent: bool = _knob(False, _FLAG, "the management card is dead: requests vanish")
    lost: float = _knob(0.0, _up_to(1), "probability that a request is lost, and again that its answer is")
    doubled: float = _knob(0.0, _up_to(1), "probability that a request arrives a second time, a moment later")
    late_s: float = _knob(0.0, _up_to(3600), "seconds that each request may be late: a later one may overtake it")
    locked: bool = _knob(False, _FLAG, "the write community has been changed: a SET is met with silence")
    drops_s: float = _knob(0.0, _up_to(3600), "seconds after which a plug drops each connection; 0: it keeps them")
    stuck: Set[int] = _knob(frozenset(), _OUTLETS, "outlets that answer OK, do not move, and read back so")
    lie: Set[int] = _knob(frozenset(), _OUTLETS, "outlets that answer OK, do not move, and read back as asked")
    fault: Set[int] = _knob(frozenset(), _OUTLETS, "PoE ports in fault: no power, whatever is asked")
    refuse: bool = _knob(False, _FLAG, "every SET is answered genErr and not applied")
    error_but_applied: bool = _knob(False, _FLAG, "every SET is answered genErr, yet applied")


@dataclass(slots=True)
class MachineKnobs:
    """Faults of a machine."""

    slow_s: float = _knob(0.0, _up_to(3600), "seconds before each HTTP answer and SSH command")
    silent: bool = _knob(False, _FLAG, "services accept connections and say nothing")
    refused_login: bool = _knob(False, _FLAG, "every SSH login is refused")
    ssh_stalls: str = _knob("", _one_of("", "banner", "auth", "command"), "SSH hangs for ever at this stage")
    shutdown_hangs: str = _knob(
        "",
        _one_of("", "services", "disk"),
        "the shutdown is accepted and never ends: 'services' all of them stay up, 'disk' only the disk stays mounted; "
        "it goes on when the knob is turned back",
    )
    boot_fails: int = _knob(0, _COUNT, "so many boots hang before the disk is mounted")
    boot_never: bool = _knob(False, _FLAG, "the firmware does not start when power returns")
    service_down: bool = _knob(False, _FLAG, "the machine is up, but TCP and HTTP do not listen")
    netboot_hangs: str = _knob(
        "",
        _one_of("", "dhcp", "tftp", "hello", "root", "booted"),
        "a board hangs in this part of its boot from the network; 'booted': it boots, and does not say so",
    )
    disk_empty: bool = _knob(False, _FLAG, "a board finds no system on its disk; an installation ends that")
    cpu_percent: float = _knob(0.0, _up_to(100), "its load at /events is at least this")
    disk_percent: float = _knob(0.0, _up_to(100), "so full is its disk at /events at least")
    events: str = _knob(
        "",
        _one_of("", "broken", "texts", "flood", "hangs"),
        "/events answers half an object, texts for numbers, thousands of figures, or never",
    )
    http_garbage: bool = _knob(False, _FLAG, "HTTP answers are not HTTP")


Knobs = DeviceKnobs | MachineKnobs


def check(kind: type[Knobs], name: str, value: Any) -> Any:
    """The value to store for the knob ``name``. Raises KnobError that says what is allowed."""
    knob = {item.name: item for item in fields(kind)}.get(name)
    if knob is None:
        raise KnobError(f"no knob {name!r}; there are {', '.join(item.name for item in fields(kind))}")
    if isinstance(value, Set):
        value = frozenset(value)  # the caller's set may change later
    allowed: _Allowed = knob.metadata["allowed"]
    if not allowed.test(value):
        raise KnobError(f"{name} = {value!r}: allowed is {allowed.text} ({knob.metadata['doc']})")
    return value


def describe(kind: type[Knobs]) -> dict[str, str]:
    """Knob name -> what it does and what it takes, for help and docs."""
    return {item.name: f"{item.metadata['doc']}; {item.metadata['allowed'].text}" for item in fields(kind)}

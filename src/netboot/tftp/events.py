"""What the transfers tell. All texts can be printed, whatever bytes they were made of."""

from __future__ import annotations

from typing import NamedTuple


class Begun(NamedTuple):
    """A transfer began. ``asked``: as in the request; ``file``: below the root; ``size`` -1: nobody knows."""

    number: int
    mac: str
    ip: str
    asked: str
    file: str
    size: int


class Moved(NamedTuple):
    """``sent`` bytes are acknowledged."""

    number: int
    sent: int
    retries: int


class Ended(NamedTuple):
    """A transfer ended; ``ending`` is the name of a ``transfer.Ending``."""

    number: int
    ending: str
    why: str
    sent: int
    retries: int
    seconds: float


class Refused(NamedTuple):
    """A request was answered with an error; ``code`` as in the packet."""

    mac: str
    ip: str
    asked: str
    code: int
    why: str


class Trouble(NamedTuple):
    """Something for the log; ``key`` names what it is about, so that it is not told again and again."""

    key: str
    text: str


Event = Begun | Moved | Ended | Refused | Trouble

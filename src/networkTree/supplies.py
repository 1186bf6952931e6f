"""What the outlets of a server show, taken together. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..outlets.OutletTemplate import OutletTemplate
from .facts import Supply


@dataclass(frozen=True, slots=True)
class Supplies:
    """The supplies of a server, of which it needs some, or all.

    ``supply``   on when as many are on as it needs, whatever the others show; off only when all are read as off
    ``missing``  which of them are not on although it is fed well enough, for a person; "" when none is
    ``unread``   which of them cannot be read, and why; "" when all can
    ``known``    enough can be read, and switched, to feed it
    ``doubt``    which of them were off and could not be read since, although that is not long ago; "" when none
    """

    supply: Supply
    missing: str = ""
    unread: str = ""
    known: bool = True
    doubt: str = ""


def take_together(outlets: Sequence[OutletTemplate], oldest: float, least: int) -> Supplies:
    """Return what ``outlets`` show, as far as reads since the moment ``oldest`` tell; ``least`` of them (0: all) feed
    the server."""
    if not outlets:
        return Supplies(Supply.NONE)
    needed = least or len(outlets)
    unread = [one for one in outlets if not is_read(one, oldest)]
    on = sum(one.state is True for one in outlets if one not in unread)
    off = [one.name for one in outlets if one not in unread and one.state is False]
    texts = [_why_unread(one) for one in unread]
    unread_text = ", ".join(texts)
    if on >= needed:
        missing = ", ".join([*(f"supply {name} is off" for name in off), *texts])
        return Supplies(Supply.ON, missing, unread_text)
    if unread:
        return Supplies(Supply.UNKNOWN, "", unread_text, known=on + len(off) >= needed)
    doubt = ", ".join(_why_unread(one) for one in outlets if one.state is False and one.last_error)
    return Supplies(Supply.MIXED if on else Supply.OFF, doubt=doubt)


def _why_unread(outlet: OutletTemplate) -> str:
    if outlet.doubt and outlet.state is False:
        return f"supply {outlet.name} cannot be believed: {outlet.doubt}"
    return f"supply {outlet.name} cannot be read" + (f": {outlet.last_error}" if outlet.last_error else "")


def is_read(outlet: OutletTemplate, oldest: float) -> bool:
    """Tell whether what was last read of an outlet may be believed."""
    return outlet.state is not None and outlet.marks.seen_at >= oldest and not outlet.in_doubt

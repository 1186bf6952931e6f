"""Which physical outlet a server's outlet is: several servers may name the same one."""

from __future__ import annotations

from dataclasses import dataclass

from .model import ObjectConfig, PartConfig
from .templates import identity_options


@dataclass(frozen=True, slots=True)
class OutletAddress:
    """A PDU and the options that tell its outlets apart; two that are equal are the same outlet."""

    pdu: str
    options: tuple[tuple[str, object], ...]

    def __str__(self) -> str:
        return " ".join([self.pdu, *(f"{key} {value}" for key, value in self.options)])


def outlet_address(pdu: ObjectConfig, outlet: PartConfig) -> OutletAddress | None:
    """Return the address of a server's outlet; None for one that has none and so is nobody else's (Dummy)."""
    options = tuple((key, outlet.params[key]) for key in identity_options(pdu.type))
    if any(value == "" for _, value in options):  # an empty text addresses nothing
        return None
    return OutletAddress(pdu.name, options)

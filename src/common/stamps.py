"""The order of moments that were noted as a clock's stamps (``Clock.stamp``), perhaps in different boots of the host.

The wall clock is not asked: it may jump, and on a machine without a battery for it does so at every start. What is
known is the time within a boot, and in which order the boots came.
"""

from __future__ import annotations

from collections.abc import Sequence

BOOTS_KEPT = 64
"""So many boots of the host are remembered in their order; what was noted in an older one is before all of them."""


def boot_of(stamp: str) -> str:
    """Return what names the boot in which ``stamp`` was made; a clock that has only one says nothing."""
    return stamp.rpartition(" ")[0]


def seconds_of(stamp: str) -> float:
    """Return the seconds since that boot. Raises ValueError."""
    return float(stamp.rpartition(" ")[2])


def before(stamp: str, seconds: float) -> str:
    """Return the moment ``seconds`` before ``stamp``; it may lie before the boot."""
    boot = boot_of(stamp)
    return f"{boot} {seconds_of(stamp) - seconds:.3f}".lstrip()


def is_later(stamp: str, than: str, boots: Sequence[str]) -> bool:
    """Tell whether ``stamp`` is later than ``than`` for sure; what cannot be read is not.

    ``boots``  the boots of the host that are known, the present one last
    """
    try:
        moment, other = seconds_of(stamp), seconds_of(than)
    except ValueError:
        return False
    boot, other_boot = boot_of(stamp), boot_of(than)
    if boot == other_boot:
        return moment > other
    if boot not in boots:
        return False
    return other_boot not in boots or boots.index(other_boot) < boots.index(boot)


def with_boot(boots: Sequence[str], stamp: str) -> list[str]:
    """Return ``boots`` with that of ``stamp``, which was made just now, as the last."""
    boot = boot_of(stamp)
    return [*(known for known in boots if known != boot), boot][-BOOTS_KEPT:]

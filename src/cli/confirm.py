"""Asks before power is switched. How much must be typed follows from the tier that the daemon gave the plan.

0  nothing is switched                         no question
1  on, or off of what nothing running needs    Enter agrees
2  others are affected, or several             y agrees, Enter does not
3  the whole network, a cut, protected ...     the name (or the count) must be typed
"""

from __future__ import annotations

import sys
from typing import Any

from ..webserver.ockle_client.plans import ENTER_AGREES, MUST_BE_TYPED, Y_AGREES, switched
from .codes import ABORTED, CliError
from .output import safe, tell


def confirm(plan: dict[str, Any], text: str, *, yes: bool, typed: str) -> str:
    """Return the text that confirms the plan ("" where none is needed) or raise CliError when the user does not agree.

    ``yes``    agreed beforehand; ``typed``  the text for tier 3, given beforehand
    """
    tier, wanted = int(plan.get("tier", Y_AGREES)), str(plan.get("confirm") or "")
    if tier >= MUST_BE_TYPED:
        if yes and typed:
            if typed != wanted:
                raise CliError(f"--confirm {safe(typed)!r} does not fit: it must be {safe(wanted)!r}")
            return wanted
        if not _can_ask():
            raise CliError(f"this needs --yes --confirm {safe(wanted)!r} when there is no terminal to ask on")
        tell(text)
        if _ask(f'Type "{safe(wanted)}" to go on: ') != wanted:
            raise CliError("nothing was switched", ABORTED)
        return wanted
    if yes or tier < ENTER_AGREES:
        return ""
    if not _can_ask():
        raise CliError("this needs --yes when there is no terminal to ask on")
    tell(text)
    answer = _ask("Go on? [Y/n] " if tier < Y_AGREES else f"{_button(plan)}? [y/N] ").casefold()
    if answer not in ("y", "yes") and not (answer == "" and tier < Y_AGREES):
        raise CliError("nothing was switched", ABORTED)
    return ""


def _button(plan: dict[str, Any]) -> str:
    """Return what "yes" will do: ``Turn off 3 servers``."""
    number = switched(plan)
    servers = "1 server" if number == 1 else f"{number} servers"
    verb = {"on": "Turn on", "off": "Turn off", "restart": "Restart", "cut": "Cut the power of"}[plan["action"]]
    return f"{verb} {servers}"


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        tell()
    return line.strip()

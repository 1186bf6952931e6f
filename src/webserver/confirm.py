"""How a plan is agreed to: the words of the question and the button. The tier comes from the daemon with the plan.

0  nothing is switched                         no button
1  on, or off of what nothing running needs    the button has the focus: Enter agrees
2  others are affected, or several             the focus is on the way out
3  the whole network, a cut, protected ...     the name (or the count) must be typed
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .ockle_client.plans import MUST_BE_TYPED, switched
from .texts import _, ngettext

_BUTTONS = {
    "on": ("Turn on {} server", "Turn on {} servers"),
    "off": ("Turn off {} server", "Turn off {} servers"),
    "restart": ("Restart {} server", "Restart {} servers"),
    "cut": ("Cut the power of {} server", "Cut the power of {} servers"),
}
_QUESTIONS = {"on": "Turn on {}?", "off": "Turn off {}?", "restart": "Restart {}?", "cut": "Cut the power of {}?"}


def button(plan: Mapping[str, Any]) -> str:
    """Return what agreeing does: ``Turn off 3 servers``."""
    return ngettext(*_BUTTONS[plan["action"]], switched(plan))


def question(plan: Mapping[str, Any]) -> str:
    """Return the heading: ``Turn off nas01?``, ``Turn on 12 servers?``."""
    targets = plan["targets"]
    what = targets[0] if len(targets) == 1 else ngettext("{} server", "{} servers", len(targets))
    return _(_QUESTIONS[plan["action"]]).format(what)


def way_out(plan: Mapping[str, Any]) -> str:
    """Return the text of what has the focus from tier 2 on: nothing is to happen by a key pressed too often."""
    if plan["action"] == "on":
        return _("Leave them as they are") if switched(plan) > 1 else _("Leave it as it is")
    return _("Keep them on") if switched(plan) > 1 else _("Keep it on")


def agrees(plan: Mapping[str, Any], typed: str) -> bool:
    """Whether the text that was typed is the one that a plan of tier 3 asks for."""
    return plan["tier"] < MUST_BE_TYPED or typed == plan["confirm"]

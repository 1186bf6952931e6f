"""Asks for the password once more before what cannot be undone, unless it was typed not long ago.

A browser that was left alone with its login is then no master key to the power.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config

from .errors import Problem, answer, is_api
from .ockle_client.connection import ClientError
from .security import bearer
from .texts import _

FIELD = "password_again"
FRESH_S = 900.0
KNOWN = 500


class PasswordNeeded(Exception):
    """The person has to type the password; the text says what was wrong with the one that came, "" if none did."""


class Proofs:
    """Session -> until when its password need not be typed again. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()

    def note(self, session: str) -> None:
        with self._lock:
            self._until[session] = time.monotonic() + FRESH_S
            self._until.move_to_end(session)
            while len(self._until) > KNOWN:
                self._until.popitem(last=False)

    def forget(self) -> None:
        """Have everybody type it again."""
        with self._lock:
            self._until.clear()

    def is_fresh(self, session: str) -> bool:
        return time.monotonic() < self._until.get(session, 0.0)


def prove(request: Request) -> None:
    """Return when it is the user who sends this; else raise PasswordNeeded, which shows a form that repeats the order.

    Who is no user has no password: a program with its token, a token of the configuration, this machine itself.
    """
    who, proofs = request.identity, request.registry.proofs
    if who is None or not who.user or bearer(request) or proofs.is_fresh(who.token):
        return
    if FIELD not in request.POST:
        raise PasswordNeeded
    try:
        request.daemon.call("passwordCheck", {"password": request.POST[FIELD]})
    except ClientError as error:
        if error.code not in ("denied", "throttled"):
            raise
        raise PasswordNeeded(error.message) from error
    proofs.note(who.token)


@exception_view_config(PasswordNeeded, renderer="proof.jinja2")
def ask(error: PasswordNeeded, request: Request) -> Response | dict[str, Any]:
    """Show the form; what was sent goes with it, but for what each form has anew. A program has no form to fill in."""
    if is_api(request):
        hint = _("Send a token, Authorization: Bearer TOKEN, or confirm something at a page of the GUI first.")
        return answer(request, Problem(403, "password_needed", _("This needs the password once more."), hint))
    if str(error):
        request.response.status_int = 403
    sent = [(name, value) for name, value in request.POST.items() if name not in (FIELD, "csrf_token")]
    problem = _("The password is wrong.") if str(error) == "the password is wrong" else str(error)
    return {"sent": sent, "field": FIELD, "problem": problem}


def includeme(config: Configurator) -> None:
    config.registry.proofs = Proofs()

"""The code that lets the first user in: who can read the daemon's log, or ask it as an admin, may be the first."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Callable

from ..common.errors import CommandError

log = logging.getLogger(__name__)

VALID_S = 24 * 3600.0
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""None that is taken for another one."""


class SetupCode:
    """One code at a time, in memory. ``now``: monotonic seconds; ``is_needed``: whether it is good for something."""

    def __init__(self, now: Callable[[], float], is_needed: Callable[[], bool]) -> None:
        self._now = now
        self.is_needed = is_needed
        self._code = ""
        self._made = 0.0

    def announce(self) -> None:
        """Write the code to the log, if there is nobody yet who could log in."""
        if self.is_needed():
            log.info("no user is set up yet; the first page of the web GUI asks for this code: %s", self.show())

    def show(self) -> str:
        """Return the code, a new one if the last has expired. Raises CommandError when none is needed."""
        if not self.is_needed():
            raise CommandError("there is an admin already, who can add users: ockle user add", "refused")
        if not self._is_valid():
            letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
            self._code = "-".join(letters[place : place + 4] for place in (0, 4, 8))
            self._made = self._now()
        return self._code

    def check(self, code: object) -> None:
        """Raise CommandError unless ``code`` is the code; hyphens, spaces and small letters do not matter."""
        if not self.is_needed():
            raise CommandError("there is an admin already: log in", "refused")
        given = "".join(letter for letter in str(code).upper() if letter.isalnum())
        right = self._is_valid() and hmac.compare_digest(given.encode(), self._code.replace("-", "").encode())
        if not right:
            raise CommandError(
                "this is not the code, or it has expired; the daemon's log and `ockle user setup-code` tell it",
                "denied",
            )

    def spend(self) -> None:
        """It has let somebody in."""
        self._code = ""

    def _is_valid(self) -> bool:
        return bool(self._code) and self._now() - self._made < VALID_S

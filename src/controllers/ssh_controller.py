"""Shuts a machine down by logging in over SSH."""

from __future__ import annotations

import shlex
import time

from typing_extensions import override

from ..common.errors import DeviceRefused, DeviceUnreachable
from ..common.ssh import Login, NoConnection, SshSettings, greets
from .ControllerTemplate import ControllerTemplate

PROBE_S = 5.0
"""The longest wait for a greeting: a machine that is down often just does not answer."""

STAYS_S = 120.0
"""A machine that still greets this long after it closed the session is not on its way down (any more)."""


class SSHController(ControllerTemplate):
    """Runs ``shutdown_command`` on a machine, and knows when it has gone down.

    The exit status of the command is evidence of nothing, for the connection may break before it comes; only a command
    that was not found or not allowed counts as refused.

    Evidence: the machine is *up* while its SSH server greets (no login is needed to see that). It is *down* when, after
    the command was sent, the machine closed the session that is kept open for this purpose, and a new connection is
    refused or not answered; its disks may stay mounted for some seconds more. A machine that falls silent with the
    session open may as well be cut off from us: that is unknown. What was seen of one shutdown is forgotten when the
    machine greets again after it was down, or goes on greeting for two minutes.
    The machine names its boot in the session that shuts it down (``boot_id_command``). Only one that did is asked
    again: a login that runs one fixed command whatever it is asked for would shut the machine down.
    """

    _watched: Login | None = None
    """The session in which the shutdown was ordered."""
    _was_down = False
    _greeted_at: float | None = None
    """When the machine first greeted after it had closed that session."""

    @override
    def _setControlState(self, state: bool) -> None:
        if state:
            raise DeviceRefused(f"{self.name}: the type SSHController only shuts down")
        login = Login(self._ssh_settings())
        try:
            self.boot_id = self._boot_id_by(login)
            login.order(shlex.join(self.settings["shutdown_command"]))
        finally:
            if login.ordered:
                self._watch(login)  # also when no answer came: the shutdown may have begun
            else:
                login.close()

    @override
    def _getControlState(self) -> bool:
        host, port = self._address()
        watched = self._watched
        try:
            greets(host, port, min(self.timeout, PROBE_S))
        except NoConnection as silence:
            if watched is not None and watched.closed_by_peer:
                self._was_down = True
                return False
            if watched is not None:
                raise DeviceUnreachable(
                    f"{silence}; its session is still open, so it is not known to be down"
                ) from None
            raise
        if watched is not None and watched.closed_by_peer and (self._was_down or self._has_stayed()):
            self._watch(None)
        return True

    @override
    def _getBootId(self) -> str:
        with Login(self._ssh_settings()) as login:
            return self._boot_id_by(login)

    def _boot_id_by(self, login: Login) -> str:
        return login.word(shlex.join(self.settings["boot_id_command"]), self.timeout / 3)

    @override
    def forget(self) -> None:
        super().forget()
        self._watch(None)

    def close(self) -> None:
        """Give up the session that is kept open."""
        self._watch(None)

    def _watch(self, login: Login | None) -> None:
        former, self._watched, self._was_down, self._greeted_at = self._watched, login, False, None
        if former is not None:
            former.close()
        if login is not None:
            self.device.shared(("ssh", self.name), lambda: self)  # so that closing the device closes the session

    def _has_stayed(self) -> bool:
        """Return whether it has greeted for longer than a machine does that goes down: its restart went unseen."""
        now = time.monotonic()
        if self._greeted_at is None:
            self._greeted_at = now
        return now - self._greeted_at > STAYS_S

    def _address(self) -> tuple[str, int]:
        return self.params["host"], self.params["port"] or self.settings["port"]

    def _ssh_settings(self) -> SshSettings:
        host, port = self._address()
        settings = self.settings
        return SshSettings(
            host=host,
            port=port,
            user=settings["user"],
            timeout=self.timeout,
            key_file=settings["key_file"],
            key_passphrase=self.secret("key_passphrase"),
            password=self.secret("password"),
            use_agent=settings["use_agent"],
            known_hosts=settings["known_hosts"],
            accept_new=settings["host_key_policy"] == "accept-new",
            pinned_key=self.params["host_key"],
        )

"""Shutting this machine down, and whether the agent may."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..common.errors import DeviceError, DeviceRefused
from ..common.process import run_program

ASK_S = 10.0
BY_LOGIND = ("systemctl", "shutdown", "poweroff", "halt", "loginctl")
"""Programs that systemd-logind decides about; root is always allowed."""
BOOTED = Path("/run/systemd/system")
"""Is there where systemd is process 1 (sd_booted(3))."""

_LOGIND = (
    "busctl", "call", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
    "CanPowerOff",
)  # fmt: skip


async def problem_with(command: Sequence[str], *, uid: int | None = None) -> str:
    """Return in one line why ``command`` could not shut the machine down, "" when nothing speaks against it.

    Nothing is shut down to find out: sudo is asked for its rules, systemd-logind for its verdict. A program of the
    user's own only has to be there.
    ``uid``  who is going to run it; default: this process
    """
    program = Path(command[0]).name
    if shutil.which(command[0]) is None:
        return f"shutdown_command: there is no program {command[0]}"
    if program in ("systemctl", "loginctl") and not BOOTED.is_dir():
        return f"shutdown_command: {program} needs systemd, which does not run this machine"
    if (os.geteuid() if uid is None else uid) == 0:
        return ""
    if program == "sudo":
        return await _by_sudo(command)
    if program in BY_LOGIND:
        return await _by_logind(command)
    return ""


async def _by_sudo(command: Sequence[str]) -> str:
    wanted = [word for word in command[1:] if word not in ("-n", "--non-interactive")]
    try:
        outcome = await run_program([command[0], "-n", "-l", *wanted], ASK_S)
    except DeviceError as error:
        return f"shutdown_command: {error}"
    if outcome.code == 0:
        return ""
    return (
        f"sudo does not let this user run `{' '.join(wanted)}` without a password ({outcome.said}): "
        f"add a rule with NOPASSWD to /etc/sudoers.d, or run the agent as root"
    )


async def _by_logind(command: Sequence[str]) -> str:
    try:
        outcome = await run_program(_LOGIND, ASK_S)
    except DeviceRefused:
        return ""  # no systemd that could be asked; the command itself will tell
    except DeviceError as error:
        return f"shutdown_command: {error}"
    if outcome.code == 0 and '"yes"' in outcome.output:
        return ""
    return (
        f"this user may not run `{' '.join(command)}` (systemd-logind says {outcome.said}): run the agent as root, "
        "as its unit does, or allow org.freedesktop.login1.power-off by a polkit rule"
    )


async def shut_down(command: Sequence[str], timeout: float) -> None:
    """Run the command. Raises DeviceError when it could not be started, failed, or took too long."""
    outcome = await run_program(command, timeout)
    if outcome.code:
        raise DeviceRefused(f"`{' '.join(command)}` ended with {outcome.code}: {outcome.said}")

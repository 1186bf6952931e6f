"""Tests whether a host answers ICMP echo requests."""

from __future__ import annotations

import math
import shutil

from typing_extensions import override

from ..common.errors import DeviceRefused, DeviceUnreachable
from ..common.process import run_program
from .TemplateTester import TemplateTester

NO_WAY = (
    "ping needs either an unprivileged ICMP socket (as root: sysctl -w net.ipv4.ping_group_range='0 2147483647') "
    "or the program ping (Debian package iputils-ping)"
)


class Ping(TemplateTester):
    """Passes when at least one of ``count`` echo requests is answered.

    Sends from an unprivileged ICMP socket where the kernel lets us, else with the program ``ping``, which has or has
    not the right. Proves that a kernel answers, not that anything serves; 127.x.y.z always answers.
    """

    @override
    async def _test(self) -> bool:
        try:
            received = await self._by_socket()
        except PermissionError:
            received = await self._by_program()
        if not received:
            count = self.settings["count"]
            raise DeviceUnreachable(f"{self.params['host']}: none of {count} echo requests was answered")
        return True

    async def _by_socket(self) -> bool:
        """Raises PermissionError when the kernel gives no unprivileged ICMP socket."""
        import icmplib

        try:
            host = await icmplib.async_ping(
                self.params["host"],
                count=self.settings["count"],
                interval=self.settings["interval"],
                timeout=self._patience(),
                privileged=False,
            )
        except icmplib.SocketPermissionError as error:
            raise PermissionError(str(error)) from error
        except icmplib.NameLookupError as error:
            raise DeviceUnreachable(f"{self.params['host']}: the name has no address") from error
        except (icmplib.ICMPLibError, OSError) as error:
            raise DeviceUnreachable(f"{self.params['host']}: {error}") from error
        return bool(host.is_alive)

    async def _by_program(self) -> bool:
        program = shutil.which("ping")
        if program is None:
            raise DeviceRefused(NO_WAY)
        count, interval = self.settings["count"], self.settings["interval"]
        options = ["-n", "-q", "-c", str(count), "-i", f"{interval:g}", "-W", str(math.ceil(self._patience()))]
        outcome = await run_program([program, *options, "--", self.params["host"]], self.timeout)
        if outcome.code in {0, 1}:
            return outcome.code == 0
        if "permitted" in outcome.errors:
            raise DeviceRefused(f"{NO_WAY}; the program is there, but says: {outcome.said}")
        raise DeviceUnreachable(outcome.said)

    def _patience(self) -> float:
        """Seconds that the last request waits for its answer, so that all of them fit into the timeout."""
        rest = self.timeout - self.settings["interval"] * (self.settings["count"] - 1)
        return float(max(0.1, min(2.0, rest / self.settings["count"])))

"""The SSH server of a machine: a login whose shutdown command takes the machine down."""

from __future__ import annotations

import asyncio
import hmac
import shlex
import socket
from collections.abc import Sequence
from pathlib import PurePosixPath

import asyncssh
from typing_extensions import override

from .listener import ignore
from .machine import Machine, MachineState

LOGIN_TIMEOUT_S = 30
NOT_FOUND = 127
BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"


class SshLogin:
    """Serves accepted sockets of one machine. ``host_key`` is its own, ``client_key`` may log in as ``user``."""

    def __init__(
        self, machine: Machine, host_key: asyncssh.SSHKey, client_key: asyncssh.SSHKey, user: str, password: str
    ) -> None:
        self.machine, self.client_key, self.user, self.password = machine, client_key, user, password
        self._options = asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: _Gate(self),
            process_factory=self._process,
            server_host_keys=[host_key],
            login_timeout=LOGIN_TIMEOUT_S,
            server_version="lab",
            encoding="utf-8",
            agent_forwarding=False,
            x11_forwarding=False,
        )

    async def serve(self, peer: socket.socket) -> None:
        knobs = self.machine.knobs
        if knobs.silent or knobs.ssh_stalls == "banner":
            await ignore(peer)
            return
        try:
            connection = await asyncssh.run_server(peer, options=self._options)
        except asyncssh.Error as error:
            raise ConnectionError(str(error)) from error
        try:
            await connection.wait_closed()
        finally:
            connection.abort()

    async def _process(self, process: asyncssh.SSHServerProcess[str]) -> None:
        if self.machine.knobs.ssh_stalls == "command":
            await process.channel.wait_closed()  # asyncssh cancels no task of a lost connection
            return
        await asyncio.sleep(self.machine.pace_s())
        output, code = self.run(process.command or "")
        (process.stderr if code else process.stdout).write(output)
        process.exit(code)

    def run(self, command: str) -> tuple[str, int]:
        """Output and exit status of a command line; few commands are installed here."""
        try:
            words = shlex.split(command)
        except ValueError as error:
            return f"sh: {error}\n", 2
        if words[:1] == ["sudo"]:
            words = [word for word in words[1:] if word not in ("-n", "--non-interactive")]
        if not words:
            return "this machine has no interactive shell\n", 1
        name, rest = PurePosixPath(words[0]).name, words[1:]
        if is_shutdown(name, rest):
            self.machine.shut_down()
            return "", 0
        if (name, rest) == ("cat", [BOOT_ID_FILE]):
            return f"{self.machine.boot_id}\n", 0
        if (name, rest) == ("uptime", []):
            seconds = asyncio.get_running_loop().time() - self.machine.booted_at
            return f" up {seconds / 60:.1f} min, 1 user, load average: 0.10, 0.08, 0.02\n", 0
        if (name, rest) == ("systemctl", ["is-system-running"]):
            stopping = self.machine.state is MachineState.STOPPING
            return ("stopping\n", 1) if stopping else ("running\n", 0)
        if (name, rest) == ("true", []):
            return "", 0
        return f"sh: {name}: command not found\n", NOT_FOUND


def is_shutdown(name: str, arguments: Sequence[str]) -> bool:
    """Does this command end the machine now? ``shutdown`` without a time would wait a minute, so it needs one."""
    if name == "shutdown":
        options = {argument for argument in arguments if argument.startswith("-")}
        times = [argument for argument in arguments if not argument.startswith("-")][:1]
        return options <= {"-h", "-H", "-P", "--halt", "--poweroff"} and times in (["now"], ["+0"])
    if name in ("poweroff", "halt"):
        return all(argument in ("-f", "-p", "--force") for argument in arguments)
    return (name, *arguments) in (("systemctl", "poweroff"), ("systemctl", "halt"), ("init", "0"))


class _Gate(asyncssh.SSHServer):
    """Who may come in; one per connection."""

    def __init__(self, login: SshLogin) -> None:
        self._login = login
        self._gone = asyncio.Event()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()

    @override
    async def begin_auth(self, username: str) -> bool:
        if self._login.machine.knobs.ssh_stalls == "auth":
            await self._gone.wait()  # asyncssh does not cancel what it awaits here
        return True

    @override
    def password_auth_supported(self) -> bool:
        return True

    @override
    def public_key_auth_supported(self) -> bool:
        return True

    @override
    def validate_password(self, username: str, password: str) -> bool:
        good = hmac.compare_digest(password.encode(), self._login.password.encode())
        return self._judge(username, "password", good)

    @override
    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._judge(username, "key", key.public_data == self._login.client_key.public_data)

    def _judge(self, username: str, how: str, good: bool) -> bool:
        accepted = good and username == self._login.user and not self._login.machine.knobs.refused_login
        self._login.machine.logged_in(username, how, accepted)
        return accepted

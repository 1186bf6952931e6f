"""SSH as controls need it: is the server greeting, one command, and whether the machine hung up.

Plain blocking functions for use in a thread (paramiko has threads of its own); each ends within the given seconds.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import paramiko
from paramiko.ssh_exception import IncompatiblePeer
from typing_extensions import override

from .errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceUnreachable
from .oserrors import reason
from .ssh_hostkeys import AcceptNew, KnownHosts, RejectUnknown, UnknownHostKey, pinned

# paramiko logs every failure of its threads with a traceback; all of them reach the caller as exceptions
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

WORD_MOST = 64
MAX_OUTPUT = 64 * 1024
MAX_GREETING = 8 * 1024
NOT_FOUND = frozenset({126, 127})
"""Exit status of shells for "cannot execute" and "command not found"."""
NOT_ALLOWED = (
    "password is required",
    "terminal is required",
    "authentication is required",
    "authentication required",
    "not in the sudoers",
    "may not run",
    "is not allowed to",
    "must be root",
    "need to be root",
    "permission denied",
    "operation not permitted",
    "access denied",
)
"""What sudo, systemd and shutdown say, in lower case, when they will not; only looked for when the status is not 0."""


class NoConnection(DeviceUnreachable):
    """Nothing takes connections there: refused, or no answer from the host at all."""


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How to log in. ``timeout``: seconds for everything from connecting to the end of the command."""

    host: str
    port: int = 22
    user: str = "root"
    timeout: float = 30.0
    key_file: str = ""
    key_passphrase: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    use_agent: bool = False
    known_hosts: str = ""
    accept_new: bool = False
    pinned_key: str = ""

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"


class _Socket(socket.socket):
    """Remembers that the connection was lost on the way, which later looks like an end from the other side."""

    lost = False

    @override
    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        try:
            return super().recv(bufsize, flags)
        except TimeoutError as error:
            # a time limit of Python has no errno; ETIMEDOUT is TCP giving up, and the next recv would say "end"
            self.lost = self.lost or error.errno == errno.ETIMEDOUT
            raise
        except OSError as error:
            self.lost = self.lost or error.errno not in {errno.ECONNRESET, errno.EPIPE}
            raise


def _connect(host: str, port: int, timeout: float) -> _Socket:
    """Raises NoConnection when nobody takes the connection, DeviceUnreachable when that is our own trouble."""
    where = f"{host}:{port}"
    try:
        plain = socket.create_connection((host, port), timeout)
    except socket.gaierror as error:
        raise DeviceUnreachable(f"{where}: the name has no address ({error.strerror})") from error
    except TimeoutError as error:
        raise NoConnection(f"{where}: no answer within {timeout:g} s") from error
    except OSError as error:
        kind = NoConnection if error.errno in {errno.ECONNREFUSED, errno.EHOSTUNREACH} else DeviceUnreachable
        raise kind(f"{where}: {reason(error)}") from error
    watched = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    watched.settimeout(timeout)
    return watched


def greets(host: str, port: int, timeout: float) -> str:
    """Return the SSH server's version line (RFC 4253 section 4.2), without logging in.

    Raises NoConnection when nobody takes the connection, other DeviceErrors when somebody does but does not greet.
    """
    deadline = time.monotonic() + timeout
    seen = b""
    with _connect(host, port, timeout) as connection:
        while len(seen) < MAX_GREETING:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = connection.recv(1024)
            except OSError as error:
                raise DeviceUnreachable(f"{host}:{port}: connected, but no SSH greeting: {error}") from error
            if not data:
                raise DeviceUnreachable(f"{host}:{port}: connected, but closed without an SSH greeting")
            seen += data
            for line in seen.split(b"\n")[:-1]:
                if line.startswith(b"SSH-"):
                    return line.decode("ascii", "replace").strip()
    raise DeviceAnswerError(f"{host}:{port}: not an SSH server: {seen[:60]!r}")


class Login:
    """A session on a machine. Made connected; raises DeviceError.

    ``ordered``  the command of ``order`` was sent and not refused, so it may have its effect whatever was raised
    """

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings
        self._deadline = time.monotonic() + settings.timeout
        self._given_up = False
        self._client = paramiko.SSHClient()
        self.ordered = False
        policy = self._trust()
        self._client.set_missing_host_key_policy(policy)
        key = self._private_key()
        self._socket = _connect(settings.host, settings.port, settings.timeout)
        # paramiko's own limits are per stage, and some waits have none: whatever hangs at the deadline loses its socket
        watchdog = threading.Timer(self._left(), self._socket.close)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._log_in(key)
        except BaseException:
            self.close()
            raise
        finally:
            watchdog.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def closed_by_peer(self) -> bool:
        """Whether the machine ended the session: by a message, an end of the stream or a reset, not by silence."""
        transport = self._client.get_transport()
        if self._given_up or transport is None or transport.is_active() or self._socket.lost:
            return False
        ending = transport.saved_exception
        return ending is None or isinstance(ending, EOFError | ConnectionResetError | BrokenPipeError)

    def order(self, command: str) -> None:
        """Run ``command``, whose success may well end the session before its exit status comes.

        Raises DeviceRefused when it was not found or not allowed, DeviceUnreachable when it did not end in time.
        """
        status, text = self._run(command)
        self.ordered = False
        last = (text.strip().splitlines() or ["no output"])[-1][:200]
        if status in NOT_FOUND:
            raise DeviceRefused(f"{self._settings.where}: {last} (exit status {status})")
        if status not in {0, -1} and any(phrase in text.lower() for phrase in NOT_ALLOWED):
            raise DeviceRefused(f"{self._settings.where}: not allowed: {last}")
        self.ordered = True

    def read(self, command: str, seconds: float | None = None) -> str:
        """Run ``command`` and return what it writes; raises DeviceAnswerError unless its exit status is 0.

        ``seconds``  the longest it may take; default: all that is left of the login's time
        """
        status, text = self._run(command, seconds)
        if status != 0:
            raise DeviceAnswerError(f"{self._settings.where}: {command} ended with {status}: {text.strip()[:200]}")
        return text

    def word(self, command: str, seconds: float) -> str:
        """Return the one word that ``command`` writes within ``seconds``; "" if it is empty, fails or writes more."""
        try:
            words = self.read(command, seconds).split() if command else []
        except DeviceError:
            return ""
        return words[0][:WORD_MOST] if len(words) == 1 else ""

    def close(self) -> None:
        self._given_up = True
        self._client.close()
        socket_ = getattr(self, "_socket", None)
        if socket_ is not None:
            socket_.close()

    def _left(self) -> float:
        return max(0.001, self._deadline - time.monotonic())

    def _trust(self) -> paramiko.MissingHostKeyPolicy:
        settings = self._settings
        name = settings.host if settings.port == 22 else f"[{settings.host}]:{settings.port}"
        keys = self._client.get_host_keys()
        if settings.pinned_key:
            key = pinned(settings.pinned_key)
            keys.add(name, key.get_name(), key)
            return RejectUnknown()
        known = KnownHosts(settings.known_hosts)
        known.fill(keys, name)
        return AcceptNew(known) if settings.accept_new else RejectUnknown()

    def _private_key(self) -> paramiko.PKey | None:
        path = self._settings.key_file
        if not path:
            return None
        try:
            return paramiko.PKey.from_path(path, (self._settings.key_passphrase or None))
        except (OSError, ValueError, TypeError, paramiko.SSHException) as error:
            raise DeviceRefused(f"the key file {path} cannot be used: {type(error).__name__}: {error}") from error

    def _log_in(self, key: paramiko.PKey | None) -> None:
        settings = self._settings
        try:
            self._client.connect(
                settings.host,
                settings.port,
                settings.user,
                password=settings.password or None,
                pkey=key,
                allow_agent=settings.use_agent,
                look_for_keys=False,
                sock=self._socket,
                timeout=self._left(),
                banner_timeout=self._left(),
                auth_timeout=self._left(),
                channel_timeout=self._left(),
            )
        except paramiko.BadHostKeyException as error:
            shown = f"{error.key.get_name()} {error.key.fingerprint}"
            raise DeviceRefused(
                f"{settings.where}: the host key has changed to {shown}; if that is right, change the known one"
            ) from error
        except UnknownHostKey as error:
            raise DeviceRefused(f"{settings.where}: {error}; add it to known_hosts or pin it as host_key") from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._translated(error, "logging in") from error

    def _translated(self, error: Exception, stage: str) -> DeviceError:
        where, text = self._settings.where, str(error) or type(error).__name__
        if time.monotonic() >= self._deadline:
            return DeviceUnreachable(f"{where}: {stage} took longer than {self._settings.timeout:g} s")
        if isinstance(error, paramiko.AuthenticationException) and "EOF" not in text:
            return DeviceRefused(f"{where}: {self._settings.user} may not log in: {text}")
        if isinstance(error, IncompatiblePeer) or "authentication methods" in text:
            return DeviceRefused(f"{where}: {text}")
        return DeviceUnreachable(f"{where}: {stage} broke off: {text}")

    def _run(self, command: str, seconds: float | None = None) -> tuple[int, str]:
        """Return exit status (-1: none came) and output, both streams together."""
        transport = self._client.get_transport()
        if transport is None:
            raise DeviceUnreachable(f"{self._settings.where}: not connected")
        watchdog = threading.Timer(self._left(), self.close)  # exec_command waits for its answer without a limit
        watchdog.daemon = True
        watchdog.start()
        try:
            channel = transport.open_session(timeout=self._left())
            channel.set_combine_stderr(True)
            self.ordered = True
            channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            if transport.is_active() and time.monotonic() < self._deadline:
                self.ordered = False  # the server is there and said no
                raise DeviceRefused(f"{self._settings.where}: the server does not run commands: {error}") from error
            raise self._translated(error, "running the command") from error
        finally:
            watchdog.cancel()
        return self._listen(channel, self._deadline if seconds is None else time.monotonic() + seconds)

    def _listen(self, channel: paramiko.Channel, deadline: float) -> tuple[int, str]:
        output = b""
        channel.settimeout(0.2)
        while not channel.exit_status_ready() or channel.recv_ready():
            if time.monotonic() >= min(deadline, self._deadline):
                raise DeviceUnreachable(f"{self._settings.where}: no end within {self._settings.timeout:g} s")
            with contextlib.suppress(TimeoutError):
                data = channel.recv(4096)
                output += data[: MAX_OUTPUT - len(output)]
                if not data:
                    channel.status_event.wait(0.2)
        return channel.exit_status, output.decode("utf-8", "replace")

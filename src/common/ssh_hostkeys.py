"""Which host key an SSH server may show: a pinned one, one of a ``known_hosts`` file, or (if allowed) a new one."""

from __future__ import annotations

import base64
import hmac
import os
import threading
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry, HostKeys, InvalidHostKey
from typing_extensions import override

from .errors import DeviceRefused
from .oserrors import reason

_file_lock = threading.Lock()


class UnknownHostKey(paramiko.SSHException):
    """The server has a key that nobody vouches for."""


class RejectUnknown(paramiko.MissingHostKeyPolicy):
    """Refuse a server of which no key is known."""

    @override
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise UnknownHostKey(f"unknown host key {key.get_name()} {key.fingerprint}")


class AcceptNew(paramiko.MissingHostKeyPolicy):
    """Take the first key that a server shows and write it down; only asked when no key of the server is known."""

    def __init__(self, known: KnownHosts) -> None:
        self._known = known

    @override
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        if key.get_base64() in self._known.revoked:
            raise UnknownHostKey(f"revoked host key {key.get_name()} {key.fingerprint}")
        self._known.append(hostname, key)


class KnownHosts:
    """A ``known_hosts`` file (sshd(8)); certificates and wildcards are not supported, lines with them match nothing."""

    def __init__(self, path: str) -> None:
        self.path = Path(path or "~/.ssh/known_hosts").expanduser()
        self.revoked: set[str] = set()

    def fill(self, keys: HostKeys, hostname: str) -> None:
        """Add the keys of ``hostname`` (``[host]:port`` unless it is port 22) to ``keys``.

        Raises DeviceRefused when the file cannot be read; a file that does not exist knows nobody.
        """
        try:
            lines = self.path.read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return
        except OSError as error:
            raise DeviceRefused(f"{self.path}: {reason(error)}") from error
        found: list[paramiko.PKey] = []
        for line in map(str.strip, lines):
            marker, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
            entry = _entry(rest)
            if entry is None or entry.key is None:
                continue
            if marker == "@revoked":
                self.revoked.add(entry.key.get_base64())
            elif not marker and _names(entry, hostname):
                found.append(entry.key)
        for key in found:
            if key.get_base64() not in self.revoked:
                keys.add(hostname, key.get_name(), key)

    def append(self, hostname: str, key: paramiko.PKey) -> None:
        """Write a key down. Raises DeviceRefused when that fails."""
        line = f"{hostname} {key.get_name()} {key.get_base64()}\n"
        try:
            with _file_lock:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                with os.fdopen(file, "a", encoding="utf-8") as stream:
                    stream.write(line)
        except OSError as error:
            raise DeviceRefused(f"{self.path}: the new host key cannot be stored: {error.strerror}") from error


def pinned(text: str) -> paramiko.PKey:
    """Return the key of ``ssh-ed25519 AAAA…``, also with host names before or a comment after it, as files have it.

    Raises DeviceRefused when it is no key.
    """
    for candidate in (f"pinned {text.strip()}", text.strip()):
        entry = _entry(candidate)
        if entry is not None and entry.key is not None:
            return entry.key
    raise DeviceRefused(f"host_key is not a public key such as 'ssh-ed25519 AAAA…': {text[:40]!r}")


def _entry(line: str) -> HostKeyEntry | None:
    if not line or line.startswith("#"):
        return None
    try:
        return HostKeyEntry.from_line(line)
    except (InvalidHostKey, paramiko.SSHException, ValueError):  # one bad line is not the whole file
        return None


def _names(entry: HostKeyEntry, hostname: str) -> bool:
    """Return whether the entry is for ``hostname``, by plain or hashed name."""
    return any(_hashed(name, hostname) if name.startswith("|") else name == hostname for name in entry.hostnames or ())


def _hashed(name: str, hostname: str) -> bool:
    """Return whether ``|1|salt|hash`` (HMAC-SHA1, both in base64) stands for ``hostname``. Nonsense stands for none."""
    try:
        _, version, salt, digest = name.split("|")
        found = hmac.digest(base64.b64decode(salt), hostname.encode(), "sha1")
        return version == "1" and hmac.compare_digest(found, base64.b64decode(digest))
    except ValueError:  # not four parts, or not base64
        return False

"""Passwords: what is good enough for one, and their hashes by scrypt (RFC 7914)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..common.errors import CommandError

T = TypeVar("T")

LOG2_N, R, P = 14, 8, 5
"""scrypt's cost: 16 MB, and some tenths of a second on a small machine."""
SHORTEST, LONGEST = 10, 1000
AT_ONCE, WAITING = 2, 8
"""Hashes that are computed at the same time, and how many may wait: logins must not starve the daemon."""
WAIT_S = 15.0
_MEMORY = 64 * 1024 * 1024
_COMMON = """
0123456789 0987654321 123456789a 1234567890 12345678910 1q2w3e4r5t 1q2w3e4r5t6y administrator asdfghjkl1
changeme12 changeme123 football123 iloveyou12 iloveyou123 letmein123 letmein1234 monkey1234 ockleockle password10
password11 password12 password123 password1234 passw0rd123 qwerty1234 qwerty12345 qwerty123456 qwertyuiop
qwertyuiop1 qwertzuiop raspberrypi sunshine123 superman123 trustno1trustno1 welcome123 welcome1234
""".split()  # noqa: SIM905 - a list of literals would take a line for each


def problem(password: str, name: str) -> str:
    """Return why ``password`` is not good enough for the user ``name``, "" when it is."""
    plain = _plain(password).casefold()
    if len(plain) < SHORTEST:
        return f"a password has {SHORTEST} characters at least"
    if len(plain) > LONGEST:
        return f"a password has {LONGEST} characters at most"
    if len(name) > 2 and name.casefold() in plain:
        return "a password must not contain the name of its user"
    if plain in _COMMON or len(set(plain)) < 4:
        return "this password is among the first that anybody tries"
    return ""


def make_hash(password: str) -> str:
    """Return a new hash, which says itself how it was made. Raises CommandError when too many are being computed."""
    salt = secrets.token_bytes(16)
    return _text(LOG2_N, R, P, salt, _slowly(lambda: _scrypt(password, salt, LOG2_N, R, P)))


def fits(password: str, known: str | None) -> bool:
    """Tell whether ``known`` is a hash of ``password``; without one it takes as long and is False.

    Raises CommandError like ``make_hash``.
    """
    log2_n, r, p, salt, wanted = _taken_apart(known or _NOBODY)
    found = _slowly(lambda: _scrypt(password, salt, log2_n, r, p))
    return hmac.compare_digest(found, wanted) and known is not None


def is_outdated(known: str) -> bool:
    """Tell whether a hash was made at another cost than today's."""
    return _taken_apart(known)[:3] != (LOG2_N, R, P)


def _plain(password: str) -> str:
    """Return the password as every keyboard gives it: the same letter can be written in several ways."""
    return unicodedata.normalize("NFKC", password)


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    data = _plain(password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=salt, n=1 << log2_n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def _text(log2_n: int, r: int, p: int, salt: bytes, digest: bytes) -> str:
    parts = (base64.b64encode(one).decode().rstrip("=") for one in (salt, digest))
    return f"$scrypt$ln={log2_n},r={r},p={p}${'$'.join(parts)}"


def _taken_apart(text: str) -> tuple[int, int, int, bytes, bytes]:
    """Return cost, salt and digest of a hash. Raises CommandError for what is none."""
    try:
        empty, name, cost, salt, digest = text.split("$")
        numbers = dict(part.split("=") for part in cost.split(","))
        if empty or name != "scrypt":
            raise ValueError(name)
        costs = int(numbers["ln"]), int(numbers["r"]), int(numbers["p"])
        return *costs, _unpacked(salt), _unpacked(digest)
    except (ValueError, KeyError, binascii.Error):
        raise CommandError("the hash of this password is damaged; have an admin set a new one", "internal") from None


def _unpacked(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


_NOBODY = _text(LOG2_N, R, P, bytes(16), bytes(32))
_places = threading.BoundedSemaphore(AT_ONCE)
_queue = threading.BoundedSemaphore(AT_ONCE + WAITING)


def _slowly(work: Callable[[], T]) -> T:
    with _place():
        return work()


@contextmanager
def _place() -> Iterator[None]:
    if not _queue.acquire(blocking=False):
        raise CommandError("too many logins at the same time: try again", "throttled", {"retry_s": 1.0})
    try:
        if not _places.acquire(timeout=WAIT_S):
            raise CommandError("too many logins at the same time: try again", "throttled", {"retry_s": 1.0})
        try:
            yield
        finally:
            _places.release()
    finally:
        _queue.release()

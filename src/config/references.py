"""``${env:NAME}`` and ``${file:path}`` in values, and secrets that do not print themselves."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

MAX_FILE = 64 * 1024
"""Bytes of a file that a value may refer to; a key or token is far smaller."""

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<kind>[^:}]*)(?P<colon>:?)(?P<name>[^}]*)(?P<end>\}?)")


class ReferenceProblem(ValueError):
    """A reference that cannot be resolved; the text names it, never its content."""


Warn = Callable[[str], None]


def _ignore(_warning: str) -> None:
    """Drop a warning: revealing repeats the check that has already reported it."""


def has_reference(text: str) -> bool:
    """Return whether ``expand`` would change or refuse the text."""
    return "${" in text


def expand(text: str, base: Path | None = None, warn: Warn = _ignore) -> str:
    """Return ``text`` with its references replaced; ``$${`` stands for a plain ``${``.

    ``base``  folder at which relative file paths start (etc); None refuses relative ones
    ``warn``  called with one sentence when a file is open to every user of the machine
    Raises    ReferenceProblem (a ValueError)
    """
    return _REFERENCE.sub(lambda match: _resolve(match, base, warn), text)


def _resolve(match: re.Match[str], base: Path | None, warn: Warn) -> str:
    text, kind, name = match.group(), match["kind"], match["name"]
    if text == "$${":
        return "${"
    if kind not in ("env", "file") or not match["colon"] or not name or not match["end"]:
        raise ReferenceProblem(
            f"{text} is not a reference (write ${{env:NAME}} or ${{file:path}}, or $${{ for a plain ${{)"
        )
    if kind == "env":
        try:
            return os.environ[name]
        except KeyError:
            raise ReferenceProblem(f"the environment has no variable {name}") from None
    return _read(name, base, warn)


def _read(name: str, base: Path | None, warn: Warn) -> str:
    path = Path(name)
    if not path.is_absolute():
        if base is None:
            raise ReferenceProblem(f"the file {name} needs an absolute path here")
        path = base / path
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a FIFO would block for ever, a device might never end
            raise ReferenceProblem(f"{name} is not a regular file")
        if status.st_size > MAX_FILE:
            raise ReferenceProblem(f"the file {name} is larger than {MAX_FILE // 1024} KiB")
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ReferenceProblem(f"the file {name} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise ReferenceProblem(f"the file {name} is not UTF-8") from None
    if status.st_mode & stat.S_IROTH:
        warn(f"the file {name} can be read by every user; take that away with chmod o-r")
    return text.removesuffix("\n").removesuffix("\r")


class Secret:
    """A text that shows itself as ``***``; only ``reveal`` gives it away.

    Not a ``str``: joining, formatting or JSON-encoding one by mistake must fail or show stars.
    References are resolved when revealed, so a rotated password file is seen without a reload.
    """

    __slots__ = ("_base", "_text")

    def __init__(self, text: str = "", base: Path | None = None) -> None:
        self._text = text
        self._base = base

    def reveal(self) -> str:
        """Return the text. Raises ReferenceProblem when a reference cannot be resolved (any more)."""
        return expand(self._text, self._base)

    def check(self, warn: Warn = _ignore) -> None:
        """Resolve the references and forget the result. Raises ReferenceProblem as ``reveal`` does."""
        expand(self._text, self._base, warn)

    @property
    def source(self) -> str:
        """What stands in the INI file: the plain secret or its reference. For writing back, never for showing."""
        return self._text

    def based(self, base: Path | None) -> Secret:
        """Return the same secret with its relative file references starting at ``base``."""
        return Secret(self._text, base)

    def __str__(self) -> str:
        return "***"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._text, self._base) == (other._text, other._base)

    def __hash__(self) -> int:
        return hash((self._text, self._base))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not serialised")

"""Where the log goes: the console, and when configured a folder of dated files. No registered secret in any line.

Secrets are masked in the finished text, so neither arguments nor tracebacks nor the words of a library can carry one
out. The same ``redact`` serves whatever else leaves the daemon as text (events, error answers).
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TextIO
from urllib.parse import quote, quote_plus

from typing_extensions import override

from .log_files import DatedFiles

MASK = "***"

_SHORT = 4
"""Below this a secret is masked only where it stands alone: "on" must not blot out half of every line."""

# systemd's sd-daemon(3): the priority in front of a line, as in syslog
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {9: "\\t", 10: "\\n", 13: "\\r"}
_CHATTY = ("asyncssh", "paramiko", "sqlalchemy", "pysnmp")


class _Secrets:
    """The registered texts, and one pattern that finds every way in which they are written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, text: str) -> None:
        forms = set(_forms(text))
        with self._lock:
            if forms <= self._forms:
                return
            self._forms |= forms
            # the longest first, so that a secret which begins with another one is masked whole
            self._pattern = re.compile("|".join(map(_expression, sorted(self._forms, key=len, reverse=True))))

    def mask(self, text: str) -> str:
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text


def _forms(text: str) -> Iterator[str]:
    """How a secret may show in a text: itself, as a Python or JSON literal, in a URL; each line of a key file, too."""
    for part in {text, text.strip(), *(line for line in text.split("\n") if len(line) > 2 * _SHORT)}:
        if part.strip():
            yield part
            yield from (repr(part)[1:-1], repr(part.encode())[2:-1], json.dumps(part)[1:-1])
            yield from (quote(part, safe=""), quote_plus(part), part.translate(_CONTROLS))


def _expression(form: str) -> str:
    expression = re.escape(form)
    return rf"(?<!\w){expression}(?!\w)" if len(form) < _SHORT else expression


_secrets = _Secrets()


def register_secret(text: str) -> None:
    """From now on ``text`` is shown as ``***`` in every log line and wherever ``redact`` is used."""
    _secrets.add(text)


def redact(text: str) -> str:
    """``text`` with every registered secret masked."""
    return _secrets.mask(text)


class RedactingFormatter(logging.Formatter):
    """Lines without secrets and without control characters: a device's answer cannot forge a line of its own.

    ``priorities``  put systemd's ``<N>`` before each line (the journal then knows the level) instead of time and level
    """

    def __init__(self, *, priorities: bool = False) -> None:
        super().__init__("%(name)s: %(message)s" if priorities else "%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        self._priorities = priorities

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        # before the control characters are written out: a secret of several lines must be found as it is
        record.message = redact(record.message).translate(_CONTROLS)
        return super().formatMessage(record)

    @override
    def format(self, record: logging.LogRecord) -> str:
        kept, record.exc_text = record.exc_text, None  # (another handler's cached traceback may hold secrets)
        try:
            text = redact(super().format(record))
        finally:
            record.exc_text = kept
        first, *more = text.split("\n")
        lines = [first, *("    " + line.translate(_CONTROLS) for line in more)]
        if not self._priorities:
            return "\n".join(lines)
        number = next(number for level, number in _PRIORITIES if record.levelno >= level)
        return "\n".join(f"<{number}>{line}" for line in lines)


class _Complaints:
    """Mixed into a handler: says once that it cannot write. (The library's own report would print raw arguments.)"""

    complained = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - overrides logging.Handler
        if self.complained or sys.__stderr__ is None:
            return
        self.complained = True
        problem = "".join(traceback.format_exception_only(sys.exception())).strip()
        sys.__stderr__.write(redact(f"ockle: cannot write a log line of {record.name}: {problem}\n"))


class _Console(_Complaints, logging.StreamHandler[TextIO]):
    pass


class _Files(_Complaints, logging.Handler):
    """Lines into ``DatedFiles``."""

    def __init__(self, files: DatedFiles) -> None:
        super().__init__()
        self._files = files

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._files.write(self.format(record) + "\n")
            self.complained = False
        except OSError:
            self.handleError(record)

    @override
    def close(self) -> None:
        self._files.close()
        super().close()


def to_journal(stream: TextIO) -> bool:
    """Whether ``stream`` is the very one that systemd connected to its journal (systemd.exec(5), ``$JOURNAL_STREAM``).

    The variable alone says little: programs started by hand from a service's terminal inherit it.
    """
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return (str(status.st_dev), str(status.st_ino)) == (device, inode)


@contextmanager
def logging_to(
    level: str = "INFO",
    folder: Path | None = None,
    *,
    keep: int = 14,
    total_bytes: int = 64 * 1024 * 1024,
    stream: TextIO | None = None,
    today: Callable[[], date] = date.today,
) -> Iterator[None]:
    """Send all logging, warnings and uncaught exceptions to the console and to dated files while the block runs.

    ``level``        DEBUG, INFO, WARNING or ERROR
    ``folder``       where ``ockle-DATE.log`` files go; made when missing; None: console only
    ``keep``         so many files at most
    ``total_bytes``  so large together at most; the oldest go first
    ``stream``       the console, standard error by default
    Raises           OSError when the folder cannot be made or written
    """
    console = stream or sys.stderr
    handlers: list[logging.Handler] = [_Console(console)]
    handlers[0].setFormatter(RedactingFormatter(priorities=to_journal(console)))
    if folder is not None:
        handlers.append(_Files(DatedFiles(folder, "ockle", keep=keep, total_bytes=total_bytes, today=today)))
        handlers[1].setFormatter(RedactingFormatter())
    root = logging.getLogger()
    before = (root.level, sys.excepthook, threading.excepthook)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    for name in _CHATTY:  # each connection of a library is news only to who debugs it
        logging.getLogger(name).setLevel(logging.NOTSET if root.level <= logging.DEBUG else logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook, threading.excepthook = _uncaught, _uncaught_in_thread
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = before[1:]
        logging.captureWarnings(False)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.NOTSET)
        root.setLevel(before[0])
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger("ockle").critical("uncaught %s", kind.__name__, exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else "?"
        info = (args.exc_type, args.exc_value, args.exc_traceback)
        logging.getLogger("ockle").critical("uncaught %s in thread %s", args.exc_type.__name__, name, exc_info=info)

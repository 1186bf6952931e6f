"""Reading and writing INI files: bounded, in UTF-8, with every syntax error named, written whole or not at all."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from configobj import ConfigObj, ConfigObjError

from ..common.errors import ConfigError
from .atomic import write_atomic
from .faults import Fault
from .history import History
from .names import confine
from .syntax import MAX_FAULTS, syntax_faults

__all__ = [
    "MAX_BYTES",
    "History",
    "confine",
    "parse_ini",
    "parsed_once",
    "read_ini",
    "read_text",
    "render_ini",
    "write_ini",
]

MAX_BYTES = 1024 * 1024
"""An INI file of a server has a few hundred bytes; a megabyte is a mistake or an attack."""


def read_ini(path: Path, *, name: str = "") -> ConfigObj:
    """Return the file with its comments and order.

    ``name``  how the file is called in errors; its path otherwise
    Raises    ConfigError with one fault per syntax error (with its line), or for a file that cannot be read
    """
    name = name or str(path)
    return parse_ini(read_text(path, name), name)


def read_text(path: Path, name: str) -> str:
    """Return the text of a regular file in UTF-8, line ends as they are. Raises ConfigError naming it ``name``."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a FIFO would block for ever
            raise ConfigError(str(Fault(name, problem="not a regular file")))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(str(Fault(name, problem=f"cannot be read: {error.strerror or error}"))) from error
    if len(data) > MAX_BYTES:
        raise ConfigError(str(Fault(name, problem=f"larger than {MAX_BYTES // 1024} KiB")))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(str(Fault(name, problem=f"line {line}: not UTF-8", remedy="save it as UTF-8"))) from error


@lru_cache(maxsize=4096)
def parsed_once(text: str, name: str) -> ConfigObj:
    """Return what ``parse_ini`` does, the same object for the same text: only to be looked at.

    A site of hundreds of servers is read several times for each change, and hardly any of its files differ.
    """
    return parse_ini(text, name)


def parse_ini(text: str, name: str) -> ConfigObj:
    """Return the INI file that ``text`` holds. Raises ConfigError with one fault per syntax error."""
    newline = "\r\n" if "\r\n" in text else "\n"
    # Not splitlines(): it also splits at form feeds and Unicode separators, which editors do not count as lines.
    lines = text.replace("\r\n", "\n").split("\n")
    found = islice(syntax_faults(lines), MAX_FAULTS)
    faults = [str(Fault(name, problem=f"line {number}: {problem}")) for number, problem in found]
    if faults:
        raise ConfigError(*faults)
    try:
        ini = ConfigObj(
            lines[:-1] if lines[-1] == "" else lines,
            interpolation=False,
            list_values=True,
            encoding=None,
            default_encoding="utf-8",
            write_empty_values=True,
        )
    except ConfigObjError as error:
        # Only what syntax_faults lets through by mistake. ConfigObj's text is not shown: it repeats the line.
        raise ConfigError(str(Fault(name, problem=f"line {error.line_number}: cannot be understood"))) from error
    for section in (ini, *(ini[name] for name in ini.sections)):
        for key, comment in section.inline_comments.items():
            # ConfigObj forgets the space before the # and would glue it to the value; without the # it writes " # ".
            section.inline_comments[key] = (comment or "").lstrip("#").strip()
    ini.newlines = newline
    return ini


def render_ini(ini: ConfigObj) -> str:
    """Return the text of the file, which reads as ``ini`` again. Raises ConfigError for what INI cannot express."""
    newline = ini.newlines or "\n"
    try:
        text = "".join(line + newline for line in ini.write())
        same = parse_ini(text, "") == _texts(ini)
    except (ConfigObjError, ConfigError):  # whose text may repeat a value that is secret
        same = False
    if not same:
        raise ConfigError("cannot be written as INI: a value mixes quotes and commas, or a comment follows it closely")
    return text


def _texts(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as they are read back: texts and lists of texts."""
    return {
        key: _texts(value)
        if isinstance(value, Mapping)
        else [str(item) for item in value]
        if isinstance(value, (list, tuple))
        else str(value)
        for key, value in section.items()
    }


def write_ini(path: Path, content: ConfigObj | str) -> None:
    """Replace the file so that a crash or a full disk at any moment leaves the old or the new one, never half of one.

    Keeps the mode of an existing file; a new one is not readable by other users, it may hold passwords. The content
    is read back as INI first. Raises ConfigError.
    """
    text = content if isinstance(content, str) else render_ini(content)
    parse_ini(text, path.name)
    write_atomic(path, text)

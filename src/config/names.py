"""Names of objects, and where their files may lie."""

from __future__ import annotations

from pathlib import Path

from ..common.errors import ConfigError
from .faults import one_line

MAX_NAME = 64


def name_problem(name: str) -> str:
    """Return why ``name`` cannot be the name of an object (and thus of a file), or ""."""
    if not 1 <= len(name) <= MAX_NAME:
        return f"a name has 1 to {MAX_NAME} characters"
    if not name.isprintable():
        return "a name has no control characters"
    if any(letter in '/\\,"' for letter in name) or name.startswith(".") or name != name.strip():
        return "a name has no slash, backslash, comma or double quote, no dot at its start and no space at its ends"
    return ""


def confine(etc: Path, relative: str) -> Path:
    """Return the path of an INI file below ``etc``, which need not exist. Raises ConfigError for any other path."""
    parts = relative.split("/")
    problem = next(filter(None, map(name_problem, (*parts[:-1], parts[-1].removesuffix(".ini")))), "")
    if problem or not relative.endswith(".ini"):
        raise ConfigError(f"{one_line(relative)!r} is not the name of an INI file below the configuration folder")
    path = etc.joinpath(*parts)
    try:
        inside = path.resolve().is_relative_to(etc.resolve())
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        raise ConfigError(f"{relative} cannot be resolved: {error}") from error
    if not inside:
        raise ConfigError(f"{relative} leads out of the configuration folder")
    return path

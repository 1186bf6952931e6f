"""What the checks of schedules, UPSes, monitors and channels do alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from .reader import SiteReader
from .selectors import nobody, unreadable

T = TypeVar("T")
Refuse = Callable[[str, str], None]
"""(option, what is wrong with it)"""


def refusing(reader: SiteReader, file: str, section: str) -> Refuse:
    """Return what collects the faults of a file's options."""

    def refuse(option: str, problem: str) -> None:
        reader.fault(file, section, option, problem=problem)

    return refuse


def readable(how: Callable[[str], T], texts: Iterable[str], option: str, refuse: Refuse | None) -> list[T]:
    """Return what ``how`` makes of each text. Its ValueErrors go to ``refuse``, if there is one."""
    found = []
    for text in texts:
        try:
            found.append(how(text))
        except ValueError as error:
            if refuse is None:
                raise
            refuse(option, str(error))
    return found


def check_selectors(
    reader: SiteReader, file: str, selectors: Iterable[str], refuse: Refuse, option: str = "servers"
) -> None:
    """Refuse selectors that cannot be read, and warn of those that are for nobody."""
    known = list(selectors)
    for one in known:
        if problem := unreadable(one):
            refuse(option, problem)
    if missing := nobody(reader.site, known):
        reader.site.warnings.append(f"{file}: {option}: nobody is called {', '.join(missing)}")


def check_plugin(reader: SiteReader, folder: str, count: int, plugin: str, idle: str) -> None:
    """Warn when a folder has objects and the plugin that deals with them is not loaded; ``idle``: what is not done."""
    if count and plugin not in reader.site.plugins:
        text = f"etc/{folder} has {count}, and nothing {idle}: add {plugin} to [plugins] plugins"
        reader.site.warnings.append(text)

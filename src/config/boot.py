"""The faults in what all boot profiles say together: one machine belongs to one of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from ..common.hostranges import expand
from ..common.mac import normalised
from .reader import SiteReader

EVERYBODY = "*"


def check_boot(reader: SiteReader) -> None:
    """Collect the faults of the files in etc/boot, once all have been read."""
    taken: dict[str, str] = {}
    for profile in reader.site.boot.values():
        for word in profile.settings["boards"]:
            try:
                boards = named(word)
            except ValueError as error:
                reader.fault(profile.file, "boot", "boards", word, problem=str(error), remedy="write pi[1-4], say")
                continue
            for board in boards:
                other = taken.setdefault(board, profile.name)
                if other != profile.name:
                    problem = f"{board} belongs to the profile {other} already"
                    reader.fault(profile.file, "boot", "boards", word, problem=problem, remedy="name it once")
        for key in ("root", "image", "boot_file"):
            if not below(profile.settings[key]):
                problem = "leads out of its folder"
                reader.fault(profile.file, "boot", key, profile.settings[key], problem=problem, remedy="write a name")
        for word in profile.settings["maps"]:
            if not mapped([word]):
                problem = "is not of the form asked=served, or leads out of its folder"
                reader.fault(profile.file, "boot", "maps", word, problem=problem, remedy="write config.txt=other.txt")


def named(word: str) -> list[str]:
    """Return the keys of the machines that a word of ``boards`` means: names in lower case, MAC addresses, ``*``.

    Raises ValueError for brackets that make no range.
    """
    if word == EVERYBODY:
        return [word]
    try:
        return [normalised(word)]
    except ValueError:
        return [name.casefold() for name in expand(word)]


def mapped(words: list[str]) -> Mapping[str, str]:
    """Return the file that is asked for -> the file that is served; what has another form is left out."""
    pairs = (word.partition("=") for word in words)
    return {
        asked.strip(): served.strip()
        for asked, _, served in pairs
        if asked.strip() and served.strip() and below(served.strip())
    }


def below(name: str) -> bool:
    """Tell whether a name stays in the folder that it is looked for in."""
    return not name.startswith("/") and ".." not in PurePosixPath(name).parts and "\0" not in name

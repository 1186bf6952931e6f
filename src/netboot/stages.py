"""How far a board has come with its boot, as far as the boot server can see."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """The value is the text that people read. In the order of a boot, but a board may begin anew at any stage."""

    NEW = "not seen yet"
    ASKING = "asks for an address"
    ADDRESSED = "has an address"
    LOADING = "loads boot files"
    HELLO = "says hello"
    FORMATTING = "was told to format"
    INSTALLING = "loads its root file system"
    INSTALLED = "is installed"
    BOOTING = "was told to boot"
    BOOTED = "has booted"
    UP = "is up"
    FAILED = "failed"

    @property
    def ok(self) -> bool:
        """Whether the board has handed over to its own system."""
        return self in {Stage.BOOTED, Stage.UP}

    @property
    def key(self) -> str:
        """Return the name that programs use: ``loading``."""
        return self.name.lower()


class MarkState(StrEnum):
    """What became of the wish to install a board anew."""

    NONE = ""
    WANTED = "wanted"
    STARTED = "started"

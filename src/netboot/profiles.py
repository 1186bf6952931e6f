"""Boot profiles: what a board is given to boot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..config.boot import EVERYBODY, mapped, named
from ..config.model import PlainConfig
from ..config.templates import load_template
from .hosts import Host


@dataclass(frozen=True, slots=True)
class Profile:
    """What some boards boot, as src/config/boot.ini describes it. ``maps``: file asked for -> file served."""

    name: str
    root: str = ""
    boot_file: str = ""
    maps: Mapping[str, str] = field(default_factory=dict)
    kernel_args: str = ""
    image: str = "rootfs.tgz"


class Profiles:
    """The profiles of a site. A host that none names has that of ``*``, or else the defaults."""

    def __init__(self, configs: Iterable[PlainConfig] = ()) -> None:
        self._by_board: dict[str, Profile] = {}
        self._default = _profile("", load_template("boot.ini").defaults("boot"))
        for config in configs:
            profile = _profile(config.name, config.settings)
            for word in config.settings["boards"]:
                self._by_board.update((board, profile) for board in named(word))
        self._default = self._by_board.get(EVERYBODY, self._default)

    def of(self, host: Host | None) -> Profile:
        """Return the profile of a host; None: of a board that hosts.csv does not know."""
        if host is None:
            return self._default
        for key in (host.mac.lower(), host.name.casefold()):
            if key in self._by_board:
                return self._by_board[key]
        return self._default


def _profile(name: str, settings: Mapping[str, object]) -> Profile:
    chosen = {key: str(settings[key]) for key in ("root", "boot_file", "kernel_args", "image")}
    maps = settings["maps"]
    return Profile(name, maps=mapped(maps if isinstance(maps, list) else []), **chosen)

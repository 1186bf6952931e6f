"""The site as it is on disk, or would be with a draft, read once and kept as long as no file changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .known_options import editable, site_files
from .site import Site, load_site
from .uses import Uses, uses

KEEP = 4
"""Several users look at their drafts at the same time; each site is a few MB at most."""

Key = tuple[str, ...]


@dataclass(slots=True)
class Look:
    """``site`` may be incomplete: it has its faults with it. ``network`` is what the higher floor makes of it."""

    site: Site
    uses: Uses
    texts: dict[str, str]
    """File -> its real text, of those that can be read."""
    network: Any


class Looks:
    """Keeps the last KEEP looks. For any thread.

    ``connect``  makes the network of a site, faults or not, while its folder is there
    """

    def __init__(self, connect: Callable[[Site], Any]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._kept: dict[Key, Look] = {}

    def at(self, etc: Path, stamp: str, folder: Callable[[], AbstractContextManager[Path]]) -> Look:
        """Return the look at the site.

        ``stamp``   changes with the draft; "" without one
        ``folder``  gives the folder to read, if it has to be read
        """
        key = (stamp, *_marks(etc))
        with self._lock:
            look = self._kept.pop(key, None)
            if look is None:
                with folder() as where:
                    look = self._read(where)
            self._kept[key] = look  # the last used one is the last to go
            while len(self._kept) > KEEP:
                del self._kept[next(iter(self._kept))]
            return look

    def _read(self, folder: Path) -> Look:
        texts = {}
        for file in site_files(folder):
            path = editable(folder, file)
            if path.is_file():
                texts[file] = path.read_bytes().decode("utf-8", "replace")
        # Not this machine's business to resolve what a form only shows.
        site = load_site(folder, check_secrets=False)
        return Look(site, uses(folder), texts, self._connect(site))


def _marks(etc: Path) -> Key:
    """Return what changes with every file of the site."""
    marks = []
    for file in site_files(etc):
        try:
            status = (etc / file).stat()
        except OSError:
            continue
        marks.append(f"{file} {status.st_mtime_ns} {status.st_size} {status.st_ino}")
    return tuple(marks)

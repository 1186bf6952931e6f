"""Opens the desks of users, one at a time, and looks at the site with or without a draft."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from ..common.CommunicationHandler import current_caller
from ..common.services import DaemonServices
from ..config.desk import Desk
from ..config.drafts import Drafts
from ..config.editing import Editor
from ..config.look import Look, Looks
from ..networkTree.ServerNetworkFactory import check, sketch


class Desks:
    """What the commands about drafts and forms share. For any thread."""

    def __init__(self, daemon: DaemonServices, editor: Callable[[], Editor]) -> None:
        self._daemon = daemon
        self.editor = editor
        self._lock = threading.Lock()
        self._looks = Looks(sketch)

    @contextmanager
    def open(self, who: str | None = None) -> Iterator[Desk]:
        """Yield the desk of ``who``, of the caller if that is None; nobody else writes a draft meanwhile."""
        with self._lock:
            yield Desk(self._daemon.etc, who or current_caller().name, self.editor(), check)

    def forget(self, who: str) -> None:
        """Delete the draft of ``who``, also one that cannot be read. Raises CommandError "not_found"."""
        with self._lock:
            Drafts(self._daemon.etc).forget(who)

    def look(self, *, stored: bool = False) -> Look:
        """Return the site as it is with the caller's draft, or ``stored``: as it is on disk."""
        if stored:
            return self._looks.at(self._daemon.etc, "", lambda: nullcontext(self._daemon.etc))
        with self.open() as desk:
            stamp = desk.draft.stamp if desk.draft.files else ""
            return self._looks.at(self._daemon.etc, stamp, desk.folder)

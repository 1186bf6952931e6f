"""Commands that give the configuration as data for forms and lists, and tell what the daemon has taken over."""

from __future__ import annotations

from ..common.errors import CommandError
from ..common.services import DaemonServices
from ..config.form_data import Wanted, form_data, objects
from ..config.known_options import FOLDERS
from ..networkTree.candidates import refused_dependencies
from . import fields
from .desks import Desks
from .group import CommandGroup, Data
from .taking_over import TakingOver

_STORED = {"stored?": "true: as it is on disk; default: as it is with the caller's draft"}


class ConfigForms(CommandGroup):
    """For viewers, too: secrets are never in it."""

    def __init__(self, daemon: DaemonServices, desks: Desks, taking_over: TakingOver) -> None:
        super().__init__(daemon)
        self._desks = desks
        self._taking_over = taking_over
        self.add(
            "configForm",
            self.form,
            params={
                "file": "relative to etc, such as outlets/pdu-a.ini; it need not be there",
                "type?": "of a PDU, controller or tester that is not there yet",
                "part?": "[outlets, controllers or testers, name]: with a section for a part that a server is to get",
                **_STORED,
            },
        )
        self.add("configObjects", self.objects, params={"folder": f"one of {', '.join(FOLDERS)}", **_STORED})
        self.add("configState", self.state)
        self.add(
            "configRevisionDiff",
            self.revision_diff,
            "admin",
            {"rev": "number of a revision, 0 or more", "to?": "another one; default: what is on disk"},
        )

    def form(self, data: Data) -> Data:
        """Return an object for a form: ``sections`` with their options, what is set, and what is on offer.

        A server that cannot be needed is on offer with ``refused``, the cycle that it would make.
        """
        part = data.get("part")
        if part is not None and not (isinstance(part, list) and [type(one) for one in part] == [str, str]):
            raise CommandError("part must be a kind and a name")
        wanted = Wanted(
            fields.text(data, "file"), fields.maybe_text(data, "type") or "", (part[0], part[1]) if part else None
        )
        look = self._desks.look(stored=bool(data.get("stored")))
        folder, _, name = wanted.file.removesuffix(".ini").rpartition("/")
        refused = refused_dependencies(look.network, name) if folder == "servers" else {}
        return form_data(look, wanted, refused)

    def objects(self, data: Data) -> Data:
        """Return ``objects`` of a folder: name, file, type, comment, uses, fault; of servers also what they list."""
        folder = fields.text(data, "folder")
        if folder not in FOLDERS:
            raise CommandError(f"folder is {folder!r}: use one of {', '.join(FOLDERS)}")
        return {"objects": objects(self._desks.look(stored=bool(data.get("stored"))), folder)}

    def state(self, data: Data) -> Data:
        """Return ``rev``, ``restart`` (file, section, key of what waits for a restart), ``late``: why no reload yet."""
        return {
            "rev": self._desks.editor().revision(),
            "restart": self._daemon.waiting_for_restart(),
            "late": self._taking_over.late,
        }

    def revision_diff(self, data: Data) -> Data:
        """Return ``diffs``: file -> unified diff between two revisions, or from one to what is on disk."""
        first = fields.maybe_number(data, "rev")
        if first is None:
            raise CommandError("rev must be an integer")
        return {"diffs": self._desks.editor().diff_revisions(first, fields.maybe_number(data, "to"))}

"""EditingCommunicationCommands: the commands by which clients read and change the configuration."""

from __future__ import annotations

from functools import partial
from typing import Any

from typing_extensions import override

from ..commands import fields
from ..commands.config_forms import ConfigForms
from ..commands.connection_test import ConnectionTest
from ..commands.desks import Desks
from ..commands.drafting import DraftCommands
from ..commands.taking_over import TakingOver, who
from ..common.errors import CommandError
from ..common.services import DaemonServices
from ..config.editing import Editor
from ..config.template_data import template_data
from ..config.uses import NOUNS
from ..networkTree.ServerNetworkFactory import check
from .ModuleTemplate import ModuleTemplate

Data = dict[str, Any]

_FILE = "relative to etc, such as servers/web1.ini"
_FILES = "file relative to etc -> its whole new text, null to delete it"
_TEMPLATES = "a path relative to src/config, or a list of them that is merged in order"
_CONTENT = "section -> option -> value; what is missing in it is taken out of the file"
_SET = {
    "file": _FILE,
    "section": "made if it is missing",
    "key": "the option",
    "value": "text, list, number or truth value; null: back to the default",
}
_WHY = {
    "message?": "why, for the history",
    "base?": "the revision that the author looked at; refused when a file of the change has changed since",
}


class EditingCommunicationCommands(ModuleTemplate):
    """Reads and changes the files below etc. Secrets show as ``***``; written back like that they stay as they are."""

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        self._taking_over = TakingOver(MainDaemon, self._editor)
        desks = Desks(MainDaemon, self._editor)
        ConfigForms(MainDaemon, desks, self._taking_over)
        DraftCommands(MainDaemon, desks, self._taking_over)
        ConnectionTest(MainDaemon, desks)
        add = MainDaemon.communicationHandler.AddCommandToList
        see, change = partial(add, role="viewer"), partial(add, role="admin")
        see("configCheck", self._check)
        see("configGet", self._get, params={"file": _FILE, "section?": "only this", "key?": "only this option"})
        see("configHistory", self._history, params={"limit?": "how many, the newest first; default: 20"})
        see("getINIFile", self._get_file, params={"iniPath": _FILE})
        see("loadINIFileConfig", self._load_file, params={"configPath": _FILE})
        see("loadINIFileTemplate", self._load_template, params={"templatePaths": _TEMPLATES})
        for folder, noun in NOUNS.items():
            name = "".join(word[0].upper() + word[1:] for word in noun.split())  # getPDUFolder, getBootProfileFolder
            doc = f"Return ``folder``: where the files of the {name}s lie, relative to etc."
            see(f"get{name}Folder", partial(_folder, folder), doc=doc)
        # Whoever may compare a guess with a secret can find it out: a difference is nothing for viewers.
        change("configDiff", self._diff, params={"files": _FILES})
        change("configSet", self._set, params=_SET | _WHY)
        change("configApply", self._apply, params={"files": _FILES} | _WHY)
        change("configUndo", self._undo, params={"rev?": "the revision to return to; default: before the newest"})
        change(
            "configRename", self._rename, params={"file": _FILE, "name": "the new one", "message?": _WHY["message?"]}
        )
        change("configCopy", self._copy, params={"file": _FILE, "name": "of the copy", "message?": _WHY["message?"]})
        change("setINIFile", self._set_file, params={"iniPath": _FILE, "iniDict": _CONTENT})
        change("deleteINIFile", self._delete_file, params={"iniPath": _FILE})
        change("deleteINISection", self._delete_section, params={"iniPath": _FILE, "section": "its name"})

    def _editor(self) -> Editor:
        return Editor(self.mainDaemon.etc, check, self.getConfigInt("history"))

    # -- looking

    def _check(self, _data: Data) -> Data:
        """Return ``faults`` (file, section, key, value, problem, remedy, text) and ``warnings`` of what is on disk."""
        return self._editor().check()

    def _get(self, data: Data) -> Data:
        """Return ``value``: the text of a file, the options of a section, or one; ``rev`` is the newest revision."""
        file, section, key = (
            fields.text(data, "file"),
            fields.maybe_text(data, "section"),
            fields.maybe_text(data, "key"),
        )
        if key is not None and section is None:
            raise CommandError("configGet: a key needs its section")
        editor = self._editor()
        # The revision first: if a change comes between, a draft based on it is refused rather than written over it.
        return {"rev": editor.revision(), "value": editor.get(file, section, key)}

    def _history(self, data: Data) -> Data:
        """Return ``revisions``, newest first: rev, when (seconds since 1970), who, message, files."""
        limit = fields.maybe_number(data, "limit")
        return {"revisions": self._editor().history(20 if limit is None else max(0, limit))}

    def _diff(self, data: Data) -> Data:
        """Return ``diff``: how ``files`` differ from what is on disk; a secret that changes shows as ``*** (new)``."""
        return {"diff": self._editor().diff(fields.files(data))}

    def _get_file(self, data: Data) -> Data:
        """Return ``iniFile``, the text of an INI file."""
        return {"iniFile": self._editor().get(fields.text(data, "iniPath"))}

    def _load_file(self, data: Data) -> Data:
        """Return an INI file as section -> option -> text or list."""
        return dict(self._editor().sections(fields.text(data, "configPath")))

    def _load_template(self, data: Data) -> Data:
        """Return templates as section -> option -> type, default (as in an INI file), required, allowed, args, doc."""
        paths = data["templatePaths"]
        paths = [paths] if isinstance(paths, str) else paths
        if not isinstance(paths, list) or not 1 <= len(paths) <= 10 or not all(isinstance(path, str) for path in paths):
            raise CommandError("templatePaths must be one to ten paths")
        return template_data(paths)

    # -- changing

    def _set(self, data: Data) -> Data:
        """Set one option; refused when the site would not load with it.

        Returns ``rev`` (null: nothing to change), ``files``, ``warnings`` and ``reload``: "done", or "later: " and why
        the daemon goes on with what it has; the files stay written.
        """
        file, section, key = fields.text(data, "file"), fields.text(data, "section"), fields.text(data, "key")
        message, base = fields.maybe_text(data, "message") or "", fields.maybe_number(data, "base")
        return self._taking_over.changed(
            self._editor().set_value(file, section, key, data["value"], who(), message, base)
        )

    def _apply(self, data: Data) -> Data:
        """Write several files together, or none of them; returns what configSet does."""
        message, base = fields.maybe_text(data, "message") or "", fields.maybe_number(data, "base")
        return self._taking_over.changed(self._editor().apply(fields.files(data), who(), message, base))

    def _undo(self, data: Data) -> Data:
        """Take the newest change back, or return to a revision; that is a new revision. Returns what configSet does."""
        return self._taking_over.changed(self._editor().undo(who(), fields.maybe_number(data, "rev")))

    def _set_file(self, data: Data) -> Data:
        """Write an INI file from a dict; its comments stay. Returns what configSet does."""
        content = fields.sections(data, "iniDict")
        return self._taking_over.changed(self._editor().set_file(fields.text(data, "iniPath"), content, who()))

    def _delete_file(self, data: Data) -> Data:
        """Delete an INI file; refused, with their names, while servers use what it describes."""
        return self._taking_over.changed(self._editor().delete_file(fields.text(data, "iniPath"), who()))

    def _delete_section(self, data: Data) -> Data:
        """Delete a section; an outlet, control or test of a server also leaves the server's list."""
        path, section = fields.text(data, "iniPath"), fields.text(data, "section")
        return self._taking_over.changed(self._editor().delete_section(path, section, who()))

    def _rename(self, data: Data) -> Data:
        """Give an object another name, here and wherever it is named; a server keeps what is known of it.

        Refused while anything is being switched. Returns what configSet does.
        """
        file, name = fields.text(data, "file"), fields.text(data, "name")
        folder, _, old = file.removesuffix(".ini").rpartition("/")
        message = fields.maybe_text(data, "message") or ""
        names = {name: old} if folder == "servers" and name != old else {}
        return self._taking_over.renamed(names, lambda: self._editor().rename(file, name, who(), message))

    def _copy(self, data: Data) -> Data:
        """Make an object like another one. Returns what configSet does."""
        file, name = fields.text(data, "file"), fields.text(data, "name")
        return self._taking_over.changed(
            self._editor().copy(file, name, who(), fields.maybe_text(data, "message") or "")
        )

    @override
    def reconfigured(self) -> None:
        self._taking_over.late = ""


def _folder(folder: str, _data: Data) -> Data:
    return {"folder": folder}

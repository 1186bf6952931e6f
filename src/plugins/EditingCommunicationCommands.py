"""EditingCommunicationCommands: the commands by which clients read and change the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..common.CommunicationHandler import current_caller
from ..common.errors import CommandError, OckleError
from ..common.services import DaemonServices
from ..config.editing import Editor
from ..config.known_options import FOLDERS
from ..config.template_data import template_data
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
        add = MainDaemon.communicationHandler.AddCommandToList
        see, change = partial(add, role="viewer"), partial(add, role="admin")
        see("configCheck", self._check)
        see("configGet", self._get, params={"file": _FILE, "section?": "only this", "key?": "only this option"})
        see("configHistory", self._history, params={"limit?": "how many, the newest first; default: 20"})
        see("getINIFile", self._get_file, params={"iniPath": _FILE})
        see("loadINIFileConfig", self._load_file, params={"configPath": _FILE})
        see("loadINIFileTemplate", self._load_template, params={"templatePaths": _TEMPLATES})
        for name, folder in zip(("PDU", "Controller", "Tester", "Server", "Circuit"), FOLDERS, strict=True):
            doc = f"Return ``folder``: where the files of the {name}s lie, relative to etc."
            see(f"get{name}Folder", partial(_folder, folder), doc=doc)
        # Whoever may compare a guess with a secret can find it out: a difference is nothing for viewers.
        change("configDiff", self._diff, params={"files": _FILES})
        change("configSet", self._set, params=_SET | _WHY)
        change("configApply", self._apply, params={"files": _FILES} | _WHY)
        change("configUndo", self._undo, params={"rev?": "the revision to return to; default: before the newest"})
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
        file, section, key = _text(data, "file"), _maybe_text(data, "section"), _maybe_text(data, "key")
        if key is not None and section is None:
            raise CommandError("configGet: a key needs its section")
        editor = self._editor()
        # The revision first: if a change comes between, a draft based on it is refused rather than written over it.
        return {"rev": editor.revision(), "value": editor.get(file, section, key)}

    def _history(self, data: Data) -> Data:
        """Return ``revisions``, newest first: rev, when (seconds since 1970), who, message, files."""
        limit = _maybe_number(data, "limit")
        return {"revisions": self._editor().history(20 if limit is None else max(0, limit))}

    def _diff(self, data: Data) -> Data:
        """Return ``diff``: how ``files`` differ from what is on disk; a secret that changes shows as ``*** (new)``."""
        return {"diff": self._editor().diff(_files(data))}

    def _get_file(self, data: Data) -> Data:
        """Return ``iniFile``, the text of an INI file."""
        return {"iniFile": self._editor().get(_text(data, "iniPath"))}

    def _load_file(self, data: Data) -> Data:
        """Return an INI file as section -> option -> text or list."""
        return dict(self._editor().sections(_text(data, "configPath")))

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
        file, section, key = _text(data, "file"), _text(data, "section"), _text(data, "key")
        message, base = _maybe_text(data, "message") or "", _maybe_number(data, "base")
        return self._changed(self._editor().set_value(file, section, key, data["value"], _who(), message, base))

    def _apply(self, data: Data) -> Data:
        """Write several files together, or none of them; returns what configSet does."""
        message, base = _maybe_text(data, "message") or "", _maybe_number(data, "base")
        return self._changed(self._editor().apply(_files(data), _who(), message, base))

    def _undo(self, data: Data) -> Data:
        """Take the newest change back, or return to a revision; that is a new revision. Returns what configSet does."""
        return self._changed(self._editor().undo(_who(), _maybe_number(data, "rev")))

    def _set_file(self, data: Data) -> Data:
        """Write an INI file from a dict; its comments stay. Returns what configSet does."""
        content = data["iniDict"]
        if not isinstance(content, dict) or not all(isinstance(options, dict) for options in content.values()):
            raise CommandError("iniDict must be section -> option -> value")
        return self._changed(self._editor().set_file(_text(data, "iniPath"), content, _who()))

    def _delete_file(self, data: Data) -> Data:
        """Delete an INI file; refused, with their names, while servers use what it describes."""
        return self._changed(self._editor().delete_file(_text(data, "iniPath"), _who()))

    def _delete_section(self, data: Data) -> Data:
        """Delete a section; an outlet, control or test of a server also leaves the server's list."""
        path, section = _text(data, "iniPath"), _text(data, "section")
        return self._changed(self._editor().delete_section(path, section, _who()))

    def _changed(self, outcome: Data) -> Data:
        """Have the daemon take a change over, and tell everybody."""
        if outcome["rev"] is None:
            return outcome | {"reload": "done"}
        files = ", ".join(outcome["files"])
        text = f"{_who()} changed {files}: revision {outcome['rev']}"
        self.mainDaemon.events.publish("config", text, rev=outcome["rev"], files=outcome["files"])
        try:
            self.mainDaemon.reload({})
        except OckleError as error:  # busy servers, a store that is down: the files are right, the moment is not
            return outcome | {"reload": f"later: {error}"}
        return outcome | {"reload": "done"}


def _folder(folder: str, _data: Data) -> Data:
    return {"folder": folder}


def _who() -> str:
    caller = current_caller()
    return caller.name if caller.via == "internal" else f"{caller.name} via {caller.via}"


def _text(data: Mapping[str, Any], name: str) -> str:
    text = data[name]
    try:
        if isinstance(text, str):
            text.encode("utf-8")
            return text
    except UnicodeEncodeError:  # half a surrogate pair: JSON can carry it, no file and no reply can
        raise CommandError(f"{name} has characters that UTF-8 does not know") from None
    raise CommandError(f"{name} must be a text")


def _maybe_text(data: Mapping[str, Any], name: str) -> str | None:
    return None if data.get(name) is None else _text(data, name)


def _maybe_number(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise CommandError(f"{name} must be an integer")
    return value


def _files(data: Mapping[str, Any]) -> dict[str, str | None]:
    files = data["files"]
    if not isinstance(files, dict) or not all(text is None or isinstance(text, str) for text in files.values()):
        raise CommandError("files must be file -> text or null")
    return files

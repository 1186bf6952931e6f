"""Looking at and changing the files of a site: for the daemon's commands and for the command line without a daemon.

What is shown has no secrets in it, and what is written back with ``***`` in their place keeps them. A change is tried
on a copy first; if the site would not load with it, nothing is written. The former texts are kept as a revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from configobj import ConfigObj

from ..common.errors import CommandError, ConfigError
from .atomic import sync_folder, write_atomic
from .draft import Validate, draft_folder, users
from .faults import Fault, one_line
from .files import MAX_BYTES, parse_ini, read_text
from .history import History, unified
from .known_options import Visibility, editable
from .lock import exclusive
from .masking import HIDDEN, Masked, mask, mask_url, shown_value, unmask
from .reader import MAIN_FILE
from .servers import PART_KINDS, SECTION
from .templates import check_section, plugin_template
from .types_lists import split_list
from .written import checked, rendered

Files = Mapping[str, str | None]
"""File relative to etc -> its whole new text; None: the file is to go."""

_PLUGIN = "EditingCommunicationCommands"
_DECIDING = ("type", *(part.key for part in PART_KINDS))
_LONGEST_MESSAGE = 1000


class Editor:
    """The files of one configuration folder. Without state of its own: what is on disk counts. For any thread.

    ``validate``  judges a folder; it lives in a higher floor, which knows about cycles
    ``keep``      how many revisions are kept; None: what config.ini says
    """

    def __init__(self, etc: Path, validate: Validate, keep: int | None = None) -> None:
        self._etc = etc
        self._validate = validate
        self._keep = keep

    # -- looking

    def check(self) -> dict[str, Any]:
        """Return ``faults`` (dicts: file, section, key, value, problem, remedy, text) and ``warnings`` (texts)."""
        faults, warnings = self._validate(self._etc)
        return {"faults": [_as_dict(fault) for fault in faults], "warnings": [mask_url(text) for text in warnings]}

    def get(self, file: str, section: str | None = None, key: str | None = None) -> Any:
        """Return the text of a file, the options of a section (dict), or the value of an option (text or list)."""
        text = self._existing(file)
        if section is None:
            return mask(file, text)
        sections = _shown_sections(file, text)
        if section not in sections:
            raise CommandError(f"{file}: no section [{section}]", "not_found")
        if key is None:
            return sections[section]
        if key not in sections[section]:
            raise CommandError(f"{file} [{section}]: {key} is not set", "not_found")
        return sections[section][key]

    def sections(self, file: str) -> dict[str, dict[str, Any]]:
        """Return the file as section -> option -> text or list."""
        return _shown_sections(file, self._existing(file))

    def diff(self, files: Files) -> str:
        """Return the unified diff to ``files``; a secret that changes shows as ``*** (new)``."""
        parts = []
        for file, text in sorted(self._clean(files).items()):
            old = self._text(file)
            new = None if text is None else unmask(file, text, old)
            before, after = Masked(file, old or ""), Masked(file, new or "")
            # A comment of one may tell the secret of the other.
            old_shown = before.text(literals=after.literals)
            new_shown = after.text(literals=before.literals, against=before)
            parts.append(unified(file, None if old is None else old_shown, None if new is None else new_shown))
        return "".join(parts)

    def history(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the revisions, newest first: rev, when (s since 1970), who, message, files (names)."""
        return [
            {"rev": one.rev, "when": one.when, "who": one.who, "message": one.message, "files": sorted(one.files)}
            for one in reversed(self._history().list())
        ][:limit]

    def revision(self) -> int:
        """Return the number of the newest revision, 0 without any: the ``base`` of a change begun now."""
        return self._history().newest()

    # -- changing

    def apply(self, files: Files, who: str, message: str = "", base: int | None = None) -> dict[str, Any]:
        """Write ``files`` all together; return ``rev``, the number of the new revision, None if nothing changed.

        ``base``  the revision that the author looked at; refused when one of the files has changed since
        Raises    ConfigError with all faults of the site as it would be, CommandError "conflict" for a stale base and
                  "refused" when something still needs a deleted file; nothing is then written
        """
        with exclusive(self._etc):
            return self._apply(files, who, message, base)

    def set_value(
        self, file: str, section: str, key: str, value: object, who: str, message: str = "", base: int | None = None
    ) -> dict[str, Any]:
        """Set an option, or with None take it out so that its default holds; returns and raises as ``apply``."""
        with exclusive(self._etc):
            ini = self._parsed(file)
            if value is not None:
                self._put(ini, file, section, key, value)
            elif key in ini.get(section, {}):
                del ini[section][key]
            return self._apply({file: rendered(ini, file)}, who, message or f"set {file} [{section}] {key}", base)

    def set_file(
        self, file: str, sections: Mapping[str, Mapping[str, object]], who: str, message: str = ""
    ) -> dict[str, Any]:
        """Make a file hold exactly ``sections``, keeping comments and order; returns and raises as ``apply``."""
        with exclusive(self._etc):
            ini = self._parsed(file)
            for section in [name for name in ini.sections if name not in sections]:
                del ini[section]
            faults: list[str] = []
            for section, options in sections.items():
                faults += self._put_section(ini, file, section, options)
            if faults:
                raise ConfigError(*faults)
            return self._apply({file: rendered(ini, file)}, who, message or f"set {file}")

    def delete_file(self, file: str, who: str, message: str = "") -> dict[str, Any]:
        """Delete a file that nothing uses; returns and raises as ``apply``."""
        with exclusive(self._etc):
            self._existing(file)
            return self._apply({file: None}, who, message or f"delete {file}")

    def delete_section(self, file: str, section: str, who: str, message: str = "") -> dict[str, Any]:
        """Delete a section, of a server's file also from the list in [server]; returns and raises as ``apply``."""
        with exclusive(self._etc):
            self._existing(file)
            ini = self._parsed(file)
            if section not in ini.sections:
                raise CommandError(f"{file}: no section [{section}]", "not_found")
            del ini[section]
            own = ini.get(SECTION, {}) if file.startswith("servers/") else {}
            for part in PART_KINDS:
                listed = split_list(own.get(part.listed, ""))
                if section in listed:
                    rest = [name for name in listed if name != section]
                    own[part.listed] = checked(self._etc, file, SECTION, part.listed, rest, ini)
            return self._apply({file: rendered(ini, file)}, who, message or f"delete {file} [{section}]")

    def undo(self, who: str, rev: int | None = None) -> dict[str, Any]:
        """Return to how the files were right after revision ``rev`` (None: before the newest), as a new revision."""
        with exclusive(self._etc):
            newest = self.revision()
            if not newest:
                raise CommandError("there is no change to take back", "not_found")
            target = newest - 1 if rev is None else rev
            texts = self._history().texts_at(target)
            before = {file: self._text(file) for file in texts}
            # Not by way of unmask: these texts were never shown to anybody.
            return self._write(before, texts, who, f"back to revision {target}")

    # -- how

    def _history(self) -> History:
        return History(self._etc, self._keep if self._keep is not None else self._kept())

    def _kept(self) -> int:
        """Return what config.ini says about the history, the default if it is broken: it may be what is mended."""
        section = f"plugins.{_PLUGIN}"
        try:
            raw = parse_ini(self._text(MAIN_FILE) or "", MAIN_FILE).get(section, {})
        except ConfigError:
            raw = {}
        keep: int = check_section(plugin_template(_PLUGIN), section, raw).settings["history"]
        return keep

    def _text(self, file: str) -> str | None:
        path = editable(self._etc, file)
        try:
            exists = path.exists()
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from error
        return read_text(path, file) if exists else None

    def _parsed(self, file: str) -> ConfigObj:
        """Return the file, an empty one if there is none."""
        ini = parse_ini(self._text(file) or "", file)
        if ini.scalars:
            raise ConfigError(str(Fault(file, key=ini.scalars[0], problem="stands before any section")))
        return ini

    def _clean(self, files: Files) -> Files:
        """Return ``files``. Raises ConfigError for a file that is not of the site or a text that no file can have."""
        for file, text in files.items():
            editable(self._etc, file)
            try:
                size = len((text or "").encode("utf-8"))
            except UnicodeEncodeError:
                raise ConfigError(str(Fault(file, problem="has characters that UTF-8 does not know"))) from None
            if size > MAX_BYTES:
                raise ConfigError(str(Fault(file, problem=f"larger than {MAX_BYTES // 1024} KiB")))
        return files

    def _existing(self, file: str) -> str:
        text = self._text(file)
        if text is None:
            raise CommandError(f"{file}: no such file", "not_found")
        return text

    def _put_section(self, ini: ConfigObj, file: str, section: str, options: Mapping[str, object]) -> list[str]:
        """Make a section hold exactly ``options``; return the faults."""
        inside = ini.setdefault(section, {})
        for key in [name for name in inside if options.get(name) is None]:
            del inside[key]
        faults: list[str] = []
        # First what decides which other options there are.
        for key in sorted(options, key=lambda name: name not in _DECIDING):
            if options[key] is not None:
                try:
                    self._put(ini, file, section, key, options[key])
                except ConfigError as error:
                    faults += error.faults
        return faults

    def _put(self, ini: ConfigObj, file: str, section: str, key: str, value: object) -> None:
        """Set an option in the parsed file, unless ``value`` is what was shown of its present value."""
        now = ini.get(section, {}).get(key)
        shown = None if now is None else shown_value(Visibility(file), section, key, now)
        if now is not None and shown != now and value == shown:
            return
        if value == HIDDEN and not Visibility(file).shows(section, key):
            problem = f"is {HIDDEN}, and there is no former value to keep"
            raise ConfigError(str(Fault(file, section, key, problem=problem, remedy="write the value itself")))
        written = checked(self._etc, file, section, key, value, ini)
        if now != written:
            ini.setdefault(section, {})[key] = written

    def _refuse_stale(self, base: int, files: Files) -> None:
        revisions = self._history().list()
        newest = revisions[-1].rev if revisions else 0
        if base > newest:
            raise CommandError(f"there is no revision {base} of the configuration")
        if revisions and base < revisions[0].rev - 1:
            raise CommandError(f"revision {base} is too old to know what has changed since; look again", "conflict")
        for revision in reversed(revisions):
            changed = sorted(revision.files.keys() & files.keys())
            if revision.rev > base and changed:
                text = f"{', '.join(changed)} changed in revision {revision.rev} by {revision.who}"
                raise CommandError(f"{text}, after revision {base} that you looked at; look again", "conflict")

    def _apply(self, files: Files, who: str, message: str, base: int | None = None) -> dict[str, Any]:
        before = {file: self._text(file) for file in self._clean(files)}
        after = {file: None if text is None else unmask(file, text, before[file]) for file, text in files.items()}
        if base is not None:
            self._refuse_stale(base, files)
        return self._write(before, after, who, message)

    def _write(self, before: Files, after: Files, who: str, message: str) -> dict[str, Any]:
        changed = sorted(file for file in after if after[file] != before[file])
        if not changed:
            return {"rev": None}
        before, after = {file: before[file] for file in changed}, {file: after[file] for file in changed}
        warnings = self._refuse_faults(after)
        history = self._history()
        # Recorded first: whatever happens while writing, the former texts are safe.
        rev = history.record(before, after, one_line(who), one_line(message)[:_LONGEST_MESSAGE])
        try:
            for file in changed:
                self._put_text(file, after[file])
        except (ConfigError, OSError) as error:
            broken = self._restore(before)
            if broken:
                text = f"{error}; {', '.join(broken)} could not be restored, revision {rev} has the former text"
                raise ConfigError(text) from error
            history.forget(rev)
            raise ConfigError(f"{error}; nothing was changed") from error
        return {"rev": rev, "files": changed, "warnings": warnings}

    def _restore(self, before: Files) -> list[str]:
        """Write the former texts again where they differ; return the files for which that failed."""
        broken = []
        for file, text in before.items():
            try:
                if self._text(file) != text:
                    self._put_text(file, text)
            except (ConfigError, OSError):
                broken.append(file)
        return broken

    def _refuse_faults(self, files: Files) -> list[str]:
        """Raise if the site would not load with ``files``; return its warnings."""
        for file, text in files.items():
            if text is not None:
                parse_ini(text, file)
        with draft_folder(self._etc, files) as draft:
            in_use = users(draft, [file for file, text in files.items() if text is None])
            if in_use:
                raise CommandError("; ".join(in_use), "refused")
            faults, warnings = self._validate(draft)
        if faults:
            raise ConfigError(*(mask_url(str(fault)) for fault in faults))
        return [mask_url(text) for text in warnings]

    def _put_text(self, file: str, text: str | None) -> None:
        path = editable(self._etc, file)
        if text is not None:
            write_atomic(path, text)
        elif path.exists():
            path.unlink()
            sync_folder(path.parent)


def _shown_sections(file: str, text: str) -> dict[str, dict[str, Any]]:
    ini = parse_ini(text, file)
    visibility = Visibility(file)
    return {
        section: {key: shown_value(visibility, section, key, ini[section][key]) for key in ini[section].scalars}
        for section in ini.sections
    }


def _as_dict(fault: Fault) -> dict[str, Any]:
    shown = {key: mask_url(value) if isinstance(value, str) else value for key, value in asdict(fault).items()}
    return shown | {"text": mask_url(str(fault))}

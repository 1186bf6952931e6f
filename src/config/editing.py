"""Looking at and changing the files of a site: for the daemon's commands and for the command line without a daemon.

What is shown has no secrets in it, and what is written back with ``***`` in their place keeps them. A change is tried
on a copy first; if the site would not load with it, nothing is written. The former texts are kept as a revision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..common.errors import CommandError, ConfigError
from .atomic import sync_folder, write_atomic
from .diffs import masked_diff
from .draft import Validate, draft_folder
from .drafts import Pair
from .edits import Edits, Files, Values
from .faults import Fault, one_line
from .files import MAX_BYTES, parse_ini
from .history import History
from .known_options import Visibility, editable
from .lock import exclusive
from .masking import mask, mask_url, shown_value, unmask
from .reader import MAIN_FILE
from .refusals import ConfigFaults, as_dict
from .templates import check_section, plugin_template
from .uses import users

_PLUGIN = "EditingCommunicationCommands"
_LONGEST_MESSAGE = 1000


class Editor:
    """The files of one configuration folder. Without state of its own: what is on disk counts. For any thread.

    ``validate``  judges a folder; it lives in a higher floor, which knows about cycles
    ``keep``      how many revisions are kept; None: what config.ini says
    """

    def __init__(self, etc: Path, validate: Validate, keep: int | None = None) -> None:
        self._etc = etc
        self._edits = Edits(etc)
        self._validate = validate
        self._keep = keep

    # -- looking

    def check(self) -> dict[str, Any]:
        """Return ``faults`` (dicts: file, section, key, value, problem, remedy, text) and ``warnings`` (texts)."""
        faults, warnings = self._validate(self._etc)
        return {"faults": [as_dict(fault) for fault in faults], "warnings": [mask_url(text) for text in warnings]}

    def get(self, file: str, section: str | None = None, key: str | None = None) -> Any:
        """Return the text of a file, the options of a section (dict), or the value of an option (text or list)."""
        text = self._edits.existing(file)
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
        return _shown_sections(file, self._edits.existing(file))

    def diff(self, files: Files) -> str:
        """Return the unified diff to ``files``; a secret that changes shows as ``*** (new)``."""
        parts = []
        for file, text in sorted(self._clean(files).items()):
            old = self._edits.text(file)
            parts.append(masked_diff(file, old, None if text is None else unmask(file, text, old)))
        return "".join(parts)

    def diff_revisions(self, a: int, b: int | None = None) -> dict[str, str]:
        """Return file -> unified diff from right after revision ``a`` to right after ``b`` (None: to what is on disk).

        Raises CommandError "not_found" for a revision that is not kept
        """
        try:
            old = self._history().texts_at(a)
            new = {} if b is None else self._history().texts_at(b)
        except ConfigError as error:
            raise CommandError(str(error), "not_found") from error
        parts = {}
        for file in sorted({*old, *new}):
            now = self._edits.text(file)
            parts[file] = masked_diff(file, old.get(file, now), new.get(file, now))
        return {file: part for file, part in parts.items() if part}

    def text(self, file: str) -> str | None:
        """Return the real text of a file, secrets in clear: for no client. None: there is none."""
        return self._edits.text(file)

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

    def apply_pairs(self, pairs: Mapping[str, Pair], who: str, message: str) -> dict[str, Any]:
        """Write ``pairs`` (file -> its whole text before and after, secrets in clear); returns and raises as ``apply``.

        Raises CommandError "conflict" also when a file is not as it was before.
        """
        with exclusive(self._etc):
            changed = [file for file, pair in pairs.items() if self._edits.text(file) != pair[0]]
            if changed:
                raise CommandError(f"{', '.join(sorted(changed))} changed meanwhile; look again", "conflict")
            before = {file: pair[0] for file, pair in pairs.items()}
            return self._write(before, {file: pair[1] for file, pair in pairs.items()}, who, message)

    def set_value(
        self, file: str, section: str, key: str, value: object, who: str, message: str = "", base: int | None = None
    ) -> dict[str, Any]:
        """Set an option, or with None take it out so that its default holds; returns and raises as ``apply``."""
        message = message or f"set {file} [{section}] {key}"
        return self._carry_out(lambda: self._edits.change(file, {section: {key: value}}), who, message, base)

    def set_file(self, file: str, sections: Values, who: str, message: str = "") -> dict[str, Any]:
        """Make a file hold exactly ``sections``, keeping comments and order; returns and raises as ``apply``."""
        return self._carry_out(lambda: self._edits.replace(file, sections), who, message or f"set {file}")

    def delete_file(self, file: str, who: str, message: str = "") -> dict[str, Any]:
        """Delete a file that nothing uses; returns and raises as ``apply``."""
        return self._carry_out(lambda: self._edits.delete(file), who, message or f"delete {file}")

    def delete_section(self, file: str, section: str, who: str, message: str = "") -> dict[str, Any]:
        """Delete a section, of a server's file also from the list in [server]; returns and raises as ``apply``."""
        message = message or f"delete {file} [{section}]"
        return self._carry_out(lambda: self._edits.delete_section(file, section), who, message)

    def rename(self, file: str, name: str, who: str, message: str = "") -> dict[str, Any]:
        """Give an object another name, here and wherever it is named; returns and raises as ``apply``."""
        message = message or f"rename {Path(file).stem} to {name}"
        return self._carry_out(lambda: self._edits.rename(file, name), who, message)

    def copy(self, file: str, name: str, who: str, message: str = "") -> dict[str, Any]:
        """Make an object like another one; returns and raises as ``apply``."""
        return self._carry_out(
            lambda: self._edits.copy(file, name), who, message or f"copy {Path(file).stem} to {name}"
        )

    def _carry_out(self, edit: Callable[[], Files], who: str, message: str, base: int | None = None) -> dict[str, Any]:
        with exclusive(self._etc):
            return self._apply(edit(), who, message, base)

    def undo(self, who: str, rev: int | None = None) -> dict[str, Any]:
        """Return to how the files were right after revision ``rev`` (None: before the newest), as a new revision."""
        with exclusive(self._etc):
            newest = self.revision()
            if not newest:
                raise CommandError("there is no change to take back", "not_found")
            target = newest - 1 if rev is None else rev
            texts = self._history().texts_at(target)
            before = {file: self._edits.text(file) for file in texts}
            # Not by way of unmask: these texts were never shown to anybody.
            return self._write(before, texts, who, f"back to revision {target}")

    # -- how

    def _history(self) -> History:
        return History(self._etc, self._keep if self._keep is not None else self._kept())

    def _kept(self) -> int:
        """Return what config.ini says about the history, the default if it is broken: it may be what is mended."""
        section = f"plugins.{_PLUGIN}"
        try:
            raw = parse_ini(self._edits.text(MAIN_FILE) or "", MAIN_FILE).get(section, {})
        except ConfigError:
            raw = {}
        keep: int = check_section(plugin_template(_PLUGIN), section, raw).settings["history"]
        return keep

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
        before = {file: self._edits.text(file) for file in self._clean(files)}
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
                if self._edits.text(file) != text:
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
            raise ConfigFaults(faults)
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

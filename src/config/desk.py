"""A user's desk: what is changed in a draft, how the site would be with it, and what others have changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..common.errors import CommandError
from .diffs import masked_diff
from .draft import Validate, draft_folder, put_texts
from .drafts import Draft, Drafts
from .editing import Editor
from .edits import Edits, Files
from .faults import Fault
from .known_options import Visibility
from .masking import HIDDEN, mask, mask_url, shown_value
from .merge import WHOLE, Choices, three_way
from .refusals import ConfigFaults, as_dict
from .uses import users

Edit = Callable[[Edits], Files]
Validated = tuple[list[Fault], list[str]]
"""Faults and warnings."""


class Desk:
    """The draft of ``who`` on a site. Without state of its own but the files; one thread at a time.

    ``validate``  judges a folder: faults and warnings
    """

    def __init__(self, etc: Path, who: str, editor: Editor, validate: Validate) -> None:
        self._etc = etc
        self._editor = editor
        self._validate = validate
        self._drafts = Drafts(etc)
        self.draft: Draft = self._drafts.load(who)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield a folder that holds the site as it is with the draft; etc itself without one."""
        if not self.draft.files:
            yield self._etc
            return
        with draft_folder(self._etc, self.draft.after) as folder:
            yield folder

    # -- looking

    def summary(self) -> dict[str, Any]:
        """Return who, when, base, ``files`` (file -> new, changed or deleted), ``renames`` and ``stale``."""
        draft = self.draft
        return {
            "who": draft.who,
            "when": draft.when or None,
            "base": draft.base,
            "stamp": draft.stamp,
            "files": {file: _kind(*pair) for file, pair in sorted(draft.files.items())},
            "renames": [
                {"folder": folder, "from": old, "to": new} for (folder, new), old in sorted(draft.renames.items())
            ],
            "stale": self.stale(),
        }

    def stale(self) -> list[dict[str, Any]]:
        """Return the files of the draft that others have changed since: file, rev, who, when, theirs, conflicts.

        ``theirs``     what they changed: section and key
        ``conflicts``  where both did, differently: section, key, base, mine, theirs; secrets as stars
        """
        now = {file: self._editor.text(file) for file in self.draft.files}
        others = {file: pair for file, pair in sorted(self.draft.files.items()) if now[file] != pair[0]}
        history = self._editor.history() if others else []
        since = [one for one in reversed(history) if one["rev"] > self.draft.base]
        newest = {file: one for one in since for file in one["files"]}
        found = []
        for file, (base, mine) in others.items():
            merged = three_way(file, base, mine, now[file])
            by = newest.get(file, {"rev": None, "who": "somebody with an editor", "when": None})
            found.append(
                {
                    "file": file,
                    **{key: by[key] for key in ("rev", "who", "when")},
                    "theirs": [{"section": section, "key": key} for section, key in merged.theirs],
                    "conflicts": [_shown(file, asdict(conflict)) for conflict in merged.conflicts],
                }
            )
        return found

    def text(self, file: str) -> str:
        """Return the text of a file as it is with the draft, secrets hidden; "" if there is none."""
        after = self.draft.after
        return mask(file, (after[file] if file in after else self._editor.text(file)) or "")

    def check(self) -> dict[str, Any]:
        """Return faults and warnings of the site as it would be, as ``Editor.check`` does."""
        with self.folder() as folder:
            faults, warnings = self._validate(folder)
        return {"faults": [as_dict(fault) for fault in faults], "warnings": [mask_url(text) for text in warnings]}

    def diff(self) -> dict[str, str]:
        """Return file -> unified diff to what is on disk, secrets hidden."""
        return {
            file: masked_diff(file, self._editor.text(file), text) for file, text in sorted(self.draft.after.items())
        }

    # -- changing the draft

    def edit(self, edit: Edit, rename: tuple[str, str, str] | None = None) -> list[str]:
        """Take a change into the draft; return the warnings that it brings.

        ``rename``  folder, old and new name, when the change gives an object another name
        Raises ConfigFaults for faults that the site has not had before, CommandError when something needs what is
        deleted; the draft is then as it was
        """
        draft = self.draft.after
        with draft_folder(self._etc, draft) as folder:
            texts = edit(Edits(folder))
            put_texts(folder, texts)
            gone = users(folder, [file for file, text in texts.items() if text is None])
            if gone:
                raise CommandError("; ".join(gone), "refused")
            faults, warnings = self._validate(folder)
        before = self._validated(draft) if faults or warnings else ([], [])
        known = {_same(fault) for fault in before[0]}
        new = [fault for fault in faults if _same(fault) not in known]
        if new:
            raise ConfigFaults([_at_the_change(fault, texts) for fault in new])
        self._take(texts, rename)
        return [mask_url(text) for text in warnings if text not in before[1]]

    def _validated(self, files: Files) -> Validated:
        if not files:
            return self._validate(self._etc)
        with draft_folder(self._etc, files) as folder:
            return self._validate(folder)

    def discard(self, files: list[str] | None = None) -> None:
        """Forget the whole draft, or what it does to some files. Raises ConfigFaults if the rest would not do alone."""
        if files is None:
            self.draft.files.clear()
        else:
            rest = {file: pair for file, pair in self.draft.files.items() if file not in files}
            faults, _warnings = self._validated({file: pair[1] for file, pair in rest.items()})
            known = {_same(fault) for fault in self._validate(self._etc)[0]} if faults else set()
            new = [fault for fault in faults if _same(fault) not in known]
            if new:
                raise ConfigFaults(new)
            self.draft.files = rest
        self._drafts.save(self.draft)

    def merge(self, choices: Mapping[str, Choices]) -> list[dict[str, Any]]:
        """Take what others have changed into the draft; return what is still stale, because nothing was chosen.

        ``choices``  file -> place -> "mine" or "theirs", where both changed the same
        """
        merged = Draft(self.draft.who, self._editor.revision(), renames=dict(self.draft.renames))
        for file, (base, mine) in self.draft.files.items():
            now = self._editor.text(file)
            outcome = three_way(file, base, mine, now, choices.get(file))
            if outcome.conflicts:
                return self.stale()
            if outcome.text != now:
                merged.files[file] = (now, outcome.text)
        self.draft = merged
        self._drafts.save(merged)
        return []

    def apply(self, who: str, message: str) -> dict[str, Any]:
        """Write the draft as ``Editor.apply`` does, and forget it.

        Raises CommandError "conflict" with ``stale`` in its data when others have changed its files meanwhile
        """
        if not self.draft.files:
            raise CommandError("the draft is empty: there is nothing to apply", "refused")
        stale = self.stale()
        if stale:
            names = ", ".join(one["file"] for one in stale)
            text = f"{names} changed meanwhile: look at what others did, and take it in"
            raise CommandError(text, "conflict", {"stale": stale})
        outcome = self._editor.apply_pairs(self.draft.files, who, message)
        self.draft.files.clear()
        self._drafts.save(self.draft)
        return outcome

    def _take(self, texts: Files, rename: tuple[str, str, str] | None) -> None:
        if not self.draft.files:
            self.draft.base = self._editor.revision()
        self.draft.put(texts, {file: self._editor.text(file) for file in texts})
        if rename is not None:
            self.draft.note_rename(*rename)
        self._drafts.save(self.draft)


def _same(fault: Fault) -> tuple[str, str, str, str]:
    return fault.file, fault.section, fault.key, fault.problem


def _at_the_change(fault: Fault, texts: Files) -> Fault:
    """Return a fault as one of the file that was changed: that of a cycle may stand at any of its members."""
    changed = [file for file in texts if file.startswith("servers/")]
    if fault.key == "dependencies" and len(changed) == 1 and fault.file not in texts:
        return replace(fault, file=changed[0], value=None)
    return fault


def _kind(before: str | None, after: str | None) -> str:
    if before is None:
        return "new"
    return "deleted" if after is None else "changed"


def _shown(file: str, conflict: dict[str, Any]) -> dict[str, Any]:
    """Return a conflict as people may see it: of a secret they learn that it differs, not how."""
    place = (conflict["section"], conflict["key"])
    if place == WHOLE:
        return conflict
    visibility = Visibility(file)

    def shown(side: str) -> object:
        value = conflict[side]
        return None if value is None else shown_value(visibility, *place, value)

    values = {side: shown(side) for side in ("base", "mine", "theirs")}
    if values["mine"] == values["theirs"] == HIDDEN:
        values["mine"], values["theirs"] = f"{HIDDEN} (yours)", f"{HIDDEN} (theirs)"
    return conflict | values

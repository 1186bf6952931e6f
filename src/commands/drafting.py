"""Commands about drafts: collect changes, see what they mean, take in what others did, apply them all at once."""

from __future__ import annotations

from collections.abc import Callable

from ..common.errors import CommandError, OckleError
from ..common.services import DaemonServices
from ..config.desk import Desk
from ..config.drafts import Drafts
from ..config.edits import Edits, Files
from ..config.known_options import FOLDERS
from ..config.look import Look
from ..config.masking import unmask
from ..config.meaning import meaning
from ..config.merge import Side
from ..networkTree.plan import Expected, make_plan
from . import fields
from .desks import Desks
from .group import CommandGroup, Data
from .taking_over import TakingOver, who

_EDITS: dict[str, Callable[[Edits, Data], Files]] = {
    "change": lambda edits, data: edits.change(fields.text(data, "file"), fields.sections(data, "values")),
    "text": lambda edits, data: _whole_text(edits, fields.text(data, "file"), fields.text(data, "text")),
    "delete": lambda edits, data: edits.delete(fields.text(data, "file")),
    "deletePart": lambda edits, data: edits.delete_section(fields.text(data, "file"), fields.text(data, "section")),
    "rename": lambda edits, data: edits.rename(fields.text(data, "file"), fields.text(data, "name")),
    "renamePart": lambda edits, data: edits.rename_section(
        fields.text(data, "file"), fields.text(data, "section"), fields.text(data, "name")
    ),
    "copy": lambda edits, data: edits.copy(fields.text(data, "file"), fields.text(data, "name")),
}

_EDIT_PARAMS = {
    "do": f"one of {', '.join(_EDITS)}",
    "file": "relative to etc, such as servers/web1.ini",
    "values?": "change: section -> option -> value, null: back to the default; others stay",
    "text?": "text: the whole new text; *** keeps a secret",
    "section?": "deletePart, renamePart: which outlet, control or test",
    "name?": "rename, renamePart, copy: the new name",
    "new?": "change: true: the file must not be there yet",
}


class DraftCommands(CommandGroup):
    """Every user has one draft, kept by the daemon; whoever calls works on their own."""

    def __init__(self, daemon: DaemonServices, desks: Desks, taking_over: TakingOver) -> None:
        super().__init__(daemon)
        self._desks = desks
        self._taking_over = taking_over
        self.add("draftGet", self.get)
        self.add("draftText", self.text, params={"file": _EDIT_PARAMS["file"]})
        self.add("draftEdit", self.edit, "admin", _EDIT_PARAMS)
        self.add(
            "draftDiscard",
            self.discard,
            "admin",
            {"files?": "only what it does to these; default: all of it", "who?": "whose; default: the caller's"},
        )
        self.add("draftCheck", self.check, "admin")
        self.add("draftDiff", self.diff, "admin")
        self.add(
            "draftMerge",
            self.merge,
            "admin",
            {"choices?": "list of file, section, key and side (mine or theirs), where both changed the same"},
        )
        self.add(
            "draftApply",
            self.apply,
            "admin",
            {"message?": "why, for the history", "stamp?": "of the draft that was looked at; refused for another one"},
        )

    def get(self, data: Data) -> Data:
        """Return the caller's draft: ``files`` (file -> new, changed, deleted), renames, base, when and stamp.

        ``stale`` lists what others have changed meanwhile, ``others`` who else has a draft.
        """
        with self._desks.open() as desk:
            others = [one.who for one in Drafts(self._daemon.etc).all() if one.who != desk.draft.who]
            return desk.summary() | {"others": others}

    def text(self, data: Data) -> Data:
        """Return ``text``, a file as it is with the caller's draft, also one with faults, and the draft's ``stamp``."""
        with self._desks.open() as desk:
            return {"text": desk.text(fields.text(data, "file")), "stamp": desk.draft.stamp}

    def edit(self, data: Data) -> Data:
        """Take one change into the draft; refused with ``faults`` (file, section, key …) where the site would not load.

        Returns ``draft``, as draftGet does, and the ``warnings`` that the change brings.
        """
        do = fields.text(data, "do")
        if do not in _EDITS:
            raise CommandError(f"do is {do!r}: use one of {', '.join(_EDITS)}")
        file = fields.text(data, "file")
        with self._desks.open() as desk:
            folder, _, stem = file.removesuffix(".ini").partition("/")

            def work(edits: Edits) -> Files:
                if data.get("new") and folder in FOLDERS:
                    edits.refuse_name(folder, stem)
                return _EDITS[do](edits, data)

            rename = (folder, stem, fields.text(data, "name")) if do == "rename" else None
            warnings = desk.edit(work, rename)
            return {"draft": desk.summary(), "warnings": warnings}

    def discard(self, data: Data) -> Data:
        """Forget the draft, or what it does to some files. Returns what draftGet does."""
        whose = fields.maybe_text(data, "who")
        if whose is not None:
            self._desks.forget(whose)
            return self.get(data)
        with self._desks.open() as desk:
            desk.discard(fields.texts(data, "files"))
        return self.get(data)

    def check(self, data: Data) -> Data:
        """Return ``faults`` (file, section, key, value, problem, remedy, text) and ``warnings`` with the draft."""
        with self._desks.open() as desk:
            return desk.check()

    def diff(self, data: Data) -> Data:
        """Return ``diffs`` (file -> unified diff), ``meaning`` (sentences), ``stamp``, and what draftCheck returns."""
        with self._desks.open() as desk:
            draft = desk.summary()
            diffs, checked = desk.diff(), desk.check()
            names = desk.draft.renamed("servers")
        before, after = self._desks.look(stored=True), self._desks.look()
        words = [*meaning(before.site, after.site, names), *self._time(before, after, names)]
        return {"diffs": diffs, "meaning": words, "draft": draft, "stamp": draft["stamp"], **checked}

    def merge(self, data: Data) -> Data:
        """Take what others have changed meanwhile into the draft. Returns ``stale``: what needs a choice first."""
        choices: dict[str, dict[tuple[str, str], Side]] = {}
        for one in data.get("choices") or []:
            if not isinstance(one, dict) or one.get("side") not in ("mine", "theirs"):
                raise CommandError("each of choices has file, section, key, and side: mine or theirs")
            place = (fields.text(one, "section"), fields.text(one, "key"))
            choices.setdefault(fields.text(one, "file"), {})[place] = one["side"]
        with self._desks.open() as desk:
            return {"stale": desk.merge(choices)}

    def apply(self, data: Data) -> Data:
        """Write the draft's files together, or none of them; the daemon takes them over. Returns what configSet does.

        Servers that have another name keep what is known of them; refused while anything is being switched.
        """
        message, stamp = fields.maybe_text(data, "message") or "", fields.maybe_text(data, "stamp")
        with self._desks.open() as desk:
            if stamp is not None and stamp != desk.draft.stamp:
                raise CommandError("the draft is another one than you looked at; look again", "conflict")
            return self._apply(desk, message)

    def _apply(self, desk: Desk, message: str) -> Data:
        names = desk.draft.renamed("servers")
        return self._taking_over.renamed(names, lambda: desk.apply(who(), message))

    def _time(self, before: Look, after: Look, names: dict[str, str]) -> list[str]:
        """Return how the time changes that it takes until all servers are up, "about" as plans say it."""
        if before.site.faults or after.site.faults:
            return []
        was, now = self._power_up(before, {}), self._power_up(after, names)
        change = now - was
        if abs(change) < 1:
            return []
        return [f"power-up of everything takes {abs(change):.0f} s {'longer' if change > 0 else 'less'}: {now:.0f} s"]

    def _power_up(self, look: Look, names: dict[str, str]) -> float:
        def expected(server: str, action: str) -> Expected:
            if server in names and names[server] in self.network:
                return self.engine.durations.expect(self.network, names[server], action)
            return self.engine.durations.expect(look.network, server, action)

        servers = [node.name for node in look.network]
        try:
            return make_plan(look.network, "on", servers, expected).total_s if servers else 0.0
        except OckleError:
            return 0.0


def _whole_text(edits: Edits, file: str, text: str) -> Files:
    return {file: unmask(file, edits.readable(file, text), edits.text(file))}

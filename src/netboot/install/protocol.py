"""The hello protocol, as piman's clients speak it and with what our own adds: a line in, effects out. No socket here.

The board speaks in lines. The server speaks in commands: one or more lines, then ``EOM``. At connect it sends the time
(``busybox date -s YYYYmmddHHMM.SS``, UTC). What the board says, and what follows:

    IS_UNINSTALLED      ``format``
    IS_INSTALLED        ``boot``, or ``format`` when the board is to be installed anew
    IS_FORMATTED        it is installed; the server ends its side of the connection
    RECEIVED_BOOT       it boots; clients spell it in several ways
    IS_REMSHELL         nothing: a shell on the board is not offered
    RECEIVED_DATE, SET_DATE, RECEIVED_FORMAT, MOUNTING, FINISHED_MOUNTING … and all else: the board's log

piman's scripts also write a trace of their commands to the connection; no line of that is one of the words above.
Some say IS_FORMATTED before they load the root file system, some after it; none says that it came incomplete.

What our own client adds. It begins with words that piman's never say, and piman's server only logs them:

    TOKEN TEXT          it knows ``install_token``
    BOARD arch=A serial=S kind=REST OF THE LINE     what it is
    IMAGE               what to load: ``image NAME SIZE SHA256 PORT`` or ``noimage WHY``; ``wait`` may come before it.
                        The file is then loaded over HTTP from that port (``http_get``), from any offset
    VERIFIED SHA256     the checksum was right
    UP NAME             the installed system runs
    FAILED TEXT         why it cannot go on
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from ..stages import MarkState, Stage

MOST_LINE = 2048
"""Bytes of a line."""
MOST_TEXT = 400
MOST_COMMANDS = 50
"""Commands that one connection may ask for; a client that asks for more is broken."""

_PLAIN = re.compile(r"[^ -~]")
_BOARD = re.compile(r"(?:(arch|serial)=(\S*))")


class Word(Enum):
    UNINSTALLED = auto()
    INSTALLED = auto()
    FORMATTED = auto()
    BOOTED = auto()
    REMSHELL = auto()
    TOKEN = auto()
    BOARD = auto()
    IMAGE = auto()
    VERIFIED = auto()
    UP = auto()
    FAILED = auto()
    OTHER = auto()


_ALONE = {
    "IS_UNINSTALLED": Word.UNINSTALLED,
    "IS_INSTALLED": Word.INSTALLED,
    "IS_FORMATTED": Word.FORMATTED,
    "IS_REMSHELL": Word.REMSHELL,
    "IMAGE": Word.IMAGE,
    # as it is documented, and as scripts really have it
    **dict.fromkeys(("RECEIVED_BOOT", "RECEIVED BOOT", "RECIEVED BOOT", "RECIEVED_BOOT"), Word.BOOTED),
}
_FIRST = {"TOKEN": Word.TOKEN, "BOARD": Word.BOARD, "VERIFIED": Word.VERIFIED, "UP": Word.UP, "FAILED": Word.FAILED}


@dataclass(frozen=True, slots=True)
class Said:
    """``text``: what follows the word; for OTHER the whole line. Printable ASCII."""

    word: Word
    text: str = ""


def parse_line(raw: bytes) -> Said:
    """Return what a line means; any bytes mean something, if only a line for the log."""
    line = _PLAIN.sub("?", raw.decode("ascii", "replace").strip())
    if line in _ALONE:
        return Said(_ALONE[line])
    first, _, rest = line.partition(" ")
    if first in _FIRST:
        return Said(_FIRST[first], rest.strip()[:MOST_TEXT])
    return Said(Word.OTHER, line[:MOST_TEXT])


# -- effects, carried out in their order; when one fails the rest is left


@dataclass(frozen=True, slots=True)
class Send:
    """A command to the board."""

    lines: tuple[str, ...]

    def encode(self) -> bytes:
        return "".join(f"{line}\n" for line in (*self.lines, "EOM")).encode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class Note:
    """The board has come to a stage."""

    stage: Stage
    text: str = ""
    known: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Know:
    """Facts about the board, without a stage."""

    known: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Log:
    """A line of the board's console; ``warn``: also for the log of the server."""

    text: str
    warn: bool = False


class Do(Enum):
    TAKE = auto()
    """Begin the installation anew that is wanted: durable before anything else happens."""
    CONFIRM = auto()
    """It has ended."""
    OFFER = auto()
    """Say what to load."""
    FINISH = auto()
    """Nothing more will be sent; what the board still says is heard."""
    CLOSE = auto()
    """End the connection."""


Effect = Send | Note | Know | Log | Do


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server knows when a line comes.

    ``image``    the root file system that the board would get
    ``problem``  why it cannot be given, "" = it can
    ``cut``      why it was not sent whole, "" = it was, or nothing is known of it
    ``loading``  whether it is being sent
    """

    mark: MarkState = MarkState.NONE
    image: str = ""
    problem: str = ""
    cut: str = ""
    loading: bool = False


def greeting(wall: float) -> Send:
    """Return the command that sets the board's clock. ``wall``: seconds since 1970."""
    return Send((time.strftime("busybox date -s %Y%m%d%H%M.%S", time.gmtime(wall)),))


@dataclass
class Conversation:
    """One connection of a board. ``token``: what it must know to be installed, "" = nothing."""

    token: str = ""
    trusted: bool = False
    _commands: int = 0
    _finished: bool = False
    _formatted: bool = False
    _verified: str = ""
    _actions: dict[Word, Callable[[str, Facts], list[Effect]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.trusted = not self.token
        self._actions = {
            Word.UNINSTALLED: self._uninstalled,
            Word.INSTALLED: self._installed,
            Word.FORMATTED: self._said_formatted,
            Word.IMAGE: self._image,
            Word.BOOTED: self._booted,
            Word.REMSHELL: lambda *_: [Log("asks for a remote shell, which is not offered")],
            Word.TOKEN: self._token,
            Word.BOARD: lambda text, _: [Know(_board(text))],
            Word.VERIFIED: self._said_verified,
            Word.UP: self._up,
            Word.FAILED: self._failed,
            Word.OTHER: lambda text, _: [Log(text)] if text else [],
        }

    def answer(self, said: Said, facts: Facts) -> list[Effect]:
        """Return what a line brings about."""
        if said.word in (Word.UNINSTALLED, Word.INSTALLED, Word.IMAGE):
            self._commands += 1
            if self._finished:
                return [Log(f"says {said.word.name.lower()} after its installation")]
            if self._commands > MOST_COMMANDS:
                return [Log("asks for one command after the other", warn=True), Do.CLOSE]
        return self._actions[said.word](said.text, facts)

    def not_taken(self, said: Said, why: str) -> list[Effect]:
        """Return what follows when the wish to install the board anew could not be written down: it is not begun."""
        text = f"is not installed anew: {why}"
        if said.word is Word.INSTALLED:
            return [Log(text, warn=True), Note(Stage.BOOTING, text), Send(("boot",))]
        return [Note(Stage.FAILED, text), Do.CLOSE]

    def ended(self, facts: Facts) -> list[Effect]:
        """Return what it means that the board has ended the connection.

        piman's clients end it when they hand over to the system that they have just installed, without another word.
        """
        if self._formatted and not facts.cut and not facts.loading:
            return [Note(Stage.BOOTED, "boots what was installed")]
        return []

    def _uninstalled(self, _text: str, facts: Facts) -> list[Effect]:
        hello = Note(Stage.HELLO, "has no system")
        if why := self._cannot(facts):
            return [hello, Note(Stage.FAILED, f"cannot be installed: {why}"), Do.CLOSE]
        take = [Do.TAKE] if facts.mark is MarkState.WANTED else []
        return [hello, *take, Note(Stage.FORMATTING, "", (("image", facts.image),)), Send(("format",))]

    def _installed(self, _text: str, facts: Facts) -> list[Effect]:
        hello = Note(Stage.HELLO, "has a system")
        boot = Send(("boot",))
        if facts.mark is MarkState.WANTED:
            if why := self._cannot(facts):
                text = f"is not installed anew yet: {why}"
                return [hello, Log(text, warn=True), Note(Stage.BOOTING, text), boot]
            told = Note(Stage.FORMATTING, "is installed anew", (("image", facts.image),))
            return [hello, Do.TAKE, told, Send(("format",))]
        if facts.mark is MarkState.STARTED:
            text = "its installation anew was begun and never confirmed; mark it again to have it begin anew"
            return [hello, Log(text, warn=True), Note(Stage.BOOTING, text), boot]
        return [hello, Note(Stage.BOOTING), boot]

    def _said_formatted(self, _text: str, facts: Facts) -> list[Effect]:
        if facts.cut and not self._verified:
            self._finished = True
            text = f"says that it is installed, but its root file system was not sent whole: {facts.cut}"
            return [Note(Stage.FAILED, text), Do.FINISH]
        self._finished = self._formatted = True
        return [Do.CONFIRM, Note(Stage.INSTALLED, "", (("image", facts.image),)), Do.FINISH]

    def _image(self, _text: str, facts: Facts) -> list[Effect]:
        if why := self._cannot(facts):
            return [Send((f"noimage {why}",))]
        return [Do.OFFER]

    def _cannot(self, facts: Facts) -> str:
        return facts.problem if self.trusted else "its client does not say the install_token"

    def _booted(self, _text: str, _facts: Facts) -> list[Effect]:
        self._formatted = False
        return [Note(Stage.BOOTED)]

    def _token(self, text: str, _facts: Facts) -> list[Effect]:
        if not self.token:
            return []
        self.trusted = hmac.compare_digest(text.encode(), self.token.encode())
        return [] if self.trusted else [Log("says a wrong install_token", warn=True)]

    def _said_verified(self, text: str, _facts: Facts) -> list[Effect]:
        self._verified = text
        return [Log(f"has verified its root file system: {text}")]

    def _up(self, text: str, _facts: Facts) -> list[Effect]:
        self._formatted = False
        name = text.partition(" ")[0][:64]
        return [Note(Stage.UP, "", (("hostname", name),) if name else ())]

    def _failed(self, text: str, _facts: Facts) -> list[Effect]:
        self._formatted = False
        return [Note(Stage.FAILED, text or "it does not say why")]


def _board(text: str) -> tuple[tuple[str, str], ...]:
    before, _, kind = text.partition("kind=")
    known = {name: value[:64] for name, value in _BOARD.findall(before) if value}
    if kind.strip():
        known["kind"] = kind.strip()[:100]
    return tuple(known.items())

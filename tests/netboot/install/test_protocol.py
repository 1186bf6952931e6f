"""The hello protocol without a socket: what a line means, and that no bytes lead anywhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.netboot.install.protocol import (
    MOST_TEXT,
    Conversation,
    Do,
    Facts,
    Know,
    Log,
    Note,
    Said,
    Send,
    Word,
    greeting,
    parse_line,
)
from ockle.netboot.stages import MarkState, Stage

FORMAT, BOOT = Send(("format",)), Send(("boot",))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"IS_UNINSTALLED", Said(Word.UNINSTALLED)),
        (b" IS_INSTALLED\r", Said(Word.INSTALLED)),
        (b"IS_INSTALLED x", Said(Word.OTHER, "IS_INSTALLED x")),
        (b"+ send IS_INSTALLED", Said(Word.OTHER, "+ send IS_INSTALLED")),
        (b"+ echo IS_FORMATTED", Said(Word.OTHER, "+ echo IS_FORMATTED")),
        (b"is_formatted", Said(Word.OTHER, "is_formatted")),
        (b"RECIEVED BOOT", Said(Word.BOOTED)),
        (b"FAILED  no disk ", Said(Word.FAILED, "no disk")),
        (b"UP", Said(Word.UP)),
        (b"UPSIDE down", Said(Word.OTHER, "UPSIDE down")),
        (b"", Said(Word.OTHER)),
    ],
)
def test_what_a_line_means(line: bytes, said: Said) -> None:
    assert parse_line(line) == said


@given(st.binary(max_size=3000))
def test_any_bytes_are_a_line(raw: bytes) -> None:
    said = parse_line(raw)
    assert said.text.isascii() and said.text.isprintable() and len(said.text) <= MOST_TEXT


def test_a_command_ends_with_eom() -> None:
    assert FORMAT.encode() == b"format\nEOM\n"
    assert greeting(1_767_225_600.9).encode() == b"busybox date -s 202601010000.00\nEOM\n"


ASKING = (Word.INSTALLED, Word.UNINSTALLED, Word.FORMATTED)
WORDS = st.builds(Said, st.sampled_from(ASKING) | st.sampled_from(Word), st.sampled_from(["a", "b", ""]))
FACTS = st.builds(
    Facts, st.sampled_from(MarkState), st.just("i.tgz"), st.sampled_from(["", "gone"]), st.sampled_from(["", "cut"])
)


@given(st.lists(st.tuples(WORDS, FACTS), max_size=12), st.booleans())
def test_a_disk_is_formatted_only_when_it_may_be(spoken: list[tuple[Said, Facts]], secret: bool) -> None:
    """Only a board without a system, or one whose mark was taken right before; with an image, and
    when it knows the token. A mark goes away only when the board says that it is installed."""
    talk = Conversation("a" if secret else "")
    trusted = not secret
    for said, facts in spoken:
        effects = talk.answer(said, facts)
        if said.word is Word.TOKEN and secret:
            trusted = said.text == "a"
        if FORMAT in effects:
            assert said.word is Word.UNINSTALLED or (said.word is Word.INSTALLED and facts.mark is MarkState.WANTED)
            assert not facts.problem and trusted
            assert (Do.TAKE in effects) == (facts.mark is MarkState.WANTED)
            assert Do.TAKE not in effects or effects.index(Do.TAKE) < effects.index(FORMAT)
        else:
            assert Do.TAKE not in effects
        if Do.CONFIRM in effects:
            assert said.word is Word.FORMATTED
        assert sum(isinstance(effect, Send) for effect in effects) <= 1
        for effect in talk.not_taken(said, "full"):
            assert effect != FORMAT


def test_a_verified_image_counts_whatever_was_cut_off_before() -> None:
    talk = Conversation()
    cut = Facts(image="i.tgz", cut="cut off")
    assert isinstance(talk.answer(parse_line(b"VERIFIED abc"), cut)[0], Log)
    assert Do.CONFIRM in talk.answer(parse_line(b"IS_FORMATTED"), cut)


def test_the_end_of_the_connection_means_something_after_the_installation_only() -> None:
    talk = Conversation()
    assert talk.ended(Facts()) == []
    talk.answer(Said(Word.FORMATTED), Facts())
    assert talk.ended(Facts(loading=True)) == []
    assert talk.ended(Facts(cut="cut off")) == []
    (note,) = talk.ended(Facts())
    assert isinstance(note, Note) and note.stage is Stage.BOOTED
    talk.answer(Said(Word.FAILED, "no"), Facts())
    assert talk.ended(Facts()) == []


def test_what_a_board_is() -> None:
    (known,) = Conversation().answer(parse_line(b"BOARD arch=armv7l serial= kind=Pi serial=x"), Facts())
    assert known == Know((("arch", "armv7l"), ("kind", "Pi serial=x")))

"""Short form of ``campaigns.fuzz``: every parser that takes bytes from strangers keeps its promise or refuses.

Not guided by coverage, but by seeds that are cut, joined and sprinkled with what parsers stumble over.
"""

from __future__ import annotations

import pytest
from campaigns.fuzz.target import CORPUS, TARGETS, Target, load
from hypothesis import given, settings
from hypothesis import strategies as st

STUMBLES = (
    b"\n", b"\r\n", b"\0", b'"', b"'", b'"""', b"#", b",", b"=", b"[", b"]", b"{", b"}", b":", b"|", b" ", b"\x80",
    b"\\ud800", b"\xff", b"\xed\xa0\x80", "ä\u2028\u202e".encode(), b"1e999", b"-1", b"9" * 30, b"[1-9]", b"${",
    b"~x/", b"../", b"\x7f",
)  # fmt: skip


@st.composite
def inputs(draw: st.DrawFn, target: Target) -> bytes:
    """Return a seed in which some pieces were replaced, or any bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=min(target.most, 200)))
    data = draw(st.sampled_from(target.seeds))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from((0, 1, 2, 5, 20))))
        piece = draw(st.one_of(st.sampled_from(STUMBLES), st.binary(max_size=3), st.just(data[start:end] * 2)))
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_bytes_of_strangers(name: str) -> None:
    target = load(name)

    @settings(max_examples=150 if target.small else 40)
    @given(inputs(target))
    def holds(data: bytes) -> None:
        target.run(data)

    for seed in target.seeds:
        target.run(seed)
    holds()


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_fuzzer_has_reached(name: str) -> None:
    """Inputs of former runs that cover the most, crashes among them."""
    for path in sorted((CORPUS / name).glob("*")):
        load(name).run(path.read_bytes())


def test_every_kept_input_has_its_target() -> None:
    assert {path.name for path in CORPUS.glob("*")} <= set(TARGETS)

"""Host ranges: what people type, and that folding loses nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.hostranges import MAX_NAMES, expand, fold, fold_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nas01", ["nas01"]),
        ("web[1-4]", ["web1", "web2", "web3", "web4"]),
        ("pi[08-11]", ["pi08", "pi09", "pi10", "pi11"]),
        ("web[9-11]", ["web9", "web10", "web11"]),
        ("node[1,4-5]", ["node1", "node4", "node5"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("a[1-2],b7 c", ["a1", "a2", "b7", "c"]),
        ("pdu-[a-b]", ["pdu-a", "pdu-b"]),
        ("web[1-2].lab", ["web1.lab", "web2.lab"]),
        ("web1 web1", ["web1"]),
        ("rüben[1-2]", ["rüben1", "rüben2"]),
        ("", []),
    ],
)
def test_expand(text: str, names: list[str]) -> None:
    assert expand(text) == names


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("web[1-4", "partner"),
        ("web1-4]", "partner"),
        ("web[[1]]", "partner"),
        ("web[]", "no range"),
        ("web[1-]", "no range"),
        ("web[a-2]", "no range"),
        ("web[4-1]", "backwards"),
        ("web[01-100000000]", "more than"),
        ("a[1-1000]b[1-1000]", "more than"),
        ("web[1-9999999999999999999999]", "no range"),
        ("web[1-004]", "padded"),
        ("web[\u0661-\u0663]", "no range"),
    ],
)
def test_a_wrong_range_is_explained(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        expand(text)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["pdu-a", "pdu-b", "sw-core", "nas01"], "pdu-[a-b] sw-core nas01"),
        (["web2", "web1", "web4"], "web[1-2,4]"),
        (["pi09", "pi10", "pi9"], "pi[9,09-10]"),
        (["web99", "web100"], "web[99-100]"),
        (["dns", "dnt"], "dns dnt"),
        ([], ""),
    ],
)
def test_fold(names: list[str], text: str) -> None:
    assert fold(names) == text


name_texts = st.text(alphabet="ab-.0123", min_size=1, max_size=6)


@given(st.lists(name_texts, max_size=30))
def test_folding_loses_nothing(names: list[str]) -> None:
    assert sorted(expand(fold(names))) == sorted(set(names))


@given(st.lists(st.text(max_size=8), max_size=10))
def test_folding_takes_any_name(names: list[str]) -> None:
    assert len(fold_names(names)) <= len(names)


@given(st.text(alphabet="ab[]-,0123456789 ", max_size=30))
def test_any_text_expands_or_says_why(text: str) -> None:
    try:
        assert len(expand(text)) <= MAX_NAMES
    except ValueError as error:
        assert str(error)

"""What is granted of what is asked for: a table, and laws for whatever anybody asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.netboot.tftp.negotiation import WINDOW_BYTES, Limits, Terms, negotiate

LIMITS = Limits(1468, 64)


@pytest.mark.parametrize(
    ("asked", "limit", "granted"),
    [
        ("8", 1468, "8"), ("512", 1468, "512"), ("1468", 1468, "1468"), ("1469", 1468, "1468"),
        ("65464", 1468, "1468"), ("65464", 65464, "65464"), ("1024", 512, "512"), ("007", 1468, None),
        ("0", 1468, None), ("7", 1468, None), ("-1", 1468, None), ("abc", 1468, None), ("65465", 65535, None),
        ("", 1468, None), (" 512", 1468, None), ("5e2", 1468, None), ("٥١٢", 1468, None), ("9" * 4000, 1468, None),
    ],
)  # fmt: skip
def test_10_rfc2348_block_sizes(asked: str, limit: int, granted: str | None) -> None:
    terms = negotiate({"blksize": asked}, Limits(limit, 64), 1)
    assert terms.granted == ((("blksize", granted),) if granted else ())
    assert terms.block == int(granted or 512)


@pytest.mark.parametrize(("asked", "granted"), [("1", 1), ("255", 255), ("0", 0), ("256", 0), ("-1", 0), ("x", 0)])
def test_14_rfc2349_timeouts_of_1_to_255_seconds(asked: str, granted: int) -> None:
    terms = negotiate({"timeout": asked}, LIMITS, 1)
    assert terms.timeout_s == granted and terms.granted == ((("timeout", asked),) if granted else ())


def test_11_rfc2349_sizes() -> None:
    assert negotiate({"tsize": "0"}, LIMITS, 2**33 + 5).granted == (("tsize", str(2**33 + 5)),)
    assert negotiate({"tsize": "0"}, LIMITS, None).granted == ()


def test_13_rfc2347_in_the_order_asked() -> None:
    asked = {"windowsize": "4", "x": "1", "tsize": "0", "blksize": "1468"}
    assert negotiate(asked, LIMITS, 9).granted == (("windowsize", "4"), ("tsize", "9"), ("blksize", "1468"))


def test_18_rfc7440_a_window_is_no_more_than_may_be_kept() -> None:
    terms = negotiate({"blksize": "65464", "windowsize": "64"}, Limits(65464, 64), 9)
    assert terms.window * terms.block <= WINDOW_BYTES and terms.window == 2


_values = st.one_of(st.integers(-5, 70_000).map(str), st.text(max_size=8))


@given(
    st.dictionaries(st.sampled_from(["blksize", "windowsize", "timeout", "tsize", "multicast", "x"]), _values),
    st.integers(8, 65464),
    st.integers(1, 1024),
    st.one_of(st.none(), st.integers(0, 2**40)),
)
def test_13_rfc2347_nothing_is_granted_that_was_not_asked(
    asked: dict[str, str], block: int, window: int, size: int | None
) -> None:
    terms = negotiate(asked, Limits(block, window), size)
    granted = dict(terms.granted)
    assert list(granted) == [name for name in asked if name in granted]
    assert 8 <= terms.block <= max(block, 512) and 1 <= terms.window <= window
    for name in ("blksize", "windowsize"):
        if name in granted:
            assert int(granted[name]) <= int(asked[name])
    if not granted:
        assert terms == Terms()

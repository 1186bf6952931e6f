"""Blocks: the samples of some series over a while as one compressed row of the database, and back.

A row per sample would cost a page of the disk's wear per series and minute. A block, before it is compressed, is for
each series: its number and how many buckets it has (``<II``), their starts as milliseconds after the block's (``I``
each), then the means; a block of buckets, not of single samples, goes on with the least and the largest values (``d``
each) and the counts (``I`` each). All of it is little-endian.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Container, Mapping, Sequence

from ...common.errors import StoreError
from .buckets import Bucket

_HEAD = struct.Struct("<II")
_LONGEST_MS = 2**32 - 1


def encode(start: float, series: Mapping[int, Sequence[Bucket]], *, single: bool) -> bytes:
    """Return the body of a block. ``single``: all of them are single samples.

    ``start``  seconds since 1970, of which no bucket begins earlier, nor 49 days later
    """
    parts = []
    for number, buckets in series.items():
        offsets = [round((one.start - start) * 1000) for one in buckets]
        parts += [_HEAD.pack(number, len(buckets)), _packed("I", [min(max(one, 0), _LONGEST_MS) for one in offsets])]
        parts.append(_packed("d", [one.mean for one in buckets]))
        if not single:
            parts += [_packed("d", [one.low for one in buckets]), _packed("d", [one.high for one in buckets])]
            parts.append(_packed("I", [one.samples for one in buckets]))
    return zlib.compress(b"".join(parts), 6)


def decode(start: float, step: float, body: bytes, wanted: Container[int] | None = None) -> dict[int, list[Bucket]]:
    """Return the buckets by series, of ``wanted`` ones only if given.

    ``step``  seconds that each bucket lasts, 0 for a block of single samples
    Raises StoreError when the body makes no sense.
    """
    try:
        data = memoryview(zlib.decompress(body))
        found, at = {}, 0
        width = 4 + 8 if step == 0 else 4 + 8 * 3 + 4
        while at < len(data):
            number, count = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            if at + count * width > len(data):
                raise ValueError("it ends too early")
            if wanted is None or number in wanted:
                found[number] = _buckets(start, step, data[at : at + count * width], count)
            at += count * width
    except (zlib.error, struct.error, ValueError) as error:
        raise StoreError(f"a block of samples cannot be read: {error}") from error
    return found


def _buckets(start: float, step: float, data: memoryview, count: int) -> list[Bucket]:
    starts = [start + offset / 1000 for offset in _unpacked("I", data[: 4 * count])]
    means = _unpacked("d", data[4 * count : 12 * count])
    if step == 0:
        return [Bucket(time, time, value, value, value, 1) for time, value in zip(starts, means, strict=True)]
    lows, highs = _unpacked("d", data[12 * count : 20 * count]), _unpacked("d", data[20 * count : 28 * count])
    counts = _unpacked("I", data[28 * count :])
    return [
        Bucket(time, time + step, low, high, mean, int(number))
        for time, low, high, mean, number in zip(starts, lows, highs, means, counts, strict=True)
    ]


def _packed(code: str, values: Sequence[float]) -> bytes:
    numbers = array(code, values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _unpacked(code: str, data: memoryview) -> array[float]:
    numbers: array[float] = array(code)
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers

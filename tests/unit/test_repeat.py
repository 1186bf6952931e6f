"""Questions that are repeated while earlier ones are still listened for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from ockle.common.repeat import repeated
from ockle.simulator.virtual_time import run

SILENCE = 1000.0


async def ask(answers: Sequence[tuple[float, str | None]], timeout: float = 6.0) -> tuple[str | None, float, int, int]:
    """Ask somebody whose n-th answer comes so late; return the answer, the seconds, how often, and what is left."""
    loop = asyncio.get_running_loop()
    began, asked = loop.time(), 0

    async def question() -> str | None:
        nonlocal asked
        asked += 1
        late, answer = answers[asked - 1]
        await asyncio.sleep(late)
        if answer == "broken":
            raise ValueError(answer)
        return answer

    answer = await repeated(question, timeout, len(answers) - 1)
    return answer, loop.time() - began, asked, len(asyncio.all_tasks()) - 1


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(1, "a")], ("a", 1, 1)),
        ([(1, "a"), (1, "b"), (1, "c")], ("a", 1, 1)),
        ([(SILENCE, "a"), (1, "b"), (1, "c")], ("b", 3, 2)),
        ([(5, "a"), (SILENCE, "b"), (SILENCE, "c")], ("a", 5, 3)),
        ([(3, "a"), (0.5, "b"), (1, "c")], ("b", 2.5, 2)),
        ([(SILENCE, "a"), (SILENCE, "b")], (None, 6, 2)),
        ([(0, None), (0, None), (1, "c")], ("c", 5, 3)),
        ([(0, None), (0, None)], (None, 6, 2)),
    ],
)
def test_the_first_answer_counts(
    answers: list[tuple[float, str | None]], expected: tuple[str | None, float, int]
) -> None:
    answer, seconds, asked, left = run(ask(answers))
    assert (answer, round(seconds, 2), asked) == expected
    assert left == 0


def test_an_error_ends_the_matter() -> None:
    with pytest.raises(ValueError, match="broken"):
        run(ask([(SILENCE, "a"), (1, "broken"), (1, "c")]))

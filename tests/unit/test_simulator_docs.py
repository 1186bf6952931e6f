"""docs/lab.md names every knob and every kind of ledger entry, and its program runs."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from ockle.simulator.knobs import DeviceKnobs, Knobs, MachineKnobs
from ockle.simulator.ledger import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "lab.md").read_text(encoding="utf-8")


def first_column(heading: str) -> set[str]:
    """The names in the first column of the table that follows ``heading``."""
    table = PAGE.split(heading, 1)[1].split("| --- | --- |\n", 1)[1].split("\n\n", 1)[0]
    return {name for row in table.splitlines() for name in re.findall(r"`([\w-]+)`", row.split("|")[1])}


@pytest.mark.parametrize(("kind", "heading"), [(DeviceKnobs, "PDUs and switches:"), (MachineKnobs, "Machines:")])
def test_every_knob_is_in_the_page(kind: type[Knobs], heading: str) -> None:
    assert first_column(heading) == {item.name for item in fields(kind)}


def test_every_kind_of_entry_is_in_the_page() -> None:
    assert first_column("## Ledger") == set(KINDS)


def test_the_program_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    program = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    exec(compile(program, "docs/lab.md", "exec"), {})  # noqa: S102 - our own page
    assert '"kind": "violation", "device": "nas"' in capsys.readouterr().out

"""docs/reference/cli.md says what the commands say."""

from __future__ import annotations

from pathlib import Path

from ockle.cli.parser import GROUPS
from ockle.cli.reference import reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8").rstrip() == reference().rstrip(), "run: make docs"


def test_every_command_is_on_the_page() -> None:
    page = reference()
    for names in GROUPS.values():
        for name in names:
            assert (f"### `ockle {name}" in page) == (not name.startswith("_"))

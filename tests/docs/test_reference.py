"""The generated reference pages are as the code is now."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ockle.networkTree.states import TRANSITIONS, Trigger

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path.name for path in (DOCS / "reference").glob("*.*"))


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ockle_docs_generate", DOCS / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_page_is_generated(generate: ModuleType) -> None:
    assert sorted(name for name in generate.PAGES if "/" not in name) == PAGES


def test_the_catalogue_has_the_texts_of_the_gui(generate: ModuleType) -> None:
    name = next(name for name in generate.PAGES if name.endswith(".pot"))
    text = (DOCS / "reference" / name).read_text("utf-8")
    assert text == generate.render(name), "run: make docs"
    for known in ("Network", "Switching on", "connected", "Type {} to go on"):
        assert f'msgid "{known}"' in text


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_up_to_date(generate: ModuleType, name: str) -> None:
    assert (DOCS / "reference" / name).read_text("utf-8") == generate.render(name), "run: make docs"


def test_the_states_page_has_every_row_of_the_table(generate: ModuleType) -> None:
    rows = [line.split(" | ") for line in generate.render("states.md").splitlines() if line.startswith("| ")]
    shown = [row for row in rows if row[0].removeprefix("| ") in set(Trigger)]
    entries = 0
    for _what, where, target in shown:
        if where == "any other":
            entries += 11
            assert target.startswith("Forced")
        else:
            entries += len(where.split(", "))
    assert entries == len(TRANSITIONS)


LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", sorted([*DOCS.rglob("*.md"), DOCS.parent / "README.md"]), ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing

"""Writes the reference pages, each from the code that it describes.

    PYTHONPATH=typings python docs/generate.py [--check]

``--check`` writes nothing, names the pages that are out of date and ends with 1 when there is one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "reference"


def ini() -> str:
    """Every option of every INI file, from the INI templates."""
    from ockle.config.reference import reference

    return reference()


def cli() -> str:
    """Every command with its options, from the argparse tree."""
    from ockle.cli.reference import reference

    return reference()


PAGES: dict[str, Callable[[], str]] = {"ini.md": ini, "cli.md": cli}


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description="write the generated reference pages")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a page is out of date")
    check = parser.parse_args().check
    stale = []
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        path, text = FOLDER / name, page().rstrip() + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
            print(f"docs/reference/{name}: written")
    if check and stale:
        print(f"out of date: {', '.join(stale)}; run: make docs", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())

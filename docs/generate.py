"""Writes the reference pages, each from the code that it describes.

    PYTHONPATH=typings python docs/generate.py [--check]

``--check`` writes nothing, names the pages that are out of date and ends with 1 when there is one.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ockle.common.CommunicationHandler import CommandSpec
    from ockle.common.services import DaemonServices

FOLDER = Path(__file__).resolve().parent / "reference"

STATES_HEAD = """\
# States

Written by `make docs` from the transition table in `src/networkTree/states.py`. How the engine uses it:
[How the engine decides and acts](../explanation/engine.md).

| state | name in code | word on the command line |
| --- | --- | --- |
"""

DIAGRAM_HEAD = """
## Switching

What orders and their ends do. What is merely observed, and forces, are left out here; the table below has all.

```mermaid
stateDiagram-v2
"""

TABLE_HEAD = """
## All transitions

An event in a state without a row cannot happen; if it does, that is a bug, and the engine says so instead of guessing.

| what happens | in state | new state |
| --- | --- | --- |
"""

COMMANDS_HEAD = """\
# Commands of the socket protocol

Written by `make docs` from the registry of commands. How they are sent and answered: [Socket protocol](../protocol.md).
`ockle command NAME key=value` sends any of them. A viewer may only look, an operator may also switch, an admin may do
everything; each may do what the one before may.
"""


def ini() -> str:
    """Every option of every INI file, from the INI templates."""
    from ockle.config.reference import reference

    return reference()


def cli() -> str:
    """Every command with its options, from the argparse tree."""
    from ockle.cli.reference import reference

    return reference()


def states() -> str:
    """Every state and transition of a server, from the table that the engine runs on."""
    from ockle.common.common import OpState
    from ockle.networkTree.explain import word
    from ockle.networkTree.states import TRANSITIONS, Trigger

    starts = {Trigger.START, Trigger.STARTED, Trigger.START_FAILED, Trigger.START_GAVE_UP}
    stops = {Trigger.STOP, Trigger.STOPPED, Trigger.STOP_FAILED, Trigger.STOP_GAVE_UP}
    sources: dict[tuple[Trigger, OpState], list[OpState]] = defaultdict(list)
    kept: dict[Trigger, list[OpState]] = defaultdict(list)
    rank = {state: number for number, state in enumerate(OpState)}  # the table's own order may change from run to run
    rows = sorted(TRANSITIONS.items(), key=lambda row: (list(Trigger).index(row[0][1]), rank[row[0][0]]))
    for (state, trigger), target in rows:
        if state is target:
            kept[trigger].append(state)
        else:
            sources[trigger, target].append(state)
    lines = [STATES_HEAD.rstrip("\n")]
    lines += [f"| {state.value} | `{state.name}` | {word(state)} |" for state in OpState]
    lines.append(DIAGRAM_HEAD.rstrip("\n"))
    lines += [f"    {state.name}: {state.value}" for state in OpState if "forced" not in state.name]
    for (state, trigger), target in rows:
        if trigger in starts | stops | {Trigger.RESET} and state is not target:
            lines.append(f"    {state.name} --> {target.name}: {trigger.value}")
    lines += ["```", TABLE_HEAD.rstrip("\n")]
    for trigger in Trigger:
        for (of, target), froms in sources.items():
            if of is trigger:
                lines.append(f"| {trigger.value} | {_states(froms, len(OpState) - 1)} | {target.value} |")
        if kept[trigger]:
            lines.append(f"| {trigger.value} | {_states(kept[trigger], len(OpState))} | stays |")
    return "\n".join(lines)


def _states(found: Iterable[Any], everything: int) -> str:
    texts = sorted({state.value for state in found})
    return "any other" if len(texts) == everything else ", ".join(texts)


def commands() -> str:
    """Every command with its role and parameters, as the plugins of the package register them."""
    from ockle.common.clock import SystemClock
    from ockle.common.CommunicationHandler import CommunicationHandler
    from ockle.common.events import EventBus
    from ockle.config.model import Site
    from ockle.config.templates import available_types, plugin_template
    from ockle.drivers.discovery import load_class

    handler = CommunicationHandler(None)
    lines = [COMMANDS_HEAD.rstrip("\n")]
    lines += _section("Always there", "", handler.commands().values())
    with TemporaryDirectory() as folder:
        owner = SimpleNamespace(
            communicationHandler=handler,
            events=EventBus(keep=10),
            clock=SystemClock(),
            engine=None,
            etc=Path(folder),
            site=Site(Path(folder), main={"state_dir": folder}),
            plugin_settings=lambda name: plugin_template(name).defaults(f"plugins.{name}"),
        )
        for name, about in sorted(available_types("plugins").items()):
            before = set(handler.commands())
            load_class("plugins", name)(cast("DaemonServices", owner))
            new = [spec for key, spec in handler.commands().items() if key not in before]
            if new:
                lines += _section(name, about, new)
    return "\n".join(lines)


def _section(title: str, about: str, specs: Iterable[CommandSpec]) -> list[str]:
    lines = ["", f"## {title}"]
    if about:
        lines += ["", about]
    for spec in specs:
        lines += ["", f"### `{spec.name}` ({spec.role})", "", _plain(spec.doc)]
        if spec.params:
            lines.append("")
        for name, meaning in spec.params.items():
            optional = ", may be left out" if name.endswith("?") else ""
            lines.append(f"- `{name.removesuffix('?')}`{optional}: {meaning}")
    return lines


def _plain(doc: str) -> str:
    """Return a docstring as Markdown: double backticks are for reStructuredText."""
    return re.sub(r"``(.+?)``", r"`\1`", doc)


def rest() -> str:
    """Every address of the REST interface, from the table of endpoints."""
    from ockle.webserver.views.api import table
    from ockle.webserver.views.api.openapi import page

    return page(table())


def openapi() -> str:
    """The REST interface for programs."""
    from ockle import __version__
    from ockle.webserver.views.api import table
    from ockle.webserver.views.api.openapi import build

    return json.dumps(build(table(), __version__), indent=2)


CALLS = {"_": None, "N_": None, "ngettext": (1, 2)}
SOURCES = [("**.py", "python"), ("templates/**.jinja2", "jinja2")]


def catalogue() -> str:
    """Every text of the GUI, for translators: a template of gettext."""
    import io

    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract_from_dir
    from babel.messages.pofile import write_po

    found = Catalog(charset="utf-8")
    source = FOLDER.parents[1] / "src" / "webserver"
    for file, _line, message, _comments, _context in sorted(
        extract_from_dir(source, SOURCES, keywords=CALLS), key=lambda one: (one[0], one[1])
    ):
        found.add(message, locations=[(file, 0)])
    text = io.BytesIO()
    write_po(text, found, omit_header=True, include_lineno=False, width=100)
    return 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n' + text.getvalue().decode()


PAGES: dict[str, Callable[[], str]] = {
    "ini.md": ini,
    "cli.md": cli,
    "states.md": states,
    "commands.md": commands,
    "rest.md": rest,
    "openapi.json": openapi,
    "../../src/webserver/locale/ockle.pot": catalogue,
}


def render(name: str) -> str:
    """Return the text of the page ``name`` as it has to stand in the folder."""
    return PAGES[name]().rstrip() + "\n"


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description="write the generated reference pages")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a page is out of date")
    check = parser.parse_args().check
    stale = []
    FOLDER.mkdir(exist_ok=True)
    for name in PAGES:
        path, text = FOLDER / name, render(name)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"{path.resolve().relative_to(FOLDER.parents[1])}: written")
    if check and stale:
        print(f"out of date: {', '.join(stale)}; run: make docs", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())

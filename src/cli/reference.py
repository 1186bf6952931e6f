"""docs/reference/cli.md from the argparse tree: ``python -m ockle.cli.reference`` writes it to stdout."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from .codes import MEANINGS
from .parser import SELECTOR_HELP, build_parser

COMMON = "options of all commands"

Subparsers = argparse._SubParsersAction  # argparse has no public way to walk a parser


def reference() -> str:
    """Return the page, in Markdown."""
    parser = build_parser()
    lines = [
        "# Command line",
        "",
        "Written by `make docs` from the commands themselves; `ockle COMMAND --help` shows the same.",
        "",
        f"`SEL` is any number of: {SELECTOR_HELP}.",
        "Answers go to stdout; progress, questions and errors go to stderr. Without a terminal there is no colour, no",
        "progress bar and no question: `--yes` answers beforehand.",
        "",
        "## Options of all commands",
        "",
        "They may stand before and after the command.",
        "",
        *_options(parser, common=True),
        "",
        "## Exit codes",
        "",
        "One table for all commands. `status` has a code of its own for what is not on: 3 to 5 mean that it could not",
        'find out, and a script must never take "cannot reach the daemon" for "is off".',
        "",
        "| code | meaning |",
        "| --- | --- |",
        *(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()),
        "",
        "## Environment",
        "",
        "| name | meaning |",
        "| --- | --- |",
        "| `OCKLE_HOST` | address of the daemon, as for `--host` |",
        "| `OCKLE_TOKEN` | token for the daemon; `--token-file` wins |",
        "| `OCKLE_ETC` | folder of the configuration, as for `--etc` |",
        "| `NO_COLOR` | anything: no colours |",
        "",
        "## Commands",
    ]
    for command in _commands(parser):
        lines += ["", f"### `{_synopsis(command)}`", "", *str(command.description).splitlines()]
        options = list(_options(command, common=False))
        if options:
            lines += ["", *options]
    return "\n".join(lines) + "\n"


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield every command that is not hidden, those with commands of their own replaced by these."""
    groups = [action for action in parser._actions if isinstance(action, Subparsers)]
    if not groups:
        yield parser
    for group in groups:
        for choice in group._choices_actions:  # only those with a help text
            yield from _commands(group.choices[choice.dest])


def _synopsis(parser: argparse.ArgumentParser) -> str:
    words = [parser.prog]
    if any(action.option_strings for action in _actions(parser, common=False)):
        words.append("[options]")
    for action in _actions(parser, common=False):
        if not action.option_strings:
            name = _value(action)
            words.append(
                {"*": f"[{name} ...]", "+": f"{name} [{name} ...]", "?": f"[{name}]"}.get(str(action.nargs), name)
            )
    return " ".join(words)


def _value(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(map(str, action.choices))
    if isinstance(action.metavar, str):
        return action.metavar
    return action.dest.upper() if action.option_strings else action.dest


def _actions(parser: argparse.ArgumentParser, *, common: bool) -> list[argparse.Action]:
    shared = next((group for group in parser._action_groups if group.title == COMMON), None)
    in_shared = shared._group_actions if shared else []
    left_out = (argparse._HelpAction, argparse._VersionAction, Subparsers)
    return [
        action for action in parser._actions if (action in in_shared) == common and not isinstance(action, left_out)
    ]


def _options(parser: argparse.ArgumentParser, *, common: bool) -> Iterator[str]:
    rows = []
    for action in _actions(parser, common=common):
        name = ", ".join(action.option_strings) or _value(action)
        if action.option_strings and action.nargs != 0:
            name += f" {_value(action)}"
        if action.help or action.option_strings:
            rows.append(f"| `{name.replace('|', chr(92) + '|')}` | {action.help or ''} |")
    if rows:
        yield from ("| option | meaning |", "| --- | --- |", *rows)


if __name__ == "__main__":
    sys.stdout.write(reference())

"""The reference of all INI options and the example configuration, both made from the templates alone."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from .templates import (
    GENERATOR_SECTION,
    KINDS,
    PARAMS_SECTION,
    Option,
    Template,
    load_template,
    own_template,
    plugin_template,
    type_names,
)

_TITLES = {"outlets": "PDUs and outlets", "controllers": "Controllers and controls", "testers": "Testers and tests"}
_OTHERS = (
    ("Circuits", "circuits/NAME.ini", "circuits.ini"),
    ("Boot profiles", "boot/NAME.ini", "boot.ini"),
    ("Schedules", "schedules/NAME.ini", "schedules.ini"),
    ("UPSes", "ups/NAME.ini", "ups.ini"),
    ("Monitors", "monitors/NAME.ini", "monitors.ini"),
    ("The initramfs of boards", "initramfs.ini", "initramfs.ini"),
    ("The agent of a machine with a smart plug", "agent.ini", "agent.ini"),
)
"""Title -> file below etc, and its template."""
_FOLDERS = {"outlets": "etc/outlets", "controllers": "etc/controllers", "testers": "etc/testers"}


def reference() -> str:
    """Return the Markdown page of every option that a configuration may have, external drivers included."""
    return "\n".join(_page()).strip() + "\n"


def _page() -> Iterator[str]:
    yield "# INI options\n"
    yield (
        "Values may refer to the environment, `${env:NAME}`, or to a file, `${file:path}`, whose relative path starts "
        "at the configuration folder; `$${` stands for a plain `${`. A value with a `#`, or with a comma when it is no "
        "list, stands in quotes. Durations are written `10s`, `5m`, `1h30m`, `250ms`; a plain number means seconds.\n"
    )
    yield "## The daemon: `etc/config.ini`\n"
    yield from render(load_template("config.ini"))
    yield "## Plugins: `etc/config.ini`\n"
    for name in type_names("plugins"):
        yield f"### {name}\n"
        yield from render(plugin_template(name))
    yield "## Servers: `etc/servers/NAME.ini`\n"
    yield from render(load_template("serverNodes.ini"))
    for title, file, template in _OTHERS:
        yield f"## {title}: `etc/{file}`\n"
        yield from render(load_template(template))
    for kind in KINDS:
        yield f"## {_TITLES[kind]}: `{_FOLDERS[kind]}/NAME.ini`\n"
        yield (
            f"Options of `[{GENERATOR_SECTION[kind]}]` stand in that file; those of `[{PARAMS_SECTION[kind]}]` "
            "stand in the file of the server, in the section of that part.\n"
        )
        yield from _types(kind)
    yield "## Channels: `etc/channels/NAME.ini`\n"
    yield from _types("channels")


def _types(kind: str) -> Iterator[str]:
    yield from render(load_template(f"{kind}.ini"))
    for name in type_names(kind):
        yield f"### type = {name}\n"
        yield from render(own_template(kind, name))


def render(template: Template) -> Iterator[str]:
    """Yield a template as Markdown: its text, then one table per section."""
    if template.doc:
        yield template.doc + "\n"
    for section, options in template.sections.items():
        if not options:
            yield f"`[{section}]` has no options.\n"
            continue
        yield f"`[{section}]`\n"
        yield "| option | default | allowed | meaning |"
        yield "| --- | --- | --- | --- |"
        for option in options.values():
            yield f"| `{option.name}` | {_default(option)} | {_cell(option.describe())} | {_cell(option.doc)} |"
        yield ""


def _default(option: Option) -> str:
    if option.required:
        return "**required**"
    if option.type == "secret":  # a well-known default, such as the community "public", is no secret
        return _code(option.default.source)
    return _code(option.kind.format(option.default))


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else "empty"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def example() -> str:
    """Return an ``etc/config.ini`` that says with every option what holds without it."""
    return "\n".join(_example()).strip() + "\n"


def _example() -> Iterator[str]:
    yield from _comment(
        "The configuration of the daemon: copy this file to etc/config.ini. Every option has its default here, so what "
        "is not to be changed may as well be left out."
    )
    for template in (load_template("config.ini"), *map(plugin_template, type_names("plugins"))):
        for section, options in template.sections.items():
            yield ""
            if section.startswith("plugins."):
                yield from _comment(template.doc)
            yield f"[{section}]"
            for option in options.values():
                yield from _comment(option.doc)
                yield f"{option.name} = {option.kind.format(option.default)}".rstrip()


def _comment(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield from textwrap.wrap(paragraph, 118, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)

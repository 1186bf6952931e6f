"""What a change of the configuration means, in words: one sentence for each thing that differs between two sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from .masking import mask_url
from .model import PartConfig, ServerConfig, Site
from .templates import (
    GENERATOR_SECTION,
    PARAMS_SECTION,
    PLAIN_SECTION,
    TYPED,
    Option,
    driver_template,
    load_template,
    plugin_template,
    type_names,
)
from .types import Secret
from .uses import NOUNS

Options = Mapping[str, Option]

_PARTS = (("outlets", "outlet", "pdu"), ("controls", "control", "controller"), ("tests", "test", "tester"))
_TOLD_ELSEWHERE = ("outlets", "controls", "tests", "dependencies")
_KIND_OF = {"outlet": "outlets", "control": "controllers", "test": "testers"}


def meaning(before: Site, after: Site, renamed: Mapping[str, str] | None = None) -> list[str]:
    """Return the sentences, in the order of config.ini, devices and channels, objects without a type, servers.

    ``renamed``  new name of a server -> its former one
    """
    parts = _main(before, after), _generators(before, after), _untyped(before, after)
    return [mask_url(text) for text in (*chain(*parts), *_servers(before, after, renamed or {}))]


def _main(before: Site, after: Site) -> Iterator[str]:
    whole = Words(before.etc, after.etc)
    yield from whole.settings("the daemon", before.main, after.main, load_template("config.ini").sections["main"])
    yield from (f"plugin {name} is enabled" for name in after.plugins if name not in before.plugins)
    yield from (f"plugin {name} is disabled" for name in before.plugins if name not in after.plugins)
    if set(before.plugins) == set(after.plugins) and before.plugins != after.plugins:
        yield f"plugins are loaded in another order: {', '.join(after.plugins)}"
    for name in sorted({*before.plugin_settings, *after.plugin_settings} & set(type_names("plugins"))):
        template = plugin_template(name)
        section = f"plugins.{name}"
        defaults = template.defaults(section)
        old, new = (site.plugin_settings.get(name, defaults) for site in (before, after))
        yield from whole.settings(f"plugin {name}", old, new, template.sections.get(section, {}))


def _generators(before: Site, after: Site) -> Iterator[str]:
    for kind in TYPED:
        old, new = before.generators(kind), after.generators(kind)
        noun = NOUNS[kind]
        yield from _come_and_go(noun, old, new)
        for name in sorted(old.keys() & new.keys()):
            if old[name].type != new[name].type:
                yield f"{noun} {name} is of the type {new[name].type} now, was {old[name].type}"
            elif old[name].type in type_names(kind):
                options = driver_template(kind, new[name].type).sections[GENERATOR_SECTION[kind]]
                yield from Words(before.etc, after.etc).settings(
                    f"{noun} {name}", old[name].settings, new[name].settings, options
                )


def _untyped(before: Site, after: Site) -> Iterator[str]:
    for folder, section in PLAIN_SECTION.items():
        old, new, noun = before.plain(folder), after.plain(folder), NOUNS[folder]
        yield from _come_and_go(noun, old, new)
        options = load_template(f"{folder}.ini").sections[section]
        for name in sorted(old.keys() & new.keys()):
            words = Words(before.etc, after.etc)
            yield from words.settings(f"{noun} {name}", old[name].settings, new[name].settings, options)


def _come_and_go(noun: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    yield from (f"{noun} {name} is new" for name in sorted(new.keys() - old.keys()))
    yield from (f"{noun} {name} is gone" for name in sorted(old.keys() - new.keys()))


def _servers(before: Site, after: Site, renamed: Mapping[str, str]) -> Iterator[str]:
    old = {new_name: before.servers[name] for new_name, name in renamed.items() if name in before.servers}
    known = {name: one for name, one in before.servers.items() if name not in renamed.values()} | old
    yield from (f"server {name} is called {new_name} from now on" for new_name, name in sorted(renamed.items()))
    for name in sorted(after.servers.keys() - known.keys()):
        yield f"server {name} is new" + _needs(after.servers[name])
    yield from (f"server {name} is no longer looked after" for name in sorted(known.keys() - after.servers.keys()))
    new_names = {name: new_name for new_name, name in renamed.items()}
    for name in sorted(known.keys() & after.servers.keys()):
        yield from _server(before, after, known[name], after.servers[name], new_names)


def _needs(server: ServerConfig) -> str:
    return f"; it waits for {', '.join(server.dependencies)}" if server.dependencies else ""


def _server(
    before: Site, after: Site, old: ServerConfig, new: ServerConfig, new_names: Mapping[str, str]
) -> Iterator[str]:
    name = new.name
    former = [new_names.get(one, one) for one in old.dependencies]
    added = [one for one in new.dependencies if one not in former]
    gone = [one for one in former if one not in new.dependencies]
    if added:
        yield f"{name} now also waits for {', '.join(added)}"
    if gone:
        yield f"{name} no longer waits for {', '.join(gone)}"
    for listed, noun, _key in _PARTS:
        parts = {part.name: part for part in getattr(old, listed)}, {part.name: part for part in getattr(new, listed)}
        yield from _parts(before, after, name, noun, *parts)
    yield from Words(before.etc, after.etc).settings(
        name, old.settings, new.settings, load_template("serverNodes.ini").sections["server"]
    )


def _parts(
    before: Site, after: Site, server: str, noun: str, old: dict[str, PartConfig], new: dict[str, PartConfig]
) -> Iterator[str]:
    kind = _KIND_OF[noun]
    for name in (one for one in new if one not in old):
        yield f"{server} gets the {noun} {name} on {new[name].generator}"
    for name in (one for one in old if one not in new):
        yield f"{server} loses the {noun} {name} on {old[name].generator}"
    both = [name for name in new if name in old]
    if [name for name in old if name in new] != both:
        yield f"{server}: its {noun}s are used in another order: {', '.join(new)}"
    for name in both:
        generators = before.generators(kind), after.generators(kind)
        if old[name].generator != new[name].generator:
            yield f"{server}: {noun} {name} is on {new[name].generator} now, was on {old[name].generator}"
        elif new[name].generator in generators[1] and old[name].params != new[name].params:
            made_by = generators[1][new[name].generator]
            options = driver_template(kind, made_by.type).sections[PARAMS_SECTION[kind]]
            yield from Words(before.etc, after.etc).settings(
                f"{server}, {noun} {name}", old[name].params, new[name].params, options
            )


class Words:
    """Tells which options differ, whatever folder each of the two sites lies in (one is the draft's copy)."""

    def __init__(self, before: Path, after: Path) -> None:
        self._before = before
        self._after = after

    def settings(self, whose: str, old: Mapping[str, Any], new: Mapping[str, Any], options: Options) -> Iterator[str]:
        """Yield a sentence for each option that has another value; of a secret it tells only that."""
        for key, option in options.items():
            if key not in new or key in _TOLD_ELSEWHERE:
                continue
            was, now = _plain(old.get(key), self._before), _plain(new[key], self._after)
            if was == now:
                continue
            if option.type == "secret":
                yield f"{whose}: {key} is another one now" if now else f"{whose}: {key} is no longer set"
            else:
                former = _text(option, was) if key in old else "not set"
                yield f"{whose}: {key} is {_text(option, now)} now, was {former}"


def _plain(value: Any, etc: Path) -> Any:
    """Return the value without what it owes to the place of its folder."""
    if isinstance(value, Secret):
        return value.source
    return value.removeprefix(f"{etc}/") if isinstance(value, str) else value


def _text(option: Option, value: Any) -> str:
    return option.kind.format(value) or "empty"

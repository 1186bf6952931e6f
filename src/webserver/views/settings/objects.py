"""PDUs, controllers, testers, circuits and servers: the list, a new one, and one as a form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ....config.templates import KINDS as PART_FOLDERS
from ....config.templates import TYPED
from ...forms.fields import Texts, baseline
from ...forms.posted import Reading, read_form
from ...texts import _
from .common import (
    KINDS,
    Data,
    Outcome,
    at_work,
    edit,
    existing_form,
    form_or_text,
    get_form,
    go,
    moved,
    page,
    sections_of,
)

LISTS = ("dependencies", "outlets", "controls", "tests")
"""Options of a server that have pages of their own."""
USED = frozenset({*PART_FOLDERS, "circuits", "boot"})
"""Folders whose objects are named by others."""


def file_of(request: Request) -> str:
    """Return the file of the object in the address."""
    return f"{request.matchdict.get('folder', 'servers')}/{request.matchdict['name']}.ini"


@view_config(route_name="settings.objects", renderer="settings/objects.jinja2", request_method="GET")
def object_list(request: Request) -> Data:
    folder = request.matchdict["folder"]
    kind = KINDS[folder]
    found = request.daemon.call("configObjects", {"folder": folder})["objects"]
    shown = {"objects": found, "typed": folder in TYPED, "used": folder in USED, "at_work": at_work(request, kind)}
    texts = {"title": _(kind.title), "noun": _(kind.noun), "about": _(kind.about)}
    return page(request, folder=folder, **shown, **texts)


# -- a new one


@view_config(route_name="settings.new", renderer="settings/new.jinja2", request_method="GET", permission="admin")
def new_form(request: Request) -> Data:
    return _new(request, str(request.GET.get("type", "")))


@view_config(route_name="settings.new", renderer="settings/new.jinja2", request_method="POST", permission="admin")
def make_new(request: Request) -> Response | Data:
    folder = request.matchdict["folder"]
    type_name, name = _text(request, "type"), _text(request, "name").strip()
    form = get_form(request, f"{folder}/new.ini", **_maybe(type=type_name))
    reading = read_form(_blank(form["sections"]), request.POST)
    shifted = moved(request, reading.texts)
    if shifted is not None:
        return _new(request, type_name, name, shifted)
    values = reading.values
    first = str(form["sections"][0]["name"])
    if type_name:
        values.setdefault(first, {})["type"] = type_name
    values.setdefault(first, {})
    file = f"{folder}/{name}.ini"
    outcome = edit(request, "change", file, values=values, new=True)
    if outcome.taken:
        return go(request, "settings.object", "saved", folder=folder, name=name)
    request.response.status_int = 422
    return _new(request, type_name, name, reading.texts, outcome)


def _new(
    request: Request, type_name: str, name: str = "", posted: Texts | None = None, outcome: Outcome | None = None
) -> Data:
    folder = request.matchdict["folder"]
    form = get_form(request, f"{folder}/new.ini", **_maybe(type=type_name))
    faults = outcome.faults if outcome else []
    at_name = [fault for fault in faults if fault["key"] == "name" and not fault["section"]]
    blank = _blank(form["sections"])
    show = [{**section, "options": _without(section, LISTS[1:])} for section in blank]
    sections, errors = sections_of(request, show, posted, [fault for fault in faults if fault not in at_name])
    return page(
        request,
        folder=folder,
        noun=_(KINDS[folder].noun),
        types=form["types"],
        type=type_name if type_name in form["types"] else "",  # a server, a circuit has none
        name=name,
        name_error="; ".join(fault["problem"] for fault in at_name),
        errors=[*errors, *(outcome.errors if outcome else ())],
        form_sections=sections,
        base=baseline(blank),
    )


def _blank(sections: Iterable[Mapping[str, Any]]) -> list[Data]:
    """Return the sections of an object that is not there, whatever there is that is called "new"."""
    first = next(iter(sections))
    options = [{**option, "set": False, "value": None, "secret": "unset"} for option in first["options"]]
    return [{**first, "options": options, "unknown": []}]


def _without(section: Mapping[str, Any], names: Iterable[str]) -> list[Data]:
    return [option for option in section["options"] if option["name"] not in names]


@view_config(route_name="settings.name", renderer="json", request_method="GET")
def name_check(request: Request) -> Data:
    """Tell whether a name is taken already, while it is typed; the daemon decides once more when it is saved."""
    name = str(request.GET.get("name", ""))
    folder = request.matchdict["folder"]
    found = request.daemon.call("configObjects", {"folder": folder})["objects"]
    twin = next((one["name"] for one in found if one["name"].casefold() == name.casefold()), None)
    return {"taken": twin is not None, "text": _("There is {} already.").format(twin) if twin else ""}


# -- one that is there


@view_config(route_name="settings.object", renderer="settings/object.jinja2", request_method="GET")
def object_form(request: Request) -> Data | Response:
    return form_or_text(request, lambda: show_object(request), "settings.text")


@view_config(route_name="settings.object", renderer="settings/object.jinja2", request_method="POST", permission="admin")
def save_object(request: Request) -> Response | Data:
    form = existing_form(request, file_of(request))
    reading = read_form(form["sections"], request.POST)
    shifted = moved(request, reading.texts)
    if shifted is not None:
        return show_object(request, posted=shifted)
    outcome = save(request, form["file"], reading)
    if outcome is None:
        return go(request, "settings.object", "saved" if any(reading.values.values()) else "same", **request.matchdict)
    request.response.status_int = 422
    return show_object(request, reading, outcome)


def save(request: Request, file: str, reading: Reading) -> Outcome | None:
    """Take what a form brought into the draft; return why not, None if it is in. A conflict has to be seen first."""
    drop = request.POST.get("drop")
    if isinstance(drop, str) and "," in drop:
        section, option = drop.split(",", 1)
        reading.values.setdefault(section, {})[option] = None
    if reading.conflicts:
        return Outcome(False)
    values = {section: options for section, options in reading.values.items() if options}
    if not values:
        return None
    outcome = edit(request, "change", file, values=values)
    return None if outcome.taken else outcome


def show_object(
    request: Request,
    reading: Reading | None = None,
    outcome: Outcome | None = None,
    *,
    posted: Texts | None = None,
    test: Data | None = None,
) -> Data:
    """Return the page of an object; ``reading`` and ``outcome``: what could not be taken, and why."""
    form = existing_form(request, file_of(request))
    texts = posted if posted is not None else reading.texts if reading else None
    show = [section for section in form["sections"] if section["kind"] not in ("outlet", "control", "test")]
    faults = outcome.faults if outcome else []
    sections, errors = sections_of(
        request, [{**section, "options": _without(section, LISTS)} for section in show], texts, faults
    )
    return page(
        request,
        form=form,
        title=_(KINDS[form["folder"]].title),
        at_work=at_work(request, KINDS[form["folder"]]),
        form_sections=sections,
        errors=[*errors, *(outcome.errors if outcome else ())],
        conflicts=reading.conflicts if reading else [],
        base=baseline(show),
        uses=[{"text": use["place"], "url": _link(request, use["file"])} for use in form["uses"]],
        test=test,
        test_fields=test_fields(request, form),
        tab="general",
    )


def _link(request: Request, file: str) -> str:
    folder, _slash, name = file.removesuffix(".ini").rpartition("/")
    path: str = (
        request.route_path("settings.object", folder=folder, name=name)
        if folder
        else request.route_path("settings.general")
    )
    return path


def test_fields(request: Request, form: Mapping[str, Any]) -> list[Any]:
    """Return the fields that say what to read when nothing uses a PDU, controller or tester yet."""
    if form["folder"] not in PART_FOLDERS or form["uses"] or not form["type"]:
        return []
    probe = get_form(request, "servers/new.ini", part=[form["folder"], form["name"]])
    part = probe["sections"][-1]
    sections, _errors = sections_of(request, [part])
    return [
        one for one in sections[0].fields if one.widget != "select" and (one.required or one.name in ("host", "url"))
    ]


def _text(request: Request, name: str) -> str:
    value = request.POST.get(name, "")
    return value if isinstance(value, str) else ""


def _maybe(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}

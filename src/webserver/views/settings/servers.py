"""The tabs of a server: what it needs; its outlets, controls and tests, each with options of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ...forms.fields import Texts, baseline
from ...forms.posted import Reading, read_form
from ...texts import N_, _
from .actions import refused
from .common import Data, Outcome, edit, existing_form, go, moved, page, sections_of
from .objects import file_of, save

PART_KINDS = {
    "outlets": (N_("outlet"), "outlets"),
    "controls": (N_("control"), "controllers"),
    "tests": (N_("test"), "testers"),
}
"""List of a server -> kind of its parts, folder of what makes them."""


def _server(form: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = form["sections"][0]
    return found


# -- what it needs


@view_config(route_name="settings.needs", renderer="settings/needs.jinja2", request_method="GET")
def needs(request: Request) -> Data:
    return _show_needs(request)


@view_config(route_name="settings.needs", renderer="settings/needs.jinja2", request_method="POST", permission="admin")
def save_needs(request: Request) -> Response | Data:
    form = existing_form(request, file_of(request))
    reading = read_form([_only(form, "dependencies")], request.POST)
    outcome = save(request, form["file"], reading)
    if outcome is None:
        return go(request, "settings.needs", "saved" if any(reading.values.values()) else "same", **request.matchdict)
    request.response.status_int = 422
    return _show_needs(request, reading, outcome)


def _only(form: Mapping[str, Any], option: str) -> Data:
    server = _server(form)
    return {**server, "options": [one for one in server["options"] if one["name"] == option], "unknown": []}


def _show_needs(request: Request, reading: Reading | None = None, outcome: Outcome | None = None) -> Data:
    form = existing_form(request, file_of(request))
    show = [_only(form, "dependencies")]
    faults = outcome.faults if outcome else []
    sections, errors = sections_of(request, show, reading.texts if reading else None, faults)
    return page(
        request,
        form=form,
        form_sections=sections,
        errors=[*errors, *(outcome.errors if outcome else ())],
        conflicts=reading.conflicts if reading else [],
        base=baseline(show),
        tab="needs",
    )


# -- its parts


@view_config(route_name="settings.parts", renderer="settings/parts.jinja2", request_method="GET")
def parts(request: Request) -> Data:
    form = existing_form(request, file_of(request))
    listed = request.matchdict["kind"]
    kind, folder = PART_KINDS[listed]
    made_by = request.daemon.call("configObjects", {"folder": folder})["objects"]
    found = [section for section in form["sections"] if section["kind"] == kind]
    return page(
        request,
        form=form,
        tab=listed,
        noun=_(kind),
        folder=folder,
        parts=[{**section, "summary": _summary(section)} for section in found],
        makers=made_by,
    )


def _summary(section: Mapping[str, Any]) -> str:
    shown = [one for one in section["options"][1:] if one["set"] and one["type"] != "secret"]
    return ", ".join(f"{one['name']} {_words(one['value'])}" for one in shown[:4])


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _part(request: Request, form: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = PART_KINDS[request.matchdict["kind"]][0]
    for section in form["sections"]:
        if section["name"] == request.matchdict["part"] and section["kind"] == kind:
            found: Mapping[str, Any] = section
            return found
    raise HTTPNotFound


@view_config(route_name="settings.part", renderer="settings/part.jinja2", request_method="GET")
def part_form(request: Request) -> Data:
    form = existing_form(request, file_of(request))
    return _show_part(request, form, _part(request, form))


@view_config(route_name="settings.part", renderer="settings/part.jinja2", request_method="POST", permission="admin")
def save_part(request: Request) -> Response | Data:
    form = existing_form(request, file_of(request))
    section = _part(request, form)
    reading = read_form([section], request.POST)
    shifted = moved(request, reading.texts)
    if shifted is not None:
        return _show_part(request, form, section, shifted)
    outcome = save(request, form["file"], reading)
    if outcome is None:
        where = {"name": request.matchdict["name"], "kind": request.matchdict["kind"]}
        return go(request, "settings.parts", "saved" if any(reading.values.values()) else "same", **where)
    request.response.status_int = 422
    return _show_part(request, form, section, reading.texts, outcome, reading=reading)


@view_config(route_name="settings.new_part", renderer="settings/part.jinja2", request_method="GET", permission="admin")
def new_part(request: Request) -> Data:
    form, section = _new_section(request)
    return _show_part(request, form, section, new_name=_free_name(form, section))


@view_config(route_name="settings.new_part", renderer="settings/part.jinja2", request_method="POST", permission="admin")
def make_part(request: Request) -> Response | Data:
    form, section = _new_section(request)
    listed = request.matchdict["kind"]
    name = str(request.POST.get("name", "")).strip()
    reading = read_form([section], request.POST)
    existing = [one["name"] for one in form["sections"]]
    if not name or name in existing:
        problem = _("There is {} already.").format(name) if name else _("It needs a name.")
        outcome = Outcome(False, errors=[problem])
    else:
        kind = PART_KINDS[listed][0]
        order = [one["name"] for one in form["sections"] if one["kind"] == kind] + [name]
        generator = {section["options"][0]["name"]: request.matchdict["generator"]}
        values = {"server": {listed: order}, name: generator | reading.values.get("", {})}
        outcome = edit(request, "change", form["file"], values=values)
        if outcome.taken:
            return go(request, "settings.parts", "saved", name=request.matchdict["name"], kind=listed)
        for fault in outcome.faults:
            fault["section"] = "" if fault["section"] == name else fault["section"]
    request.response.status_int = 422
    return _show_part(request, form, section, reading.texts, outcome, new_name=name)


def _new_section(request: Request) -> tuple[Data, Mapping[str, Any]]:
    folder = PART_KINDS[request.matchdict["kind"]][1]
    form = existing_form(request, file_of(request), part=[folder, request.matchdict["generator"]])
    return form, form["sections"][-1]


def _free_name(form: Mapping[str, Any], section: Mapping[str, Any]) -> str:
    """Return a name for a new part that this server does not have yet: psu, psu2 …, or that of what makes it."""
    first = "psu" if section["kind"] == "outlet" else str(section["generator"])
    taken = {one["name"] for one in form["sections"]}
    names = [first, *(f"{first}{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _show_part(
    request: Request,
    form: Mapping[str, Any],
    section: Mapping[str, Any],
    posted: Texts | None = None,
    outcome: Outcome | None = None,
    *,
    reading: Reading | None = None,
    new_name: str | None = None,
) -> Data:
    sections, errors = sections_of(request, [section], posted, outcome.faults if outcome else ())
    return page(
        request,
        form=form,
        part=sections[0],
        errors=[*errors, *(outcome.errors if outcome else ())],
        conflicts=reading.conflicts if reading else [],
        base=baseline([section]),
        tab=request.matchdict["kind"],
        noun=_(PART_KINDS[request.matchdict["kind"]][0]),
        new_name=new_name,
        maker_key=section["options"][0]["name"],
    )


@view_config(route_name="settings.move_part", request_method="POST", permission="admin")
def move_part(request: Request) -> Response:
    """Change the order: one place up or down, or to ``place`` (from 0)."""
    form = existing_form(request, file_of(request))
    listed, name = request.matchdict["kind"], request.matchdict["part"]
    kind = PART_KINDS[listed][0]
    order = [one["name"] for one in form["sections"] if one["kind"] == kind]
    if name not in order:
        raise HTTPNotFound
    way = str(request.POST.get("way", ""))
    place = int(way) if way.isascii() and way.isdigit() else order.index(name) + (1 if way == "down" else -1)
    order.remove(name)
    order.insert(max(0, place), name)
    return _done(request, edit(request, "change", form["file"], values={"server": {listed: order}}), "saved")


@view_config(route_name="settings.rename_part", request_method="POST", permission="admin")
def rename_part(request: Request) -> Response:
    new = str(request.POST.get("name", "")).strip()
    outcome = edit(request, "renamePart", file_of(request), section=request.matchdict["part"], name=new)
    return _done(request, outcome, "saved")


@view_config(route_name="settings.delete_part", request_method="POST", permission="admin")
def delete_part(request: Request) -> Response:
    outcome = edit(request, "deletePart", file_of(request), section=request.matchdict["part"])
    return _done(request, outcome, "saved")


def _done(request: Request, outcome: Outcome, note: str) -> Response:
    if not outcome.taken:
        return refused(request, outcome)
    return go(request, "settings.parts", note, name=request.matchdict["name"], kind=request.matchdict["kind"])

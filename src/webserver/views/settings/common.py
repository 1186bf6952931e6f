"""What all pages of the settings share: the list of pages, the draft's bar, notices, and how a change is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.interfaces import IRoutesMapper
from pyramid.request import Request
from pyramid.response import Response

from ...forms.fields import FormSection, Texts, make_section
from ...ockle_client.connection import ClientError
from ...texts import N_, _
from ..multiChoiceGenerators import PLACEHOLDER

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object. ``title`` of its list, ``noun`` for one of them, ``about`` what they are for.

    ``work``  route of the page that shows them at work, and its name; () where there is none
    """

    title: str
    noun: str
    about: str
    work: tuple[str, str] | tuple[()] = ()


KINDS = {
    "outlets": Kind(N_("Outlets (PDUs)"), N_("PDU"), N_("Devices that switch power: PDUs, smart plugs, PoE switches.")),
    "controllers": Kind(
        N_("Controllers"), N_("controller"), N_("Ways to ask a system to shut down before its power is cut.")
    ),
    "testers": Kind(N_("Testers"), N_("tester"), N_("Ways to know that a server really serves.")),
    "circuits": Kind(N_("Circuits"), N_("circuit"), N_("Fuses, and what all outlets behind one may draw together.")),
    "boot": Kind(
        N_("Boot profiles"), N_("boot profile"), N_("What machines that boot over the network are given to boot.")
    ),
    "schedules": Kind(
        N_("Schedules"),
        N_("schedule"),
        N_("When servers are switched on and off by themselves."),
        ("runs.schedules", N_("Their next times")),
    ),
    "ups": Kind(
        N_("UPSes"),
        N_("UPS"),
        N_("Batteries that feed servers, and what is shut down when they run low."),
        ("runs.ups", N_("What they say")),
    ),
    "monitors": Kind(
        N_("Monitors"),
        N_("monitor"),
        N_("What machines measure of themselves, and what is too much."),
        ("servers.nodes", N_("What they say")),
    ),
    "channels": Kind(
        N_("Channels"),
        N_("channel"),
        N_("Where alerts are sent: Slack, e-mail, webhooks and others."),
        ("alerts", N_("Alerts")),
    ),
    "servers": Kind(
        N_("Servers"),
        N_("server"),
        N_("What is switched: what feeds each, how it is shut down and tested, and what it needs."),
        ("servers", N_("How they are")),
    ),
}

PAGES = (
    ("settings", N_("Overview"), {}),
    ("settings.general", N_("General"), {}),
    *(("settings.objects", kind.title, {"folder": folder}) for folder, kind in KINDS.items()),
    ("settings.plugins", N_("Plugins"), {}),
    ("settings.hosts", N_("Hosts"), {}),
    ("settings.users", N_("Users"), {}),
    ("settings.audit", N_("Audit log"), {}),
    ("settings.files", N_("Import and export"), {}),
    ("settings.review", N_("Review"), {}),
    ("settings.history", N_("History"), {}),
)
"""Route, text and the route's parts; a route that nobody has made is not shown."""
FOR_ADMINS = frozenset({"settings.users", "settings.audit", "settings.files", "settings.review"})

CHANGES = {"new": N_("new"), "changed": N_("changed"), "deleted": N_("deleted")}
"""What a draft does to a file -> the word for it."""

NOTES = {
    "saved": N_("It is in your draft."),
    "same": N_("Nothing was changed."),
    "deleted": N_("It goes when the draft is applied."),
    "renamed": N_("It has its new name when the draft is applied."),
    "copied": N_("The copy is in your draft."),
    "applied": N_("Applied. The daemon works with it now."),
    "later": N_("The files are written; the daemon takes them over later."),
    "discarded": N_("The draft is gone."),
    "merged": N_("What the others changed is in your draft, too."),
    "reverted": N_("The configuration is as it was then."),
    "reloaded": N_("The daemon works with the newest files."),
    "imported": N_("The files are in your draft."),
    "hosts": N_("The hosts are stored. The boot server goes by them now."),
    "hosts-same": N_("Nothing was changed in the hosts."),
}
"""What stands in ``?note=`` after a change -> what the next page says."""


def page(request: Request, **data: Any) -> Data:
    """Return what a template of the settings needs besides ``data``."""
    draft = request.daemon.call("draftGet")
    notes = [_(NOTES[note]) for note in request.GET.getall("note") if note in NOTES]
    return {
        "draft": draft,
        "state": request.daemon.call("configState"),
        "settings_pages": list(_pages(request, draft)),
        "notices": notes,
        "kinds": KINDS,
        "changes": CHANGES,
        **data,
    }


def _pages(request: Request, draft: Mapping[str, Any]) -> Iterable[Data]:
    mapper = request.registry.getUtility(IRoutesMapper)
    for route, text, parts in PAGES:
        may = route not in FOR_ADMINS or request.has_permission("admin")
        if may and mapper.get_route(route) is not None:
            found = request.matchdict if request.matched_route else {}
            here = request.matched_route is not None and _is_here(request.matched_route.name, route, parts, found)
            count = len(draft["files"]) if route == "settings.review" else None
            yield {"url": request.route_path(route, **parts), "text": text, "here": here, "count": count}


def _is_here(now: str, route: str, parts: Mapping[str, str], found: Mapping[str, str]) -> bool:
    if route == "settings.objects":
        inside = "servers" if now in _OF_SERVERS else found.get("folder")
        return inside == parts["folder"]
    return now == route or now in _INSIDE.get(route, ())


_INSIDE = {"settings.history": ("settings.revision",), "settings.hosts": ("settings.hosts_import",)}
_OF_SERVERS = ("settings.needs", "settings.parts", "settings.part", "settings.new_part")


def at_work(request: Request, kind: Kind) -> Data | None:
    """Return the address and the name of the page that shows a kind of object at work, None where there is none."""
    if not kind.work:
        return None
    route, text = kind.work
    return {"url": request.route_path(route), "text": _(text)}


def go(request: Request, route: str, note: str = "", **parts: Any) -> Response:
    """Return the redirection after a change; ``note`` is one of NOTES."""
    return HTTPSeeOther(request.route_path(route, **parts, _query={"note": note} if note else None))


@dataclass(slots=True)
class Outcome:
    """Whether a change is in the draft, and what is wrong with it if not."""

    taken: bool = True
    faults: list[Data] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def edit(request: Request, do: str, file: str, **data: Any) -> Outcome:
    """Have the daemon take a change into the draft. Raises ClientError for all that no form can show."""
    try:
        request.daemon.call("draftEdit", {"do": do, "file": file, **data})
    except ClientError as error:
        if error.code not in ("bad_config", "refused", "conflict"):
            raise
        faults = error.data.get("faults")
        if not faults:
            return Outcome(False, errors=[error.message])
        here = [fault for fault in faults if fault["file"] == file]
        return Outcome(False, here, [fault["text"] for fault in faults if fault["file"] != file])
    return Outcome()


def get_form(request: Request, file: str, **more: Any) -> Data:
    """Return ``configForm`` of a file with the draft."""
    form: Data = request.daemon.call("configForm", {"file": file, **more})
    return form


def form_or_text(request: Request, show: Callable[[], Data], route: str) -> Data | Response:
    """Return the page with the form; of a file that is no INI file an admin gets the page with its text, ``route``."""
    try:
        return show()
    except ClientError as error:
        if error.code != "bad_config" or not request.has_permission("admin"):
            raise
        return HTTPSeeOther(request.route_path(route, **request.matchdict))


def existing_form(request: Request, file: str, **more: Any) -> Data:
    """Return ``configForm`` of a file that has to be there. Raises ClientError "not_found"."""
    form = get_form(request, file, **more)
    if not form["exists"]:
        raise ClientError("not_found", _("There is no {} {}.").format(form["noun"], form["name"]))
    return form


def sections_of(
    request: Request,
    sections: Iterable[Mapping[str, Any]],
    posted: Texts | None = None,
    faults: Iterable[Mapping[str, Any]] = (),
) -> tuple[list[FormSection], list[str]]:
    """Return the sections with their fields, and the texts of faults that belong to none of them."""
    links = {
        "/server/~~name~~": request.route_path("settings.object", folder="servers", name=PLACEHOLDER),
        "/config/plugins/~~name~~": f"{request.route_path('settings.plugins')}#{PLACEHOLDER}",
    }
    faults = list(faults)
    made = []
    left = list(faults)
    for section in sections:
        own = [fault for fault in faults if fault["section"] == section["name"]]
        made.append(make_section(section, posted, own, links))
        left = [fault for fault in left if fault not in own]
    return made, [fault["text"] for fault in left]


def moved(request: Request, texts: Texts) -> Texts | None:
    """Return ``texts`` with a choice moved up or down, as a button without JavaScript asks; None if it was not one."""
    wish = request.POST.get("move")
    if not isinstance(wish, str):
        return None
    way, section, option, name = (*wish.split(",", 3), "", "", "")[:4]
    order = list(texts.get((section, option), ()))
    if name in order:
        place = order.index(name)
        order.insert(max(0, place + (-1 if way == "up" else 1)), order.pop(place))
    return {**texts, (section, option): order}

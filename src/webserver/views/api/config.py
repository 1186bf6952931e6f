"""The configuration: read files, try a change, apply it whole, take it back."""

from __future__ import annotations

from typing import Any

from . import shapes
from .endpoint import Call, endpoint
from .schema import anything, array, body, integer, mapping, nullable, record, text

FILE = text("relative to etc, such as servers/web1.ini", minLength=1, maxLength=300)
FILES = mapping(nullable(text("the whole new text; null deletes it", maxLength=65_536)), "file -> its new text")
WRITTEN = record(
    "",
    rev=nullable(integer("the new revision; null: there was nothing to change")),
    files=array(text()),
    warnings=array(anything()),
    reload=text("done, or later and why"),
)
BASE = integer("the revision that was looked at; refused when a file of the change has changed since", minimum=0)
CHANGE_S = 60.0


@endpoint(
    "GET",
    "/config/files",
    "Return a file, a section or an option of it, and the newest revision. Secrets are masked.",
    query={"file": FILE, "section": text(maxLength=300), "key": text(maxLength=300)},
    needed=("file",),
    answer=record("", value=anything(), rev=nullable(integer())),
    problems=(404,),
)
def get_config(call: Call) -> dict[str, Any]:
    return call.daemon("configGet", call.query)


@endpoint(
    "GET",
    "/config/check",
    "Return faults and warnings of what is on disk.",
    answer=record("", faults=array(anything()), warnings=array(anything())),
)
def check_config(call: Call) -> dict[str, Any]:
    return call.daemon("configCheck", timeout=CHANGE_S)


@endpoint(
    "POST",
    "/config/diff",
    "Return how files would differ from what is on disk.",
    permission="admin",
    body=body("", files=FILES),
    answer=record("", diff=text(maxLength=10_000_000)),
    problems=(404, 409),
)
def diff_config(call: Call) -> dict[str, Any]:
    return call.daemon("configDiff", call.body, CHANGE_S)


@endpoint(
    "POST",
    "/config/apply",
    "Write several files together, or none of them, and have the daemon take them up.",
    permission="admin",
    body=body("", files=FILES, message_=shapes.NOTE, base_=BASE),
    answer=WRITTEN,
    problems=(404, 409),
)
def apply_config(call: Call) -> dict[str, Any]:
    return call.daemon("configApply", call.body, CHANGE_S)


@endpoint(
    "GET",
    "/config/revisions",
    "Return the revisions, newest first.",
    query={"limit": integer("how many; default: 20", minimum=1, maximum=1000)},
    answer=record("", revisions=array(anything())),
)
def list_revisions(call: Call) -> dict[str, Any]:
    return call.daemon("configHistory", call.query)


@endpoint(
    "POST",
    "/config/undo",
    "Take the newest change back, or return to a revision; that is a new revision.",
    permission="admin",
    body=body("", rev_=integer("the revision to return to; default: before the newest", minimum=0)),
    answer=WRITTEN,
    problems=(404, 409),
)
def undo_config(call: Call) -> dict[str, Any]:
    return call.daemon("configUndo", call.body, CHANGE_S)

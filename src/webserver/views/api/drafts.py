"""Drafts of the configuration, as the forms of the GUI use them: collect changes, look, apply them together."""

from __future__ import annotations

from typing import Any

from . import shapes
from .config import CHANGE_S, FILE, WRITTEN
from .endpoint import Call, endpoint
from .schema import anything, array, body, boolean, choice, integer, mapping, nullable, record, text

NAME = text("a new name", minLength=1, maxLength=200)
DRAFT = record(
    "the draft of whoever asks",
    files=mapping(choice("new", "changed", "deleted")),
    base=integer("the revision at which it began", minimum=0),
    stamp=text("another one after each change"),
    stale=array(anything(), "files that others have changed since"),
)
SECTIONS = mapping(mapping(anything()), "section -> option -> value; null: back to the default")
KIND = choice("outlets", "controllers", "testers")
TEST_S = 40.0


@endpoint("GET", "/config/draft", "Return your draft.", answer=DRAFT)
def get_draft(call: Call) -> dict[str, Any]:
    return call.daemon("draftGet")


@endpoint(
    "POST",
    "/config/draft",
    "Take one change into your draft; refused with its faults where the site would not load with it.",
    permission="admin",
    body=body(
        "",
        do=choice("change", "text", "delete", "deletePart", "rename", "renamePart", "copy"),
        file=FILE,
        values_=SECTIONS,
        text_=text("do = text: the whole new text; *** keeps a secret", maxLength=60_000),
        section_=text("do = deletePart or renamePart: which one", maxLength=200),
        name_=NAME,
        new_=boolean("do = change: the file must not be there yet"),
    ),
    answer=record("", draft=DRAFT, warnings=array(anything())),
    problems=(404, 409, 422),
)
def edit_draft(call: Call) -> dict[str, Any]:
    return call.daemon("draftEdit", call.body, CHANGE_S)


@endpoint(
    "POST",
    "/config/draft/discard",
    "Forget your draft, or what it does to some files.",
    permission="admin",
    body=body("", files_=array(FILE)),
    answer=DRAFT,
    problems=(422,),
)
def discard_draft(call: Call) -> dict[str, Any]:
    return call.daemon("draftDiscard", call.body, CHANGE_S)


@endpoint(
    "GET",
    "/config/draft/diff",
    "Return what your draft changes: a diff per file, sentences, faults and warnings. For admins, who have drafts.",
    answer=record("", diffs=mapping(text(maxLength=10_000_000)), meaning=array(text()), stamp=text()),
)
def diff_draft(call: Call) -> dict[str, Any]:
    return call.daemon("draftDiff", timeout=CHANGE_S)


@endpoint(
    "POST",
    "/config/draft/merge",
    "Take what others changed meanwhile into your draft; where both changed the same, say whose counts.",
    permission="admin",
    body=body("", choices_=array(record("", file=FILE, section=text(), key=text(), side=choice("mine", "theirs")))),
    answer=record("", stale=array(anything())),
)
def merge_draft(call: Call) -> dict[str, Any]:
    return call.daemon("draftMerge", call.body, CHANGE_S)


@endpoint(
    "POST",
    "/config/draft/apply",
    "Write the files of your draft together, or none of them, and have the daemon take them up.",
    permission="admin",
    body=body("", message_=shapes.NOTE, stamp_=text("of the draft that was looked at", maxLength=64)),
    answer=WRITTEN,
    problems=(409, 422),
)
def apply_draft(call: Call) -> dict[str, Any]:
    return call.daemon("draftApply", call.body, CHANGE_S)


@endpoint(
    "GET",
    "/config/form",
    "Return an object with all its options, what may be written, and what is set. Secrets are masked.",
    query={"file": FILE, "type": text("of an object that is not there yet", maxLength=100)},
    needed=("file",),
    answer=record("", file=text(), exists=boolean(), sections=array(anything())),
    problems=(404,),
)
def get_form(call: Call) -> dict[str, Any]:
    return call.daemon("configForm", call.query)


@endpoint(
    "GET",
    "/config/state",
    "Return the newest revision, and which changes wait for a restart or a reload.",
    answer=record("", rev=integer(), restart=array(anything()), late=text()),
)
def get_config_state(call: Call) -> dict[str, Any]:
    return call.daemon("configState")


@endpoint(
    "POST",
    "/config/test",
    "Read once from a PDU, a controller or a tester as it is in your draft. Nothing is switched.",
    permission="admin",
    body=body(
        "",
        kind=KIND,
        name=shapes.NAME,
        stored_=boolean("as it is on disk"),
        server_=shapes.NAME,
        section_=text(maxLength=200),
        params_=mapping(anything(), "option -> value: the outlet, the system"),
    ),
    answer=record("", ok=boolean(), text=text(), data=mapping(anything()), about=array(text()), of=nullable(text())),
    problems=(404, 422, 502),
)
def test_connection(call: Call) -> dict[str, Any]:
    return call.daemon("testConnection", call.body, TEST_S)


@endpoint(
    "POST",
    "/config/rename",
    "Give an object another name, wherever it stands; a server keeps what is known of it.",
    permission="admin",
    body=body("", file=FILE, name=NAME, message_=shapes.NOTE),
    answer=WRITTEN,
    problems=(404, 409, 422),
)
def rename_object(call: Call) -> dict[str, Any]:
    return call.daemon("configRename", call.body, CHANGE_S)

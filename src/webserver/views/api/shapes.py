"""The shapes of the answers and of what several requests share."""

from __future__ import annotations

from ...orders import ACTIONS
from .schema import anything, array, boolean, choice, integer, mapping, nullable, number, record, text

NAME = text("name of a server", minLength=1, maxLength=300)
PART = text("name of an outlet, a control or a test of it", minLength=1, maxLength=300)
NOTE = text("why, for the records", maxLength=500)
SELECTION = array(
    text(minLength=1, maxLength=1000), "names, ranges web[1-4], @tag, state:WORD, all", minItems=1, maxItems=20_000
)
EXCLUDE = {**SELECTION, "minItems": 0, "description": "servers that stay as they are, and what depends on that"}
ACTION = choice(*ACTIONS, description="cut: without a shutdown")
WHEN = number("seconds since 1970")
RUN_ID = integer("number of a run", minimum=0, maximum=2**53)

SERVER = record(
    "A server.",
    state=text("its state in full"),
    word=text("the word under which it is counted"),
    why=text("why it is so, empty if there is nothing to say"),
    since=nullable(WHEN),
    desired=nullable(choice("on", "off", description="null: it is only watched")),
    held=boolean("kept out of all automation"),
    forced=nullable(text("on or off")),
    tags=array(text()),
    power_w=nullable(number("watts; null: nothing measures it")),
    needs=array(NAME),
    needed_by=array(NAME),
    run=nullable(integer("the run that has an order for it")),
)
SUMMARY = record(
    "A run.",
    id=integer("its number"),
    action=ACTION,
    targets=array(NAME),
    who=text("who ordered it"),
    via=text("cli, gui, api, socket, plugin, schedule or ups"),
    note=text(),
    created=WHEN,
    begins=number("when its first step begins, after the grace"),
    begun=boolean("false within the grace"),
    ended=nullable(WHEN),
    state=choice("running", "done", "failed", "cancelled"),
    done=integer(),
    failed=integer(),
    skipped=integer(),
    total=integer("steps"),
    eta_s=nullable(number("seconds left; null once it has ended")),
)
STEP = record(
    "One server's part of a plan or a run. Times in seconds from the begin.",
    server=NAME,
    action=text("on, off or cut"),
    needs=array(NAME, "whose steps have to end before"),
    because=text("why it is part of the plan"),
    start_s=number(),
    eta_s=number("how long it usually takes"),
    p95_s=number("in 19 of 20 cases at most"),
    learned=boolean("false: guessed from limits"),
    critical=boolean("part of the chain that determines the whole time"),
)
PLAN = record(
    "What would happen.",
    id=text("for the address of this plan"),
    rev=text("another one, another plan"),
    action=ACTION,
    targets=array(NAME),
    exclude=array(text()),
    steps=array(STEP),
    already=array(NAME, "targets that are as wanted"),
    untouched=mapping(text(), "server -> why it is left alone"),
    total_s=number("seconds"),
    critical=array(NAME),
    tier=integer("how much confirmation it needs, 0 to 3"),
    confirm=text("what to send as confirm at tier 3"),
    warnings=array(text()),
)
RUN_STEP = record(
    "A step of a run.",
    **STEP["properties"],
    state=choice("waiting", "running", "done", "failed", "skipped", "cancelled", "superseded"),
    why=text(),
    started=nullable(WHEN),
    ended=nullable(WHEN),
)
SENT = record(
    "A command that was sent to a device.",
    server=NAME,
    object=text("which outlet or control"),
    verb=text(),
    at=nullable(WHEN),
    outcome=nullable(text("what came back; null: not known yet")),
    done_at=nullable(WHEN),
)
RUN = record("A run with its steps.", **SUMMARY["properties"], steps=array(RUN_STEP), log=array(SENT))
EVENT = record(
    "Something that happened.",
    seq=integer(),
    time=WHEN,
    kind=text(),
    server=text(),
    text=text(),
    data=anything(),
)
PART_STATE = record(
    "An outlet, a control or a test.",
    OpState=text(),
    type=text("of the driver"),
    generator=text("the PDU, controller or tester"),
    message=text("the last error"),
    seen=nullable(WHEN),
    data=anything("what it measures"),
)
EMERGENCY = nullable(
    record(
        "A declared emergency.",
        since=WHEN,
        who=text(),
        note=text(),
        run=nullable(integer()),
        within_s=number(),
        left_s=number(),
        servers=array(NAME),
        not_down=array(NAME),
    )
)

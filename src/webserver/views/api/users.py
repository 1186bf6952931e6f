"""Users, their tokens and sessions, and the audit log."""

from __future__ import annotations

from typing import Any

from . import shapes
from .endpoint import Call, endpoint
from .schema import array, boolean, choice, integer, nullable, number, record, text
from .schema import body as fields

NAME = text("letters, digits, and . _ @ -", minLength=1, maxLength=64)
PASSWORD = text("10 characters at least", minLength=1, maxLength=1000)
ROLE = choice("viewer", "operator", "admin")
ID = text("from the list", minLength=1, maxLength=64)
CHECK_S = 120.0
USER = record(
    "A user.",
    name=NAME,
    role=ROLE,
    disabled=boolean("cannot log in, nor can any token of the user"),
    created=shapes.WHEN,
    changed=shapes.WHEN,
)
TOKEN = record(
    "A token, without its secret.",
    id=ID,
    name=NAME,
    user=NAME,
    role=choice("viewer", "operator", "admin", description="the most it may do"),
    created=shapes.WHEN,
    last_used=nullable(shapes.WHEN),
    expires=nullable(shapes.WHEN),
)
SESSION = record(
    "A login with a password.",
    id=ID,
    user=NAME,
    created=shapes.WHEN,
    last_used=shapes.WHEN,
    address=text("from where"),
    agent=text("the browser, as it calls itself"),
)
ENTRY = record(
    "Something that was done or refused.",
    id=integer(),
    time=shapes.WHEN,
    who=text(),
    role=text(),
    via=text("cli, gui, api, socket or internal"),
    address=text("of the connection, as the daemon saw it"),
    reported=text("of the person, as the GUI said"),
    command=text("of the daemon"),
    object=text("what it was about"),
    run=text("number of the run that it led to, empty if none"),
    result=text("ok, or the code of the refusal"),
    text=text("why it was refused"),
    details=text("the parameters as JSON, without what may be secret"),
    before=text("hash of the entry before"),
)


@endpoint(
    "GET",
    "/me",
    "Return who asks, and what they may.",
    answer=record("", name=text(), role=ROLE, user=text("empty for a token of the configuration")),
)
def get_me(call: Call) -> dict[str, Any]:
    return call.daemon("whoAmI")


@endpoint("GET", "/users", "Return the users.", permission="admin", answer=record("", users=array(USER)))
def list_users(call: Call) -> dict[str, Any]:
    return call.daemon("users")


@endpoint(
    "POST",
    "/users",
    "Add a user.",
    permission="admin",
    body=fields("", user=NAME, role=ROLE, password=PASSWORD),
    answer=USER,
    status=201,
    problems=(409,),
)
def add_user(call: Call) -> dict[str, Any]:
    return call.daemon("userAdd", call.body)


@endpoint(
    "POST",
    "/users/{user}",
    "Give a user another role or password, or disable them; their sessions end.",
    permission="admin",
    path={"user": NAME},
    body=fields("", role_=ROLE, password_=PASSWORD, disabled_=boolean()),
    answer=USER,
    problems=(404, 409),
)
def change_user(call: Call) -> dict[str, Any]:
    found = call.daemon("userChange", {"user": call.path["user"], **call.body})
    call.request.registry.tokens.doubt()
    return found


@endpoint(
    "DELETE",
    "/users/{user}",
    "Remove a user, with all tokens; refused for the last admin.",
    permission="admin",
    path={"user": NAME},
    answer=record("", user=NAME),
    problems=(404, 409),
)
def remove_user(call: Call) -> dict[str, Any]:
    found = call.daemon("userRemove", {"user": call.path["user"]})
    call.request.registry.tokens.doubt()
    return found


@endpoint("GET", "/tokens", "Return one's own tokens; to an admin, all.", answer=record("", tokens=array(TOKEN)))
def list_tokens(call: Call) -> dict[str, Any]:
    return call.daemon("tokens")


@endpoint(
    "POST",
    "/tokens",
    "Make a token. Its secret is told this once.",
    body=fields(
        "",
        name=NAME,
        user_={**NAME, "description": "whose; default: one's own"},
        role_=ROLE,
        expires_s_=number("seconds; default: never", exclusiveMinimum=0, maximum=1e9),
    ),
    answer=record("", id=ID, name=NAME, user=NAME, role=ROLE, token=text("the secret")),
    status=201,
    problems=(404, 409),
)
def add_token(call: Call) -> dict[str, Any]:
    return call.daemon("tokenAdd", call.body)


@endpoint(
    "DELETE",
    "/tokens/{token}",
    "Remove a token, one's own or, as an admin, anybody's.",
    path={"token": ID},
    answer=record(""),
    problems=(404,),
)
def remove_token(call: Call) -> dict[str, Any]:
    found = call.daemon("tokenRemove", {"id": call.path["token"]})
    call.request.registry.tokens.doubt()
    return found


@endpoint(
    "GET", "/sessions", "Return one's own sessions; to an admin, all.", answer=record("", sessions=array(SESSION))
)
def list_sessions(call: Call) -> dict[str, Any]:
    return call.daemon("sessions")


@endpoint(
    "DELETE",
    "/sessions/{session}",
    "End a session, one's own or, as an admin, anybody's.",
    path={"session": ID},
    answer=record(""),
    problems=(404,),
)
def end_session(call: Call) -> dict[str, Any]:
    found = call.daemon("sessionEnd", {"id": call.path["session"]})
    call.request.registry.tokens.doubt()
    return found


@endpoint(
    "GET",
    "/audit",
    "Return who did what, from where, and what became of it, newest first.",
    permission="admin",
    query={
        "limit": integer("how many; default: 100", minimum=1, maximum=1000),
        "before_id": integer("only entries before that one", minimum=1, maximum=2**53),
        "who": text("a part of the name", maxLength=200),
        "server": text(maxLength=300),
        "command": text(maxLength=100),
        "since": number("seconds since 1970", minimum=0, maximum=1e11),
        "check": boolean("look whether the whole log is as it was written: then the answer has problem"),
    },
    answer=record("", entries=array(ENTRY), problem=text("where it is not as it was written, empty if it is")),
)
def list_audit(call: Call) -> dict[str, Any]:
    return call.daemon("audit", call.query, CHECK_S)

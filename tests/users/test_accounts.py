"""Users, sessions and tokens: what they may, and what ends them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ockle.common.access import Caller
from ockle.common.errors import CommandError
from ockle.users.throttle import FREE
from users_site import GOOD, LOCAL, OTHER, UsersSite

ANYBODY = Caller("", "", "gui", "192.0.2.7:4000")
ELSEWHERE = Caller("", "", "gui", "192.0.2.8:4000")


@pytest.fixture(autouse=True)
def _guy(site: UsersSite) -> None:
    site.ok("userAdd", user="guy", role="admin", password=GOOD)


def add(site: UsersSite, name: str, role: str = "viewer") -> Caller:
    site.ok("userAdd", user=name, role=role, password=GOOD)
    return site.as_user(site.login(name))


# -- users


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "<script>",
        "x" * 65,
        "a\nb",
        "../x",
        "a'b",
        'a"b',
        "🦕",
        "\ud800",
        None,
        7,
        ["guy"],
        "a/b",
        "a\0b",
    ],
)
def test_names_that_are_none(site: UsersSite, name: Any) -> None:
    code, text = site.refused("userAdd", user=name, role="viewer", password=GOOD)
    assert code == "bad_request"
    assert "name of a user" in text
    assert [user["name"] for user in site.ok("users")["users"]] == ["guy"]


@pytest.mark.parametrize("twin", ["guy", "GUY", "ｇｕｙ"])
def test_two_users_never_look_alike(site: UsersSite, twin: str) -> None:
    assert site.refused("userAdd", user=twin, role="viewer", password=GOOD)[0] == "conflict"


def test_names_of_all_languages(site: UsersSite) -> None:
    assert site.ok("userAdd", user="jürgen.müller@büro", role="viewer", password=GOOD)["name"] == "jürgen.müller@büro"
    assert site.granted(site.login("JÜRGEN.MÜLLER@BÜRO")) is not None


@pytest.mark.parametrize(
    ("command", "data"),
    [
        ("userRemove", {}),
        ("userChange", {"role": "operator"}),
        ("userChange", {"disabled": True}),
    ],
)
def test_the_last_admin_stays(site: UsersSite, command: str, data: dict[str, Any]) -> None:
    code, text = site.refused(command, user="guy", **data)
    assert (code, "last admin" in text) == ("refused", True)
    site.ok("userAdd", user="ann", role="admin", password=GOOD)
    site.ok("userChange", user="ann", disabled=True)
    assert site.refused(command, user="guy", **data)[0] == "refused", "one who cannot log in does not count"
    site.ok("userChange", user="ann", disabled=False)
    site.ok(command, user="guy", **data)


@pytest.mark.parametrize("data", [{"role": "root"}, {"password": "short"}, {"password": 7}, {"disabled": "yes"}, {}])
def test_a_change_that_makes_no_sense_changes_nothing(site: UsersSite, data: dict[str, Any]) -> None:
    before = site.ok("users")
    secret = site.login("guy")
    assert site.refused("userChange", user="guy", **data)[0] == "bad_request"
    after = site.ok("users")
    assert after["users"][0].pop("sessions") == 1
    before["users"][0].pop("sessions")
    assert after == before
    assert site.granted(secret) is not None


def test_no_hash_leaves_the_daemon(site: UsersSite) -> None:
    site.ok("tokenAdd", name="ci", user="guy")
    site.login("guy")
    for command in ("users", "tokens", "sessions"):
        assert "hash" not in str(site.ok(command))


# -- sessions


def test_a_login_gives_what_the_user_may(site: UsersSite) -> None:
    vera = add(site, "vera")
    assert (vera.name, vera.role, vera.user) == ("vera", "viewer", "vera")
    site.ok("look", vera)
    assert site.refused("switch", vera, server="nas") == ("denied", "switch needs the role operator; vera is viewer")
    assert site.switched == []
    site.ok("switch", add(site, "otto", "operator"), server="nas")
    assert site.switched == [{"server": "nas"}]


@pytest.mark.parametrize(
    ("command", "data"),
    [
        ("userChange", {"password": OTHER}),
        ("userChange", {"role": "operator"}),
        ("userChange", {"disabled": True}),
        ("userRemove", {}),
    ],
)
def test_what_changes_a_user_ends_the_sessions(site: UsersSite, command: str, data: dict[str, Any]) -> None:
    site.ok("userAdd", user="vera", role="viewer", password=GOOD)
    secrets = [site.login("vera"), site.login("vera")]
    stays = site.login("guy")
    site.ok(command, user="vera", **data)
    assert [site.granted(secret) for secret in secrets] == [None, None]
    assert site.granted(stays) is not None
    site.restart()
    assert [site.granted(secret) for secret in secrets] == [None, None]
    assert site.granted(stays) is not None


def test_a_session_survives_the_daemon_and_ends_with_the_logout(site: UsersSite) -> None:
    secret, other = site.login("guy"), site.login("guy")
    site.restart()
    site.ok("userLogout", site.as_user(secret))
    assert site.granted(secret) is None
    assert site.granted(other) is not None
    site.restart()
    assert site.granted(secret) is None
    assert site.refused("userLogout")[0] == "refused", "a connection of the machine itself did not log in"


def test_a_session_ends_unused_and_it_ends_anyway(site: UsersSite) -> None:
    site.users.configure({"session_idle": 100.0, "session_limit": 1000.0, "audit_limit": 1000})
    idle, used = site.login("guy"), site.login("guy")
    for _ in range(10):
        site.clock.time += 99.0
        assert site.granted(used) is not None
    assert site.granted(idle) is None
    site.clock.time += 11.0
    assert site.granted(used) is None
    assert site.ok("sessions")["sessions"] == []


def test_one_session_is_never_another_one(site: UsersSite) -> None:
    secrets = {site.login("guy") for _ in range(10)}
    assert len(secrets) == 10
    assert all(len(secret) > 43 for secret in secrets), "256 bits"
    for guess in ("", "os_", *(one["id"] for one in site.ok("sessions")["sessions"])):
        assert site.granted(guess) is None


def test_a_user_sees_and_ends_only_their_own(site: UsersSite) -> None:
    vera, otto = add(site, "vera"), add(site, "otto", "operator")
    mine, theirs = (site.ok("sessions", one)["sessions"] for one in (vera, otto))
    assert [one["user"] for one in mine] == ["vera"]
    assert site.refused("sessionEnd", vera, id=theirs[0]["id"])[0] == "not_found"
    assert len(site.ok("sessions")["sessions"]) == 2
    site.ok("sessionEnd", id=theirs[0]["id"])
    assert site.users.current(otto.grant) is None if otto.grant else False
    site.ok("sessionEnd", vera, id=mine[0]["id"])
    assert site.ok("sessions")["sessions"] == []


def test_a_new_password_needs_the_old_one_and_gives_a_new_session(site: UsersSite) -> None:
    secret, other = site.login("guy"), site.login("guy")
    guy = site.as_user(secret)
    assert site.refused("passwordChange", guy, old="wrong", new=OTHER)[0] == "denied"
    assert site.refused("passwordChange", guy, old=GOOD, new="short")[0] == "bad_request"
    new = site.ok("passwordChange", guy, old=GOOD, new=OTHER)["session"]
    assert [site.granted(one) for one in (secret, other)] == [None, None]
    assert site.granted(new) is not None
    assert site.refused("userLogin", ANYBODY, user="guy", password=GOOD)[0] == "denied"
    site.login("guy", OTHER)
    assert site.refused("passwordChange", old=GOOD, new=OTHER)[0] == "refused", "no user, no password"


def test_a_hash_of_another_cost_is_renewed_by_the_login(site: UsersSite, monkeypatch: pytest.MonkeyPatch) -> None:
    from ockle.users import passwords

    monkeypatch.setattr(passwords, "LOG2_N", 5)
    site.login("guy")
    site.restart()
    assert "ln=5" in site.users.accounts.get("guy").hash
    site.login("guy")


def test_a_login_that_a_removal_overtakes_is_none(site: UsersSite) -> None:
    """Else its session would wait for whoever gets that name next."""
    site.ok("userAdd", user="vera", role="viewer", password=GOOD)
    vera = site.users.accounts.verified("vera", GOOD)
    assert vera is not None
    site.ok("userRemove", user="vera")
    with pytest.raises(CommandError, match="just been changed"):
        site.users.logins.begin(vera, "", "")
    site.clock.time += 1
    site.ok("userAdd", user="vera", role="admin", password=OTHER)
    with pytest.raises(CommandError, match="just been changed"):
        site.users.logins.begin(vera, "", "")
    with pytest.raises(CommandError, match="just been changed"):
        site.users.logins.make_token("ci", vera, "viewer", None)
    assert site.ok("sessions")["sessions"] == []


def test_a_use_that_a_logout_overtakes_brings_nothing_back(site: UsersSite) -> None:
    secret = site.login("guy")
    caller = site.as_user(secret)
    [login] = site.users.logins.sessions()
    site.ok("userLogout", caller)
    site.users._book.note(login)
    assert site.granted(secret) is None
    site.restart()
    assert site.granted(secret) is None


# -- throttling


def test_wrong_and_unknown_are_told_alike_and_slowed_down_alike(site: UsersSite) -> None:
    site.ok("userAdd", user="gone", role="viewer", password=GOOD)
    site.ok("userChange", user="gone", disabled=True)
    for name in ("guy", "nobody", "gone", "<script>"):
        said = [site.refused("userLogin", ANYBODY, user=name, password=OTHER) for _ in range(FREE)]
        assert said == [("denied", "wrong name or password")] * FREE
        reply = site.send("userLogin", ANYBODY, user=name, password=GOOD)
        assert reply.error is not None
        assert reply.error["code"] == "throttled"
        assert reply.data == {"retry_s": 1.0}


@pytest.mark.parametrize("spellings", [("GUY", "Guy"), ("\uff47\uff55\uff59", "g\U0001d42e\U0001d432", "\u24d6uy")])
def test_another_spelling_of_a_name_gives_no_more_tries(site: UsersSite, spellings: tuple[str, ...]) -> None:
    for _, name in zip(range(FREE), spellings * FREE, strict=False):
        assert site.refused("userLogin", ANYBODY, user=name, password=OTHER)[0] == "denied"
    assert site.refused("userLogin", ANYBODY, user="guy", password=GOOD)[0] == "throttled"


def test_another_address_of_the_same_ipv6_network_gives_no_more_tries(site: UsersSite) -> None:
    for number in range(FREE):
        caller = Caller("", "", "gui", f"[2001:db8:1:2::{number}]:4000")
        assert site.refused("userLogin", caller, user="guy", password=OTHER)[0] == "denied"
    same = Caller("", "", "gui", "[2001:db8:1:2:ffff::1]:4000")
    assert site.refused("userLogin", same, user="guy", password=GOOD)[0] == "throttled"
    site.ok("userLogin", Caller("", "", "gui", "[2001:db8:1:3::1]:4000"), user="guy", password=GOOD)


def test_a_user_is_not_believed_where_others_are(site: UsersSite) -> None:
    vera = add(site, "vera")
    for number in range(FREE):
        site.send("userLogin", vera, user="guy", password=OTHER, address=f"198.51.100.{number}")
    assert site.refused("userLogin", vera, user="guy", password=GOOD, address="198.51.100.99")[0] == "throttled"


def test_a_stolen_login_gives_few_guesses_from_wherever_it_says_it_is(site: UsersSite) -> None:
    vera = add(site, "vera")
    for number in range(FREE):
        somewhere = replace(vera, reported=f"198.51.100.{number}")
        assert site.refused("passwordCheck", somewhere, password=OTHER)[0] == "denied"
    assert site.refused("passwordCheck", replace(vera, reported="198.51.100.99"), password=GOOD)[0] == "throttled"


def test_who_waits_is_not_everybody_behind_the_same_proxy(site: UsersSite) -> None:
    site.ok("userAdd", user="vera", role="viewer", password=GOOD)
    for _ in range(FREE + 3):
        site.send("userLogin", ANYBODY, user="guy", password=OTHER)
    assert site.refused("userLogin", ANYBODY, user="guy", password=GOOD)[0] == "throttled"
    site.ok("userLogin", ANYBODY, user="vera", password=GOOD)
    site.ok("userLogin", ELSEWHERE, user="guy", password=GOOD)
    site.clock.time += 2
    site.ok("userLogin", ANYBODY, user="guy", password=GOOD)


def test_only_a_client_that_is_somebody_is_believed_where_the_person_is(site: UsersSite) -> None:
    for number in range(FREE):
        site.send("userLogin", ANYBODY, user="guy", password=OTHER, address=f"198.51.100.{number}")
    assert site.refused("userLogin", ANYBODY, user="guy", password=GOOD, address="198.51.100.99")[0] == "throttled"
    web = Caller("web (viewer token)", "viewer", "gui", "192.0.2.7:4000")
    site.ok("userLogin", web, user="guy", password=GOOD, address="198.51.100.99")
    near = Caller("", "", "gui", "127.0.0.1:4000")
    site.ok("userLogin", near, user="guy", password=GOOD, address="198.51.100.98")
    assert site.refused("userLogin", near, user="guy", password=GOOD, address="not one")[0] == "bad_request"


# -- tokens


def test_a_token_may_what_it_says_and_never_more_than_its_user(site: UsersSite) -> None:
    otto = add(site, "otto", "operator")
    made = site.ok("tokenAdd", otto, name="ci", role="viewer")
    grant = site.granted(made["token"])
    assert grant is not None
    assert (grant.name, grant.role, grant.user, grant.session) == ("otto (token ci)", "viewer", "otto", False)
    strong = site.granted(site.ok("tokenAdd", otto, name="cron")["token"])
    assert strong is not None
    assert strong.role == "operator"
    site.ok("userChange", user="otto", role="viewer")
    after = site.users.current(strong)
    assert after is not None
    assert after.role == "viewer"
    site.ok("userChange", user="otto", disabled=True)
    assert site.users.current(strong) is None
    site.restart()
    assert site.granted(made["token"]) is None
    site.ok("userChange", user="otto", disabled=False)
    assert site.granted(made["token"]) is not None
    site.ok("userRemove", user="otto")
    assert site.granted(made["token"]) is None
    assert site.ok("tokens")["tokens"] == []


@pytest.mark.parametrize(
    "data",
    [
        {"name": "x", "role": "admin"},
        {"name": "x", "user": "guy"},
        {"name": "x", "user": "guy", "role": "viewer"},
    ],
)
def test_nobody_gives_more_than_they_have(site: UsersSite, data: dict[str, Any]) -> None:
    otto = add(site, "otto", "operator")
    assert site.refused("tokenAdd", otto, **data)[0] == "denied"
    weak = site.as_user(site.ok("tokenAdd", otto, name="weak", role="viewer")["token"])
    assert site.refused("tokenAdd", weak, name="strong", role="operator")[0] == "denied"
    assert len(site.ok("tokens")["tokens"]) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"name": "a b", "user": "guy"}, "bad_request"),
        ({"name": "x"}, "refused"),
        ({"name": "x", "user": "nobody"}, "not_found"),
        ({"name": "x", "user": "guy", "role": "root"}, "bad_request"),
        ({"name": "x", "user": "guy", "expires_s": 0}, "bad_request"),
        ({"name": "x", "user": "guy", "expires_s": float("nan")}, "bad_request"),
        ({"name": "x", "user": "guy", "expires_s": True}, "bad_request"),
    ],
)
def test_tokens_that_make_no_sense(site: UsersSite, data: dict[str, Any], code: str) -> None:
    assert site.refused("tokenAdd", **data)[0] == code
    assert site.ok("tokens")["tokens"] == []


def test_a_token_expires_and_says_when_it_was_used(site: UsersSite) -> None:
    made = site.ok("tokenAdd", name="ci", user="guy", expires_s=1000)
    assert site.refused("tokenAdd", name="ci", user="guy")[0] == "conflict"
    site.clock.time += 999
    assert site.granted(made["token"]) is not None
    assert site.ok("tokens")["tokens"][0]["last_used"] == site.clock.wall()
    site.clock.time += 1
    assert site.granted(made["token"]) is None
    site.ok("tokenRemove", id=made["id"])
    assert site.refused("tokenRemove", id=made["id"])[0] == "not_found"


# -- the first user


def test_the_code_makes_the_first_admin_and_is_then_spent(site: UsersSite) -> None:
    assert site.ok("setupState", ANYBODY) == {"needed": False}
    assert site.refused("setupCode")[0] == "refused"
    who = {"user": "eve", "password": GOOD}
    assert site.refused("setupUser", ANYBODY, code="AAAA-AAAA-AAAA", **who)[0] == "refused"


def test_only_local_admins_manage_users(site: UsersSite) -> None:
    otto = add(site, "otto", "operator")
    for command, data in (
        ("users", {}),
        ("userAdd", {"user": "eve", "role": "admin", "password": GOOD}),
        ("userChange", {"user": "guy", "password": OTHER}),
        ("userRemove", {"user": "guy"}),
        ("setupCode", {}),
        ("audit", {}),
    ):
        assert site.refused(command, otto, **data)[0] == "denied", command
    assert site.ok("whoAmI", otto)["user"] == "otto"
    assert site.ok("whoAmI", LOCAL)["user"] == ""

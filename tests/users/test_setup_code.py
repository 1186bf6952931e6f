"""The first user: made by a code that the daemon tells, once."""

from __future__ import annotations

import logging

import pytest

from ockle.common.access import Caller
from ockle.users.setup_code import VALID_S
from ockle.users.throttle import FREE
from users_site import GOOD, UsersSite

ANYBODY = Caller("", "", "gui", "192.0.2.7:4000")
EVE = {"user": "eve", "password": GOOD}


def test_the_code_makes_an_admin_and_is_then_spent(site: UsersSite) -> None:
    assert site.ok("setupState", ANYBODY) == {"needed": True}
    code = site.ok("setupCode")["code"]
    assert site.ok("setupCode")["code"] == code
    reply = site.ok("setupUser", ANYBODY, code=code.lower().replace("-", " "), **EVE)
    assert (reply["name"], reply["role"]) == ("eve", "admin")
    assert site.granted(reply["session"]) is not None
    assert site.ok("setupState", ANYBODY) == {"needed": False}
    assert site.refused("setupUser", ANYBODY, code=code, user="mallory", password=GOOD)[0] == "refused"
    assert site.refused("setupCode")[0] == "refused"
    site.restart()
    assert site.refused("setupUser", ANYBODY, code=code, user="mallory", password=GOOD)[0] == "refused"
    assert [user["name"] for user in site.ok("users")["users"]] == ["eve"]


def test_nobody_but_an_admin_is_told_the_code(site: UsersSite) -> None:
    for role in ("", "viewer", "operator"):
        assert site.refused("setupCode", Caller("x", role, "gui", "192.0.2.7:1"))[0] == "denied"


def test_guessing_the_code_is_slowed_down(site: UsersSite) -> None:
    code = site.ok("setupCode")["code"]
    for wrong in ("", "AAAA", "ÄÄÄÄ", 7, None)[:FREE]:
        assert site.refused("setupUser", ANYBODY, code=wrong, **EVE)[0] == "denied"
    assert site.refused("setupUser", ANYBODY, code=code, **EVE)[0] == "throttled"
    site.clock.time += 1
    site.ok("setupUser", ANYBODY, code=code, **EVE)


def test_the_code_expires(site: UsersSite) -> None:
    code = site.ok("setupCode")["code"]
    site.clock.time += VALID_S
    assert site.refused("setupUser", ANYBODY, code=code, **EVE)[0] == "denied"
    assert site.ok("setupCode")["code"] != code


def test_a_bad_password_does_not_spend_it(site: UsersSite) -> None:
    code = site.ok("setupCode")["code"]
    assert site.refused("setupUser", ANYBODY, code=code, user="eve", password="short")[0] == "bad_request"
    site.ok("setupUser", ANYBODY, code=code, **EVE)


def test_the_log_tells_it_as_long_as_it_is_needed(site: UsersSite, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        site.restart()
    assert site.ok("setupCode")["code"] in caplog.text
    site.ok("userAdd", user="guy", role="admin", password=GOOD)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        site.restart()
    assert "code" not in caplog.text

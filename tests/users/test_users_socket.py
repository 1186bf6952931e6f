"""Users on the socket: a login is a role for as long as it lasts, and no longer."""

from __future__ import annotations

from typing import Any

import pytest

from ockle.config.references import Secret
from ockle.plugins.SocketListener import SocketListener
from ockle.webserver.ockle_client.connection import ClientError, Connection
from users_site import GOOD, OTHER, UsersSite


def connect(listener: SocketListener, **options: Any) -> Connection:
    return Connection("127.0.0.1", int(listener.address.rpartition(":")[2]), **options)


def code_of(connection: Connection, command: str, **data: Any) -> str:
    with pytest.raises(ClientError) as caught:
        connection.call(command, data)
    return caught.value.code


def test_before_a_login_one_may_log_in_and_nothing_else(site: UsersSite) -> None:
    site.ok("userAdd", user="vera", role="viewer", password=GOOD)
    with site.listening(local_role="none") as listener:
        with connect(listener) as client:
            assert client.call("setupState") == {"needed": True}
            for command in ("look", "switch", "whoAmI", "listCommands", "ping", "subscribe", "nonsense"):
                assert code_of(client, command, server="nas") == "denied", command
            session = client.call("userLogin", {"user": "vera", "password": GOOD})["session"]
            assert code_of(client, "look") == "denied", "the connection itself did not log in"
        with connect(listener, token=session, via="gui") as client:
            client.call("look")
            assert code_of(client, "switch", server="nas") == "denied"
            who = client.call("whoAmI")
    assert (who["name"], who["role"], who["user"], who["via"], who["session"]) == (
        "vera",
        "viewer",
        "vera",
        "gui",
        True,
    )


def test_a_token_of_less_holds_on_this_machine_too(site: UsersSite) -> None:
    """The web server is on this machine, where everybody is admin; its users are not."""
    site.ok("userAdd", user="vera", role="viewer", password=GOOD)
    with site.listening() as listener, connect(listener) as client:
        assert client.call("configure") == {}
        client.call("login", {"token": site.login("vera"), "user": "admin", "address": "198.51.100.4", "via": "api"})
        assert client.call("whoAmI")["name"] == "vera", "what a client claims to be does not count"
        assert code_of(client, "configure") == "denied"
        entry = site.entries()[-1]
        assert (entry["who"], entry["via"], entry["reported"]) == ("vera", "api", "198.51.100.4")
        client.call("userLogout")
        assert code_of(client, "look") == "denied", "the role of this machine does not come back"


@pytest.mark.parametrize("ends", ["sessionEnd", "userChange", "userRemove", "expiry"])
def test_an_open_connection_ends_with_its_login(site: UsersSite, ends: str) -> None:
    site.ok("userAdd", user="vera", role="operator", password=GOOD)
    with site.listening() as listener, connect(listener, token=site.login("vera")) as client:
        client.call("switch", {"server": "nas"})
        client.subscribe(["state"])
        site.events.publish("state", "one")
        event = client.next_event(5.0)
        assert event is not None
        assert event["text"] == "one"
        if ends == "expiry":
            site.clock.time += 1e7
        elif ends == "sessionEnd":
            site.ok(ends, id=site.ok("sessions")["sessions"][0]["id"])
        else:
            site.ok(ends, user="vera", **({"role": "viewer"} if ends == "userChange" else {}))
        if ends == "userRemove":
            site.events.publish("state", "two")
            with pytest.raises(ClientError, match="login has ended"):
                client.next_event(5.0)
        else:
            assert code_of(client, "switch", server="nas") == "denied"
            site.events.publish("state", "two")
            assert client.next_event(0.1) is None
    assert len(site.switched) == 1


def test_a_token_follows_its_user_while_it_is_connected(site: UsersSite) -> None:
    site.ok("userAdd", user="otto", role="operator", password=GOOD)
    token = site.ok("tokenAdd", name="ci", user="otto")["token"]
    with site.listening(local_role="none") as listener, connect(listener, token=token) as client:
        client.call("switch", {"server": "nas"})
        site.ok("userChange", user="otto", role="viewer")
        assert code_of(client, "switch", server="nas") == "denied"
        client.call("look")


def test_tokens_of_the_configuration_work_as_before(site: UsersSite) -> None:
    with (
        site.listening(local_role="none", operator_token=Secret("switch it")) as listener,
        connect(listener, token="switch it", user="guy") as client,
    ):
        client.call("switch", {"server": "nas"})
        who = client.call("whoAmI")
        assert (who["name"], who["user"]) == ("guy (operator token)", "")
        assert code_of(client, "passwordChange", old=GOOD, new=OTHER) == "refused"
    assert site.entries()[0]["who"] == "guy (operator token)"


@pytest.mark.parametrize("data", [{"token": 7}, {"address": "evil"}, {"address": ["::1"]}, {"address": "::1\n"}])
def test_logins_that_make_no_sense(site: UsersSite, data: dict[str, Any]) -> None:
    with site.listening() as listener, connect(listener) as client:
        assert code_of(client, "login", **data) == "bad_request"


def test_a_wrong_token_is_written_down_once(site: UsersSite) -> None:
    with site.listening() as listener:
        for _ in range(2):
            with connect(listener, token="os_guess") as client, pytest.raises(ClientError, match="wrong token"):
                client.call("look")
    entries = site.entries()
    assert [(one["command"], one["result"]) for one in entries] == [("login", "denied")]
    assert "os_guess" not in str(entries)

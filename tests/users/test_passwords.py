"""Hashes of passwords, what is refused as one, and how guessing is slowed down."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.errors import CommandError
from ockle.users import passwords
from ockle.users.throttle import FORGET_S, FREE, LARGEST, LONGEST_S, Throttle


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_hash_fits_its_password_alone(password: str, other: str) -> None:
    known = passwords.make_hash(password)
    assert passwords.fits(password, known)
    assert passwords.fits(other, known) == (passwords._plain(other) == passwords._plain(password))
    assert known != passwords.make_hash(password), "each has a salt of its own"


def test_the_same_letter_from_another_keyboard() -> None:
    assert passwords.fits("pässwörter 1", passwords.make_hash("pa\u0308sswo\u0308rter 1"))


def test_a_hash_says_how_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = passwords.make_hash("purple monkey")
    assert cheap.startswith("$scrypt$ln=4,r=8,p=5$")
    monkeypatch.setattr(passwords, "LOG2_N", 5)
    assert passwords.fits("purple monkey", cheap)
    assert passwords.is_outdated(cheap)
    assert not passwords.is_outdated(passwords.make_hash("purple monkey"))


@pytest.mark.parametrize("text", ["", "secret", "$argon2$x$y$z", "$scrypt$ln=4$AA$AA", "$scrypt$ln=4,r=8,p=5$?$AA"])
def test_what_is_no_hash_is_said(text: str) -> None:
    with pytest.raises(CommandError, match="damaged"):
        passwords.is_outdated(text)


def test_without_a_hash_it_takes_as_long_and_never_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[tuple[int, int, int]] = []
    scrypt = passwords._scrypt

    def noted(password: str, salt: bytes, *cost: int) -> bytes:
        computed.append((cost[0], cost[1], cost[2]))
        return scrypt(password, salt, *computed[-1])

    monkeypatch.setattr(passwords, "_scrypt", noted)
    assert not passwords.fits("nobody's own", None)
    assert computed == [(4, 8, 5)]


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "10 characters at least"),
        ("x" * 1001, "1000 characters at most"),
        ("aaaaaaaaaaaaa", "first that anybody tries"),
        ("Password123", "first that anybody tries"),
        ("hello from Guy!", "name of its user"),
        ("nine char", "10 characters at least"),
        ("correct horse battery", ""),
        ("çorrect hörse 電池", ""),
    ],
)
def test_what_is_refused_as_a_password(password: str, why: str) -> None:
    found = passwords.problem(password, "guy")
    assert why in found
    assert bool(found) == bool(why)


def test_two_are_computed_at_a_time_and_the_eleventh_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, at_once, most = threading.Semaphore(0), threading.Event(), 0, 0
    lock = threading.Lock()

    def slow(*_args: object) -> bytes:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        begun.release()
        assert go_on.wait(10)
        with lock:
            at_once -= 1
        return bytes(32)

    monkeypatch.setattr(passwords, "_scrypt", slow)
    places = passwords.AT_ONCE + passwords.WAITING
    with ThreadPoolExecutor(places) as pool:
        entered = threading.Semaphore(0)
        acquire = passwords._places.acquire

        def noted(timeout: float) -> bool:
            entered.release()
            return acquire(timeout=timeout)

        monkeypatch.setattr(passwords._places, "acquire", noted)
        found = [pool.submit(passwords.make_hash, "purple monkey") for _ in range(places)]
        for _ in range(places):
            assert entered.acquire(timeout=10)
        with pytest.raises(CommandError) as caught:
            passwords.make_hash("one too many")
        assert (caught.value.code, caught.value.data) == ("throttled", {"retry_s": 1.0})
        go_on.set()
        assert all(one.result(10) for one in found)
    assert most == passwords.AT_ONCE


def test_each_failure_doubles_the_wait_of_its_key_alone() -> None:
    now = 0.0
    throttle = Throttle(lambda: now)
    for _ in range(FREE):
        throttle.begin("guy")
    waited = []
    for _ in range(12):
        with pytest.raises(CommandError) as caught:
            throttle.begin("guy")
        assert caught.value.code == "throttled"
        throttle.begin("somebody else")
        throttle.forget("somebody else")
        waited.append(caught.value.data["retry_s"])
        now += waited[-1]
        throttle.begin("guy")
    assert waited == [min(LONGEST_S, 2.0**number) for number in range(12)]
    throttle.forget("guy")
    for _ in range(FREE):
        throttle.begin("guy")
    now += FORGET_S + 1
    throttle.begin("guy")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 400)), max_size=60))
def test_nobody_gets_more_tries_than_the_waits_allow(tries: list[tuple[str, float]]) -> None:
    now = 0.0
    throttle = Throttle(lambda: now)
    taken: dict[str, list[float]] = {}
    for key, pause in tries:
        now += pause
        try:
            throttle.begin(key)
        except CommandError:
            continue
        taken.setdefault(key, []).append(now)
    for moments in taken.values():
        for before, after in zip(moments[FREE - 1 :], moments[FREE:], strict=False):
            assert after - before >= 1.0


def test_keys_do_not_pile_up() -> None:
    throttle = Throttle(lambda: 0.0)
    for number in range(LARGEST + 100):
        throttle.begin(number)
    assert len(throttle._tries) == LARGEST

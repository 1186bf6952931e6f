"""How many objects go into a GET, found out from agents of many limits; each limit is what some real agent has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceStateError, DeviceUnreachable
from ockle.common.snmp import Answer, Pair, SnmpSettings, SnmpValue, no_answer
from ockle.common.snmp_batch import BATCH_START, SKIP_MOST
from ockle.common.snmp_session import SPLITS_MOST, Reading, SnmpSession

SETTINGS = SnmpSettings("127.0.0.1")
TOO_BIG, NO_SUCH_NAME, GEN_ERR, AUTHORIZATION = 1, 2, 5, 16
LIMITS = ("too big", "silent", "short", "general error")


class Agent:
    """A wire to an agent that takes ``limit`` objects at a time and says in its own ``way`` when it is asked for more.

    ``bad``  objects that make a whole GET fail: -> error status; ``blames``: it says which one it was
    """

    def __init__(self, count: int, limit: int = 1000, way: str = "too big") -> None:
        self.values: dict[str, SnmpValue] = {f"1.{n}": n for n in range(count)}
        self.limit, self.way = limit, way
        self.bad: dict[str, int] = {}
        self.blames = True
        self.dead = False
        self.lose = 0
        self.asked: list[list[str]] = []

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        oids = [oid for oid, _ in pairs]
        self.asked.append(oids)
        self.lose -= 1
        if self.dead or self.lose >= 0 or (self.way == "silent" and len(oids) > self.limit):
            raise no_answer(SETTINGS)
        bindings = [(oid, self.values[oid]) for oid in oids]
        if len(oids) > self.limit:
            return {
                "too big": Answer(TOO_BIG, 0, []),
                "short": Answer(0, 0, bindings[: self.limit]),
                "general error": Answer(GEN_ERR, 0, bindings),
            }[self.way]
        for place, oid in enumerate(oids, 1):
            if oid in self.bad:
                return Answer(self.bad[oid], place if self.blames else 0, bindings)
        return Answer(0, 0, bindings)

    async def close(self) -> None:
        pass

    def sizes(self) -> list[int]:
        return [len(oids) for oids in self.asked]


def polls(agent: Agent, times: int = 1) -> list[list[Reading]]:
    """Read all objects so often; ``agent.asked`` is of the last time."""

    async def work() -> list[list[Reading]]:
        session = SnmpSession(SETTINGS, agent)
        found = []
        for _ in range(times):
            agent.asked.clear()
            found.append(await session.get(list(agent.values), poll=True))
        return found

    return asyncio.run(work())


@given(way=st.sampled_from(LIMITS), limit=st.integers(1, 60), count=st.integers(0, 150))
def test_whatever_an_agent_takes_all_is_read_and_then_with_few_datagrams(way: str, limit: int, count: int) -> None:
    agent = Agent(count, limit, way)
    for readings in polls(agent, 8):
        assert readings == list(range(count))
    fewest = -(-count // min(limit, BATCH_START))
    assert len(agent.asked) <= 2 * fewest, "half of what it takes is the least that is found"
    assert max(agent.sizes(), default=0) <= limit


@given(
    bad=st.sets(st.integers(0, 119), min_size=1, max_size=3),
    blames=st.booleans(),
    status=st.sampled_from([NO_SUCH_NAME, GEN_ERR, 77]),
)
def test_objects_that_spoil_a_whole_get_are_found_and_asked_apart(bad: set[int], blames: bool, status: int) -> None:
    agent = Agent(120)
    agent.bad = {f"1.{n}": status for n in bad}
    agent.blames = blames
    for readings in polls(agent, 2):
        for number, reading in enumerate(readings):
            assert isinstance(reading, DeviceError) if number in bad else reading == number
    assert sorted(agent.sizes(), reverse=True)[3:] == [1] * len(bad), "three full ones, and each culprit by itself"


def test_what_keeps_failing_is_asked_less_and_less_often_by_polls_and_always_by_others() -> None:
    agent = Agent(10)
    agent.bad = {"1.3": GEN_ERR}
    asked = []

    async def work() -> None:
        session = SnmpSession(SETTINGS, agent)
        for _ in range(60):
            agent.asked.clear()
            assert isinstance((await session.get(list(agent.values), poll=True))[3], DeviceStateError)
            asked.append(["1.3"] in agent.asked)
        agent.bad.clear()
        assert (await session.get(["1.3"]))[0] == 3
        assert (await session.get(list(agent.values), poll=True))[3] == 3
        assert agent.sizes()[-1] == 10

    asyncio.run(work())
    pauses = "".join("x" if was else "." for was in asked[1:]).split("x")
    assert [len(pause) for pause in pauses[:6]] == [0, 1, 2, 4, 8, SKIP_MOST]


def test_an_agent_that_fails_everything_is_left_alone_soon() -> None:
    agent = Agent(144)
    agent.bad = dict.fromkeys(agent.values, GEN_ERR)
    agent.blames = False
    (readings,) = polls(agent)
    assert all(isinstance(reading, DeviceStateError) for reading in readings)
    assert len(agent.asked) <= SPLITS_MOST + 3


def test_no_permission_is_not_searched_for_one_by_one() -> None:
    agent = Agent(40)
    agent.bad = dict.fromkeys(agent.values, AUTHORIZATION)
    agent.blames = False
    with pytest.raises(DeviceRefused, match="authorizationError"):
        polls(agent)
    assert len(agent.asked) == 1


def test_a_dead_agent_costs_one_time_limit_once_it_is_known_and_two_before() -> None:
    async def work() -> None:
        agent = Agent(40)
        session = SnmpSession(SETTINGS, agent)
        agent.dead = True
        with pytest.raises(DeviceUnreachable):
            await session.get(list(agent.values))
        assert agent.sizes() == [40, 1]
        agent.dead = False
        await session.get(list(agent.values))
        agent.dead = True
        agent.asked.clear()
        with pytest.raises(DeviceUnreachable):
            await session.get(list(agent.values))
        assert agent.sizes() == [40]

    asyncio.run(work())


def test_a_lost_get_makes_the_next_ones_no_smaller_for_ever() -> None:
    agent = Agent(BATCH_START)
    agent.lose = 1
    polls(agent, 2)
    assert agent.sizes() == [BATCH_START]


def test_an_answer_is_taken_by_its_names_and_not_by_its_order() -> None:
    class Confused(Agent):
        async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
            answer = await super().exchange(pairs, write=write)
            return Answer(0, 0, [("9.9", 9), *reversed(answer.bindings)])

    assert polls(Confused(30)) == [list(range(30))]


def test_an_agent_that_leaves_out_what_it_has_not_is_asked_for_that_apart() -> None:
    class Terse(Agent):
        async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
            answer = await super().exchange(pairs, write=write)
            return Answer(0, 0, [pair for pair in answer.bindings if pair[0] != "1.7"])

    agent = Terse(30)
    for readings in polls(agent, 4):
        assert isinstance(readings.pop(7), DeviceAnswerError)
        assert readings == [n for n in range(30) if n != 7]
    assert max(agent.sizes()) == 29


def test_a_set_that_is_answered_with_another_object_is_not_believed() -> None:
    class Elsewhere(Agent):
        async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
            return Answer(0, 0, [("1.8", 1)])

    with pytest.raises(DeviceAnswerError, match=r"asked for 1\.7, answered with 1\.8"):
        asyncio.run(SnmpSession(SETTINGS, Elsewhere(1)).set([("1.7", 1)]))

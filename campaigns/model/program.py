"""The steps of one switching, as ``engine.switching`` takes them: between two of them anything else may happen.

on    begin -> [cycle journal -> cycle cut -> cycle verify ->] prepare -> journal on -> set on -> verify on -> boot
off   begin -> journal shutdown -> shutdown -> wait -> journal cut -> cut -> verify cut

``journal`` makes durable, and a kill between it and the next step is a kill between journal and send. A guard is asked
in the same step as the command that it guards: in the engine nothing waits between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ockle.networkTree.facts import Supply
from ockle.networkTree.states import Trigger

from . import world
from .judge import Judge
from .look import Look
from .planner import Planner
from .state import ANSWERS, BOOTING, HALTED, STOPPING, UP, WEDGED, Configuration, Rules, Server, State


class Step(NamedTuple):
    """One thing that can happen. ``free``: it needs neither a fault, nor a kill, nor an operator.

    ``bad``  the invariant that it breaks, "" = none
    """

    label: str
    state: State
    free: bool = True
    bad: str = ""


class Program:
    """Takes a switching from one step to the next."""

    def __init__(self, configuration: Configuration, rules: Rules, planner: Planner, judge: Judge, look: Look) -> None:
        self._configuration = configuration
        self._rules = rules
        self._planner = planner
        self._judge = judge
        self._look = look
        self._table: dict[str, Callable[[State, int], Iterator[Step]]] = {
            "begin on": self._begin_on,
            "cycle journal": lambda state, index: self._journal(state, index, "cycle cut"),
            "cycle cut": lambda state, index: self._set(state, index, False, "cycle verify"),
            "cycle verify": lambda state, index: self._verify(state, index, False, self._cycled),
            "prepare": self._prepare,
            "journal on": lambda state, index: self._journal(state, index, "set on"),
            "set on": lambda state, index: self._set(state, index, True, "verify on"),
            "verify on": lambda state, index: self._verify(state, index, True, self._goes("boot")),
            "boot": self._boot,
            "begin off": self._begin_off,
            "journal shutdown": self._journal_shutdown,
            "shutdown": self._shutdown,
            "wait": self._wait,
            "journal cut": self._journal_cut,
            "cut": lambda state, index: self._set(state, index, False, "verify cut"),
            "verify cut": lambda state, index: self._verify(state, index, False, self._is_off),
        }

    def launch(self, state: State, index: int, goal: str, *, unguarded: bool = False) -> State:
        """Begin a switching; the order of its server is taken as decided."""
        server = state.servers[index]
        return state.server(
            index,
            op=goal,
            step=f"begin {goal}",
            op_state=self._planner.move(server, Trigger.START if goal == "on" else Trigger.STOP),
            unguarded=unguarded,
        )

    def advance(self, state: State, index: int) -> Iterator[Step]:
        """Yield what the running switching of a server may do next."""
        return self._table[state.servers[index].step](state, index)

    # -- on

    def _begin_on(self, state: State, index: int) -> Iterator[Step]:
        server = state.servers[index]
        again = server.start_attempts and self._planner.supply(state, index) in (Supply.ON, Supply.MIXED)
        step = "prepare"
        if again and server.os not in ANSWERS and (server.unguarded or self._planner.off_guard(state, index)):
            allowed = self._configuration.retry_cycle
            if allowed == "always" or (allowed == "if-down" and self._is_down(server)):
                step = "cycle journal"
        yield self._go(state, index, step, self._with_tasks(state, index, False) if step != "prepare" else state)

    def _cycled(self, state: State, index: int) -> Iterator[Step]:
        yield self._go(
            state, index, "prepare", state.server(index, shutdown_sent=False, boot_known=False, no_way_back=False)
        )

    def _prepare(self, state: State, index: int) -> Iterator[Step]:
        after = self._with_tasks(state.server(index, serving=None), index, True)
        todo = any(after.outlets[one].task for one in self._planner.outlets[index])
        yield self._go(state, index, "journal on" if todo else "boot", after)

    def _boot(self, state: State, index: int) -> Iterator[Step]:
        server = state.servers[index]
        if server.os in ANSWERS:
            after = self._succeeded(self._look.tested(state, index), index, "on")
            yield Step(f"{self._name(index)} serves: started", after)
        elif not self._ordered(server):
            yield self._drop(state, index, "the order was taken back")
        elif server.os != BOOTING or state.faults:
            free = server.os != BOOTING
            after = self._failed(state if free else world.spend(state), index, "on")
            yield Step(f"{self._name(index)} is not up in time", after, free)

    # -- off

    def _begin_off(self, state: State, index: int) -> Iterator[Step]:
        server = state.servers[index]
        if self._planner.supply(state, index) is Supply.OFF:
            yield Step(f"{self._name(index)} is off already", self._succeeded(state, index, "off"))
            return
        first = "journal shutdown" if self._rules.journal_first else "shutdown"
        after = state.server(index, no_way_back=server.shutdown_sent)
        yield self._go(state, index, first if self._rules.controls_first else "journal cut", after)

    def _journal_shutdown(self, state: State, index: int) -> Iterator[Step]:
        after = state.server(index, shutdown_sent=self._rules.remember_shutdown)
        yield from self._journal(after, index, "shutdown" if self._rules.journal_first else "wait")

    def _shutdown(self, state: State, index: int) -> Iterator[Step]:
        server = state.servers[index]
        if self._rules.recheck_shutdown and not self.may_go_off(state, index):
            if not server.no_way_back:
                state = state.server(index, shutdown_sent=False)
            yield self._drop(state, index, "before its shutdown")
            return
        bad = self._judge.shutdown(state, index)
        step = "wait" if self._rules.journal_first else "journal shutdown"
        sent = state.server(
            index,
            shutdown_sent=self._rules.remember_shutdown,
            boot_known=False,
            no_way_back=self._rules.point_of_no_return,
            step=step,
        )
        name = self._name(index)
        if server.os not in ANSWERS:
            yield Step(f"{name} does not hear the shutdown", sent, bad=bad)
            return
        heard = sent.server(index, os=STOPPING, accepted=True, asked=True, boot_known=True)
        yield Step(f"{name} is asked to shut down", heard, bad=bad)
        if state.faults and server.os == UP:
            ignored = world.spend(sent.server(index, accepted=True, asked=True, boot_known=True))
            yield Step(f"{name} accepts the shutdown and ignores it", ignored, False, bad)

    def _wait(self, state: State, index: int) -> Iterator[Step]:
        server, name = state.servers[index], self._name(index)
        if not self._rules.point_of_no_return and not self._ordered(server):
            yield self._drop(state.server(index, shutdown_sent=False), index, "in the middle of its shutdown")
        elif self._is_down(server) or not self._rules.wait_until_down:
            yield self._go(state, index, "journal cut")
        elif server.os == UP and not server.accepted:
            yield self._go(state, index, "journal shutdown")
        elif server.os in (UP, WEDGED) or (server.os in (STOPPING, BOOTING) and state.faults):
            free = server.os in (UP, WEDGED)
            after = state if free else world.spend(state)
            if self._configuration.shutdown_policy == "cut" or not self._rules.keep_policy:
                yield Step(
                    f"{name} is not down in time: to be cut",
                    after.server(index, step="journal cut", overdue=True),
                    free,
                )
            else:
                yield Step(f"{name} is not down in time", self._failed(after, index, "off"), free)

    def _journal_cut(self, state: State, index: int) -> Iterator[Step]:
        yield from self._journal(self._with_tasks(state.server(index, serving=None), index, False), index, "cut")

    def _is_off(self, state: State, index: int) -> Iterator[Step]:
        yield Step(f"{self._name(index)}: off, verified", self._succeeded(state, index, "off"))

    def _is_down(self, server: Server) -> bool:
        """Positive evidence: its control, or its watts, say so."""
        return server.os == HALTED or (not self._rules.booting_is_not_halted and server.os in (BOOTING, WEDGED))

    # -- outlets

    def _with_tasks(self, state: State, index: int, on: bool) -> State:
        for one in self._planner.outlets[index]:
            if not on or state.outlets[one].seen is not True:
                state = state.outlet(one, task="todo")
        return state

    def _set(self, state: State, index: int, on: bool, then: str) -> Iterator[Step]:
        """Command one outlet, having asked the guard; when all are commanded, go on."""
        todo = [one for one in self._planner.outlets[index] if state.outlets[one].task == "todo"]
        name = f"{self._name(index)}.{len(todo)}"
        if not self.may_go_on(state, index) if on else not self._may_be_cut(state, index):
            if todo == self._tasks(state, index):
                yield self._drop(state, index, "before its switching")
                return
            for one in todo:
                state = state.outlet(one, task="")
            yield self._go(state, index, then, state.server(index, dropped=True))
            return
        one = todo[0]
        bad = self._judge.set_on(state, index) if on else self._judge.set_off(state, index, one)
        sent = state.outlet(one, task="sent", seen=None)
        if len(todo) == 1:
            sent = sent.server(index, step=then)
        verb = f"SET {name} {'on' if on else 'off'}"
        outlet = state.outlets[one]
        if outlet.silent:
            yield Step(f"{verb}: no answer", sent, bad=bad)
            return
        yield Step(verb, world.switch(sent, self._planner, index, one, on), bad=bad)
        if state.faults:
            yield Step(f"{verb}: lost", world.spend(sent), False, bad)
            yield Step(f"{verb}: shown, not done", world.lie(sent, index, one, on), False, bad)

    def _verify(
        self, state: State, index: int, on: bool, then: Callable[[State, int], Iterator[Step]]
    ) -> Iterator[Step]:
        good = True
        for one in self._tasks(state, index):
            outlet = state.outlets[one]
            shown = None if outlet.silent else outlet.shown
            proven = shown is on or not self._rules.verify
            good = good and proven
            state = state.outlet(one, seen=on if proven else None, task="")
        if state.servers[index].dropped and not self._ordered(state.servers[index]):
            yield self._drop(state, index, "between two of its outlets")
        elif good:
            yield from then(state if on else state.server(index, stale=False), index)
        else:
            what = f"{self._name(index)}: an outlet does not show {'on' if on else 'off'}"
            yield Step(what, self._failed(state, index, state.servers[index].op))

    def _tasks(self, state: State, index: int) -> list[int]:
        return [one for one in self._planner.outlets[index] if state.outlets[one].task]

    # -- guards

    @staticmethod
    def _ordered(server: Server) -> bool:
        return not server.dropped and (server.forced or server.desired) == server.op

    def may_go_on(self, state: State, index: int) -> bool:
        """Tell whether outlets may be switched on now."""
        server = state.servers[index]
        if not self._rules.recheck_on:
            return True
        return self._ordered(server) and (server.unguarded or self._planner.on_guard(state, index))

    def _may_be_cut(self, state: State, index: int) -> bool:
        return not self._rules.recheck_cut or self.may_go_off(state, index)

    def may_go_off(self, state: State, index: int) -> bool:
        """Tell whether a shutdown, or the cut after it, may be sent now."""
        server = state.servers[index]
        if not server.no_way_back and not self._ordered(server):
            return False
        return server.unguarded or self._planner.off_guard(state, index)

    # -- how it goes on and ends

    def _name(self, index: int) -> str:
        return self._configuration.names[index]

    def _go(self, state: State, index: int, step: str, after: State | None = None) -> Step:
        return Step(f"{self._name(index)}: {step}", (after or state).server(index, step=step))

    def _goes(self, step: str) -> Callable[[State, int], Iterator[Step]]:
        def go(state: State, index: int) -> Iterator[Step]:
            yield self._go(state, index, step)

        return go

    def _journal(self, state: State, index: int, then: str) -> Iterator[Step]:
        """Make durable what all servers have noted, and go on to ``then``."""
        if self._rules.journal_durable:
            for one, server in enumerate(state.servers):
                if server.kept_sent != server.shutdown_sent:
                    state = state.server(one, kept_sent=server.shutdown_sent)
        yield Step(f"{self._name(index)}: journaled", state.server(index, step=then))

    def _end(self, state: State, index: int) -> State:
        for one in self._planner.outlets[index]:
            if state.outlets[one].task:
                state = state.outlet(one, task="")
        return state.server(
            index,
            op="",
            step="",
            no_way_back=False,
            accepted=False,
            dropped=False,
            unguarded=False,
            overdue=False,
        )

    def _drop(self, state: State, index: int, when: str) -> Step:
        after = self._look.evaluate(self._end(state, index), index)
        return Step(f"{self._name(index)}: dropped, {when}", after)

    def _succeeded(self, state: State, index: int, goal: str) -> State:
        state = self._end(state, index)
        server = state.servers[index]
        trigger = Trigger.STARTED if goal == "on" else Trigger.STOPPED
        state = state.server(index, degraded=False, drifted=False, op_state=self._planner.move(server, trigger))
        if goal == "on":
            state = state.server(index, serving=True)
        else:
            state = state.server(index, serving=None, start_attempts=0, stop_attempts=0, shutdown_sent=False)
            state = state.server(index, boot_known=False)
        return self._look.evaluate(state, index)

    def _failed(self, state: State, index: int, goal: str) -> State:
        state = self._end(state, index)
        server = state.servers[index]
        attempts = (server.start_attempts if goal == "on" else server.stop_attempts) + 1
        most = self._configuration.max_attempts
        final = bool(most) and attempts >= most
        attempts = min(attempts, most or 1)  # to count further would hide a way that goes round for ever
        if goal == "on":
            trigger = Trigger.START_GAVE_UP if final else Trigger.START_FAILED
            return state.server(index, op_state=self._planner.move(server, trigger), start_attempts=attempts)
        trigger = Trigger.STOP_GAVE_UP if final else Trigger.STOP_FAILED
        return state.server(index, op_state=self._planner.move(server, trigger), stop_attempts=attempts)

"""Commands that switch: run, cancel, force, hold, reset, and the documented setServer, switchNetwork …"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from ..common.CommunicationHandler import current_caller
from ..common.errors import CommandError, DeviceError
from ..common.services import DaemonServices
from ..controllers.ControllerTemplate import ControllerTemplate
from ..engine.by_hand import always
from ..engine.runs import Run
from ..networkTree.decide import OnSameOutlet, feeding_guard, is_down, off_guard, on_guard, sharing_text
from ..networkTree.facts import Desired, Supply
from ..networkTree.plan import ACTIONS, Plan
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from ..testers.TemplateTester import TemplateTester
from .group import CommandGroup, Data
from .selection import SELECTOR_HELP, on_or_off, servers_of, text_of

_PART = {"server": "name", "obj": "name of the part", "state": "on or off"}
PART_TIMEOUT_S = 120.0
LONGEST_RUN_S = 366 * 86400
LONGEST_GRACE_S = 60.0
P = TypeVar("P", OutletTemplate, ControllerTemplate, TemplateTester)


class OrderCommands(CommandGroup):
    """An operator may use them."""

    def __init__(self, daemon: DaemonServices) -> None:
        super().__init__(daemon)
        operator = "operator"
        self.add(
            "run",
            self.run,
            operator,
            {
                "action": " or ".join(ACTIONS),
                "servers": SELECTOR_HELP,
                "rev?": "of the plan that was looked at; refused when it has changed",
                "confirm?": "the text that a plan of tier 3 asks for",
                "graceful?": "false with action off: cut without a shutdown",
                "note?": "why, for the records",
                "timeout_s?": "seconds after which what has not begun is taken back",
                "exclude?": f"servers that are not touched: {SELECTOR_HELP}",
                "grace_s?": f"seconds in which it can be cancelled before anything is done, up to {LONGEST_GRACE_S:g}",
            },
        )
        self.add("cancel", self.cancel, operator, {"run": "number"})
        self.add(
            "force",
            self.force,
            operator,
            {
                "server": "name",
                "state": "on, off or clear",
                "note?": "why",
                "for_s?": "seconds after which it ends by itself; default: never",
                "confirm?": "the server's name, to switch off what Ockle itself runs on or needs",
            },
        )
        self.add("hold", self.hold, operator, {"server": "name", "held": "true or false", "note?": "why"})
        self.add("reset", self.reset, operator, {"server": "name"})
        confirm = {"confirm?": "what run would ask for, where a protected server is switched off"}
        self.add("setServer", self.set_server, operator, {"server": "name", "state": "on or off", **confirm})
        self.add("switchNetwork", self.switch_network, operator, {"state": "true or false", **confirm})
        self.add("switchOutlet", self.switch_outlet, operator, {**_PART, "force?": "true: whatever depends on it"})
        self.add(
            "checkOutlet", self.check_outlet, operator, {"server": "name", "obj?": "name of the outlet; default: all"}
        )
        self.add("switchControl", self.switch_control, operator, {**_PART, "force?": "true: whatever depends on it"})
        self.add("runTest", self.run_test, "viewer", {"server": "name", "obj?": "name of the test; default: all"})
        self.add("runTests", self.run_tests, "viewer", {"servers": SELECTOR_HELP})

    # -- runs

    def run(self, data: Data) -> Data:
        """Carry out an action on servers; returns the run's number at once, and its plan."""
        names = servers_of(self.network, data)
        action = text_of(data, "action")
        if action == "off" and data.get("graceful") is False:
            action = "cut"
        exclude = servers_of(self.network, data, "exclude") if data.get("exclude") else []
        plan = self.look(lambda: self.engine.plan(action, names, exclude))
        if data.get("rev") is not None and data["rev"] != plan.rev:
            raise CommandError(
                "the plan changed since you looked: look at it again", "conflict", {"plan": plan.as_dict()}
            )
        if plan.tier == 3 and data.get("confirm") != plan.confirm:
            raise CommandError(f"this needs a confirmation: confirm = {plan.confirm!r}", "refused")
        return {"run": self._order(plan, data, exclude), "plan": plan.as_dict()}

    def _order(self, plan: Plan, data: Data, exclude: Sequence[str] = ()) -> int:
        caller = current_caller()
        timeout = data.get("timeout_s")
        if timeout is not None and not _is_timeout(timeout):
            raise CommandError(f"timeout_s is {timeout!r}: use seconds, above 0 and up to {LONGEST_RUN_S}")
        grace = data.get("grace_s", 0.0)
        if grace != 0 and not (_is_timeout(grace) and grace <= LONGEST_GRACE_S):
            raise CommandError(f"grace_s is {grace!r}: use seconds, from 0 up to {LONGEST_GRACE_S:g}")
        run = self.loop(
            self.engine.order(
                plan.action,
                plan.targets,
                rev=plan.rev,  # made anew: the network may have changed since it was looked at
                who=caller.name,
                via=caller.via,
                note=text_of(data, "note", ""),
                timeout=timeout,
                exclude=exclude,
                grace=float(grace),
            )
        )
        return run.id

    def cancel(self, data: Data) -> Data:
        """Cancel a run: what is being switched comes to its end, what has not begun is taken back."""
        try:
            number = int(data["run"])
        except (TypeError, ValueError, OverflowError):  # the last one: JSON's 1e400 is read as infinite
            raise CommandError(f"run is {data['run']!r}: the number of a run is needed") from None
        run = self.loop(self._cancel(number, current_caller().name))
        return {"run": run.id, "state": run.state.value}

    async def _cancel(self, number: int, who: str) -> Run:
        run = self.engine.cancel(number, who)
        await self.engine.core.journal.commit()
        return run

    # -- servers

    def _node(self, data: Data) -> ServerNode:
        name = text_of(data, "server")
        node = self.network.getServer(name)
        if node is None:
            raise CommandError(f"there is no server {name}", "not_found")
        return node

    def force(self, data: Data) -> Data:
        """Take a server out of all automation and switch it, whatever its neighbours do; "clear" gives it back."""
        node = self._node(data)
        state = None if data["state"] == "clear" else Desired.ON if on_or_off(data) else Desired.OFF
        who = current_caller().name
        seconds = data.get("for_s")
        if seconds is not None and not _is_timeout(seconds):
            raise CommandError(f"for_s is {seconds!r}: use seconds, above 0 and up to {LONGEST_RUN_S}")
        if state is Desired.OFF and node.facts.policy.carries_daemon:
            self.look(lambda: self._refuse_to_end(node, data))
        note = text_of(data, "note", "") or f"by {who}"
        self.loop(self.engine.force(node.name, state, note, who=who, seconds=seconds), 600.0)
        return {"server": node.name, "state": node.facts.op_state.value}

    def _refuse_to_end(self, node: ServerNode, data: Data) -> None:
        """What carries Ockle itself goes last, and only for somebody who knows that this is its end."""
        others = [one.name for one in self.network if not one.facts.policy.carries_daemon and not is_down(one.facts)]
        reason = f"{node.name}: {node.facts.policy.carries_daemon}"
        if others:
            raise CommandError(f"{reason}, so it goes last: first turn off {', '.join(sorted(others))}", "refused")
        if data.get("confirm") != node.name:
            raise CommandError(f"{reason}, and nothing switches it on again: confirm = {node.name!r}", "refused")

    def hold(self, data: Data) -> Data:
        """Keep automation off a server, or let it back; its power stays as it is."""
        node = self._node(data)
        if not isinstance(data["held"], bool):
            raise CommandError(f"held is {data['held']!r}: use true or false")
        note = text_of(data, "note", "") or f"by {current_caller().name}"
        self.loop(self.engine.hold(node.name, data["held"], note, current_caller().name))
        return {"server": node.name, "held": data["held"]}

    def reset(self, data: Data) -> Data:
        """Forget the failed attempts of a server, and that a shutdown may be under way: somebody has looked at it."""
        node = self._node(data)
        self.loop(self.engine.reset(node.name))
        return {"server": node.name, "state": node.facts.op_state.value}

    def set_server(self, data: Data) -> Data:
        """Turn a server on (with what it needs) or off (after what needs it)."""
        node = self._node(data)
        action = "on" if on_or_off(data) else "off"
        plan = self.look(lambda: self.engine.plan(action, [node.name]))
        self._refuse_protected(plan, data)
        number = self._order(plan, {})
        return {"status": f"run {number}: {node.name} {action}, {_told(plan)}", "run": number}

    def switch_network(self, data: Data) -> Data:
        """Turn the whole network on or off, in order."""
        names = [node.name for node in self.network]
        if not names:
            raise CommandError("the network has no servers", "refused")
        action = "on" if on_or_off(data) else "off"
        plan = self.look(lambda: self.engine.plan(action, names))
        self._refuse_protected(plan, data)
        number = self._order(plan, {})
        return {"status": f"run {number}: {action}, {_told(plan)}", "run": number}

    def _refuse_protected(self, plan: Plan, data: Data) -> None:
        """The documented calls ask for no confirmation, except where a server is protected."""
        protected = [
            step.server
            for step in plan.steps
            if step.action != "on" and self.network.getServernode(step.server).facts.policy.protected
        ]
        if protected and data.get("confirm") != plan.confirm:
            raise CommandError(f"{', '.join(protected)} is protected: confirm = {plan.confirm!r}", "refused")

    # -- parts

    def switch_outlet(self, data: Data) -> Data:
        """Switch one outlet, if nobody is harmed by it; ``force`` switches it all the same."""
        node, on = self._node(data), on_or_off(data)
        outlet = _part(node.outlets, text_of(data, "obj"), "outlet")
        guard = always
        if data.get("force") is not True:
            guard = lambda: self._refuse_outlet(node, outlet, on)  # noqa: E731 - asked now, and before each send
            self.look(guard)
        self.loop(self.engine.by_hand.switch_outlet(node, outlet, on, guard), PART_TIMEOUT_S)
        return {"opState": outlet.opState.value}

    def _refuse_outlet(self, node: ServerNode, outlet: OutletTemplate, on: bool) -> None:
        self._refuse_busy(node)
        if on:
            self._refuse_blocked("on", on_guard(self.network.dependencies(node.name)))
            self._refuse_sharers("on", feeding_guard(self.network.fed_by(outlet, node)))
            return
        self._refuse_to_darken(node)
        self._refuse_sharers("off", [one for one in self.network.fed_by(outlet, node) if not is_down(one.facts)])
        others_on = [other for other in node.outlets if other is not outlet and other.state is True]
        if node.facts.supply is Supply.OFF or others_on:
            return
        self._refuse_blocked("off", off_guard(self.network.dependents(node.name)))
        if node.controls and not is_down(node.facts):
            raise CommandError(
                f"{outlet.name} is the last supply of {node.name}, which may be running: turn the server off instead, "
                "or force it",
                "refused",
            )

    def check_outlet(self, data: Data) -> Data:
        """Have outlets of a server take a command that changes nothing: does the device obey, and which one is it?

        ``message``  why not, "" = it obeys; ``device``: lines for its file that pin it
        """
        node = self._node(data)
        obj = data.get("obj")
        outlets = node.outlets if obj is None else [_part(node.outlets, text_of(data, "obj"), "outlet")]
        return {"results": {outlet.name: self._checked(node, outlet) for outlet in outlets}}

    def _checked(self, node: ServerNode, outlet: OutletTemplate) -> Data:
        message = ""
        try:
            self.loop(self.engine.by_hand.check_outlet(node, outlet, lambda: self._refuse_busy(node)), PART_TIMEOUT_S)
        except DeviceError as error:
            message = str(error)
        return {"message": message, "device": self.look(outlet.about)}

    def switch_control(self, data: Data) -> Data:
        """Have one control shut its server down (off) or, where its type can, start it (on)."""
        node, on = self._node(data), on_or_off(data)
        control = _part(node.controls, text_of(data, "obj"), "control")
        guard = always
        if data.get("force") is not True:
            guard = lambda: self._refuse_control(node, on)  # noqa: E731 - asked now, and before each send
            self.look(guard)
        self.loop(self.engine.by_hand.switch_control(node, control, on, guard), PART_TIMEOUT_S)
        return {"opState": control.opState.value}

    def _refuse_control(self, node: ServerNode, on: bool) -> None:
        self._refuse_busy(node)
        if on:
            self._refuse_blocked("on", on_guard(self.network.dependencies(node.name)))
        else:
            self._refuse_to_darken(node)
            self._refuse_blocked("off", off_guard(self.network.dependents(node.name)))

    @staticmethod
    def _refuse_to_darken(node: ServerNode) -> None:
        if node.facts.policy.carries_daemon:
            raise CommandError(f"not switched off: {node.facts.policy.carries_daemon}. Force it", "refused")

    @staticmethod
    def _refuse_busy(node: ServerNode) -> None:
        if node.facts.op is not None:
            raise CommandError(f"{node.name} is being switched {node.facts.op}: wait for its end", "refused")

    @staticmethod
    def _refuse_blocked(what: str, blockers: Any) -> None:
        if blockers:
            names = ", ".join(one.name for one in blockers)
            reason = f"it needs {names}" if what == "on" else f"{names} may need it"
            raise CommandError(f"not switched {what}: {reason}. Order the server {what}, or force it", "refused")

    @staticmethod
    def _refuse_sharers(what: str, others: Sequence[OnSameOutlet]) -> None:
        if others:
            raise CommandError(
                f"not switched {what}: {sharing_text(others)}. Order the servers {what}, or force it", "refused"
            )

    def run_test(self, data: Data) -> Data:
        """Run the tests of a server now, or one of them."""
        node = self._node(data)
        obj = data.get("obj")
        tests = node.tests if obj is None else [_part(node.tests, text_of(data, "obj"), "test")]
        return {"results": self.loop(self._run_tests(tests), PART_TIMEOUT_S)}

    def run_tests(self, data: Data) -> Data:
        """Run all tests of several servers now, at the same time: server -> test -> result."""
        nodes = [self.network.getServernode(name) for name in servers_of(self.network, data)]

        async def work() -> list[Data]:
            return await asyncio.gather(*(self._run_tests(node.tests) for node in nodes))

        results = self.loop(work(), PART_TIMEOUT_S)
        return {"results": {node.name: found for node, found in zip(nodes, results, strict=True)}}

    async def _run_tests(self, tests: list[TemplateTester]) -> Data:
        results = {}
        clock = self.engine.core.clock
        for test in tests:
            began = clock.now()
            await test.run_test()
            results[test.name] = {
                "state": test.opState.value,
                "message": test.last_error,
                "seconds": round(clock.now() - began, 3),
            }
        return results


def _told(plan: Plan) -> str:
    left = ", ".join(f"{name} ({reason})" for name, reason in plan.untouched.items())
    return f"{len(plan.steps)} steps" + (f"; not touched: {left}" if left else "")


def _is_timeout(value: object) -> bool:
    """Tell whether a timer can be set to ``value``: Python's JSON knows NaN, which would upset the order of timers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_RUN_S


def _part(parts: Sequence[P], name: str, kind: str) -> P:
    for part in parts:
        if part.name == name:
            return part
    known = ", ".join(part.name for part in parts) or "none"
    raise CommandError(f"there is no {kind} {name}; there is: {known}", "not_found")

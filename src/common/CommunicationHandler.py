"""The registry of named commands, which core and plugins fill and listeners ask."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from .access import ANYONE, ROLES, Access, Action, Caller, suffices
from .CommunicationMessage import UNKNOWN_COMMAND, Message
from .errors import CommandError, ConfigError, DeviceError, OckleError

__all__ = ["ANYONE", "ROLES", "Caller", "CommandSpec", "CommunicationHandler", "current_caller"]

log = logging.getLogger(__name__)

Command = Callable[[dict[str, Any]], "dict[str, Any] | None"]

_caller: ContextVar[Caller] = ContextVar("caller", default=Caller())


def current_caller() -> Caller:
    """Return who sent the command that is being handled in this thread."""
    return _caller.get()


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A registered command. ``params``: name -> what it means; a name that ends with ``?`` may be left out.

    ``recorded``  whether each call is written down for good: what changes something, and what only some may see
    """

    name: str
    function: Command
    role: str
    params: Mapping[str, str] = field(default_factory=dict)
    doc: str = ""
    recorded: bool = False


class CommunicationHandler:
    """Knows every command; ``mainDaemon`` is kept for plugins that reach it from here.

    ``access``  the daemon's users; None: there are none, and nothing is recorded
    """

    access: Access | None = None

    def __init__(self, mainDaemon: object) -> None:
        self.mainDaemon = mainDaemon
        self._lock = threading.Lock()
        self._commands: dict[str, CommandSpec] = {}
        self.AddCommandToList("listCommands", self.listCommands, role="viewer")

    def AddCommandToList(
        self,
        command: str,
        function: Command,
        *,
        role: str = "admin",
        params: Mapping[str, str] | None = None,
        doc: str = "",
        recorded: bool | None = None,
    ) -> None:
        """Register ``function``, which takes a data dict and returns one, under the name ``command``.

        ``role``      the least role that may call it; a plugin that names none gets ``admin``
        ``params``    what the data may hold, for help and the reference; a trailing ``?`` marks the optional
        ``doc``       what it does; default: the function's docstring
        ``recorded``  whether the audit log gets it; default: unless a viewer may call it
        """
        if role not in (ANYONE, *ROLES):
            raise ValueError(f"{command}: role {role!r} is none of {', '.join(ROLES)}")
        if recorded is None:
            recorded = role in ROLES[1:]
        doc = doc or inspect.getdoc(function) or ""
        spec = CommandSpec(command, function, role, dict(params or {}), doc, recorded)
        with self._lock:
            self._commands[command] = spec

    def commands(self) -> dict[str, CommandSpec]:
        """Return every command by name, sorted."""
        with self._lock:
            return dict(sorted(self._commands.items()))

    def handleMessage(self, message: Message, caller: Caller | None = None) -> Message:
        """Return the reply to ``message``; never raises for what the sender or the world did wrong."""
        with self._lock:
            spec = self._commands.get(message.command)
        if spec is None:
            return Message(UNKNOWN_COMMAND, {"command": message.command}, message.id)
        caller = caller or _caller.get()
        reply = self._carry_out(spec, message, caller)
        code = "ok" if reply.error is None else reply.error["code"]
        if spec.recorded or code == "denied":
            text = "" if reply.error is None else reply.error["message"]
            self.record(Action(caller, spec.name, message.data, code, text, reply.data))
        return reply

    def record(self, action: Action) -> None:
        """Have ``action`` written down, if there is somebody who does that."""
        if self.access is not None:
            self.access.record(action)

    def is_open(self, command: str) -> bool:
        """Tell whether ``command`` may be called before a login."""
        spec = self._commands.get(command)
        return spec is not None and spec.role == ANYONE

    @staticmethod
    def _carry_out(spec: CommandSpec, message: Message, caller: Caller) -> Message:
        if not suffices(caller.role, spec.role):
            return message.refuse("denied", f"{spec.name} needs the role {spec.role}; {caller.name} is {caller.role}")
        problem = _check_params(spec, message.data)
        if problem:
            return message.refuse("bad_request", problem)
        token = _caller.set(caller)
        try:
            return message.reply(spec.function(message.data) or {})
        except CommandError as error:
            return message.refuse(error.code, str(error), error.data)
        except ConfigError as error:
            return message.refuse("bad_config", str(error), error.data)
        except DeviceError as error:
            return message.refuse("device", str(error))
        except OckleError as error:
            return message.refuse("refused", str(error))
        except Exception as error:  # the outermost loop of a command: one bad command must not stop the listener
            log.exception("command %s failed", spec.name)
            return message.refuse("internal", f"{spec.name} failed: {type(error).__name__}; the daemon's log has more")
        finally:
            _caller.reset(token)

    def listCommands(self, dataDict: dict[str, Any]) -> dict[str, Any]:
        """List all commands: name -> description, with role and parameters when ``details`` is true."""
        if dataDict.get("details"):
            return {
                name: {"doc": spec.doc, "role": spec.role, "params": dict(spec.params)}
                for name, spec in self.commands().items()
            }
        return {name: spec.doc for name, spec in self.commands().items()}


def _check_params(spec: CommandSpec, data: dict[str, Any]) -> str:
    missing = [name for name in spec.params if not name.endswith("?") and name not in data]
    if missing:
        return f"{spec.name} needs {', '.join(missing)}"
    return ""

"""The wire of ``SnmpSession`` on pysnmp.

One SnmpEngine serves all agents of an event loop: a new one per request costs about 100 times as much. SNMPv3 users
get one per set of keys, because an engine knows a user by name only, and two switches may call theirs ``admin``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher
from pysnmp.entity.engine import SnmpEngine
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import auth as names
from pysnmp.hlapi.v3arch.asyncio.auth import CommunityData, UsmUserData
from pysnmp.hlapi.v3arch.asyncio.cmdgen import bulk_cmd, get_cmd, next_cmd, set_cmd
from pysnmp.hlapi.v3arch.asyncio.context import ContextData
from pysnmp.hlapi.v3arch.asyncio.transport import Udp6TransportTarget, UdpTransportTarget
from pysnmp.proto import errind, rfc1902
from pysnmp.smi.rfc1902 import ObjectType

from .datagram_address import find_address
from .errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceUnreachable
from .repeat import repeated
from .snmp import Answer, Missing, Pair, SnmpSettings, SnmpValue, no_answer

log = logging.getLogger(__name__)

_AUTH = {
    "none": names.USM_AUTH_NONE,
    "MD5": names.USM_AUTH_HMAC96_MD5,
    "SHA": names.USM_AUTH_HMAC96_SHA,
    "SHA224": names.USM_AUTH_HMAC128_SHA224,
    "SHA256": names.USM_AUTH_HMAC192_SHA256,
    "SHA384": names.USM_AUTH_HMAC256_SHA384,
    "SHA512": names.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY = {
    "none": names.USM_PRIV_NONE,
    "DES": names.USM_PRIV_CBC56_DES,
    "AES": names.USM_PRIV_CFB128_AES,
    "AES192": names.USM_PRIV_CFB192_AES,
    "AES256": names.USM_PRIV_CFB256_AES,
}
_REFUSED = (
    errind.UnknownCommunityName,
    errind.AuthenticationError,
    errind.AuthenticationFailure,
    errind.NoAuthentication,
    errind.DecryptionError,
    errind.EncryptionError,
    errind.UnsupportedAuthProtocol,
    errind.UnsupportedPrivProtocol,
    errind.UnsupportedSecurityLevel,
    errind.UnknownSecurityName,
    errind.UnknownUserName,
    errind.WrongDigest,
    errind.NoAccessEntry,
    errind.NoGroupName,
    errind.NotInView,
)
_LOST = (errind.NotInTimeWindow, errind.UnknownEngineID, errind.EngineIDMismatch)
_MARGIN_S = 1.0
"""pysnmp counts time in ticks of 0.1 s: its own time limit is this much later."""


class _Dispatcher(AsyncioDispatcher):  # type: ignore[misc] # pysnmp ships no types
    """Hears only agents that are spoken to: pysnmp itself takes an answer from whoever guesses its number.

    Source addresses can be forged all the same; SNMPv3 is what protects against that.
    """

    def __init__(self) -> None:
        super().__init__()
        self.agents: Counter[tuple[str, int]] = Counter()

    def _callback_function(self, incomingTransport: Any, transportAddress: Any, incomingMessage: Any) -> None:  # noqa: N803
        if self.agents[_address(transportAddress)]:
            super()._callback_function(incomingTransport, transportAddress, incomingMessage)


class _Engine:
    """An SnmpEngine and how many wires use it."""

    def __init__(self) -> None:
        self.engine = SnmpEngine()
        self.dispatcher = _Dispatcher()
        self.engine.register_transport_dispatcher(self.dispatcher)
        self.users = 0


_engines: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, _Engine]] = weakref.WeakKeyDictionary()


class _Target4(UdpTransportTarget):  # type: ignore[misc] # pysnmp ships no types
    """An agent whose address is known: pysnmp's own look-up has no deadline."""

    async def _resolve_address(self, transportAddr: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: N803 - as pysnmp's
        return transportAddr[:2]


class _Target6(Udp6TransportTarget):  # type: ignore[misc] # as above
    """The same with IPv6."""

    async def _resolve_address(self, transportAddr: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: N803 - as pysnmp's
        return transportAddr


class PysnmpWire:
    """One agent, seen by pysnmp."""

    def __init__(self, settings: SnmpSettings) -> None:
        self._settings = settings
        self._fresh = 0
        self._answered = False  # by an agent that the present engine knows
        self._renewed = False  # another engine knew it before
        self._key: object = None
        self._engine: _Engine | None = None
        self._targets: dict[bool, _Target4 | _Target6] = {}

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        return await self._converse(set_cmd if write else get_cmd, pairs, write)

    async def after(self, oids: Sequence[str], rows: int) -> Answer:
        """Return what comes behind each of ``oids``: up to ``rows`` rows of it, of a version 1 agent one."""
        command = next_cmd if self._settings.version == "1" else partial(_bulk, rows)
        return await self._converse(command, [(oid, None) for oid in oids], False)

    async def _converse(self, command: _Command, pairs: Sequence[Pair], write: bool) -> Answer:
        outcome = await self._try(command, pairs, write, self._settings.timeout)
        if isinstance(outcome, errind.ErrorIndication) and self._settings.version == "3":
            # An agent that lost its engineBoots, or was replaced by one with another engine id, never fits what is
            # known of the old one. One fresh start; a SET is repeated only when the agent has said that it did nothing.
            lost = isinstance(outcome, _LOST)
            silent = isinstance(outcome, errind.RequestTimedOut) and self._answered
            if lost or silent:
                await self._start_afresh()
            if lost or (silent and not write):
                outcome = await self._try(command, pairs, write, self._settings.timeout / 2)
        if isinstance(outcome, errind.ErrorIndication):
            self._forget_targets()  # the name may have another address by now
            raise self._error(outcome)
        renewed, self._renewed = self._renewed, False
        self._answered = True
        return replace(outcome, renewed=True) if renewed else outcome

    async def _try(
        self, command: _Command, pairs: Sequence[Pair], write: bool, timeout: float
    ) -> Answer | errind.ErrorIndication:
        settings = self._settings

        async def ask() -> Answer | errind.ErrorIndication | None:
            indication, status, index, found = await command(
                engine.engine,
                credentials,
                target,
                ContextData(contextName=settings.context.encode()),
                *[_Binding(oid, value) for oid, value in pairs],
                lookupMib=False,
            )
            if isinstance(indication, errind.RequestTimedOut):
                return None
            if indication is not None:
                return indication
            return Answer(int(status), int(index), [(str(name), _plain(value)) for name, value in found])

        try:
            async with asyncio.timeout(timeout + _MARGIN_S):
                credentials = self._credentials(write)
                engine = self._acquire()
                target = await self._target(engine, write)
                # a SET goes out once: a slow agent would work off every copy, and whether it worked is seen by reading
                outcome = await repeated(ask, timeout, 0 if write else settings.retries)
        except TimeoutError:
            raise no_answer(settings) from None
        except (PySnmpError, PyAsn1Error) as error:
            raise DeviceAnswerError(f"{settings.where}: {type(error).__name__}: {str(error)[:200]}") from error
        return errind.RequestTimedOut() if outcome is None else outcome

    async def _start_afresh(self) -> None:
        """Forget a v3 agent."""
        self._answered, self._renewed = False, True
        await self.close()
        self._fresh += 1

    def _forget_targets(self) -> None:
        if self._engine is not None:
            for target in self._targets.values():
                self._engine.dispatcher.agents[_address(target.transport_address)] -= 1
        self._targets.clear()

    async def close(self) -> None:
        self._forget_targets()
        held, self._engine = self._engine, None
        if held is None:
            return
        held.users -= 1
        if held.users == 0:
            _engines.get(asyncio.get_running_loop(), {}).pop(self._key, None)
            held.engine.close_dispatcher()

    async def _target(self, engine: _Engine, write: bool) -> _Target4 | _Target6:
        if write in self._targets:
            return self._targets[write]
        settings = self._settings
        kind, family = (_Target6, socket.AF_INET6) if ":" in settings.host else (_Target4, socket.AF_INET)
        try:
            address = await find_address(settings.host, settings.port, settings.timeout, family)
        except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError
            raise DeviceUnreachable(f"{settings.where}: the name has no address") from error
        made: _Target4 | _Target6 = await kind.create(
            address, timeout=settings.timeout + _MARGIN_S, retries=0
        )  # `repeated` has the time
        engine.dispatcher.agents[_address(made.transport_address)] += 1
        self._targets[write] = made
        return made

    def _acquire(self) -> _Engine:
        if self._engine is None:
            settings = self._settings
            if settings.version == "3":
                keys = (settings.auth, settings.auth_password, settings.privacy, settings.privacy_password)
                self._key = (settings.user, *keys, self._fresh and (id(self), self._fresh))
            known = _engines.setdefault(asyncio.get_running_loop(), {})
            self._engine = known.get(self._key) or known.setdefault(self._key, _Engine())
            self._engine.users += 1
        return self._engine

    def _credentials(self, write: bool) -> CommunityData | UsmUserData:
        settings = self._settings
        if settings.version != "3":
            community = (settings.write_community if write else "") or settings.community
            return CommunityData(community, mpModel=0 if settings.version == "1" else 1)
        if settings.privacy != "none" and settings.auth == "none":
            raise DeviceRefused(f"{settings.where}: SNMPv3 privacy needs an auth_protocol, too")
        for name, used, password in (
            ("auth_password", settings.auth, settings.auth_password),
            ("privacy_password", settings.privacy, settings.privacy_password),
        ):
            if used != "none" and len(password) < 8:  # RFC 3414 section 11.2
                raise DeviceRefused(f"{settings.where}: {name} has fewer than 8 characters")
        return UsmUserData(
            settings.user,
            authKey=settings.auth_password if settings.auth != "none" else None,
            privKey=settings.privacy_password if settings.privacy != "none" else None,
            authProtocol=_AUTH[settings.auth],
            privProtocol=_PRIVACY[settings.privacy],
        )

    def _error(self, indication: errind.ErrorIndication) -> DeviceError:
        where = self._settings.where
        if isinstance(indication, errind.RequestTimedOut | errind.EmptyResponse):
            return no_answer(self._settings)
        if isinstance(indication, _LOST):
            return DeviceUnreachable(f"{where}: {indication}, also after a fresh start (its SNMP clock is unsteady)")
        if isinstance(indication, _REFUSED):
            return DeviceRefused(f"{where}: {indication}")
        return DeviceAnswerError(f"{where}: {indication}")


_Command = Callable[..., Awaitable[Any]]


async def _bulk(
    rows: int, engine: Any, credentials: Any, target: Any, context: Any, *pairs: Any, **options: Any
) -> Any:
    return await bulk_cmd(engine, credentials, target, context, 0, rows, *pairs, **options)


def _address(address: Any) -> tuple[str, int]:
    """Return host and port; IPv6 addresses have more, and may name an interface."""
    return address[0].partition("%")[0], address[1]


class _Binding(ObjectType):  # type: ignore[misc] # pysnmp ships no types
    """An object by its number and a value: pysnmp would look both up in its MIBs, which is half of what a GET costs."""

    def __init__(self, oid: str, value: int | str | None) -> None:
        self._pair = rfc1902.ObjectName(oid), _NULL if value is None else _typed(value)

    def resolve_with_mib(self, *_mibs: object, **_options: object) -> Any:
        return self._pair


_NULL = univ.Null("")


def _typed(value: int | str) -> Any:
    return rfc1902.Integer32(value) if isinstance(value, int) else rfc1902.OctetString(value)


def _plain(value: Any) -> SnmpValue | Missing:
    if isinstance(value, univ.Null):  # noSuchObject and its like are, too; and a Null is an OctetString to pyasn1
        return Missing(type(value).__name__)
    if isinstance(value, univ.ObjectIdentifier):
        return ".".join(map(str, value.asTuple()))
    if isinstance(value, univ.OctetString):
        return bytes(value.asOctets())
    try:
        return int(value)
    except (TypeError, ValueError, PyAsn1Error):  # an unset value, or a type of which nobody has heard
        return Missing(type(value).__name__)

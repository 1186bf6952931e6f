"""An SNMP agent without a socket: a table of variables, and the answer to one datagram (RFC 1157, RFC 3416)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import snmp_ber as ber
from .snmp_ber import BerError, ErrorStatus, Message, Oid, Value, VarBind

MAX_BINDINGS = 128
MAX_REPETITIONS = 1000


@dataclass(frozen=True, slots=True)
class Variable:
    """One instance. ``check`` judges a new value without any effect; ``write`` then must not fail."""

    oid: Oid
    read: Callable[[], Value]
    check: Callable[[Value], ErrorStatus] | None = None
    write: Callable[[Value], ErrorStatus | None] | None = None


class Mib:
    """The variables of a device in lexicographic order.

    ``live``  gives those that come and go, such as rows of a forwarding table; few, for they are made for each look
    """

    def __init__(self, variables: Iterable[Variable], live: Callable[[], Iterable[Variable]] = tuple) -> None:
        self._variables = {variable.oid: variable for variable in variables}
        self._order = sorted(self._variables)
        self._columns = {oid[:-1] for oid in self._order} | {oid[:-2] for oid in self._order}
        self._live = live

    def get(self, oid: Oid) -> Variable | None:
        return self._variables.get(oid) or next((one for one in self._live() if one.oid == oid), None)

    def after(self, oid: Oid) -> Variable | None:
        """The first variable behind ``oid``."""
        place = bisect_right(self._order, oid)
        fixed = (self._variables[self._order[place]],) if place < len(self._order) else ()
        behind = (one for one in self._live() if one.oid > oid)
        return min((*fixed, *behind), key=lambda one: one.oid, default=None)

    def has_object(self, oid: Oid) -> bool:
        """Is there another instance of this object? It tells noSuchInstance from noSuchObject."""
        return any(oid[: len(oid) - cut] in self._columns for cut in (1, 2))


class _RefusedError(Exception):
    def __init__(self, status: ErrorStatus, index: int) -> None:
        super().__init__(status.name)
        self.status, self.index = status, index


@dataclass(slots=True)
class SnmpAgent:
    """Answers v1 and v2c. A wrong community, v3 and nonsense get silence, as from real devices.

    ``max_message``  octets that an answer may have; more is tooBig, and GETBULK gives fewer rows
    ``deaf``         it hears nothing: the device is starting
    ``locked``       its write community is another now
    """

    mib: Mib
    read_community: bytes
    write_community: bytes
    max_message: int = 1472
    deaf: bool = False
    locked: bool = False
    dropped: int = field(default=0, init=False)

    def handle(self, data: bytes) -> bytes | None:
        """The answer to a datagram; None where a device would be silent."""
        if self.deaf:
            return None
        try:
            request = ber.decode(data)
        except BerError:
            request = None
        if (
            request is None
            or request.community not in (self.read_community, self.write_community)
            or request.kind == ber.RESPONSE
            or (request.kind == ber.GETBULK and request.version == ber.V1)
            or (request.kind == ber.SET and self.locked)
        ):
            self.dropped += 1
            return None
        try:
            if len(request.bindings) > MAX_BINDINGS:
                raise _RefusedError(ErrorStatus.TOO_BIG, 0)
            return self._fit(request, self._answer(request))
        except _RefusedError as refused:
            status = _as_v1(refused.status) if request.version == ber.V1 else refused.status
            # RFC 3416 4.2.1: a tooBig answer of v2c carries no bindings, all else the request's own.
            empty = status is ErrorStatus.TOO_BIG and request.version != ber.V1
            return request.answer(() if empty else request.bindings, status, refused.index).encode()

    def _answer(self, request: Message) -> list[VarBind]:
        match request.kind:
            case ber.GET:
                return [self._get(request, place) for place in range(len(request.bindings))]
            case ber.GETNEXT:
                return [self._next(request, place) for place in range(len(request.bindings))]
            case ber.GETBULK:
                return self._bulk(request)
        return self._set(request)

    def _get(self, request: Message, place: int) -> VarBind:
        oid = request.bindings[place].oid
        variable = self.mib.get(oid)
        if variable:
            return VarBind(oid, variable.read())
        if request.version == ber.V1:
            raise _RefusedError(ErrorStatus.NO_SUCH_NAME, place + 1)
        return VarBind(oid, Value(ber.NO_SUCH_INSTANCE if self.mib.has_object(oid) else ber.NO_SUCH_OBJECT))

    def _next(self, request: Message, place: int) -> VarBind:
        found = self._behind(request.bindings[place].oid)
        if found.value.tag == ber.END_OF_MIB_VIEW and request.version == ber.V1:
            raise _RefusedError(ErrorStatus.NO_SUCH_NAME, place + 1)
        return found

    def _behind(self, oid: Oid) -> VarBind:
        variable = self.mib.after(oid)
        return VarBind(variable.oid, variable.read()) if variable else VarBind(oid, Value(ber.END_OF_MIB_VIEW))

    def _bulk(self, request: Message) -> list[VarBind]:
        single = max(0, min(request.status, len(request.bindings)))
        found = [self._behind(binding.oid) for binding in request.bindings[:single]]
        row = [binding.oid for binding in request.bindings[single:]]
        for _ in range(max(0, min(request.index, MAX_REPETITIONS)) if row else 0):
            cells = [self._behind(oid) for oid in row]
            found += cells
            row = [cell.oid for cell in cells]
            # More than one datagram's worth is cut off anyway; an OID alone takes more than 8 octets.
            if all(cell.value.tag == ber.END_OF_MIB_VIEW for cell in cells) or len(found) * 8 > self.max_message:
                break
        return found

    def _set(self, request: Message) -> list[VarBind]:
        """All or nothing as far as values go: every binding is judged before the first is written."""
        jobs: list[tuple[Callable[[Value], ErrorStatus | None], Value]] = []
        for index, binding in enumerate(request.bindings, 1):
            variable = self.mib.get(binding.oid)
            if request.community != self.write_community:
                raise _RefusedError(ErrorStatus.NO_ACCESS, index)
            if variable is None:
                raise _RefusedError(ErrorStatus.NO_CREATION, index)
            if variable.write is None:
                raise _RefusedError(ErrorStatus.NOT_WRITABLE, index)
            status = variable.check(binding.value) if variable.check else ErrorStatus.NO_ERROR
            if status is not ErrorStatus.NO_ERROR:
                raise _RefusedError(status, index)
            jobs.append((variable.write, binding.value))
        for index, (write, value) in enumerate(jobs, 1):
            failed = write(value)
            if failed:
                raise _RefusedError(failed, index)
        return list(request.bindings)

    def _fit(self, request: Message, bindings: list[VarBind]) -> bytes:
        answer = request.answer(bindings).encode()
        if len(answer) <= self.max_message:
            return answer
        if request.kind != ber.GETBULK:
            raise _RefusedError(ErrorStatus.TOO_BIG, 0)
        low, high = 0, len(bindings)  # invariant: `low` bindings fit, `high` do not
        while high - low > 1:
            middle = (low + high) // 2
            fits = len(request.answer(bindings[:middle]).encode()) <= self.max_message
            low, high = (middle, high) if fits else (low, middle)
        return request.answer(bindings[:low]).encode()


def _as_v1(status: ErrorStatus) -> ErrorStatus:
    """RFC 3584 section 4.4."""
    if status in (ErrorStatus.WRONG_TYPE, ErrorStatus.WRONG_VALUE):
        return ErrorStatus.BAD_VALUE
    return ErrorStatus.NO_SUCH_NAME if status > ErrorStatus.GEN_ERR else status


def integer(number: int) -> Value:
    return Value(ber.INTEGER, number)


def gauge(number: float) -> Value:
    return Value(ber.GAUGE32, min(max(0, round(number)), 2**32 - 1))


def text(characters: str) -> Value:
    return Value(ber.OCTET_STRING, characters.encode())


def one_of(*numbers: int) -> Callable[[Value], ErrorStatus]:
    """A ``check`` that allows these integers."""

    def judge(value: Value) -> ErrorStatus:
        if value.tag != ber.INTEGER:
            return ErrorStatus.WRONG_TYPE
        return ErrorStatus.NO_ERROR if value.content in numbers else ErrorStatus.WRONG_VALUE

    return judge

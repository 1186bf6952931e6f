"""Tests whether a TCP service takes connections."""

from __future__ import annotations

import asyncio

from typing_extensions import override

from ..common.errors import DeviceUnreachable
from ..common.oserrors import reason
from .TemplateTester import TemplateTester


class TCP(TemplateTester):
    """Passes when the port takes a connection, which is closed again at once. Nothing is sent."""

    @override
    async def _test(self) -> bool:
        host, port = self.params["host"], self.params["port"]
        try:
            async with asyncio.timeout(self.timeout):
                _, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            raise DeviceUnreachable(f"{host}:{port}: no answer within {self.timeout:g} s") from None
        except OSError as error:
            raise DeviceUnreachable(f"{host}:{port}: {reason(error)}") from error
        writer.transport.abort()  # nothing was sent that could get lost
        return True

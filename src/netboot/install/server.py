"""The service ``install``: the control port, the port of the root file systems, and that for clients that know HTTP."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from ..mounts import Mounts
from ..service import BootContext
from .boards_here import BoardsHere
from .control import ControlPort
from .images import Images
from .listening import Listener, Serve
from .transfers import Transfers


class InstallServer:
    """``addresses`` of ``live``: control port, root file system, HTTP; in this order."""

    name = "install"

    def __init__(self, context: BootContext) -> None:
        self._context = context
        self._images = Images(context.images, None if context.settings["install_network_files"] else Mounts())
        here = BoardsHere(context)
        self._transfers = Transfers(context, here, self._images)
        control = ControlPort(context, here, self._images, lambda: self._get.port)
        self._control = self._listener("install_port", control.serve)
        self._root = self._listener("install_root_port", self._transfers.serve_root)
        self._get = self._listener("install_get_port", self._transfers.serve_get)
        self._watch: asyncio.Task[None] | None = None

    def _listener(self, option: str, serve: Serve) -> Listener:
        settings = self._context.settings
        wire, most = self._context.wire, settings["install_connections"]
        return Listener(wire, settings[option], option, most, self._context.report, serve)

    async def open(self) -> None:
        try:
            for listener in (self._control, self._root, self._get):
                listener.open()
        except BaseException:
            await self.close()
            raise
        self._watch = asyncio.create_task(self._transfers.watch())

    async def close(self) -> None:
        self._images.close()
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        await asyncio.gather(self._control.close(), self._root.close(), self._get.close())

    def live(self) -> dict[str, Any]:
        addresses = [listener.address for listener in (self._control, self._root, self._get)]
        return {"addresses": [one for one in addresses if one], "transfers": self._transfers.live()}

    def reconfigured(self) -> None:
        """Hosts, profiles and options are looked up when they are needed."""

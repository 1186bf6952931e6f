"""The WSGI application of the web GUI. ``python src/webserver/application.py`` serves it, as ``ockle web`` does."""

from __future__ import annotations

import hashlib
import importlib
import logging
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

if __name__ == "__main__":  # the documented way to start it: the folder `src` becomes the package
    import importlib.util

    if importlib.util.find_spec("ockle") is None:
        sys.exit("application.py needs the package ockle: run `make install`, or pip install 'ockle[web]'")
    from ockle.webserver.serve import main as serve_main

    sys.exit(serve_main())

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.router import Router

from . import views
from .daemon import open_connection, request_daemon
from .limits import LARGEST_BODY
from .link import DaemonLink
from .settings import WebSettings, read_settings
from .texts import use

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"


class WholeRequest(Request):  # type: ignore[misc]
    """A request whose body is kept in memory: none is large, and a file for it would have to be closed."""

    request_body_tempfile_limit = LARGEST_BODY


def make_app(settings: WebSettings, link: DaemonLink | None = None) -> Router:
    """Return the application.

    ``link``  that follows the daemon already; default: one that is started here. ``app.registry.link`` is to be
              stopped at the end.
    """
    if link is None:
        link = DaemonLink(open_connection(settings, settings.token, "web"))
        link.start()
    if not use(settings.language, *([settings.locales] if settings.locales else [])):
        log.warning("no catalogue for [web] language = %s: the pages are in English", settings.language)
    config = Configurator(package="ockle.webserver", request_factory=WholeRequest)
    config.registry.web_settings = settings
    config.registry.link = link
    config.add_request_method(request_daemon, "daemon", reify=True)
    config.add_request_method(lambda request: request.registry.link.snapshot, "snapshot", reify=True)
    for part in (".security", ".proof", ".headers", ".routes", ".rendering", ".live.page"):
        config.include(part)
    # with what has changed its address changes, too: browsers may keep it for good
    config.add_static_view(f"static/{_stamp()}", "static", cache_max_age=31536000)
    config.scan(".errors")
    config.scan(".proof")
    for module in _view_modules():
        if hasattr(module, "includeme"):  # it has routes that no other page links to
            config.include(module)
    config.scan(views)
    return config.make_wsgi_app()


def _stamp() -> str:
    """Return a word that is another one when a script, a style or a picture is."""
    files = (path for path in STATIC.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()[:12]


def _view_modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(views.__path__, f"{views.__name__}."):
        yield importlib.import_module(found.name)


def main(global_config: dict[str, Any] | None = None, **settings: Any) -> Router:
    """Return the application for a WSGI server that knows PasteDeploy; ``etc`` in ``settings``: the folder.

    Further options of [web] may stand in ``settings``.
    """
    from ..config.paths import find_etc

    _ = global_config
    etc = find_etc(settings.pop("etc", None))
    return make_app(read_settings(etc, **settings))

"""The REST interface below /api/v1: every module here declares endpoints, see ``endpoint``."""

from __future__ import annotations

import importlib
import pkgutil

from pyramid.config import Configurator

from .endpoint import TABLE, Endpoint, add_endpoints


def table() -> list[Endpoint]:
    """Return every endpoint that a module of this package declares."""
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(found.name)
    return TABLE


def includeme(config: Configurator) -> None:
    add_endpoints(config, table())

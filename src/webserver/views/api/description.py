"""The interface describes itself."""

from __future__ import annotations

from typing import Any

from .... import __version__
from .endpoint import TABLE, Call, endpoint
from .openapi import build
from .schema import mapping, record, text


@endpoint(
    "GET",
    "/openapi.json",
    "Return this description of the interface.",
    answer=record("", openapi=text(), paths=mapping({})),
)
def openapi(_call: Call) -> dict[str, Any]:
    return build(TABLE, __version__)

"""Faults on their way to people and programs: as dicts without passwords, and as an error that carries them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ..common.errors import ConfigError
from .faults import Fault
from .masking import mask_url


def as_dict(fault: Fault) -> dict[str, Any]:
    """Return a fault as a dict (file, section, key, value, problem, remedy, text), passwords of URLs hidden."""
    fields = asdict(fault)
    shown = {name: mask_url(value) if isinstance(value, str) else value for name, value in fields.items()}
    return shown | {"text": mask_url(str(fault))}


class ConfigFaults(ConfigError):
    """A ConfigError that knows its faults by file, section and key: ``details``; ``data`` has them for programs."""

    def __init__(self, details: Iterable[Fault]) -> None:
        self.details = list(details)
        super().__init__(*(mask_url(str(fault)) for fault in self.details))
        self.data = {"faults": [as_dict(fault) for fault in self.details]}

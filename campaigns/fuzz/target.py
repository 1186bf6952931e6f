"""What a target of the fuzzer is, and where they are."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
"""Inputs that reach the most, kept from former runs: a folder for each target that has some."""

TARGETS = {
    **dict.fromkeys(
        ("frames", "messages", "snmp_answers", "snmp_requests", "http_answers", "urls", "host_keys"), "wire"
    ),
    **dict.fromkeys(("hello_lines", "image_requests", "ntp_packets", "programs"), "installing"),
    **dict.fromkeys(("dhcp_messages", "dhcp_talks", "dhcp_arp"), "dhcp"),
    **dict.fromkeys(("tftp_requests", "tftp_transfers", "tftp_texts"), "tftp"),
    **dict.fromkeys(("ini_files", "sites", "option_values", "host_ranges"), "texts"),
}
"""Name -> module; imported when it is needed, for atheris watches only what is imported under its eyes."""


@dataclass(frozen=True)
class Target:
    """Something that takes bytes from strangers.

    ``run``    gives it the bytes; raises what is not its documented error, and AssertionError for a broken promise
    ``seeds``  inputs to begin with
    ``most``   bytes of an input
    ``small``  fast enough for ten million executions in a long run
    """

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    most: int = 4096
    small: bool = True


def load(name: str) -> Target:
    """Return the target of that name: ``TARGETS`` of its module."""
    found: Target = importlib.import_module(f".{TARGETS[name]}", __package__).TARGETS[name]
    return found

"""``ockle netboot``: one command with many below it, each group of them in a module of its own."""

from __future__ import annotations

from importlib import import_module

from .parser import Commands

MODULES = (
    "netboot_look",
    "netboot_transfers",
    "netboot_power",
    "netboot_ports",
    "netboot_hosts",
    "netboot_serve",
    "netboot_initramfs",
)
"""Each has a function ``register`` that adds commands below ``ockle netboot``."""


def register(commands: Commands) -> None:
    group = commands.group("netboot", "boot machines over the network: boards, hosts, installations")
    for module in MODULES:
        import_module(f".{module}", __package__).register(group)

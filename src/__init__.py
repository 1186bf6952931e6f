"""Ockle: powers networks of servers up and down in the order of their dependencies, verified."""

__version__ = "0.9.0"

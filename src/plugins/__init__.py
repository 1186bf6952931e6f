"""Plugins: one feature per file, each in its own thread."""

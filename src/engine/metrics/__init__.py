"""Figures about the daemon and what it watches, for monitoring (Prometheus)."""

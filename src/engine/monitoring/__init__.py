"""Monitoring: what nodes say of themselves, and which of it is beyond its limits."""

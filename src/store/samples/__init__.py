"""Measured values over time: raw for a while, then as smallest, largest and mean value of ever longer steps."""

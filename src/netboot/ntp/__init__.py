"""The time, for boards without a clock: an NTP server that answers and asks nobody."""

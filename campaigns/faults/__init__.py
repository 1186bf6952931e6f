"""The fault schedule: devices and machines that fail in every way at once, and an operator who goes on working."""

"""The soak: many servers, much work, no faults; what the daemon takes of the machine must not grow."""

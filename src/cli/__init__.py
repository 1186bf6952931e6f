"""The command line: a client of the daemon, and the starter of daemon and demo."""

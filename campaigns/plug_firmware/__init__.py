"""The plug's real firmware, built as a program of this machine, under Ockle's drivers and its agent."""

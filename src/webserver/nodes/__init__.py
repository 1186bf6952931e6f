"""The nodes page: what machines say of themselves, and how it stands to its limits."""

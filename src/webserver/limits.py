"""How long what a person asks for may take."""

from __future__ import annotations

PART_S = 125.0
"""To switch an outlet or a control by hand, or to run tests; the daemon ends it a little earlier."""
FORCE_S = 620.0
"""To force a server: the daemon waits for a switching that has begun."""

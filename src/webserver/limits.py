"""How long what a person asks for may take, and how much it may be."""

from __future__ import annotations

PART_S = 125.0
"""To switch an outlet or a control by hand, or to run tests; the daemon ends it a little earlier."""
FORCE_S = 620.0
"""To force a server: the daemon waits for a switching that has begun."""
LARGEST_BODY = 1 << 20
"""Of a request, in bytes."""

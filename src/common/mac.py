"""MAC addresses as people and devices write them."""

from __future__ import annotations

import re


def normalised(text: str) -> str:
    """Return ``aa:bb:cc:dd:ee:ff``. Devices also write dashes, Cisco dots, no separator, or drop zeros.

    Raises ValueError.
    """
    text = text.strip().lower()
    if re.fullmatch(r"[0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(\1[0-9a-f]{1,2}){4}", text):
        return ":".join(part.zfill(2) for part in re.split("[:-]", text))
    digits = text.replace(".", "") if re.fullmatch(r"([0-9a-f]{4}\.){2}[0-9a-f]{4}", text) else text
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise ValueError("not a MAC address")
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))

"""What the library of ESPHome's native API raises, in one line that says who can mend it."""

from __future__ import annotations

import base64
import binascii
import os
import re

from .errors import DeviceError, DeviceRefused, DeviceUnreachable

WRONG_KEY = "wrong encryption key: it has to be the one of `api: encryption: key:` in the plug's firmware"
NO_KEY = "the plug encrypts, and no key is given: set `key` to the one of its firmware"
PLAIN = "the plug does not encrypt: give its firmware a key (`api: encryption:`), or set encryption = plaintext"

_REFUSALS = {
    "InvalidEncryptionKeyAPIError": WRONG_KEY,
    "EncryptionErrorAPIError": WRONG_KEY,
    "RequiresEncryptionAPIError": NO_KEY,
    "EncryptionPlaintextAPIError": PLAIN,
    "EncryptionHelloAPIError": PLAIN,
    "InvalidAuthAPIError": "the plug wants a password, which ESPHome has given up: use an encryption key",
}
"""Class of the library's error -> what a person has to do; they are told by name so that it need not be imported."""

_ERRNO = re.compile(r"\[Errno (\d+)\]")


def explained(error: Exception, where: object) -> DeviceError:
    """Return ``error`` as one of ours; ``where`` stands before it."""
    if isinstance(error, DeviceError):
        return error
    refusal = _REFUSALS.get(type(error).__name__)
    if refusal:
        return DeviceRefused(f"{where}: {refusal}")
    text = " ".join(str(error).split()) or type(error).__name__
    number = _ERRNO.search(text)  # what stands around it is the library's own data
    if number:
        text = os.strerror(int(number[1]))
    return DeviceUnreachable(f"{where}: {text}")


def is_key(text: str) -> bool:
    """Tell whether ``text`` is a key as ESPHome writes it."""
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False

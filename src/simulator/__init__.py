"""The virtual lab: the real protocols from the side of the devices."""

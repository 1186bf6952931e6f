"""Load clients, servers and measurements of ``netboot.py``."""

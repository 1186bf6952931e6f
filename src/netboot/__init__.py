"""Network boot: addresses, boot files, root file systems and the time, for machines without a system of their own.

Protocols turn bytes into objects and back, without a socket; the servers around them are thin. Knows nothing of power:
what it learns of a board it writes down (``boards``), and who switches power reads it there.
"""

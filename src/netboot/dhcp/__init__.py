"""DHCP (RFC 2131, 2132) with what a machine needs to boot from the network (RFC 4578), and ProxyDHCP.

``packet`` and ``options`` are bytes and objects, ``clients`` tells who asks, ``answers`` decides without any I/O;
``server`` and what it holds do the rest.
"""

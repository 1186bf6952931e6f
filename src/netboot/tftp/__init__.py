"""TFTP for firmware: reads only, octet and netascii, with the options of RFC 2347 to 2349 and 7440."""

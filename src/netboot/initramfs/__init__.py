"""The initramfs of a board: its builder, and the scripts that speak the hello protocol on the board.

Everything in the archive is fixed by what it was made of: the same input gives the same bytes.
"""

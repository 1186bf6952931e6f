"""What the network page shows, worked out from a snapshot of the daemon: no template, no request.

view     what of the network the address asks for       picture  servers and lines as they are drawn
counts   how many servers are in which state            words    what fits into a box
"""

"""Stock clients: virtual machines that boot over the network."""

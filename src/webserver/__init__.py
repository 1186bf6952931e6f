"""What runs in front of the daemon: the client library, and the web GUI."""

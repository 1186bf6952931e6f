"""The client library: speaks the socket protocol to the daemon. Imports only the messages of ``common``."""

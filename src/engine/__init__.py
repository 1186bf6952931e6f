"""The executor: drives the network of servers to its desired state, and remembers durably."""

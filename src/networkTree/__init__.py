"""The graph of servers and what follows from it: states, decisions and plans, as pure functions."""

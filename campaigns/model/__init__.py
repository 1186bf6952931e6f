"""An abstract model of servers, relays, operator and daemon, in which the planner's own code decides.

state           what can differ: servers, outlets, and how much may still go wrong
planner         the planner's code, on states of the model
program         the steps of one switching, in one table
daemon          what the daemon does: decide, look, take orders; and its death
world           what machines, relays and people do
judge           the invariants, seen from the machines' side
explore         every state that can be reached, breadth first
configurations  the networks that are explored
"""

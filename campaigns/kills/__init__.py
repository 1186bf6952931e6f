"""The kill campaign: the real daemon on the lab, killed at every failpoint and at random instants."""

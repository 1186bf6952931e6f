"""The installation of boards: the hello protocol on its control port, and the root file systems that go with it."""

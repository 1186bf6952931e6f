"""Tests: how to know that a server serves. One template class and one small file per kind."""

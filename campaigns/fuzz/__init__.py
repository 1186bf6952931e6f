"""What takes bytes from strangers, and a fuzzer that feeds it; ``tests/campaigns/test_fuzz.py`` is the short form."""

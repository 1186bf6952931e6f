"""What survives: the durable store, its tables and folder; knows nothing of servers."""

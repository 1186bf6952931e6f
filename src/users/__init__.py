"""Users, their logins and tokens, and the record of what they do; knows nothing of servers."""

"""What every floor above may use: states, errors, time, events, messages. Knows nobody."""

"""One module per group of streams: declarations, what to ask for, when a bookmark moves."""

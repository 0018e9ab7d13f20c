"""Which columns a stream has, of which type, under which name."""

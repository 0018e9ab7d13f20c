"""What Totango is: its hosts, limits, searches and writes. Knows nothing of Singer."""

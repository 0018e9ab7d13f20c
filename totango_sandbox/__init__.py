"""A local Totango: search, tracking and Integration Hub over SQLite, on loopback."""

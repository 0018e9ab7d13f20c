"""Accounts, users and events in memory and in SQLite, and what a write does to them."""

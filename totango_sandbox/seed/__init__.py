"""Invented accounts, users and events, the same for the same seed."""

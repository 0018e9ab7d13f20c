"""Turns a record into a write request or a list of validation errors."""

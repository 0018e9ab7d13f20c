"""Turns search hits into RECORD lines, a page at a time."""

"""Reads a query in partitions by what its rows hold, where no date serves."""

"""Destinations: write requests in, write results out, in key order."""

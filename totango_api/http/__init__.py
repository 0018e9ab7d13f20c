"""Sends a request under the call budget and returns its response, or raises one of our errors."""

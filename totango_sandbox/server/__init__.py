"""The HTTP server: routes, the call budget, faults, the log of calls."""

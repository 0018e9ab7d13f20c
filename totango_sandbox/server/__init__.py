"""Serves HTTP: listens, routes, injects faults, checks tokens and the rate limit."""

from totango_sandbox.server.app import App
from totango_sandbox.server.run import listen, run, write_ready_file

__all__ = ["App", "listen", "run", "write_ready_file"]

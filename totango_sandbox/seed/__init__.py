"""Makes up customers, users and events, always the same for the same seed."""

from totango_sandbox.seed.amounts import parse_seed
from totango_sandbox.seed.events import EventMaker
from totango_sandbox.seed.generate import fill

__all__ = ["EventMaker", "fill", "parse_seed"]

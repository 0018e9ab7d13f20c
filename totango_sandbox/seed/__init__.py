"""Makes up customers, users and events, always the same for the same seed."""

from totango_sandbox.seed.events import make_event
from totango_sandbox.seed.generate import Amounts, fill, parse_seed

__all__ = ["Amounts", "fill", "make_event", "parse_seed"]

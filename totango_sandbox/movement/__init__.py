"""What other people do to a tenant while somebody reads it: rows come, go and change."""

from totango_sandbox.movement.movement import Movement

__all__ = ["Movement"]

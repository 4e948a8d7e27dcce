"""What can go wrong while computing numbers, by name."""

__all__ = ["IntegrationError"]


class IntegrationError(ArithmeticError):
    """An integration stopped before its end; the message says where, what diverged and why."""

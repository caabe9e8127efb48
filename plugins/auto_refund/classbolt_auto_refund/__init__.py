"""Give a credit to whoever cancels one session of a course in time."""

from classbolt_auto_refund.bolt_on import AutoRefund

__all__ = ["AutoRefund"]

"""Open sessions of a course to drop-ins, and let matching credits pay for them."""

from classbolt_drop_in.bolt_on import DropIn

__all__ = ["DropIn"]

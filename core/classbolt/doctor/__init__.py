"""Examine a whole database and its installation, and say what is wrong."""

from classbolt.doctor.examine import examine
from classbolt.doctor.links import Keys
from classbolt.doctor.report import Check, Example, Finding, Report, Result, Severity

__all__ = ["Check", "Example", "Finding", "Keys", "Report", "Result", "Severity", "examine"]

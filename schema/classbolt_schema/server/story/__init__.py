"""The story that must work, played over HTTP against a server of its own."""

from classbolt_schema.server.story.plot import play

__all__ = ["play"]

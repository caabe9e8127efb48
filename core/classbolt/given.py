"""What was given for the input fields that bolt-ons added: carried through core unread.

Core hands it to the write hooks. Only the bolt-on that added an input field holds the key to
its value, so core needs no word of any bolt-on and no bolt-on reads another one's input.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Given:
    """The values of one input object's added fields, by the key of each; by default none.

    Attributes:
        place: Where in the input the object stands, for refusals of what it says.
    """

    values: Mapping[Hashable, object] = field(default_factory=dict)
    place: tuple[str | int, ...] = ()

    def get(self, key: Hashable, absent: object) -> object:
        """Give the value under a key, or `absent` if the client did not mention the field."""
        return self.values.get(key, absent)

"""What the long histories have in common."""

import pytest


@pytest.fixture(autouse=True)
def _not_measured(no_cover: None) -> None:
    """They come by nothing that other tests do not come by, but much more often."""

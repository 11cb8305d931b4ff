import pytest
from handmade_minutes import HandMade


@pytest.fixture
def market() -> HandMade:
    return HandMade()

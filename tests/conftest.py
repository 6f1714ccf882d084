"""What every test shares: hypothesis without deadlines, because a busy machine is no reason to fail."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True, database=None)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=5_000)
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first: they mostly wait, and the other worker takes over the rest meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)

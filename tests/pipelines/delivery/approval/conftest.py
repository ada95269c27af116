"""The run whose gate is asked."""

from __future__ import annotations

import pytest

from tests.pipelines.delivery.approval.door import Door
from tests.shop import Shop


@pytest.fixture
def door(shop: Shop) -> Door:
    return Door(shop)

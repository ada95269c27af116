"""People with browsers in front of the GitHub of the scene."""

from __future__ import annotations

import pytest

from tests.rehearsal.github.pages.visitor import Visitor
from tests.rehearsal.github.scene import Scene


@pytest.fixture
def anyone(scene: Scene) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(scene.url)


@pytest.fixture
def dev_1(scene: Scene) -> Visitor:
    return Visitor(scene.url).sign_in("dev-1")


@pytest.fixture
def dev_2(scene: Scene) -> Visitor:
    return Visitor(scene.url).sign_in("dev-2")


@pytest.fixture
def on_call(scene: Scene) -> Visitor:
    """Who may only read."""
    return Visitor(scene.url).sign_in("on-call")


@pytest.fixture
def manager_browser(scene: Scene) -> Visitor:
    """release-manager, an administrator."""
    return Visitor(scene.url).sign_in("release-manager")

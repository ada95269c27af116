"""A GitHub for each test, and its users with their clients and browsers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rehearsal.github.pages.visitor import Visitor
from tests.rehearsal.github.scene import OpenScene, Person, Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A GitHub with techmate/platform in it. What is against GitHub's own description fails the test."""
    with OpenScene(tmp_path) as scene:
        yield scene
        assert [violation.text for violation in scene.violations] == []


@pytest.fixture
def dev(scene: Scene) -> Person:
    """dev-1, who may write."""
    return scene.person("dev-1")


@pytest.fixture
def reviewer(scene: Scene) -> Person:
    """dev-2, who may write."""
    return scene.person("dev-2")


@pytest.fixture
def manager(scene: Scene) -> Person:
    """release-manager, an administrator."""
    return scene.person("release-manager")


@pytest.fixture
def anyone(scene: Scene) -> Visitor:
    """Someone who has not signed in."""
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

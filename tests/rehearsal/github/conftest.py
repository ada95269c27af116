"""A GitHub for each test, and the people around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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

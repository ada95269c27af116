"""The overlay maps hosts to loopback, and to nothing else."""

import json
from pathlib import Path

import pytest

from pipelines.errors import LocalError
from pipelines.overlay import VARIABLE, Overlay, current


def overlay_of(tmp_path: Path, **content: object) -> Overlay:
    file = tmp_path / "overlay.json"
    file.write_text(json.dumps(content))
    return current({VARIABLE: str(file)})


def test_without_a_file_nothing_is_mapped() -> None:
    overlay = current({})
    assert not overlay.active
    assert overlay.target("api.github.com") is None


def test_exact_names_and_one_label_wildcards(tmp_path: Path) -> None:
    overlay = overlay_of(
        tmp_path, hosts={"run.googleapis.com": "http://127.0.0.1:1", "*.run.app": "https://127.0.0.1:2"}
    )
    assert overlay.target("run.googleapis.com") == "http://127.0.0.1:1"
    assert overlay.target("api-x.run.app") == "https://127.0.0.1:2"
    assert overlay.target("a.b.run.app") is None
    assert overlay.target("example.com") is None


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1:80", "http://example.com", "https://[2001:db8::1]:443", "http://127.0.0.1.evil.test"]
)
def test_no_address_off_this_machine(tmp_path: Path, address: str) -> None:
    with pytest.raises(LocalError, match="not on this machine"):
        overlay_of(tmp_path, hosts={"run.googleapis.com": address})


def test_smtp_is_held_to_loopback_too(tmp_path: Path) -> None:
    with pytest.raises(LocalError):
        overlay_of(tmp_path, smtp="192.168.0.9:25")


def test_a_world_that_is_gone_is_reported(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="shipmate up"):
        current({VARIABLE: str(tmp_path / "none.json")})


def test_images_get_wheels_of_this_machine_where_the_world_says_so(tmp_path: Path) -> None:
    assert overlay_of(tmp_path, wheels="aarch64-manylinux_2_28").wheels == "aarch64-manylinux_2_28"
    assert overlay_of(tmp_path).wheels is None

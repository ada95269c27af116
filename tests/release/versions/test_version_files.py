"""Version files: found, compared, and written with everything else as it was."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import InputError
from release.versions.files import read, version_locations, write

PYPROJECT = """\
# version = "1.2.3" stands here, too
[build-system]
requires = ["x==1.2.3"]

[project]
name    =  "platform"   # 1.2.3
version = '1.2.3'  # keep me
"""
LOCK = """{
  "name": "web",
  "version": "1.2.3",
  "packages": {
    "": {
      "name": "web",
      "version": "1.2.3"
    },
    "node_modules/x": {"version": "1.2.3"}
  }
}
"""
APP = '{\n\t"expo": {"name": "x 1.2.3", "runtimeVersion": "1.2.3", "version": "1.2.3"}\n}'
CHART = 'apiVersion: v2\nversion: 1.2.3 # chart\nappVersion: "1.2.3"\n'


@pytest.mark.parametrize(
    ("declared", "text", "wanted"),
    [
        ("pyproject.toml", PYPROJECT, PYPROJECT.replace("'1.2.3'", "'2.0.0-rc.1'")),
        ("apps/web/package.json", '{"version":"1.2.3","x":"1.2.3"}', '{"version":"2.0.0-rc.1","x":"1.2.3"}'),
        ("apps/mobile/app.json", APP, APP.replace('"version": "1.2.3"', '"version": "2.0.0-rc.1"')),
        ("charts/a/Chart.yaml", CHART, CHART.replace("version: 1.2.3 #", "version: 2.0.0-rc.1 #")),
        ("charts/a/Chart.yaml#appVersion", CHART, CHART.replace('"1.2.3"', '"2.0.0-rc.1"')),
        ("x.json#/a~1b/c", '{"a/b": {"c": "1.2.3"}, "c": "1.2.3"}', '{"a/b": {"c": "2.0.0-rc.1"}, "c": "1.2.3"}'),
        ("VERSION", "1.2.3\n", "2.0.0-rc.1\n"),
        (
            "src/about.py",
            "# v\n__version__ = '1.2.3'\nother = '1.2.3'\n",
            "# v\n__version__ = '2.0.0-rc.1'\nother = '1.2.3'\n",
        ),
    ],
)
def test_write__only_the_key__changes(declared: str, text: str, wanted: str) -> None:
    for place in version_locations([declared]):
        assert read(place, text) == "1.2.3"
        assert write(place, text, "2.0.0-rc.1") == wanted
        assert write(place, wanted, "2.0.0-rc.1") == wanted


def test_write__lock_file__both_places() -> None:
    text = LOCK
    for place in version_locations(["apps/web/package-lock.json"]):
        text = write(place, text, "1.3.0")
    data = json.loads(text)
    assert (data["version"], data["packages"][""]["version"]) == ("1.3.0", "1.3.0")
    assert data["packages"]["node_modules/x"]["version"] == "1.2.3"
    assert len(text) == len(LOCK)


KEYS = st.sampled_from(["version", "name", "project", "a b", "x"])
VALUES = st.recursive(
    st.sampled_from(["1.2.3", "x 1.2.3", "1.2.30", "", "v1.2.3"]),
    lambda inner: st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from([None, 1, 2, "\t"]))
def test_write__any_json__differs_in_the_key_alone(data: dict[str, Any], indent: int | str | None) -> None:
    data = {**data, "version": "1.2.3"}
    text = json.dumps(data, indent=indent)
    [place] = version_locations(["package.json"])
    new = write(place, text, "10.0.0")
    assert json.loads(new) == {**data, "version": "10.0.0"}
    assert len(new) == len(text) + 1


def test_write__toml_stays_toml() -> None:
    new = write(version_locations(["pyproject.toml"])[0], PYPROJECT, "9.9.9")
    assert tomllib.loads(new)["project"] == {"name": "platform", "version": "9.9.9"}
    assert new.replace("9.9.9", "1.2.3") == PYPROJECT


@pytest.mark.parametrize(
    ("declared", "text", "what"),
    [
        ("package.json", "{", "cannot be read"),
        ("package.json", "{}", "has no version at version"),
        ("package.json", '{"version": 3}', "has no version at version"),
        ("pyproject.toml", "= x", "cannot be read"),
        ("notes.txt", "none here", "holds no version of the project"),
        ("notes.txt#version", "1.2.3", "a key cannot be looked up in a .txt file"),
        ("package.json", '{"version": "1.2\\u002e3"}', "could not be replaced"),
    ],
)
def test_wrong__says_what(declared: str, text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        write(version_locations([declared])[0], text, "2.0.0")

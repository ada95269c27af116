"""Files that hold many versions: the project's own is written, or nothing is."""

from __future__ import annotations

import json

import pytest

from pipelines.errors import InputError
from release.versions.files import differing, read, version_locations, write

SETUP = 'from setuptools import setup\nsetup(name="x", python_requires=">=3.11.0", install_requires=["y==2.0.0"], version="1.0.0")\n'
POM = """<?xml version="1.0.0"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <!-- <version>9.9.9</version> -->
  <parent><groupId>g</groupId><version>3.2.1</version></parent>
  <dependencies><dependency><version>4.5.6</version></dependency></dependencies>
  <version>1.0.0</version>
</project>
"""
GRADLE = "plugins { id 'org.springframework.boot' version '3.2.1' }\nversion = '1.0.0'\ndependencies { implementation 'a:b:4.5.6' }\n"
ANDROID = 'plugins { id("x") version "3.2.1" }\nandroid {\n  defaultConfig {\n    versionName "1.0.0"\n  }\n}\n'
CMAKE = "cmake_minimum_required(VERSION 3.16.0)\nproject(x\n  VERSION 1.0.0\n  LANGUAGES C)\nfind_package(y 2.3.4)\n"
CSPROJ = """<Project Sdk="x">
<PropertyGroup><Version>1.0.0</Version></PropertyGroup>
<PackageReference Include="a" Version="4.5.6" /></Project>"""
OWN = [
    ("v.py", '"""Needs Python 3.11.0"""\n__version__ = "1.0.0"\n'),
    ("v.py", '"""Umlauts: ä 3.11.0"""\ndependency = "2.0.0"; version: str = "1.0.0"\nother = "1.0.0"\n'),
    ("v.py", 'version = "2.0.0"\n__version__ = "1.0.0"\n'),
    ("setup.py", SETUP),
    ("pom.xml", POM),
    ("build.gradle", GRADLE),
    ("app/build.gradle.kts", ANDROID),
    ("CMakeLists.txt", CMAKE),
    ("x.csproj", CSPROJ),
    (
        "x.gemspec",
        'Gem::Specification.new do |spec|\n  spec.add_dependency "rake", "13.0.0"\n  spec.version = "1.0.0"\nend\n',
    ),
    ("version.go", 'package x\n\n// since 0.9.0\nconst Version = "1.0.0"\n'),
    ("version.h", '#define NEEDS "3.2.1"\n#define VERSION "1.0.0"\n'),
    ("setup.cfg", "[metadata]\nversion = 1.0.0\n[options]\npython_requires = >=3.11.0\n"),
    ("src/version.ts", 'import x from "y@2.0.0";\nexport const VERSION = "1.0.0";\n'),
    ("gradle.properties", "kotlin=1.9.0\nversion=1.0.0\n"),
    ("VERSION", "1.0.0\n"),
    ("README.md", "# x\n\nInstall v1.0.0.\n"),
]


@pytest.mark.parametrize(("path", "text"), OWN)
def test_source__its_own_version__is_the_one_that_is_written(path: str, text: str) -> None:
    [place] = version_locations([path])
    assert read(place, text) == "1.0.0"
    new = write(place, text, "1.10.0-rc.1")
    assert read(place, new) == "1.10.0-rc.1"
    assert write(place, new, "1.0.0") == text


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        ("v.py", '"""Needs Python 3.11.0"""\n__version__ = read("VERSION")\n', "holds no version of the project"),
        ("v.py", "__version__ = '1.0.0\n", "holds no version of the project"),
        ("setup.py", 'setup(python_requires=">=3.11.0", version=about.version)', "holds no version of the project"),
        ("pom.xml", POM.replace("  <version>1.0.0</version>\n", ""), "holds no version of the project"),
        ("pom.xml", POM.replace("<version>1.0.0<", "<version>${revision}<"), "holds no version of the project"),
        ("build.gradle", GRADLE.replace("version = '1.0.0'", ""), "holds no version of the project"),
        ("CMakeLists.txt", "cmake_minimum_required(VERSION 3.16.0)\nproject(x)\n", "holds no version of the project"),
        ("README.md", "Install v1.0.0; needs Python 3.11.0\n", "holds 2 versions, such as 1.0.0, 3.11.0"),
        ("a.py", 'class A:\n    version = "1.0.0"\nclass B:\n    version = "2.0.0"\n', "holds 2 versions"),
    ],
)
def test_source__that_does_not_say__is_refused(path: str, text: str, what: str) -> None:
    [place] = version_locations([path])
    with pytest.raises(InputError, match=what) as raised:
        write(place, text, "2.0.0")
    assert raised.value.next_step


@pytest.mark.parametrize("path", ["pubspec.yaml", "VERSION"])
def test_build_number__stays_one(path: str) -> None:
    text = "version: 1.0.0+45\n" if path == "pubspec.yaml" else "1.0.0+45\n"
    [place] = version_locations([path])
    assert write(place, text, "1.1.0") == text.replace("1.0.0", "1.1.0")
    assert differing([place], "1.0.0", lambda _: text.encode()) == []
    assert differing([place], "1.1.0", lambda _: text.encode()) == [f"{place} holds 1.0.0+45"]
    assert write(place, text, "1.1.0+46").strip().endswith("1.1.0+46"), "a build that is named is written"


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("/a~1b/c~0d", ("a/b", "c~d")),
        ("/a~01", ("a~1",)),
        ("/", ("",)),
        ("/a/0/b", ("a", "0", "b")),
        ("a.b", ("a", "b")),
    ],
)
def test_pointer__as_rfc_6901_says(key: str, keys: tuple[str, ...]) -> None:
    [place] = version_locations([f"x.json#{key}"])
    assert place.keys == keys


def test_pointer__into_a_list() -> None:
    text = json.dumps({"apps": [{"version": "1.0.0"}, {"version": "1.0.0"}], "0": "1.0.0"})
    [place] = version_locations(["x.json#/apps/1/version"])
    new = write(place, text, "1.1.0")
    assert json.loads(new)["apps"] == [{"version": "1.0.0"}, {"version": "1.1.0"}]
    for wrong in ("/apps/2/version", "/apps/01/version", "/apps/-/version", "/apps/" + "1" * 5_000 + "/version"):
        with pytest.raises(InputError, match="has no version at"):
            read(version_locations([f"x.json#{wrong}"])[0], text)


def test_pointer__with_a_wrong_escape__is_refused() -> None:
    with pytest.raises(InputError, match="is no JSON pointer"):
        version_locations(["x.json#/a~2b"])


def test_long_files__cost_what_their_length_costs() -> None:
    for path in ("CMakeLists.txt", "pom.xml", "build.gradle", "notes.txt"):
        [place] = version_locations([path])
        with pytest.raises(InputError, match="holds"):
            read(place, "project(" * 20_000 + "<a " * 20_000 + "version " * 20_000 + "1." * 20_000 + "<!--" * 20_000)

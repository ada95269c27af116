"""The rehearsal's eas takes nothing that the real one would refuse: held against the manifest that npm eas-cli carries."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.contracts.command_lines import EAS, manifest
from rehearsal.eas import VERSION
from rehearsal.eas.__main__ import COMMANDS as CARRIED_OUT
from rehearsal.eas.command_line import ALIASES, COMMANDS, Call, Command, Misused, Unknown, read

REAL = manifest(EAS)


def call(*words: str) -> Call:
    _, line = read(list(words))
    return line()


def test_the_manifest_is_that_of_the_version_it_supports() -> None:
    assert EAS.version == VERSION
    assert REAL["build"]["pluginName"] == "eas-cli"


def test_each_command_is_carried_out() -> None:
    assert set(CARRIED_OUT) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_real_program_has_the_command_with_each_flag_and_argument(name: str) -> None:
    assert differences(COMMANDS[name], REAL[name]) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_what_the_real_program_has_besides_is_known_as_not_supported(name: str) -> None:
    """So that a flag of a newer eas-cli is noticed, and one that is not supported is not called nonexistent."""
    flags = COMMANDS[name].flags
    ours = {message for flag in flags for message in (flag, flags[flag].char, *flags[flag].aliases)}
    real = {
        message
        for flag, one in REAL[name]["flags"].items()
        for message in (flag, one.get("char", ""), *one.get("aliases", []))
    }
    assert sorted(real - ours - {""}) == sorted(COMMANDS[name].unsupported)


@pytest.mark.parametrize(
    "words", [("build", "--auto-submit"), ("build", "-s"), ("update", "--private-key-path=key.pem")]
)
def test_a_flag_that_is_not_supported_is_refused_as_such(words: tuple[str, ...]) -> None:
    with pytest.raises(Misused, match="the rehearsal does not play it"):
        call(*words)


def test_a_flag_that_the_real_program_has_not_would_be_found() -> None:
    assert differences(COMMANDS["build:view"], {**REAL["build:view"], "flags": {}}) == ["json: there is no such flag"]
    changed = {**REAL["build"], "flags": {**REAL["build"]["flags"], "platform": {"type": "boolean"}}}
    assert [one.partition(":")[0] for one in differences(COMMANDS["build"], changed)] == ["platform"] * 3


def test_aliases_are_the_real_ones() -> None:
    assert [(alias, name) for alias, name in ALIASES.items() if alias not in REAL[name]["aliases"]] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("build:view", "--foo"), "Nonexistent flag: --foo"),
        (("update", "--force-end-active-rollout"), "Nonexistent flag: --force-end-active-rollout"),
        (("build", "-p", "windows"), "Expected --platform=windows to be one of: android, ios, all"),
        (("build", "--profile"), "Flag --profile expects a value"),
        (("build:list", "--limit", "900"), "Parsing --limit \n\t--limit must be between 1 and 50"),
        (("build:list", "--limit", "1", "--limit", "2"), "Flag --limit can only be specified once"),
        (
            ("update", "--rollout-percentage", "101"),
            "Parsing --rollout-percentage \n\tExpected an integer less than or equal to 100 but received: 101",
        ),
        (("update:edit", "a", "b"), "Unexpected argument: b"),
        (
            ("update:republish", "--group", "a", "--branch", "b"),
            "The following errors occurred:\n  --branch=b cannot also be provided when using --group\n"
            "  --group=a cannot also be provided when using --branch",
        ),
        (
            ("update:list", "--all", "--branch", "c"),
            "The following errors occurred:\n  --all=true cannot also be provided when using --branch\n"
            "  --branch=c cannot also be provided when using --all",
        ),
        (
            ("update:view",),
            "Missing 1 required arg:\ngroupId  The ID of an update group, or the ID of a platform-specific update.",
        ),
    ],
)
def test_what_the_real_program_refuses_is_refused_in_its_words(words: tuple[str, ...], message: str) -> None:
    """Each was printed by eas-cli 24.8.0 itself."""
    with pytest.raises(Misused) as refused:
        call(*words)
    assert str(refused.value).removesuffix("\nSee more help with --help") == message


def test_words_are_read_as_oclif_reads_them() -> None:
    assert call("build", "-pall", "--profile=production").flags == {
        "wait": True,
        "platform": "all",
        "profile": "production",
    }
    assert call("build", "--no-wait")["wait"] is False
    assert call("build:list", "--buildProfile", "x")["build-profile"] == "x"
    assert call("fingerprint:compare", "h", "--buildId", "a", "--build-id", "b")["build-id"] == ["a", "b"]
    with pytest.raises(Unknown, match=r"^command build:vie not found$"):
        call("build:vie")


def differences(ours: Command, real: dict[str, Any]) -> list[str]:
    """What we take and the real one does not, a sentence each."""
    found = [f"{name}: there is no such flag" for name in ours.flags if name not in real["flags"]]
    for name, flag in ours.flags.items():
        if name not in real["flags"]:
            continue
        theirs = real["flags"][name]
        wanted: dict[str, Any] = {
            "type": "option" if flag.value else "boolean",
            "char": flag.char or None,
            "options": list(flag.options) or None,
            "exclusive": sorted(flag.exclusive),
            "multiple": flag.multiple,
            "allowNo": flag.negatable,
        }
        has = {
            "type": theirs["type"],
            "char": theirs.get("char"),
            "options": theirs.get("options"),
            "exclusive": sorted(theirs.get("exclusive", [])),
            "multiple": theirs.get("multiple", False),
            "allowNo": theirs.get("allowNo", False),
        }
        found += [f"{name}: {key} is {has[key]!r}, not {wanted[key]!r}" for key in wanted if wanted[key] != has[key]]
        found += [f"{name}: {alias} is no alias" for alias in flag.aliases if alias not in theirs.get("aliases", [])]
    arguments = {name: one.get("required", False) for name, one in real["args"].items()}
    return found + ([] if dict(ours.arguments) == arguments else [f"arguments are {arguments}"])

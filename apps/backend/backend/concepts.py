"""Words that mean the same to the people who write notes here.

A hashed embedding knows spelling, not meaning. This small lexicon adds some meaning: words of one line share a
feature, so that a search for "outage" finds a note about a service that was down. Stems, not words: see `stem`.
"""

from __future__ import annotations

import re

_LEXICON = """
    failure: fail failure fault error bug defect crash broken break exception
    outage: outage down unavailable unreachable offline incident
    deploy: deploy release ship rollout publish launch
    undo: rollback roll revert undo restore recover
    slow: slow latency lag delay timeout sluggish
    fast: fast quick speed rapid performance
    user: user customer client people visitor
    login: login signin authenticate password credential session
    security: security vulnerability exploit attack breach leak
    money: cost price invoice bill budget money expense payment
    meeting: meeting call standup appointment calendar agenda
    person: colleague teammate coworker engineer developer
    document: document doc guide manual readme runbook
    database: database postgres sql table migration schema
    storage: disk storage volume backup archive
    phone: phone mobile android ios app
    browser: browser web page website site frontend
    server: server backend api service host
    check: test check verify validate assert
    idea: idea plan proposal suggestion draft
    buy: buy purchase order shop grocery
    food: food meal lunch dinner breakfast eat
    travel: travel trip flight journey holiday vacation
    night: night evening midnight late
    begin: begin start initial open
    finish: finish end complete done close
"""

_SUFFIXES = ("ations", "ation", "ments", "ment", "ings", "ing", "ers", "ies", "ied", "er", "ed", "es", "ly", "s")
_DOUBLED = re.compile(r"([bcdfghjklmnpqrstvwxz])\1$")


def stem(word: str) -> str:
    """The part of a lower-case English word that its forms share: deploy, deployed, deployment -> deploy."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word.removesuffix(suffix)
            break
    word = word[:-1] if len(word) > 3 and word[-1] in "ey" else word
    return _DOUBLED.sub(r"\1", word)


def _read(lexicon: str) -> dict[str, str]:
    concepts: dict[str, str] = {}
    for line in lexicon.split("\n"):
        name, _, words = line.strip().partition(":")
        for word in words.split():
            concepts.setdefault(stem(word), name)
    return concepts


CONCEPTS = _read(_LEXICON)
"""Stem -> name of the concept it belongs to."""

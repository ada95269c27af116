from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from backend.concepts import stem
from backend.embedding import DIMENSIONS, embed, similarity
from backend.notes import LEAST_SCORE

BACKEND = Path(__file__).parents[2]


def near(left: str, right: str) -> float:
    return similarity(embed(left), embed(right))


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("release crash", "The deployment failed on Friday evening"),
        ("deploying", "We deployed twice today"),
        ("outage", "The payment service was down for an hour"),
        ("groceries", "Buy bread and milk at the shop"),
        ("undo a release", "Runbook: how to roll back"),
        ("kuberntes", "Kubernetes upgrade notes"),
    ],
)
def test_what_is_meant_is_near(query: str, note: str) -> None:
    assert near(query, note) >= LEAST_SCORE


@pytest.mark.parametrize(
    ("query", "near_note", "far_note"),
    [
        ("production outage", "The database was unreachable at noon", "Lunch with the new colleague"),
        ("slow page", "Latency of the website doubled", "Invoice of the hosting provider"),
    ],
)
def test_the_nearer_meaning_scores_higher(query: str, near_note: str, far_note: str) -> None:
    assert near(query, near_note) > near(query, far_note) + 0.1


def test_unrelated_texts_are_below_the_threshold() -> None:
    texts = ["Buy bread and milk", "The deployment crashed", "Quarterly security audit", "Holiday in the mountains"]
    scores = [near(left, right) for left in texts for right in texts if left < right]
    assert len(scores) == 6
    assert max(scores) < LEAST_SCORE


def test_a_blank_text_has_no_vector() -> None:
    with pytest.raises(ValueError, match="blank"):
        embed(" \n\t")


def test_signs_alone_have_a_vector() -> None:
    assert near("🚀🚀", "🚀") == pytest.approx(1)
    assert len(embed("?!")) == DIMENSIONS


def test_the_vector_is_the_same_in_every_process() -> None:
    code = "from backend.embedding import embed; print([v.hex() for v in embed('The quick release of v1.2.0')])"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(BACKEND)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {str([value.hex() for value in embed("The quick release of v1.2.0")]).encode() + b"\n"}


@pytest.mark.parametrize(
    "forms",
    [("deploy", "deploys", "deployed", "deploying", "deployment", "deployments"), ("ship", "shipped", "shipping")],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1

"""Documents that jobs hand on: read by their digest, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines import documents
from pipelines.errors import InputError, RefusedError

DOCUMENT = json.dumps({"format": 2, "release": "v1.0.0"}).encode()


def read(document: bytes, digest: str, form: int = 2) -> object:
    return documents.read(document, digest, form=form, where="plan.json", done="approved")


def test_it_is_read_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(DOCUMENT)
    found = documents.fetch(tmp_path / "plan.json", "plan")
    assert read(found, documents.digest_of(DOCUMENT)) == {"format": 2, "release": "v1.0.0"}


def test_another_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="not the one that was approved"):
        read(DOCUMENT + b" ", documents.digest_of(DOCUMENT))
    with pytest.raises(RefusedError, match="not any"):
        read(DOCUMENT, "")
    with pytest.raises(RefusedError, match="has the form 2, this suite knows 3"):
        read(DOCUMENT, documents.digest_of(DOCUMENT), form=3)
    with pytest.raises(InputError, match="there is no plan of the release") as caught:
        documents.fetch(tmp_path / "gone.json", "plan of the release", job="verify")
    assert "the verify job did not run in this run" in caught.value.why

"""An account as JSON and back."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators import saving
from rehearsal.emulators.app_store.model import Plan, UploadFile
from rehearsal.emulators.app_store.state import STORED, Account
from rehearsal.emulators.app_store.uploads import path


def to_json(account: Account) -> dict[str, Any]:
    """Everything but the clock, the pace, and the bytes of files under upload, which stay where they are."""
    return {
        "passed": account.passed,
        "agreements_missing": account.agreements_missing,
        "next_uploads": [saving.to_json(plan) for plan in account.next_uploads],
        "next_reviews": list(account.next_reviews),
        **{name: [saving.to_json(one) for one in account.collection(name).values()] for name in STORED},
    }


def from_json(account: Account, saved: dict[str, Any]) -> None:
    """Replace what the account holds. Parts whose bytes are not here must be sent again."""
    account.passed, account.agreements_missing = saved["passed"], saved["agreements_missing"]
    account.next_uploads = [saving.from_json(Plan, item) for item in saved["next_uploads"]]
    account.next_reviews = list(saved["next_reviews"])
    for name, kind in STORED.items():
        held = account.collection(name)
        held.clear()
        held.update({item["id"]: saving.from_json(kind, item) for item in saved[name]})
    # A version and its submission went through one review, and still share it.
    for submission in account.submissions.values():
        for item in submission.items:
            version = account.versions.get(item.version)
            if version is not None and submission.review == version.review:
                version.review = submission.review
    for file in account.files.values():
        _forget_missing_parts(account, file)


def _forget_missing_parts(account: Account, file: UploadFile) -> None:
    if file.state == "AWAITING_UPLOAD" and not path(account, file).exists():
        for part in file.parts:
            part.tag = None

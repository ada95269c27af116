"""An account as JSON and back."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from rehearsal.emulators.app_store.model import Plan, UploadFile
from rehearsal.emulators.app_store.state import STORED, Account
from rehearsal.emulators.app_store.uploads import path


def to_json(account: Account) -> dict[str, Any]:
    """Everything but the clock, the pace, and the bytes of files under upload, which stay where they are."""
    return {
        "passed": account.passed,
        "agreements_missing": account.agreements_missing,
        "next_uploads": [asdict(plan) for plan in account.next_uploads],
        "next_reviews": list(account.next_reviews),
        **{name: [asdict(one) for one in account.collection(name).values()] for name in STORED},
    }


def from_json(account: Account, saved: dict[str, Any]) -> None:
    """Replace what the account holds. Parts whose bytes are not here must be sent again."""
    account.passed, account.agreements_missing = saved["passed"], saved["agreements_missing"]
    account.next_uploads = [_made(Plan, item) for item in saved["next_uploads"]]
    account.next_reviews = list(saved["next_reviews"])
    for name, kind in STORED.items():
        held = account.collection(name)
        held.clear()
        held.update({item["id"]: _made(kind, item) for item in saved[name]})
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


def _made(kind: Any, value: Any) -> Any:
    """A value of JSON as the type it had."""
    if get_origin(kind) is UnionType:
        if value is None:
            return None
        [kind] = [one for one in get_args(kind) if one is not NoneType]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: _made(hints[name], held) for name, held in value.items()})  # type: ignore[operator]
    if get_origin(kind) is list:
        return [_made(get_args(kind)[0], one) for one in value]
    if get_origin(kind) is tuple:
        return tuple(_made(of, one) for of, one in zip(get_args(kind), value, strict=True))
    return value

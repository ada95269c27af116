"""An account as JSON and back, but for its tokens, which are the world's. Uploads that were not built yet stay where they are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rehearsal.android_bundle import UploadKey
from rehearsal.emulators import saving
from rehearsal.emulators.eas.state import EXPIRED, VALID, Account, Branch, Build, Channel, Plan, Update


@dataclass(kw_only=True)
class Saved:
    """As in `Account`. Times stay as they are: what is due in between has happened when it is loaded and looked at."""

    expired: bool
    concurrency: int
    position: int
    variables: dict[str, str]
    stops_at_mismatch: bool
    passed: float
    key: dict[str, str]
    plans: list[Plan]
    builds: dict[str, Build]
    branches: dict[str, Branch]
    channels: dict[str, Channel]
    updates: dict[str, Update]


def to_json(account: Account) -> dict[str, Any]:
    """Everything but the tokens."""
    same = {one.name: getattr(account, one.name) for one in fields(Saved) if one.name not in {"expired", "key"}}
    return saving.to_json(Saved(expired=EXPIRED in account.tokens.values(), key=_written(account.key), **same))


def from_json(account: Account, raw: dict[str, Any]) -> None:
    """Replace what the account holds."""
    saved = saving.from_json(Saved, raw)
    account.tokens = dict.fromkeys(account.tokens, EXPIRED if saved.expired else VALID)
    account.key = _read(saved.key)
    for one in fields(Saved):
        if one.name not in {"expired", "key"}:
            setattr(account, one.name, getattr(saved, one.name))


def _written(key: UploadKey) -> dict[str, str]:
    private = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "private": private.decode(),
        "certificate": key.certificate.public_bytes(serialization.Encoding.PEM).decode(),
    }


def _read(saved: dict[str, str]) -> UploadKey:
    private = serialization.load_pem_private_key(saved["private"].encode(), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError("the saved upload key is no key on an elliptic curve")
    return UploadKey(private=private, certificate=x509.load_pem_x509_certificate(saved["certificate"].encode()))

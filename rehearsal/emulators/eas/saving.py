"""An account as JSON and back, but for its tokens, which are the world's. Uploads that were not built yet stay where they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rehearsal.android_bundle import UploadKey
from rehearsal.emulators.eas.state import EXPIRED, VALID, Account, Branch, Build, Channel, Launches, Plan, Update


def to_json(account: Account) -> dict[str, Any]:
    """Times stay as they are: what is due in between has happened when it is loaded and looked at."""
    return {
        "expired": EXPIRED in account.tokens.values(),
        "settings": {
            "concurrency": account.concurrency,
            "position": account.position,
            "variables": dict(account.variables),
            "stops_at_mismatch": account.stops_at_mismatch,
            "passed": account.passed,
        },
        "key": _written(account.key),
        "plans": [asdict(plan) for plan in account.plans],
        "builds": [asdict(build) for build in account.builds.values()],
        "branches": [asdict(branch) for branch in account.branches.values()],
        "channels": [asdict(channel) for channel in account.channels.values()],
        "updates": [asdict(update) for update in account.updates.values()],
    }


def from_json(account: Account, saved: dict[str, Any]) -> None:
    """Replace what the account holds."""
    account.tokens = dict.fromkeys(account.tokens, EXPIRED if saved["expired"] else VALID)
    for name, value in saved["settings"].items():
        setattr(account, name, value)
    account.key = _read(saved["key"])
    account.plans = [Plan(**item) for item in saved["plans"]]
    account.builds = {item["id"]: Build(**{**item, "plan": Plan(**item["plan"])}) for item in saved["builds"]}
    account.branches = {item["id"]: Branch(**item) for item in saved["branches"]}
    account.channels = {item["id"]: Channel(**item) for item in saved["channels"]}
    account.updates = {
        item["id"]: Update(**{**item, "launches": [Launches(**one) for one in item["launches"]]})
        for item in saved["updates"]
    }


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

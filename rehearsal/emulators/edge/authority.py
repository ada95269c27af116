"""A certificate authority for one world, and the one certificate it signs."""

from __future__ import annotations

import base64
import datetime
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

_LIFE = datetime.timedelta(days=90)  # as long as the public authorities give


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """PEM files. `leaf_spki` is the base64 SHA-256 of the leaf's public key, as browsers pin it."""

    ca: Path
    leaf: Path
    key: Path
    leaf_spki: str


def issue(folder: Path, names: tuple[str, ...]) -> Certificates:
    """A new authority and a leaf for `names` (DNS names, `*.` allowed), localhost and 127.0.0.1.

    The authority's key is never written: nothing else can be signed once this returns.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Rehearsal", organization_unit_name="Certificate authority")
    leaf = authority.issue_cert(
        *names,
        "localhost",
        "127.0.0.1",
        common_name="Rehearsal edge",
        not_after=datetime.datetime.now(datetime.UTC) + _LIFE,
    )
    [certificate] = leaf.cert_chain_pems
    files = Certificates(
        ca=folder / "ca.pem", leaf=folder / "edge.pem", key=folder / "edge.key", leaf_spki=_spki(certificate.bytes())
    )
    authority.cert_pem.write_to_path(files.ca)
    certificate.write_to_path(files.leaf)
    _write_private(files.key, leaf.private_key_pem.bytes())
    return files


def _spki(certificate: bytes) -> str:
    key = x509.load_pem_x509_certificate(certificate).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def _write_private(path: Path, pem: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)

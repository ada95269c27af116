"""Bundles as they are written are read as a store reads them, and files that are none are refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.android_bundle import BundleManifest, NotABundle, UploadKey, read, write

MANIFEST = "base/manifest/AndroidManifest.xml"


@given(version_code=st.integers(0, 2**31 - 1), version_name=st.text(max_size=20))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, version_code: int, version_name: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "app.aab"
    write(file, package="ai.techmate.app", version_code=version_code, version_name=version_name, key=None)
    assert read(file) == BundleManifest(
        package="ai.techmate.app", version_code=version_code, version_name=version_name, signer=None
    )


def test_the_signer_is_read_from_the_signature(tmp_path: Path) -> None:
    key, file = UploadKey.new(), tmp_path / "app.aab"
    write(file, package="ai.techmate.app", version_code=1, version_name="1.0.0", key=key)
    assert read(file).signer == key.fingerprint
    with zipfile.ZipFile(file) as bundle:
        assert bundle.testzip() is None
        [certificate] = pkcs7.load_der_pkcs7_certificates(bundle.read("META-INF/UPLOAD.EC"))
    assert certificate == key.certificate


def test_a_number_may_be_there_only_in_its_compiled_form(tmp_path: Path) -> None:
    """As bundletool writes it: XmlElement "manifest" whose versionCode has no text, but an Item with a Primitive."""
    package = b"\x12\x07package\x1a\x05a.b.c"
    version_code = b"\x12\x0bversionCode\x28\x9b\x84\x84\x08\x32\x04\x3a\x02\x30\x2a"
    element = b"\x1a\x08manifest\x22" + bytes([len(package)]) + package + b"\x22" + bytes([len(version_code)])
    element += version_code
    file = tmp_path / "app.aab"
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr(MANIFEST, b"\x0a" + bytes([len(element)]) + element + b"\x1a\x04\x08\x01\x10\x02")
    assert read(file) == BundleManifest(package="a.b.c", version_code=42, version_name="", signer=None)


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"\x0a\x05\x1a\x08mani", b"\x0a\x0a\x1a\x08manifest", b"\x0a\x06\x1a\x04node", b"\xff\xff"],
    ids=["empty", "text", "cut off", "without attributes", "another element", "a broken number"],
)
def test_a_manifest_of_another_form_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "app.aab"
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr(MANIFEST, content)
    with pytest.raises(NotABundle):
        read(file)


def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "app.aab"
    file.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(NotABundle):
        read(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("AndroidManifest.xml", b"an APK")
    with pytest.raises(NotABundle, match=MANIFEST):
        read(file)

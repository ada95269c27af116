"""Android App Bundles: the smallest that is real enough to be built in a world, and what a store reads of any.

A bundle is a zip. `base/manifest/AndroidManifest.xml` is the manifest as aapt2's protobuf message XmlNode
(frameworks/base/tools/aapt2/Resources.proto), and a signature by jarsigner is a PKCS#7 block in META-INF.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

_MANIFEST = "base/manifest/AndroidManifest.xml"
_ANDROID = "http://schemas.android.com/apk/res/android"
_VERSION_CODE, _VERSION_NAME = (0x0101021B, "versionCode"), (0x0101021C, "versionName")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Field numbers of Resources.proto.
_ELEMENT = 1
_NAME, _ATTRIBUTE = 3, 4
_ATTRIBUTE_NAME, _ATTRIBUTE_VALUE, _RESOURCE, _ITEM = 2, 3, 5, 6
_PRIMITIVE, _DECIMAL = 7, 6
_LONGEST_MANIFEST = 1 << 20


class NotABundle(ValueError):
    """A file that is no Android App Bundle; the text says what is missing."""


@dataclass(frozen=True, kw_only=True)
class BundleManifest:
    """What a store reads of a bundle."""

    package: str
    version_code: int
    version_name: str
    signer: str | None
    """SHA-1 of the signer's certificate, as `AB:CD:…`; None when it is not signed."""


@dataclass(frozen=True, kw_only=True)
class UploadKey:
    """A key that bundles are signed with before they are uploaded."""

    private: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> UploadKey:
        """A new one, valid for 25 years as Play requires it."""
        private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Upload")])
        begins = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + datetime.timedelta(days=25 * 365 + 7))
            .sign(private, hashes.SHA256())
        )
        return cls(private=private, certificate=certificate)

    @property
    def fingerprint(self) -> str:
        """SHA-1 of the certificate, as `AB:CD:…`."""
        return _fingerprint(self.certificate)


def write(
    file: Path, *, package: str, version_code: int, version_name: str, key: UploadKey | None, padding: bytes = b""
) -> None:
    """Write a bundle that holds a manifest, `padding` in place of code, and the key's signature."""
    content = {
        # bundletool's version, which Play asks for: message BundleConfig { Bundletool bundletool = 1 { version = 2 } }.
        "BundleConfig.pb": _field(1, _field(2, b"1.18.1")),
        _MANIFEST: _manifest(package, version_code, version_name),
        "base/dex/classes.dex": b"dex\n035\x00" + padding,
    }
    with zipfile.ZipFile(file, "w") as bundle:
        for name, data in {**content, **(_signature(content, key) if key else {})}.items():
            bundle.writestr(zipfile.ZipInfo(name), data)


def read(file: Path) -> BundleManifest:
    """What a bundle says of itself. Raises NotABundle.

    The certificate that signed is read; whether its signature fits the files is not looked at.
    """
    try:
        with zipfile.ZipFile(file) as bundle:
            if bundle.getinfo(_MANIFEST).file_size > _LONGEST_MANIFEST:
                raise NotABundle(f"{_MANIFEST} is longer than {_LONGEST_MANIFEST} bytes")
            attributes = _attributes(bundle.read(_MANIFEST))
            blocks = [name for name in bundle.namelist() if _is_signature(name)]
            signer = _signer(bundle.read(blocks[0])) if blocks else None
    except (zipfile.BadZipFile, KeyError, IndexError, UnicodeDecodeError) as error:
        raise NotABundle(f"not a zip that holds {_MANIFEST} in its protobuf form: {error}") from error
    code = attributes.get("versionCode", "")
    if not attributes.get("package") or not code.isdecimal():
        raise NotABundle(f"{_MANIFEST} names no package or no versionCode")
    return BundleManifest(
        package=attributes["package"],
        version_code=int(code),
        version_name=attributes.get("versionName", ""),
        signer=signer,
    )


def _manifest(package: str, version_code: int, version_name: str) -> bytes:
    decimal = _field(_PRIMITIVE, _number(_DECIMAL, version_code))
    attributes = (
        _attribute("package", package),
        _attribute(_VERSION_CODE[1], str(version_code), resource=_VERSION_CODE[0], item=decimal),
        _attribute(_VERSION_NAME[1], version_name, resource=_VERSION_NAME[0]),
    )
    element = _field(_NAME, b"manifest") + b"".join(_field(_ATTRIBUTE, each) for each in attributes)
    return _field(_ELEMENT, element)


def _attribute(name: str, value: str, *, resource: int = 0, item: bytes = b"") -> bytes:
    written = _field(1, _ANDROID.encode()) if resource else b""
    written += _field(_ATTRIBUTE_NAME, name.encode()) + _field(_ATTRIBUTE_VALUE, value.encode())
    written += _number(_RESOURCE, resource) if resource else b""
    return written + (_field(_ITEM, item) if item else b"")


def _attributes(manifest: bytes) -> dict[str, str]:
    """Attributes of the root element."""
    element = _first(manifest, _ELEMENT)
    if _first(element, _NAME) != b"manifest":
        raise KeyError("manifest")
    found: dict[str, str] = {}
    for number, value in _fields(element):
        if number == _ATTRIBUTE and isinstance(value, bytes):
            named = dict(_fields(value))
            name, text = named.get(_ATTRIBUTE_NAME, b""), named.get(_ATTRIBUTE_VALUE, b"")
            found[_text(name)] = _text(text) or _compiled(named.get(_ITEM))
    return found


def _compiled(item: int | bytes | None) -> str:
    """A compiled number: bundletool leaves the text out where it is one."""
    primitive = dict(_fields(item)).get(_PRIMITIVE) if isinstance(item, bytes) else None
    decimal = dict(_fields(primitive)).get(_DECIMAL) if isinstance(primitive, bytes) else None
    return "" if decimal is None else str(decimal)


def _text(value: int | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else ""


def _first(message: bytes, wanted: int) -> bytes:
    for number, value in _fields(message):
        if number == wanted and isinstance(value, bytes):
            return value
    raise KeyError(f"field {wanted}")


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of a protobuf message. Raises IndexError where it ends too early."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise IndexError(f"wire type {kind}")
        if at + length > len(message):
            raise IndexError("the message is cut off")
        yield number, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _number(number: int, value: int) -> bytes:
    return _encoded(number << 3 | _VARINT) + _encoded(value)


def _field(number: int, value: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(value)) + value


def _encoded(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _signature(content: dict[str, bytes], key: UploadKey) -> dict[str, bytes]:
    """The three files of a signed JAR."""
    lines = [f"Name: {name}\r\nSHA-256-Digest: {_digest(data)}\r\n\r\n" for name, data in content.items()]
    manifest = "".join(["Manifest-Version: 1.0\r\n\r\n", *lines]).encode()
    signed = f"Signature-Version: 1.0\r\nSHA-256-Digest-Manifest: {_digest(manifest)}\r\n\r\n".encode()
    block = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(signed)
        .add_signer(key.certificate, key.private, hashes.SHA256())
        .sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    )
    return {"META-INF/MANIFEST.MF": manifest, "META-INF/UPLOAD.SF": signed, "META-INF/UPLOAD.EC": block}


def _digest(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _is_signature(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return folder == "META-INF" and file.upper().endswith((".RSA", ".DSA", ".EC"))


def _signer(block: bytes) -> str:
    try:
        return _fingerprint(pkcs7.load_der_pkcs7_certificates(block)[0])
    except ValueError as error:
        raise NotABundle(f"the signature's block cannot be read: {error}") from error


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA1()).hex(":").upper()  # noqa: S303 - Play names keys by it

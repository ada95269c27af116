"""CRC32C (Castagnoli), the checksum Secret Manager carries beside each payload (RFC 3720 appendix B.4)."""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78  # reflected


def _row(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ (_POLYNOMIAL if index & 1 else 0)
    return index


_TABLE = tuple(_row(index) for index in range(256))


def crc32c(data: bytes) -> int:
    """The checksum of `data` as an unsigned 32-bit number."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF

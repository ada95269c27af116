"""What the page is looked at with."""

from __future__ import annotations

from typing import Any

DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1100, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
"""What a browser context is made with."""

"""How a page looks, against a picture in e2e/pictures/: one for every machine, since all text is drawn as blocks of one size.

Compared by tiles of 16 by 16 pixels. A tile differs when more than a quarter of its pixels do, by more than a browser's own
smoothing of edges makes; a line of text or a border that moves by one pixel stays below that.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from e2e.block_font import block_font

FOLDER = Path(__file__).parent / "pictures"
_TILE = 16
_SHARE = 0.25
_DELTA = 40
"""Of 255, in the colour of a pixel that differs most."""
_NAMED = 5

_DRAW_AS_BLOCKS = """async (font) => {
  const bytes = Uint8Array.from(atob(font), (character) => character.charCodeAt(0));
  document.fonts.add(await new FontFace("Blocks", bytes.buffer).load());
  const sheet = new CSSStyleSheet();
  // The footer says which release this is, in as many words as it takes.
  sheet.replaceSync("* { font-family: Blocks !important } footer { visibility: hidden }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""

_COMPARE = """async ([shown, wanted, tile, share, delta]) => {
  const pixels = async (text) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const drawing = new OffscreenCanvas(image.width, image.height).getContext("2d");
    drawing.drawImage(image, 0, 0);
    return drawing.getImageData(0, 0, image.width, image.height);
  };
  const name = (x, y) => {
    const element = document.elementFromPoint(x, y);
    const words = element?.ariaLabel ?? element?.innerText ?? "";
    return element === null ? "" : `${element.localName} “${words.trim().slice(0, 40)}”`;
  };
  const [one, other] = [await pixels(shown), await pixels(wanted)];
  const size = (image) => `${image.width} by ${image.height}`;
  const result = { shown: size(one), wanted: size(other), tiles: [] };
  if (result.shown !== result.wanted) return result;
  for (let top = 0; top < one.height; top += tile) {
    for (let left = 0; left < one.width; left += tile) {
      const [right, bottom] = [Math.min(left + tile, one.width), Math.min(top + tile, one.height)];
      let different = 0;
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const at = 4 * (y * one.width + x);
          const by = (channel) => Math.abs(one.data[at + channel] - other.data[at + channel]);
          if (Math.max(by(0), by(1), by(2)) > delta) different++;
        }
      }
      if (different > share * (right - left) * (bottom - top)) {
        result.tiles.push({ left, top, element: name((left + right) / 2, (top + bottom) / 2) });
      }
    }
  }
  return result;
}"""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """`artifacts`: where a picture that differs is kept. `update`: take what is shown for what is wanted."""

    artifacts: Path | None
    update: bool
    folder: Path = FOLDER

    def require(self, page: Page, name: str) -> None:
        """Fails when the page does not look like the picture of that name, or when there is none: nothing passes unseen."""
        page.evaluate(_DRAW_AS_BLOCKS, base64.b64encode(block_font()).decode())
        shown = page.screenshot(full_page=True, animations="disabled", scale="css")
        file = self.folder / f"{name}.png"
        if self.update:
            self.folder.mkdir(exist_ok=True)
            file.write_bytes(shown)
            return
        if message := self._difference(page, shown, file):
            if self.artifacts:
                (self.artifacts / f"{name}-shown.png").write_bytes(shown)
                if file.is_file():
                    (self.artifacts / f"{name}-wanted.png").write_bytes(file.read_bytes())
            raise AssertionError(
                f"{name}: {message}\n  next: fix it, or where it is meant take the picture anew and look at it: "
                "python -m e2e.local -k looks --update-pictures"
            )

    def _difference(self, page: Page, shown: bytes, file: Path) -> str:
        if not file.is_file():
            return f"there is no picture of it ({file.name})"
        encoded = [base64.b64encode(content).decode() for content in (shown, file.read_bytes())]
        found: dict[str, Any] = page.evaluate(_COMPARE, [*encoded, _TILE, _SHARE, _DELTA])
        if found["shown"] != found["wanted"]:
            return f"the page is {found['shown']} pixels large, in the picture {found['wanted']}"
        tiles = found["tiles"]
        if not tiles:
            return ""
        elements = list(dict.fromkeys(tile["element"] for tile in tiles if tile["element"]))
        named = ", ".join(elements[:_NAMED]) or "nothing that is in view"
        first = f"{tiles[0]['left']}, {tiles[0]['top']}"
        return f"looks different in {len(tiles)} tiles of {_TILE} pixels, the first at ({first}): {named}"

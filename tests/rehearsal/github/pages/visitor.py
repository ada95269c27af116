"""Someone with a browser without JavaScript: opens pages, fills in the forms that are really there, presses buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


@dataclass
class Button:
    text: str = ""
    label: str = ""
    name: str = ""
    value: str = ""
    disabled: bool = False


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)


@dataclass
class Document:
    """What a page says, and what can be done on it."""

    status: int
    url: str
    html: str
    headers: dict[str, str]
    text: str = ""
    title: str = ""
    forms: list[Form] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    """Text -> address."""
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Every element with its attributes."""

    def buttons(self) -> list[str]:
        return [button.label or button.text for form in self.forms for button in form.buttons if not button.disabled]

    def form(self, button: str) -> tuple[Form, Button]:
        """The one form with a button of this name; where a dialog is opened by a button of the same name, its own."""
        found = [(form, one) for form in self.forms for one in form.buttons if button in (one.label, one.text)]
        found = [pair for pair in found if pair[0].method == "post"] if len(found) > 1 else found
        assert len(found) == 1, f"{len(found)} buttons {button!r} on {self.url}; there are {self.buttons()}"
        return found[0]


class _Reader(HTMLParser):
    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._form: Form | None = None
        self._button: Button | None = None
        self._link: str | None = None
        self._select = ""
        self._textarea = ""
        self._words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._document.tags.append((tag, given))
        if tag in ("script", "style"):
            self._silent += 1
        elif tag == "form":
            self._form = Form(action=given.get("action", ""), method=given.get("method", "get"))
            self._document.forms.append(self._form)
        elif tag == "a":
            self._link = given.get("href", "")
            self._words = []
        elif self._form is not None:
            self._in_form(tag, given, self._form)

    def _in_form(self, tag: str, given: dict[str, str], form: Form) -> None:
        name = given.get("name", "")
        if tag == "button":
            self._button = Button(
                label=given.get("aria-label", ""),
                name=name,
                value=given.get("value", ""),
                disabled="disabled" in given,
            )
            self._words = []
            form.buttons.append(self._button)
        elif tag == "input" and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            form.fields[name] = given.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = given.get("value", "\0text")
        elif tag == "textarea":
            form.fields[name] = ""

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        self._document.text += data
        self._words.append(data)
        if self._form is not None and self._select and self._form.fields.get(self._select) == "\0text" and data.strip():
            self._form.fields[self._select] = data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent -= 1
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "button" and self._button is not None:
            self._button.text = " ".join("".join(self._words).split())
            self._button = None
        elif tag == "a" and self._link is not None:
            self._document.links[" ".join("".join(self._words).split())] = self._link
            self._link = None


class Visitor:
    """One browser with its cookies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.web = requests.Session()

    def open(self, path: str, *, status: int = 200, **headers: str) -> Document:
        answer = self.web.get(urljoin(self.url, path), headers=headers, timeout=30)
        return self._read(answer, status)

    def sign_in(self, login: str) -> Visitor:
        self.press(self.open("/login"), f"Sign in as {login}")
        return self

    def press(self, page: Document, button: str, *, status: int = 200, **fields: str | None) -> Document:
        """Send the form of a button with what it holds; `fields` are filled in first (None: a box unticked)."""
        form, pressed = page.form(button)
        assert not pressed.disabled, f"{button} cannot be pressed"
        values = {**form.fields, **fields}
        if pressed.name:
            values[pressed.name] = pressed.value
        sent = {name: value for name, value in values.items() if value is not None and name}
        answer = self.web.request(form.method, urljoin(page.url, form.action), data=sent, timeout=30)
        return self._read(answer, status)

    def _read(self, answer: requests.Response, status: int) -> Document:
        assert answer.status_code == status, f"{answer.status_code} {answer.url}\n{answer.text[:2000]}"
        document = Document(
            status=answer.status_code, url=answer.url, html=answer.text, headers=dict(answer.headers.items())
        )
        if "html" in answer.headers.get("content-type", ""):
            _Reader(document).feed(answer.text)
        return document

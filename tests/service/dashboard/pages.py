"""A page of the service as tests read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx


@dataclass(slots=True)
class Element:
    tag: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Page:
    """Its text with single spaces, and its elements in order."""

    text: str
    elements: list[Element] = field(default_factory=list)

    def values(self, tag: str, attribute: str) -> list[str]:
        """Of every such element that has the attribute."""
        found = (each.attributes for each in self.elements if each.tag == tag)
        return [attributes[attribute] for attributes in found if attribute in attributes]

    def link(self, *, rel: str) -> str | None:
        """The address of the one link of this kind."""
        links = [each.attributes for each in self.elements if each.tag == "a"]
        hrefs = [link["href"] for link in links if link.get("rel") == rel]
        assert len(hrefs) < 2, hrefs
        return hrefs[0] if hrefs else None

    @property
    def current(self) -> list[str]:
        """The addresses of the links that are marked as what is shown."""
        links = [each.attributes for each in self.elements if each.tag == "a"]
        return [link["href"] for link in links if "aria-current" in link]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[Element] = []

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def read(answer: httpx.Response, *, status: int = 200) -> Page:
    """Of an answer that is a page."""
    assert answer.status_code == status, answer.text[:2000]
    assert answer.headers["Content-Type"].startswith("text/html")
    reader = _Reader()
    reader.feed(answer.text)
    return Page(" ".join(reader.words), reader.elements)

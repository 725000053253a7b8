"""A mail in the pseudo-language lies the other way round in a real browser: what began on the left begins on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.test_pseudo_mails import EDITIONS, mails_of, read

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_EDGES = """() => [...document.querySelectorAll("h1, .meta, .more, .small")].map(element => {
  const words = document.createRange(), cell = element.closest("td").getBoundingClientRect()
  words.selectNodeContents(element)
  const box = words.getBoundingClientRect()
  return [box.left - cell.left, cell.right - box.right]
})"""
_OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("name", ["full", "compact", "weekly"])
def test_a_mail_from_right_to_left(browser: Browser, name: str, width: int) -> None:
    subject, page, _ = read(next(mails_of(*EDITIONS[name])))
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        shown = context.new_page()
        shown.set_content(page)
        assert shown.title() == subject
        assert shown.evaluate("() => getComputedStyle(document.body).direction") == "rtl"
        assert shown.evaluate(_OVERFLOW) <= 0
        edges = shown.evaluate(_EDGES)
    assert len(edges) > 5
    assert all(right <= 25 for _, right in edges), edges
    assert any(left > 25 for left, _ in edges), "lines that do not fill their cell show which side they begin on"

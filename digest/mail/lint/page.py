"""Rules about what the reader sees: the html part, the plain part, and that both say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from digest.mail.inbound.parsed_message import ParsedMessage, fold, is_hidden, words_of
from digest.mail.lint import contrast as colours
from digest.translation import translation

LARGEST = 90_000
"""Bytes of html: Gmail clips at about 102 kB."""
PREHEADER = (40, 130)
COLUMNS = 78
SMALLEST = 13
_MARKER = re.compile(r"m[0-9a-f]{10}-[a-z]+(?:-[a-z]+)*-m")
_PLACEHOLDER = re.compile(r"\{\{-?\s*[a-z_][\w.]*(?:\([^(){}]*\))?\s*(?:\|[^{}]*)?-?\}\}|\{%-?\s*[a-z]+\b[^{}%]*%\}")
_FORBIDDEN = (
    "script",
    "iframe",
    "object",
    "embed",
    "applet",
    "form",
    "input",
    "video",
    "audio",
    "base",
    "svg",
    "frame",
    "canvas",
)
_URL = re.compile(r"https?://[^\s<>\"]+")

# caniemail.com, May 2026: (what to look for in declarations, what to say). These break the layout where they are not known.
_BREAKING = (
    (r"\bdisplay\s*:\s*(?:inline-)?flex\b", "display:flex is unknown to Outlook and partly to Gmail"),
    (r"\bdisplay\s*:\s*(?:inline-)?grid\b", "display:grid is unknown to Outlook, Gmail and Yahoo"),
    (r"(?<![\w-])position\s*:\s*(?:absolute|fixed|sticky|relative)\b", "position is taken out by Gmail, Yahoo and Outlook"),
    (r"\bvar\(\s*--", "var() is unknown to Gmail, Yahoo and Outlook"),
    (r"\bcalc\(", "calc() is unknown to Outlook and Yahoo"),
    (r"\b(?:clamp|min|max)\(", "clamp(), min() and max() are unknown to Outlook and Yahoo"),
    (r"\blight-dark\(", "light-dark() is unknown to most clients"),
    (r"@import\b", "@import is taken out by Gmail, Yahoo and Outlook"),
    (r"(?<![\w.#])-?\d*\.?\d+(?:rem|vw|vh)\b", "rem, vw and vh are unknown to Outlook; px are known to all"),
)
# … and these are only lost.
_DECORATING = (
    (r"\bbox-shadow\s*:", "box-shadow is unknown to Outlook and Gmail on phones"),
    (r"\btext-shadow\s*:", "text-shadow is unknown to Outlook"),
    (r"\b(?:linear|radial|conic)-gradient\(", "gradients are unknown to Outlook and Yahoo"),
    (r"\b(?:animation|transition|transform)\s*:", "animations and transforms are unknown to Gmail and Outlook"),
    (r"(?<![\w-])opacity\s*:", "opacity is unknown to Outlook"),
    (r"\b(?:rgba|hsla?|oklch|lab|lch)\(", "only #rrggbb colours are known to all"),
    (r"\bbackground-image\s*:", "background-image is unknown to Outlook"),
    (r"\b(?:object-fit|filter|clip-path|mix-blend-mode)\s*:", "effects on images are unknown to Gmail and Outlook"),
)


def size(letter: ParsedMessage) -> Iterator[str]:
    if (bytes_of := len(letter.html.encode())) > LARGEST:
        yield f"the html part has {bytes_of:,} bytes; over {LARGEST:,} Gmail may clip it"


def doctype(letter: ParsedMessage) -> Iterator[str]:
    if letter.html and not letter.html.startswith("<!DOCTYPE html>"):
        yield "the html part should begin with <!DOCTYPE html>"


def lang(letter: ParsedMessage) -> Iterator[str]:
    if letter.tree is not None:
        for name in ("lang", "dir"):
            if not letter.tree.get(name):
                yield f"<html> should say {name}, for those who listen to their mail"


def title(letter: ParsedMessage) -> Iterator[str]:
    text = fold("".join(words_of(element) for element in letter.elements("title")))
    if letter.tree is not None and text != fold(letter.words("Subject")):
        yield f"<title> {text[:40]!r} should be the subject"


def preheader(letter: ParsedMessage) -> Iterator[str]:
    if letter.tree is None:
        return
    hidden = (e for e in letter.elements("div", "span", "p") if re.search(r"display\s*:\s*none", e.get("style", "")))
    length = len(next((words_of(element) for element in hidden), ""))
    least, most = PREHEADER
    if not least <= length <= most:
        yield f"the preheader has {length} characters; should be {least} to {most}"


def markers(letter: ParsedMessage) -> Iterator[str]:
    """Markers of the edition itself, where it is known which those are: a paper's title may look like one."""
    if letter.nonces:
        marker = re.compile(rf"m(?:{'|'.join(letter.nonces)})-[a-z]+(?:-[a-z]+)*-m")
        yield from (f"the {part} part still has {found}" for part, found in _found(marker, letter))


def perhaps_markers(letter: ParsedMessage) -> Iterator[str]:
    """What looks like a marker, where it is not known how those of the edition are spelled."""
    for part, found in () if letter.nonces else _found(_MARKER, letter):
        yield f"the {part} part has {found}, which looks like a marker left over"


def _found(marker: re.Pattern[str], letter: ParsedMessage) -> Iterator[tuple[str, str]]:
    for part, text in (("plain", letter.text), ("html", letter.html), ("header", letter.head.decode("ascii", "replace"))):
        if found := marker.search(text):
            yield part, found[0]


def placeholders(letter: ParsedMessage) -> Iterator[str]:
    for part, text in (("plain", letter.text), ("html", letter.html)):
        if found := _PLACEHOLDER.search(text):
            yield f"the {part} part has {fold(found[0])[:40]!r}, which looks like a template's"


def elements(letter: ParsedMessage) -> Iterator[str]:
    for element in letter.elements(*_FORBIDDEN):
        yield f"<{element.tag}> is taken out by mail clients, or the mail is refused for it"
    for element in letter.elements():
        if handlers := [name for name in map(str, element.attrib) if name.lower().startswith("on")]:
            yield f"<{element.tag}> has {handlers[0]}: scripts never run in mail"


def links(letter: ParsedMessage) -> Iterator[str]:
    for href in dict.fromkeys(letter.hrefs()):
        parts = urlsplit(href) if _is_url(href) else None
        absolute = parts is not None and parts.scheme in ("http", "https") and parts.netloc
        if not absolute and not href.startswith("mailto:"):
            yield f"the link {href[:60]!r} should be an absolute http(s) address"


def remote(letter: ParsedMessage) -> Iterator[str]:
    """What a client would fetch by itself: it tells that the mail was opened."""
    fetched = [e.get(name, "") for e in letter.elements() for name in ("src", "srcset", "background", "poster") if e.get(name)]
    fetched += [e.get("href", "") for e in letter.elements("link")]
    styles = [e.get("style", "") for e in letter.elements()] + [e.text or "" for e in letter.elements("style")]
    fetched += [url.strip("'\" ") for style in styles for url in re.findall(r"url\(([^)]*)\)", style)]
    for url in dict.fromkeys(fetched):
        if not url.startswith("cid:"):
            yield f"{url[:60]!r} would be fetched when the mail is opened"


def unsubscribe(letter: ParsedMessage) -> Iterator[str]:
    if not letter.listed:
        return
    words = _unsubscribe_words(letter.first("Content-Language"))
    found = [
        e.get("href", "")
        for e in letter.elements("a")
        if any(word in words_of(e).casefold() for word in words) and not is_hidden(e)
    ]
    if not found:
        yield "the html part has no link that says Unsubscribe"
    said = "|".join(map(re.escape, words))
    if not re.search(rf"(?:{said})\W*https?://" + ("" if letter.one_click else "|mailto:"), letter.text.casefold()):
        yield "the plain part has no address to unsubscribe at"


def _unsubscribe_words(language: str) -> frozenset[str]:
    """What the link is called in English, and in the language that the mail says it is in."""
    try:
        return frozenset(
            spoken.gettext("Unsubscribe").casefold() for spoken in (translation("en"), translation(language or "en"))
        )
    except ValueError:  # somebody else's mail
        return frozenset({"unsubscribe"})


def agreement(letter: ParsedMessage) -> Iterator[str]:
    """Both parts have the same titles and the same links."""
    if letter.tree is None or not letter.text:
        return
    plain = fold(letter.text)
    unspaced = re.sub(r"\s", "", letter.text)
    for heading in letter.elements("h1", "h2"):
        if re.sub(r"\s", "", words_of(heading)) not in unspaced:
            yield f"the plain part lacks the title {words_of(heading)[:60]!r}"
    in_html = dict.fromkeys(href for href in letter.hrefs() if href.startswith(("http:", "https:")))
    in_text = dict.fromkeys(_URL.findall(plain))
    if missing := [url for url in in_html if url not in in_text]:
        yield f"{len(missing)} links of the html part are not in the plain part, such as {missing[0][:60]}"
    if missing := [url for url in in_text if url not in in_html and url not in words_of(letter.tree)]:
        yield f"{len(missing)} links of the plain part are not in the html part, such as {missing[0][:60]}"


def text_width(letter: ParsedMessage) -> Iterator[str]:
    wide = [line for line in letter.text.splitlines() if len(line) > COLUMNS and len(line.split()) > 1]
    if wide:
        yield f"{len(wide)} plain lines are wider than {COLUMNS} columns, such as {wide[0].strip()[:40]!r}"
    if crowded := [line for line in letter.text.splitlines() if len(line.split()) > 1 and _URL.search(line)]:
        yield f"an address should stand alone on its line: {crowded[0].strip()[:60]!r}"


def css(letter: ParsedMessage) -> Iterator[str]:
    yield from _unsupported(letter, _BREAKING)


def css_decoration(letter: ParsedMessage) -> Iterator[str]:
    yield from _unsupported(letter, _DECORATING)


def _unsupported(letter: ParsedMessage, table: tuple[tuple[str, str], ...]) -> Iterator[str]:
    text = _css(letter) + ";" + ";".join(e.get("style", "") for e in letter.elements())
    yield from (message for pattern, message in table if re.search(pattern, text, re.IGNORECASE))


def _css(letter: ParsedMessage) -> str:
    return "\n".join(element.text or "" for element in letter.elements("style"))


def small_print(letter: ParsedMessage) -> Iterator[str]:
    for element in letter.elements():
        text = re.match(r"(\d+(?:\.\d+)?)px", colours.declarations(element.get("style", "")).get("font-size", ""))
        if text and float(text[1]) < SMALLEST and words_of(element) and not is_hidden(element):
            yield f"{words_of(element)[:40]!r} is set in {text[1]} px; should be at least {SMALLEST}"


def contrast(letter: ParsedMessage) -> Iterator[str]:
    if letter.tree is not None:
        for faint in colours.faint_texts(letter.tree, _css(letter)):
            mode = "dark" if faint.dark else "light"
            yield f"{faint.text!r} has {faint.ratio:.2f}:1 in {mode} mode; should have {colours.LEAST}:1"


def dark(letter: ParsedMessage) -> Iterator[str]:
    if letter.tree is None:
        return
    schemes = [meta.get("content", "") for meta in letter.elements("meta") if meta.get("name") == "color-scheme"]
    if not any("dark" in scheme for scheme in schemes) or not colours.dark_rules(_css(letter)):
        yield "no dark colours: a color-scheme meta and a prefers-color-scheme media query say them"


def alt(letter: ParsedMessage) -> Iterator[str]:
    for image in letter.elements("img"):
        if image.get("alt") is None:
            yield f"the image {image.get('src', '')[:60]!r} has no alt text"


def _is_url(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True

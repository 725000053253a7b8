"""The catalogues of translations: brought up to date with what code and templates say, and checked.

A catalogue is digest/locale/<language>/LC_MESSAGES/digest.po; English is what code and templates say themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from digest.translation import LANGUAGES, catalogue_file

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

_KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "phrase": None,
    "phrases": (1, 2),
    "N_": None,
}
"""Functions whose arguments are messages: those of templates and of digest/translation.py, and of domain/phrase.py."""
_METHODS = (("**.py", "python"), ("**.html", "jinja2.ext:babel_extract"), ("**.txt", "jinja2.ext:babel_extract"))
_AS_WE_RENDER = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_TAG = re.compile(r"</?\w+[^>]*>")
_CHURN = re.compile(
    rb'^"(?:Project-Id-Version|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By'
    rb"|Report-Msgid-Bugs-To):.*\n",
    re.MULTILINE,
)
"""Lines of a catalogue's head that change without its messages."""
_SHOWN = 60


def extracted(folders: Iterable[Path]) -> Catalog:
    """Every message of the code and the templates below `folders`, each with the file and line where it stands."""
    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract_from_dir

    catalogue = Catalog(project="digest", charset="utf-8")
    for folder in folders:
        options = {pattern: _AS_WE_RENDER for pattern, method in _METHODS if method != "python"}
        for file, line, message, _, context in extract_from_dir(
            folder, list(_METHODS), options, _KEYWORDS, comment_tags=(), directory_filter=_is_ours
        ):
            catalogue.add(message, locations=[(f"{folder.name}/{file}", line)], context=context)
    return catalogue


def _is_ours(folder: str) -> bool:
    return not Path(folder).name.startswith((".", "_data", "__pycache__"))


def update(folders: Iterable[Path], languages: Iterable[str] = LANGUAGES[1:]) -> dict[str, int]:
    """Writes the catalogues anew: new messages without a translation, those not used any more left out.

    Says how many of each are not translated.
    """
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    messages, missing = extracted(folders), {}
    for language in languages:
        file = catalogue_file(language)
        catalogue = _read(file, language) if file.is_file() else Catalog(locale=_locale(language), charset="utf-8")
        catalogue.project, catalogue.version, catalogue.header_comment = "digest", "", ""
        catalogue.update(messages, no_fuzzy_matching=True, update_header_comment=False)
        catalogue.fuzzy = False
        written = BytesIO()
        write_po(written, catalogue, width=110, ignore_obsolete=True, include_lineno=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_CHURN.sub(b"", written.getvalue()).lstrip(b"#\n"))
        missing[language] = sum(not _is_translated(each, catalogue) for each in catalogue if each.id)
    return missing


def faults(folders: Iterable[Path], languages: Iterable[str] = LANGUAGES[1:]) -> list[str]:
    """One line for each thing that is wrong with a catalogue, with its place; none where all are complete."""
    messages = extracted(folders)
    return [fault for language in languages for fault in _faults(messages, language)]


def _faults(messages: Catalog, language: str) -> Iterator[str]:
    file = catalogue_file(language)
    place = "/".join(file.parts[-5:])
    if not file.is_file():
        yield f"{place}: is missing; `digest translations update` makes it"
        return
    from babel.messages.plurals import get_plural
    from babel.messages.pofile import PoFileError

    try:
        catalogue = _read(file, language)
    except (PoFileError, UnicodeDecodeError, ValueError) as error:
        yield f"{place}: cannot be read: {error}"
        return
    forms = get_plural(_locale(language)).num_plurals
    if catalogue.num_plurals != forms:
        yield f"{place}:1: has {catalogue.num_plurals} plural forms; {language} has {forms}"
    for message in messages:
        found = catalogue.get(message.id, message.context) if message.id else None
        if message.id and (found is None or _ids(found) != _ids(message)):
            at = ":".join(map(str, message.locations[0]))
            yield f"{place}: {_shown(message)} of {at} is not in it; `digest translations update` puts it there"
    for message in catalogue:
        if message.id:
            yield from (f"{place}:{message.lineno}: {_shown(message)} {why}" for why in _wrong(message, messages))


def _wrong(message: Message, messages: Catalog) -> Iterator[str]:
    if messages.get(message.id, message.context) is None:
        yield "is not used any more; `digest translations update` takes it out"
        return
    if message.fuzzy:
        yield "is fuzzy: somebody should look at it"
    texts = _texts(message)
    if not all(texts) or not texts:
        yield "is not translated" if not any(texts) else "has no translation for one of its plural forms"
        return
    ids = _ids(message)
    wanted = {name for each in ids for name in _PLACEHOLDER.findall(each)}
    optional = {"n"} if message.pluralizable else set()
    for text in texts:
        given = set(_PLACEHOLDER.findall(text))
        if given - wanted or wanted - optional - given:
            odd = ", ".join(sorted((given - wanted) | (wanted - optional - given)))
            yield f"has other placeholders than its translation: {odd}"
        elif wanted and not _can_be_filled(text, wanted):
            yield "has a % in its translation that is no placeholder: write %%"
        if sorted(_TAG.findall(text)) != sorted(_TAG.findall(ids[-1])):
            yield "has other tags than its translation"


def _can_be_filled(text: str, names: set[str]) -> bool:
    try:
        text % dict.fromkeys(names, "")
    except (KeyError, TypeError, ValueError):
        return False
    return True


def _texts(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _is_translated(message: Message, catalogue: Catalog) -> bool:
    texts = _texts(message)
    return bool(texts) and all(texts) and (not message.pluralizable or len(texts) == catalogue.num_plurals)


def _shown(message: Message) -> str:
    text = _ids(message)[0]
    return f"“{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}”"


def _read(file: Path, language: str) -> Catalog:
    from babel.messages.pofile import read_po

    with file.open("rb") as text:
        return read_po(text, locale=_locale(language), abort_invalid=True)


def _locale(language: str) -> str:
    return language.replace("-", "_")

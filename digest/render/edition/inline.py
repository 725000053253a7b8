"""CSS into style attributes, because many mail clients drop the style element."""

from __future__ import annotations

import logging
from functools import lru_cache

from lxml import etree, html
from premailer import Premailer

from digest.domain.errors import TemplateError
from digest.render.environment import Templates

STYLESHEET = "mail/_base/inline.css"
DOCTYPE = "<!DOCTYPE html>"


def inline_css(templates: Templates, document: str) -> str:
    """`document`, rendered, with the stylesheet's rules in style attributes. Style elements, classes and conditional comments
    stay: dark mode lives in them. Nothing is fetched from anywhere.
    """
    try:
        root = html.document_fromstring(document)
        _inliner(templates.render(STYLESHEET)).transform(root)
        for element in root.iterfind(".//*[@style]"):
            element.set("style", element.get("style", "").replace("; ", ";"))  # a byte a property, in every card of every mail
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise TemplateError(STYLESHEET, f"cannot be inlined: {type(error).__name__}: {error}") from error
    return etree.tostring(root, method="html", encoding="unicode", doctype=DOCTYPE) + "\n"


@lru_cache(maxsize=8)
def _inliner(sheet: str) -> Premailer:
    made = Premailer(
        css_text=sheet,
        disable_leftover_css=True,  # else the sheet would also be kept as a style element
        keep_style_tags=True,
        remove_classes=False,
        strip_important=False,
        disable_validation=True,
        disable_basic_attributes=[
            "align",
            "valign",
            "bgcolor",
            "width",
            "height",
        ],  # the templates say these where Word needs them
        allow_network=False,
        allow_loading_external_files=False,
        cssutils_logging_level=logging.CRITICAL,
    )
    made._parse_style_rules = lru_cache(maxsize=8)(made._parse_style_rules)  # the same sheets, in every edition
    return made

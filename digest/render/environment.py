"""Templates: ours, and before them those an operator put in a folder of the same shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import jinja2
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from digest.domain.errors import TemplateError
from digest.domain.phrase import Phrase
from digest.render.text.text_wrap import breakable, wrap
from digest.translation import Translation, translation

_AFTER_NUMBER = re.compile(r"(?<=\d) (?=\w)")


class Templates:
    """Renders templates by their path under the template folders ("mail/edition/body.html").

    Sandboxed, because operators and what they paste are not us; a name that is not given is an error, never an empty string;
    what goes into .html is escaped, what goes into .txt is not. Earlier folders win, file by file.

    A template says what it shows by `_("…")`, `ngettext("…", "…", n)` or {% trans %}, with values by name; `language` and
    `direction` are of the language that it is rendered in, and filters write dates, times, numbers and lists as that does.
    """

    def __init__(self, folders: Sequence[Path], language: str = "en") -> None:
        self._folders = tuple(folders)
        self.translation = translation(language)
        self.in_language: Callable[[str], Templates] = cache(
            lambda other: self if other == language else Templates(folders, other)
        )
        """The same templates in another language. Raises ValueError."""
        self._environment = ImmutableSandboxedEnvironment(
            loader=jinja2.FileSystemLoader(list(self._folders)),
            autoescape=jinja2.select_autoescape(enabled_extensions=("html",), default_for_string=False, default=False),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            extensions=["jinja2.ext.i18n"],
            finalize=lambda value: self.translation.phrase(value) if isinstance(value, Phrase) else value,
        )
        self._environment.policies["ext.i18n.trimmed"] = True
        self._environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension reads it
        self._environment.globals |= _translating(self.translation)
        self._environment.filters |= {
            name: getattr(self.translation, name) for name in ("date", "month", "weekday", "time", "number", "known")
        }
        self._environment.filters["enumerated"] = self.translation.list  # `list` is Jinja's own
        self._environment.filters["wrap"] = wrap
        self._environment.filters["unbroken"] = _unbroken
        self._environment.filters["breakable"] = lambda text: Markup(breakable(str(text)))  # noqa: S704  # it escapes

    def render(self, name: str, **values: object) -> str:
        """The rendered template, LF lines. Raises TemplateError naming the file and the line that is to blame."""
        try:
            return self._environment.get_template(name).render(values)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(
                f"{error.filename or error.name or name} line {error.lineno}", error.message or "cannot be parsed"
            ) from error
        except jinja2.TemplateNotFound as error:
            tried = ", ".join(str(folder) for folder in self._folders)
            raise TemplateError(str(error.name or name), f"is in none of these folders: {tried}") from error
        except UnicodeDecodeError as error:
            raise TemplateError(name, f"is not UTF-8 (byte {error.start})") from error
        except OSError as error:
            raise TemplateError(name, f"cannot be read: {error.strerror}") from error
        except Exception as error:  # a template can raise anything: what it calls, divides or recurses into is its author's
            place, line = self._blame(error, name)
            raise TemplateError(f"{place} line {line}", f"{type(error).__name__}: {_one_line(str(error))}") from error

    def check_all(self) -> int:
        """Reads and parses every template there is; says how many. Raises TemplateError for the first that cannot be."""
        names = self._environment.list_templates(extensions=["html", "txt", "css"])
        for name in names:
            self.check(name)
        return len(names)

    def check(self, name: str) -> None:
        """Reads and parses a template without rendering it. Raises TemplateError."""
        try:
            self._environment.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(
                f"{error.filename or error.name or name} line {error.lineno}", error.message or "cannot be parsed"
            ) from error
        except (jinja2.TemplateNotFound, OSError, UnicodeDecodeError) as error:
            raise TemplateError(name, "is missing, or cannot be read as UTF-8") from error

    def line(self, name: str, **values: object) -> str:
        """The rendered template as one line: for a subject. No line break or control character survives."""
        rendered = "".join(c if c.isprintable() else " " for c in self.render(name, **values))
        return " ".join(rendered.split())

    def _blame(self, error: BaseException, name: str) -> tuple[str, int]:
        """The innermost template line in the traceback: Jinja2 rewrites frames so that they show the template's own file."""
        place, line, traceback = name, 0, error.__traceback__
        while traceback is not None:
            file = Path(traceback.tb_frame.f_code.co_filename)
            for folder in self._folders:
                if file.is_relative_to(folder):
                    place, line = str(file), traceback.tb_lineno
            traceback = traceback.tb_next
        return place, line


def _unbroken(text: str) -> str:
    """A number and what it counts stay on one line: "7 days", "6 November"."""
    return type(text)(_AFTER_NUMBER.sub("\u00a0", text))


def _translating(into: Translation) -> dict[str, object]:
    """What templates call. Values are escaped where the template escapes; the messages themselves may hold tags."""

    def shown(context: Context, fill: Callable[..., str], *message: object, values: dict[str, object]) -> str:
        if not context.eval_ctx.autoescape:
            return fill(*message, **values)
        return Markup(fill(*message, **{name: escape(into.shown(value)) for name, value in values.items()}))  # noqa: S704

    @jinja2.pass_context
    def gettext(context: Context, msgid: str, /, **values: object) -> str:
        return shown(context, into.gettext, msgid, values=values)

    @jinja2.pass_context
    def ngettext(context: Context, one: str, many: str, n: int, /, **values: object) -> str:
        return shown(context, into.ngettext, one, many, n, values=values)

    @jinja2.pass_context
    def pgettext(context: Context, about: str, msgid: str, /, **values: object) -> str:
        return shown(context, into.pgettext, about, msgid, values=values)

    @jinja2.pass_context
    def npgettext(context: Context, about: str, one: str, many: str, n: int, /, **values: object) -> str:
        return shown(context, into.npgettext, about, one, many, n, values=values)

    functions = {"_": gettext, "gettext": gettext, "ngettext": ngettext, "pgettext": pgettext, "npgettext": npgettext}
    turned = into.direction == "rtl"
    return {**functions, "language": into.language, "direction": into.direction, "back": "←→"[turned], "on": "→←"[turned]}


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]

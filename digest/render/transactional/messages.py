"""Mails that answer one person or tell the operator something: each kind a folder of three templates, in the edition's hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time

from digest.domain.edition import Rendered
from digest.domain.errors import TemplateError
from digest.domain.schedule import Frequency, parse_weekdays
from digest.render.edition.cards import CUT
from digest.render.edition.inline import inline_css
from digest.render.edition.markers import Markers
from digest.render.edition.personalise import CARDS
from digest.render.edition.views import ENGLISH, SenderView
from digest.render.environment import Templates
from digest.render.text.one_line import clean
from digest.render.text.schedule_words import due_in_words
from digest.translation import Translation


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered mail: `subject` is one line, `html` and `text` have LF lines."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """What "confirm", "welcome" and "goodbye" may say. Of what a visitor typed, only the address.

    `title` and `description` are the list's; `weekdays` is as in the command line ("daily", "mon,thu").
    """

    title: str
    address: str
    sender: SenderView
    description: str = ""
    hour: str = "07:00"
    timezone: str = "UTC"
    weekdays: str = "daily"
    frequency: Frequency = Frequency.DAILY
    confirm_url: str = ""
    confirm_days: int = 7
    """How long that link works."""
    manage_url: str = ""
    unsubscribe_url: str = ""
    papers: str = ""
    """Stands where an edition's cards are to go; empty: the mail has none."""
    papers_of: str = ""
    """The day of that edition, in words."""
    spoken: Translation = ENGLISH

    @property
    def when(self) -> str:
        """ "every day at 07:00 (Europe/Berlin)"."""
        days = parse_weekdays(self.weekdays)
        return due_in_words(self.spoken, self.frequency, days, time.fromisoformat(self.hour), self.timezone)

    @property
    def lang(self) -> str:
        return self.spoken.language

    @property
    def dir(self) -> str:
        return self.spoken.direction


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """What the operator should know: a headline, what was seen, and how to fix it, a sentence a line."""

    headline: str
    seen: tuple[str, ...]
    fix: tuple[str, ...]
    at: str
    sender: SenderView
    lang: str = "en"
    dir: str = "ltr"

    def __post_init__(self) -> None:
        object.__setattr__(self, "headline", clean(self.headline))
        for name in ("seen", "fix"):
            object.__setattr__(self, name, tuple(clean(line) for line in getattr(self, name)))


def render_welcome(templates: Templates, view: NoticeView, edition: Rendered, day: str) -> Rendered:
    """A welcome around an edition's cards, to be composed as the edition itself is. `day` is the edition's, in words.

    Raises TemplateError.
    """
    markers = Markers(edition.nonce)
    cut, cards = markers.mark(CUT), markers.mark(CARDS)
    message = render_message(templates, "welcome", replace(view, papers=cut, papers_of=day))
    html, text = message.html.replace(f"<!--{cut}-->", cards), message.text.replace(cut, cards)
    for name, part in (("body.html", html), ("body.txt", text)):
        if part.count(cards) != 1:
            raise TemplateError(f"mail/welcome/{name}", "should have view.papers once (in html as a comment between table rows)")
    return replace(edition, subject=message.subject, html=html, text=text)


def render_message(templates: Templates, kind: str, view: NoticeView | AlertView) -> Message:
    """`kind` is a folder under mail/: "confirm", "welcome", "goodbye", "alert"; in the language of `templates`.

    Raises TemplateError.
    """
    if isinstance(view, NoticeView):
        view = replace(view, spoken=templates.translation)
    subject = templates.line(f"mail/{kind}/subject.txt", view=view)
    document = templates.render(f"mail/{kind}/body.html", view=view, subject=subject)
    return Message(subject, inline_css(templates, document), templates.render(f"mail/{kind}/body.txt", view=view))

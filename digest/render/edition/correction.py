"""A correction as mail: what the operator has to say about an edition, to those who got it, in the edition's hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from digest.domain.edition import Edition, PaperList, Rendered
from digest.render.edition.inline import inline_css
from digest.render.edition.markers import Markers
from digest.render.edition.views import ENGLISH, EditionLinks, SenderView
from digest.render.environment import Templates
from digest.render.text.one_line import clean
from digest.render.text.web_url import web_url
from digest.translation import Translation

_KIND = "mail/correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionView:
    """What the templates may see. `words` are the operator's paragraphs."""

    title: str
    short_date: str
    words: tuple[str, ...]
    view_url: str
    sender: SenderView
    seed: str
    lang: str = "en"
    dir: str = "ltr"

    @classmethod
    def of(
        cls, correction: Edition, paper_list: PaperList, links: EditionLinks, sender: SenderView, spoken: Translation = ENGLISH
    ) -> Self:
        return cls(
            title=clean(paper_list.title),
            short_date=spoken.date(correction.date),
            words=tuple(clean(note) for note in correction.notes),
            view_url=web_url(links.edition(paper_list.name, correction.slug)),
            sender=sender,
            seed=f"{correction.list}/{correction.slug}/{correction.content_hash}",
            lang=spoken.language,
            dir=spoken.direction,
        )


def render_correction(templates: Templates, view: CorrectionView) -> Rendered:
    """A shell without cards. Raises TemplateError."""
    markers = Markers.for_texts(view.seed, (view.title, *view.words, view.sender.name, view.sender.postal_address))
    subject = templates.line(f"{_KIND}/subject.txt", view=view)
    document = templates.render(f"{_KIND}/body.html", view=view, mark=markers.mark, subject=subject)
    text = templates.render(f"{_KIND}/body.txt", view=view, mark=markers.mark)
    words = " ".join(view.words)
    return Rendered(
        subject=subject,
        html=inline_css(templates, document),
        text=text,
        cards=(),
        nonce=markers.nonce,
        language=view.lang,
        preheader=words if len(words) <= 110 else words[:109].rsplit(" ", 1)[0] + "…",
    )

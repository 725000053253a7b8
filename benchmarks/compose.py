"""What composing a personal mail costs: ready pieces joined, against EmailMessage and rendering per reader.

    python benchmarks/compose.py [MAILS]

Prints one JSON line. A mail has ten cards, two signed links a card in both parts, and about 40 kB.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from functools import lru_cache
from itertools import count
from pathlib import Path

import jinja2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digest.domain.edition import Card, Rendered
from digest.domain.subscriber import Address
from digest.mail.auth.dkim import Signer, SigningKey
from digest.mail.message.headers import HeaderTemplate, Sender
from digest.mail.verp import VerpSigner
from digest.render.edition.compose import Composer
from digest.render.edition.markers import Markers
from digest.render.edition.personalise import CARDS, CardSelection, CardUse, Personal
from tests.mails import assemble

AT = datetime(2026, 11, 23, 7, tzinfo=UTC)
ABSTRACT = "We study how language models learn to say what they know, and find that “less” is often more. " * 5
STYLE = 'style="margin:0;padding:8px 24px;font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:24px;color:#1a1a1a"'
NAIVE = jinja2.Environment(autoescape=True).from_string(
    "{% for c in cards %}<tr><td {{ style|safe }}>{{ loop.index }} <a href='{{ c.url }}'>{{ c.title }}</a>"
    "<p {{ style|safe }}>{{ c.abstract }}</p><p {{ style|safe }}><a href='{{ c.more }}'>more</a> "
    "<a href='{{ c.less }}'>less</a></p></td></tr>{% endfor %}"
)


def edition() -> Rendered:
    markers = Markers("0123456789")
    mark = markers.mark
    cards = tuple(
        Card(
            paper_id=n,
            html=f'<tr><td {STYLE}>{mark("number")} <a {STYLE} href="https://arxiv.org/abs/2611.{n:05}">A paper about {n}</a>\n'
            f"<p {STYLE}>{ABSTRACT}</p>\n<p {STYLE}>{mark('reasons')}</p>\n<p {STYLE}>{ABSTRACT}</p>\n"
            f'<p {STYLE}><a {STYLE} href="{mark("more-url")}">More like this</a> '
            f'<a {STYLE} href="{mark("less-url")}">Less</a></p></td></tr>\n',
            text=f"{mark('number')}. A paper about {n}\n    {ABSTRACT}\n    {mark('reasons')}\n"
            f"    {mark('more-url')}\n    {mark('less-url')}\n\n",
        )
        for n in range(300)
    )
    return Rendered(
        subject="Papers of the day",
        html=f"<!DOCTYPE html>\n<html><head><style>{STYLE * 30}</style></head><body><div>{mark('preheader')}</div><table>\n"
        f'{mark(CARDS)}</table>{mark("why")} <a href="{mark("unsubscribe-url")}">Unsubscribe</a>'
        f' <a href="{mark("manage-url")}">Preferences</a></body></html>\n',
        text=f"Papers\n\n{mark(CARDS)}\n{mark('why')}\n{mark('unsubscribe-url')}\n{mark('manage-url')}\n",
        cards=cards,
        nonce=markers.nonce,
        picks=tuple(range(10)),
    )


@lru_cache(maxsize=4)
def chosen(positions: tuple[int, ...]) -> CardSelection:
    own = [
        {"number": str(rank), "reasons": "+42 upvotes and +310 stars since yesterday"} for rank in range(1, len(positions) + 1)
    ]
    uses = [CardUse(position=position, html=each, text=each) for position, each in zip(positions, own, strict=True)]
    shell = {"preheader": "A paper about 1 · A paper about 2"}
    return CardSelection(shell_html=shell, shell_text={}, cards=tuple(uses))


def reader(number: int, positions: tuple[int, ...]) -> Personal:
    """Every link is this reader's own, as long as a signed one."""
    base = f"https://papers.example.org/l/{number:09}"
    token = "Zm9vYmFyYmF6.aGVsbG8gd29ybGQ.c2lnbmF0dXJlIG9mIHR3ZW50eSBi"
    urls = {f"{name}-url": f"{base}/{name}/{token}/" for name in ("unsubscribe", "manage", "more", "less")}
    own = {**urls, "why": f"You get this because reader{number}@example.org asked for it."}
    return Personal(selection=chosen(positions), html=own, text=own)


def seconds_each(work: list[Personal], compose: object) -> float:
    start = time.process_time()
    for own in work:
        compose(own)  # type: ignore[operator]
    return (time.process_time() - start) / len(work)


def main(mails: int) -> None:
    rendered = edition()
    composer = Composer(rendered)
    headers = HeaderTemplate(
        Sender(name="Trending papers", address=Address("digest@papers.example.org")), VerpSigner(b"benchmark key of some bytes"),
        subject=rendered.subject, boundary=composer.boundary, list_name="daily", list_title="Daily papers", campaign="2026-11-23",
        archive_url="https://papers.example.org/lists/daily", help_url="https://papers.example.org/about",
    )  # fmt: skip
    to = Address("reader@mail.example")
    header = headers.address(1, to, AT, "https://papers.example.org/u/1").header
    own_picks = [reader(n, rendered.picks) for n in range(mails)]
    personal = [reader(n, tuple((n * 7 + k * 13) % 300 for k in range(10))) for n in range(mails)]
    size = len(b"".join((header, *composer.pieces(own_picks[0]))))
    for own in personal:
        composer.pieces(own)  # every card encoded once, as in a run that has warmed up

    def naive(own: Personal) -> bytes:
        cards = [
            {"title": f"A paper about {use.position}", "abstract": ABSTRACT * 2, "url": "https://arxiv.org/abs/1",
             "more": own.html["more-url"], "less": own.html["less-url"]} for use in own.selection.cards
        ]  # fmt: skip
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = "digest@papers.example.org", to.text, rendered.subject
        html, text = NAIVE.render(cards=cards, style=STYLE), assemble(rendered, own)[1]
        message.set_content(text, cte="quoted-printable")
        message.add_alternative(html, subtype="html", cte="quoted-printable")
        return message.as_bytes()

    numbers = count(10**6)

    def with_header(own: Personal) -> bytes:
        return headers.address(next(numbers), to, AT, own.text["unsubscribe-url"]).header + b"".join(composer.pieces(own))

    from cryptography.hazmat.primitives.asymmetric import rsa

    signer = Signer([SigningKey("papers.example.org", "s1", rsa.generate_private_key(65537, 2048))])
    body = composer.pieces(own_picks[0])
    composer_own = seconds_each(
        [reader(n + 10**6, rendered.picks) for n in range(mails)], lambda own: b"".join((header, *composer.pieces(own)))
    )
    complete = seconds_each([reader(n + 2 * 10**6, rendered.picks) for n in range(mails)], with_header)
    composed_personal = seconds_each(
        [reader(n + 3 * 10**6, tuple((n * 7 + k * 13) % 300 for k in range(10))) for n in range(mails)],
        lambda own: b"".join((header, *composer.pieces(own))),
    )
    signing = seconds_each(own_picks[:500], lambda own: signer.sign(header, body, AT))
    naive_each = seconds_each(own_picks[: max(mails // 20, 20)], naive)
    print(
        json.dumps(
            {
                "benchmark": "compose",
                "mails": mails,
                "bytes": size,
                "own_picks_us": round(composer_own * 1e6, 1),
                "own_picks_with_header_us": round(complete * 1e6, 1),
                "personal_picks_us": round(composed_personal * 1e6, 1),
                "render_and_emailmessage_us": round(naive_each * 1e6, 1),
                "times_faster": round(naive_each / complete, 1),
                "rsa2048_signed_per_second": round(1 / signing),
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)

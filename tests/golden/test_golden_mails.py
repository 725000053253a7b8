"""Every kind of mail, whole, as its reader gets it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from digest.domain.edition import Update
from digest.render.edition.personalise import own_picks, selected, subject_of
from digest.render.transactional.messages import AlertView, NoticeView, render_message
from tests.editions import LIST, SENDER, TEMPLATES, WHY, Reader, edition, rendered
from tests.mails import assemble, personal

Golden = Callable[[str, str], None]

NOTICE = NoticeView(
    title=LIST.title,
    description=LIST.description,
    address="reader@example.org",
    sender=SENDER,
    weekdays="mon,wed,fri",
    timezone="Europe/Berlin",
    confirm_url="https://papers.example/confirm/17.sig",
    manage_url=Reader().manage,
    unsubscribe_url=Reader().unsubscribe,
)
ALERT = AlertView(
    headline="No relay answers",
    seen=("smtp.example.org:587 refused the connection for 12 minutes.", "412 deliveries wait; nothing is lost."),
    fix=("Check that the host is up and lets port 587 through.",),
    at="6 November 2025, 07:12 UTC",
    sender=SENDER,
)
SILENT = "Nothing new from huggingface since 4 November: papers may be missing here; they follow once they are shown."
UPDATES = (
    Update(identifier="arxiv:2510.00001", kind="withdrawn", title="A Clock Without Springs", what="withdrawn"),
    Update(
        identifier="arxiv:2510.00002",
        kind="venue",
        title="Tighter Bounds for $k$-Armed Clocks",
        what="accepted at NeurIPS 2025",
        url="https://arxiv.org/abs/2510.00002",
    ),
    Update(
        identifier="arxiv:2510.00003",
        kind="code",
        title="One <Clock> & Two Hands",
        what="code released",
        url="https://github.com/clocks/two-hands",
    ),
)
EDITIONS = {
    "full": (
        edition(notes=("Nothing new from huggingface since 4 November: papers may be missing here.",), updates=UPDATES),
        "full",
    ),
    "compact": (edition(), "compact"),
    "empty": (edition((), notes=("all 12 papers of the last 7 days were in earlier editions",)), "full"),
}


@pytest.mark.parametrize("name", EDITIONS)
def test_edition(name: str, golden: Golden) -> None:
    made, style = EDITIONS[name]
    mail = rendered(made, style)
    html, text = assemble(mail, personal(mail, own_picks(mail), Reader(), WHY))
    golden(f"{name}.html", html)
    golden(f"{name}.txt", f"Subject: {subject_of(mail, selected(mail, own_picks(mail)))}\n\n{text}")


@pytest.mark.parametrize("kind", ["confirm", "welcome", "goodbye", "link", "address", "moved", "library", "alert"])
def test_message(kind: str, golden: Golden) -> None:
    message = render_message(TEMPLATES, kind, ALERT if kind == "alert" else NOTICE)
    golden(f"{kind}.html", message.html)
    golden(f"{kind}.txt", f"Subject: {message.subject}\n\n{message.text}")

"""Real mornings as the mails they become: recorded pages of Hugging Face, our editions and notices, signed, as a reader gets
them. Judged by others' tools (tests/shared/test_judged_mail.py, ./run bench judged) and photographed (docs/pictures.py).
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from digest.config import Database, Dkim, ListSettings, Mail, Secrets, Settings, Web
from digest.container import Container
from digest.domain.edition import Edition, PaperList, Rendered, Update
from digest.domain.notice import Notice, NoticeKind
from digest.domain.subscriber import Address, NewReader
from digest.mail.auth.dkim import new_key
from digest.services.editions.message_composer import one_off
from digest.services.monitoring.alerts import Finding
from digest.services.operations.service import drafted
from digest.services.papers.import_files import load
from tests.servers.stocked import CONSENT
from tests.shared_data import SHARED

STYLES = ("full", "compact")
DAYS = (date(2026, 5, 19), date(2026, 5, 20), date(2026, 5, 21), date(2026, 5, 22), date(2026, 5, 25))
READER = Address("ada@inbox.example.net")
_KEPT = "We first named the second paper twice; it was there once.\n\nThe list on the web is right now. Sorry for the noise."
_SILENT = "Nothing new from arxiv since 21 May: papers may be missing here; they follow once they are shown."
_UPDATES = (
    Update(
        identifier="arxiv:2605.00002",
        kind="venue",
        title="Tighter Bounds for $k$-Armed Bandits with Delayed Feedback",
        what="accepted at NeurIPS 2026",
        url="https://arxiv.org/abs/2605.00002",
    ),
    Update(identifier="arxiv:2605.00001", kind="withdrawn", title="A Clock Without Springs", what="withdrawn"),
)
_FINDING = Finding(
    "relay",
    "Mail is not going out",
    ("smtp.example.net:587: the certificate is not for this host.", "412 deliveries wait; nothing is lost."),
    ("Try each relay, its TLS and our login: digest doctor", "No reader is to blame: nothing is counted against them."),
)


@dataclass(frozen=True)
class RealMail:
    """The mails, and a zone file (name, type, value a line) in which their sender is whom it says it is."""

    mornings: tuple[Path, ...]
    """Five editions in full style: <day>.eml."""
    compact: tuple[Path, ...]
    """The same in compact style: <day>-compact.eml."""
    others: Mapping[str, Path]
    """One mail of each other kind, by its name."""
    zone: Path


def real_mail(folder: Path, language: str = "en") -> RealMail:
    """Of a list in that language. Written to `folder`: <day>.eml, <day>-compact.eml, <kind>.eml, zone."""
    unpack(folder / "pages")
    (folder / "rsa.pem").write_bytes(new_key("rsa"))
    mornings: dict[str, dict[str, bytes]] = {style: {} for style in STYLES}
    now = datetime.now(UTC)
    """Mails are dated now: filters hold an old date against a mail, and that is not about the mail."""
    with Container(settings_of(folder, language=language)) as container:
        load([folder / "pages"], container.adapters.store, None, datetime(2026, 5, 26, tzinfo=UTC))
        paper_list = container.adapters.paper_list(None)
        with container.adapters.store.begin() as unit:
            unit.subscribers.add_confirmed([NewReader(READER, paper_list.name)], CONSENT, datetime(2026, 5, 1, tzinfo=UTC))
        for day in DAYS:
            at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            edition = container.editions.edition(paper_list, day, at)
            for style, made in mornings.items():
                name = f"{day}" if style == "full" else f"{day}-{style}"
                made[name] = container.editions.preview(edition, paper_list, READER, now, style=style).data
        others = dict(_others(container, edition, paper_list, now))
        (key,) = container.adapters.signing_keys
    for name, data in {**mornings["full"], **mornings["compact"], **others}.items():
        (folder / f"{name}.eml").write_bytes(data)
    record, value = key.record()
    zone = folder / "zone"
    zone.write_text(
        f"{record} TXT {value}\n"
        "papers.example.org TXT v=spf1 ip4:198.18.0.10 -all\n"
        "papers.example.org MX 10 mail.papers.example.org\n"
        "papers.example.org A 198.18.0.10\n"
        "_dmarc.papers.example.org TXT v=DMARC1; p=reject\n"
        "mail.papers.example.org A 198.18.0.10\n"
        "10.0.18.198.in-addr.arpa PTR mail.papers.example.org\n"
    )
    full, compact = (tuple(folder / f"{name}.eml" for name in mornings[style]) for style in STYLES)
    return RealMail(full, compact, {name: folder / f"{name}.eml" for name in others}, zone)


def settings_of(folder: Path, base_url: str = "https://papers.example.org", language: str = "en") -> Settings:
    return Settings(
        database=Database(url=f"sqlite:///{folder / 'digest.sqlite3'}"),
        secrets=Secrets(key_file=folder / "digest.key"),
        web=Web(base_url=base_url),
        lists=(ListSettings(name="daily", title="Trending papers", language=language),),
        mail=Mail(
            from_name="Trending papers",
            from_address="digest@papers.example.org",
            postal_address="Reading Group, 1 Long Street, 10115 Berlin, Germany",
        ),
        dkim=Dkim(rsa_key_file=folder / "rsa.pem"),
    )


def _others(container: Container, edition: Edition, paper_list: PaperList, now: datetime) -> list[tuple[str, bytes]]:
    """Every other kind of mail around the last morning's edition."""
    subscription = container.subscriptions.subscription(READER, paper_list)
    claimed = one_off(READER, edition, now, subscription.public_id)
    edition_renderer, store = container.adapters.edition_renderer, container.adapters.store
    with store.read() as unit:
        rendered = unit.editions.rendered(edition.id)
        edition = replace(edition, pool=tuple(unit.editions.pool(edition.id)))
    noted = replace(edition, notes=(_SILENT,), updates=_UPDATES)
    empty = replace(edition, picks=(), pool=(), notes=("all 12 papers of the last 7 days were in earlier editions",))
    correction = drafted(edition, _KEPT, now)
    welcome = Notice(NoticeKind.WELCOME, subscription)
    shell = container.notice_composer.welcome(welcome, edition, rendered, now)

    def made(draft: Edition, rendered: Rendered) -> bytes:
        return edition_renderer.message_composer(draft, paper_list, rendered)(claimed, None).data

    return [
        ("noted", made(noted, edition_renderer.render(noted, paper_list))),
        ("empty-day", made(empty, edition_renderer.render(empty, paper_list))),
        ("correction", made(correction, container.operations.render_correction(correction, paper_list))),
        ("welcome", made(edition, shell)),
        ("confirm", container.notice_composer.envelope(Notice(NoticeKind.CONFIRM, subscription), now).data),
        ("welcome-alone", container.notice_composer.envelope(welcome, now).data),
        ("goodbye", container.notice_composer.envelope(Notice(NoticeKind.GOODBYE, subscription), now).data),
        ("alert", container.monitoring.alert_mail(_FINDING, Address("operator@inbox.example.net"), now).data),
    ]


def unpack(folder: Path) -> None:
    """The pages of the week before the first of the days, and of the days."""
    folder.mkdir()
    with tarfile.open(SHARED / "data/hf_history/raw_api_daily_papers.tar.xz") as archive:
        for member in archive:
            name = Path(member.name).name
            if "2026-05-12" <= name[:10] <= "2026-05-25":
                (folder / name).write_bytes((archive.extractfile(member) or io.BytesIO()).read())

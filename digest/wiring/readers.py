"""What readers and operators ask for, and what their mail servers answer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from digest.domain.errors import RelayUnreachable
from digest.domain.subscriber import Address
from digest.links import Purpose
from digest.wiring.sending import Sending

if TYPE_CHECKING:
    from digest.domain.feedback import Feedback
    from digest.domain.interest import Understood
    from digest.services.feedback.process import Heeded
    from digest.services.notices.pending import Outlook
    from digest.services.subscriptions.subscriber_csv import RosterReport


class Readers(Sending):
    """Parts that know readers."""

    def import_subscribers(self, file: Path, confirmed: bool, at: datetime) -> RosterReport:
        """Confirmations that follow are owed: `mail_owed` sends them. Raises InvalidInput for a file that is no roster."""
        from digest.services.subscriptions.subscriber_csv import import_roster

        return import_roster(
            file,
            self.store,
            self.address,
            [each.name for each in self.lists],
            self.preferences(None, None),
            at,
            confirmed=confirmed,
        )

    def outlook(self, now: datetime) -> Outlook:
        """How many confirmations are owed, and who sends them. `now` by the real clock."""
        from digest.services.notices.pending import outlook

        return outlook(self.store, now)

    def add_interests(
        self, address: Address, files: Sequence[Path], text: str, mute: str, clear: bool, at: datetime
    ) -> Understood:
        """Adds to every subscription of an address. Raises NotFound for an unknown one."""
        from digest.services.papers.import_files import known_papers, papers_in
        from digest.services.subscriptions.interests import add_interests

        def read_papers(file: Path) -> tuple[dict[str, str], list[str]]:
            named, problems = papers_in(file, at)
            found, unknown = known_papers(named, self.store)
            return found, problems + unknown

        return add_interests(self.store, read_papers, address, files, text, mute, clear)

    def heed(self, feedback: Feedback, at: datetime, *, trusted: bool) -> Heeded:
        """Does what a mail that came back asks for; mails the notices that follow where there is a relay."""
        from digest.services.feedback.process import HeedPolicy, heed

        limits = self.settings.inbound
        policy = HeedPolicy(soft_limit=limits.soft_limit, settled_after=timedelta(days=limits.settled_after_days))

        def confirming(token: str, instant: datetime) -> str:
            return self.links.read(Purpose.CONFIRM, token, instant)

        heeded = heed(feedback, self.store, at, policy, self.stamps, trusted=trusted, read_confirmation=confirming)
        if self.settings.relays:
            for notice in heeded.notices:
                with suppress(RelayUnreachable):  # what was asked for is done; a goodbye that cannot go out undoes nothing
                    self.mail_notice(notice, at)
        return heeded

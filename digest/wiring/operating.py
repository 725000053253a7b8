"""What an operator does to lists and editions that are on their way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from digest.domain.delivery import Envelope
from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.errors import InvalidInput, NotFound
from digest.domain.subscriber import Address
from digest.wiring.readers import Readers

if TYPE_CHECKING:
    from digest.services.monitoring.alerts import Finding
    from digest.services.operations.cancel import Cancelled
    from digest.services.operations.correct import Corrected
    from digest.services.operations.redeliver import Requeued
    from digest.services.scheduler.election import Election


class Operating(Readers):
    """Parts that undo."""

    def edition_named(self, name: str) -> Edition:
        """ "LIST/DATE", or "DATE" of the first list: one that was made. Raises InvalidInput, NotFound."""
        list_name, _, day = name.rpartition("/")
        try:
            wanted = date.fromisoformat(day)
        except ValueError:
            raise InvalidInput(f"edition {name[:60]!r}", "should be like daily/2026-05-27") from None
        paper_list = self.paper_list(list_name or None)
        with self.store.read() as unit:
            found = unit.editions.find(paper_list.name, wanted)
        if found is None:
            raise NotFound(f"edition {paper_list.name}/{wanted}", "it was never made")
        return found

    @property
    def hash_address(self) -> Callable[[str], str]:
        """What suppressions and logs know an address by."""
        return self._hash_address

    def remaining(self, at: datetime) -> int:
        """How many deliveries are due or claimed."""
        with self.store.read() as unit:
            return unit.pulse.remaining(at)

    def check_schema(self) -> None:
        """Raises SchemaMismatch where the database has been migrated under our feet."""
        from digest.store.migrate import check

        check(self.store.engine)

    def election(self, clock: Callable[[], datetime]) -> Election:
        from digest.services.scheduler.election import Election

        return Election(self.store, clock)

    def postman(self, clock: Callable[[], datetime]) -> Election:
        """Whoever sends what is owed by itself stands for it now and then: `outlook` tells that somebody does."""
        from digest.services.scheduler.election import POSTMAN, Election

        return Election(self.store, clock, name=POSTMAN, term=timedelta(minutes=1))

    def pause(self, names: Sequence[str], reason: str, at: datetime) -> tuple[str, ...]:
        from digest.services.operations.pause import pause

        return pause(self.store, names, reason, at)

    def resume(self, names: Sequence[str]) -> tuple[str, ...]:
        from digest.services.operations.pause import resume

        return resume(self.store, names)

    def cancel(self, edition: Edition, reason: str) -> Cancelled:
        from digest.services.operations.cancel import cancel

        return cancel(self.store, edition, reason)

    def correct(self, edition: Edition, text: str, at: datetime, *, unsure: bool = False) -> Corrected:
        from digest.services.operations.correct import correct

        return correct(
            self.store, self.render_correction, self.press, self.paper_list(edition.list), edition, text, at, unsure=unsure
        )

    def render_correction(self, draft: Edition, paper_list: PaperList) -> Rendered:
        """A correction (services/operations/correct.py's draft) as mail. Raises TemplateError."""
        from digest.render.edition.correction import CorrectionView, render_correction
        from digest.render.edition.views import SenderView

        sender = SenderView(name=self.sender.name, home_url=self.links.base_url, postal_address=self.sender.postal_address)
        return render_correction(self.templates, CorrectionView.of(draft, paper_list, self.links, sender))

    def redeliver(
        self,
        edition: Edition,
        at: datetime,
        *,
        unsure: bool = False,
        reinstate: bool = False,
        only: Address | None = None,
    ) -> Requeued:
        """`only` that reader's copy, before everybody's. Raises NotFound for somebody who is not subscribed."""
        from digest.services.operations.redeliver import redeliver

        mine = self.subscription(only, self.paper_list(edition.list)).id if only else None
        return redeliver(self.store, edition, at, unsure=unsure, reinstate=reinstate, only=mine)

    def findings(self, at: datetime) -> tuple[Finding, ...]:
        """What the store shows to be wrong."""
        from digest.services.monitoring.alerts import Policy, look, of_key, of_passed_over

        policy = Policy(overdue=timedelta(seconds=self.settings.alerts.overdue))
        found = look(self.store, self.lists, [each.name for each in self.settings.sources], at, policy)
        relays = [of_passed_over(name, reason) for name, reason in self.health.reasons.items()]
        return (*([of_key(self.key_trouble)] if self.key_trouble else []), *relays, *found)

    def alarm(self, findings: Iterable[Finding], at: datetime) -> tuple[Finding, ...]:
        """Mails the operator what was not told in 24 hours; returns it. Without alerts.to or relays it is only remembered."""
        from digest.mail.smtp.journal import Unwritten
        from digest.services.monitoring.alert_mail import tell
        from digest.services.monitoring.alerts import raise_alarms

        def mail(finding: Finding) -> None:
            if self.settings.alerts.to and self.settings.relays:
                to = self.address(self.settings.alerts.to)
                tell(self.post(Unwritten(), lambda: at), self.alert_mail(finding, to, at))

        return raise_alarms(self.store, findings, mail, at)

    def alert_mail(self, finding: Finding, to: Address, at: datetime) -> Envelope:
        """What `alarm` mails."""
        from digest.services.monitoring.alert_mail import alert

        return alert(self.templates, self.sender, self.stamps, self.links.base_url, to, finding, at, self.sign)

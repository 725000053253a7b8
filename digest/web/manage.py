"""A reader's own page, opened by the link in their mail: when, how much, what about, the libraries they keep elsewhere,
everything held, and being forgotten.
"""

from __future__ import annotations

import json
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from digest.domain.errors import InvalidInput
from digest.domain.interest import understand, written
from digest.domain.library import KeptLibrary, Rejected
from digest.domain.library_account import TITLES, AccountName, openalex_account, orcid_account, zotero_key, zotero_library
from digest.domain.paper import Sighting
from digest.domain.phrase import joined, phrase, recognised
from digest.domain.subscriber import Subscription, SubscriptionState
from digest.links import Purpose
from digest.services.libraries.sync_accounts import PROBLEMS
from digest.web.forms import Form, chosen_days, zones
from digest.web.language import OFFERED
from digest.web.site import Site, attachment
from digest.web.upload import MOST_LINES, read_upload, shown, titles

router = APIRouter()

SAVED = {
    "when": phrase("Saved."),
    "interests": phrase("Saved. We understood:"),
    "back": phrase("Welcome back. You get email again."),
    "connected": phrase("Connected. We read it in the next minutes: reload this page to see what we found."),
    "disconnected": phrase("Disconnected. We deleted its key."),
}


@router.get("/manage/{token}")
def page(request: Request, token: str, saved: str = "") -> Response:
    site = Site.of(request)
    subscription = site.subscription(Purpose.MANAGE, token)
    return preferences_page(site, token, subscription, Form(), saved)


@router.post("/manage/{token}")
@router.post("/manage/{token}/when")
@router.post("/manage/{token}/interests")
async def save(request: Request, token: str) -> Response:
    """The whole form at once; what a form does not have stays as it is (pages opened before there was one form post a part).

    Answers with the page and what was understood; sent again it changes nothing more.
    """
    site = Site.of(request)
    sent = await Form.read(request)
    subscription = await run_in_threadpool(site.subscription, Purpose.MANAGE, token)
    preferences = sent.preferences(subscription.preferences)
    understood = await run_in_threadpool(lambda: understand(sent.lines("interests")))
    if understood.rejected:
        sent.wrong["interests"] = understood.rejected[0]
    works: list[Sighting] = []
    rejected: list[Rejected] = []
    for data in (sent.file, sent.values.get("papers", "").encode()):
        if data.strip():
            try:
                found, problems = await run_in_threadpool(read_upload, data, site.clock())
            except InvalidInput as error:
                sent.wrong["papers"] = site.translation.phrase(error.reason)[:200]
            else:
                works += found
                rejected += problems
    if sent.wrong:
        if sent.file and "papers" not in sent.wrong:
            sent.wrong["file"] = phrase("Choose the file again: nothing is saved yet.")
        wanted = replace(subscription, preferences=preferences)
        return await run_in_threadpool(lambda: preferences_page(site, token, wanted, sent, status=400))
    typed, removed = understood.interests if "interests" in sent.values else None, sent.forgotten
    changed, library = await run_in_threadpool(
        lambda: site.container.subscriptions.save_form(
            subscription, preferences, typed, removed, (tuple(works), tuple(rejected)), site.clock()
        )
    )
    about_interests = typed is not None or library.works or library.rejected
    if not (about_interests or removed):
        return _back(site, token, "when")
    site.speak_to(changed.preferences)
    about = "interests" if changed.interests or subscription.interests or library.rejected else "when"
    return await run_in_threadpool(lambda: preferences_page(site, token, changed, Form(), about, library=library))


@router.post("/manage/{token}/connect")
async def connect(request: Request, token: str) -> Response:
    """Libraries kept elsewhere; the daemon reads them. A key that was typed is never shown again."""
    site = Site.of(request)
    sent = await Form.read(request)
    subscription = await run_in_threadpool(site.subscription, Purpose.MANAGE, token)
    key, names = "", list[tuple[str, AccountName]]()
    for field, read in (("zotero_library", zotero_library), ("orcid", orcid_account), ("openalex", openalex_account)):
        given = sent.line(field)
        try:
            if field == "zotero_library":
                key = zotero_key(sent.values.pop("zotero_key", ""))
            if given or (field == "zotero_library" and key):
                names.append((field, read(given)))
        except InvalidInput as error:
            sent.wrong[field] = site.sentence(str(error))
    if not (names or sent.wrong):
        sent.wrong["zotero_library"] = phrase("Enter a key, an ORCID iD or an author.")
    for field, name in names if not sent.wrong else ():
        own = key if field == "zotero_library" else ""
        try:
            await run_in_threadpool(site.container.libraries.connect, subscription.id, name, own, site.clock())
        except InvalidInput as error:
            sent.wrong[field] = site.sentence(str(error))
    if sent.wrong:
        return await run_in_threadpool(lambda: preferences_page(site, token, subscription, sent, status=400))
    return _back(site, token, "connected")


@router.post("/manage/{token}/disconnect")
async def disconnect(request: Request, token: str) -> Response:
    site = Site.of(request)
    sent = await Form.read(request)
    subscription = await run_in_threadpool(site.subscription, Purpose.MANAGE, token)
    account, with_papers = sent.line("account"), sent.line("papers") == "remove"
    if account.isdecimal() and len(account) < 19:
        libraries = site.container.libraries
        await run_in_threadpool(lambda: libraries.disconnect(subscription.id, int(account), with_papers=with_papers))
    return _back(site, token, "disconnected")


@router.post("/manage/{token}/back")
def back(request: Request, token: str) -> Response:
    """An ended subscription begins again, and mail that was stopped: the link is from a mail of ours."""
    site = Site.of(request)
    subscription = site.subscription(Purpose.MANAGE, token)
    site.container.subscriptions.begin_again(subscription, "preferences page", site.clock())
    return _back(site, token, "back")


@router.get("/manage/{token}/data.json")
def data(request: Request, token: str) -> Response:
    """Everything held about the address."""
    site = Site.of(request)
    subscription = site.subscription(Purpose.MANAGE, token)
    held = site.container.privacy.export_personal_data(subscription.address, site.clock())
    text = json.dumps(held, indent=2, ensure_ascii=False)
    return attachment(text, "application/json", "my-data.json")


@router.post("/manage/{token}/erase")
async def erased(request: Request, token: str) -> Response:
    site = Site.of(request)
    sent = await Form.read(request)
    subscription = await run_in_threadpool(site.subscription, Purpose.MANAGE, token)
    if sent.line("sure") != "yes":
        sent.wrong["sure"] = phrase("Please tick the box to confirm; deletion cannot be undone.")
        return await run_in_threadpool(lambda: preferences_page(site, token, subscription, sent, status=400))
    await run_in_threadpool(site.container.privacy.erase, subscription.address, site.clock())
    return site.page("erased.html")


def next_mail(site: Site, subscription: Subscription, *, welcomed: bool = False) -> str:
    """ "Thursday, 28 May 2026 at 07:00 (Europe/Berlin)"; empty when none is to come. `welcomed`: one is on its way."""
    paper_list, now = site.list_of(subscription), site.clock()
    mail = site.container.subscriptions.next_mail(subscription, paper_list, now, welcomed=welcomed)
    if mail is None:
        return ""
    spoken = site.translation
    return spoken.gettext("%(day)s at %(time)s (%(zone)s)", day=spoken.date(mail.day, "full"), time=mail.hour, zone=mail.zone)


def masked(address: str) -> str:
    """Enough for its owner to know it, too little for whoever a mail was forwarded to."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def preferences_page(
    site: Site,
    token: str,
    subscription: Subscription,
    sent: Form,
    saved: str = "",
    status: int = 200,
    library: KeptLibrary = KeptLibrary(),  # noqa: B008 - frozen
    asked_address: str = "",
) -> Response:
    unsubscribe = site.container.adapters.links.token(Purpose.UNSUBSCRIBE, subscription.public_id)
    topics = written(subscription.interests)
    return site.page(
        "manage.html",
        status,
        list=site.list_of(subscription),
        token=token,
        address=masked(subscription.address.text),
        subscription=subscription,
        state=str(subscription.state),
        next_mail=next_mail(site, subscription),
        stopped=site.stopped(subscription.address),
        preferences=subscription.preferences,
        days=chosen_days(subscription.preferences, sent),
        zones=zones(),
        offered=OFFERED,
        has_model_summaries=site.container.settings.has_model_summaries,
        interests=sent.lines("interests") if "interests" in sent.values else topics,
        descriptions=understand(topics).descriptions,
        liked=titles(site, subscription.interests.liked),
        disliked=titles(site, subscription.interests.disliked),
        named=[(name, shown(title) or name) for name, title in library.works],
        without_abstract=len(library.without_abstract),
        problems=[
            shown(site.translation.phrase(joined((each.where, each.reason), ": "))) for each in library.rejected[:MOST_LINES]
        ],
        libraries=[
            {
                "id": account.id,
                "title": TITLES[account.name.kind],
                "library": account.library,
                "account": account,
                "problem": recognised(account.problem, PROBLEMS),
                "read": account.read_at,
                "problems": [(shown(key), shown(why)) for key, why in site.container.libraries.not_understood(account.id, 20)],
            }
            for account in site.container.libraries.of(subscription.id)
        ],
        unsubscribe=f"{site.root_path}/unsubscribe/{unsubscribe}",
        sent=sent,
        saved="" if saved == "back" and subscription.state is not SubscriptionState.ACTIVE else SAVED.get(saved, ""),
        about_interests=saved == "interests",
        asked_address=asked_address,
        last_deliveries=[(day, words) for day, words in site.container.subscriptions.last_deliveries(subscription)],
    )


def _back(site: Site, token: str, saved: str) -> Response:
    """To the page by GET, so that reloading it posts nothing."""
    return RedirectResponse(f"{site.root_path}/manage/{token}?saved={saved}", 303)

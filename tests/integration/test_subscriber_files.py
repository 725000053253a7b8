"""Files of subscribers as other products write them (the people are invented): who is added, who is left out and why, and who
must not be mailed. None comes in active who was not active there.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.errors import InvalidInput
from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address, SubscriptionState
from digest.services.subscriptions.subscriber_csv import SubscriberImport

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at\n"
MAILCHIMP = '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,TIMEZONE'


@dataclass(frozen=True)
class Case:
    data: str | bytes
    added: tuple[str, ...] = ()
    suppressed: dict[str, SuppressionReason] = field(default_factory=dict)
    skipped: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    ignored: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)


ASKED, BOUNCE, COMPLAINT = SuppressionReason.ASKED, SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT
FILES = {
    "our own": Case(
        "email,list,timezone,hour,weekdays,interests\nada@example.org,daily,Europe/Berlin,07:00,mon;thu,robots; -hype\n",
        ("ada@example.org",),
    ),
    "listmonk": Case(
        LISTMONK
        + '7f0c,ada@example.org,Ada L,"{""city"": ""Bern, CH""}",enabled,2025-01-01T09:00:00Z,2025-01-01T09:00:00Z\n'
        + "7f0d,bob@example.org,Bob,{},blocklisted,2025-01-01,2025-01-01\n"
        + "7f0e,cyd@example.org,Cyd,{},disabled,2025-01-01,2025-01-01\n",
        ("ada@example.org",), {"bob@example.org": SuppressionReason.OPERATOR}, (4,),
        ignored=("uuid", "name", "attributes", "created_at", "updated_at"),
    ),
    "Mailchimp, subscribed": Case(
        f"{MAILCHIMP}\n"
        '"ada@example.org","Ada","Lovelace",2,"2025-02-03 10:11:12","192.0.2.7","2025-02-03 10:12:00",Europe/Berlin\n',
        ("ada@example.org",),
        ignored=("First Name", "Last Name", "MEMBER_RATING", "OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME"),
    ),
    "Mailchimp, unsubscribed": Case(
        '"Email Address","First Name",UNSUB_TIME,UNSUB_REASON\n"bob@example.org",Bob,"2025-02-03 10:11:12","NORMAL (N/A)"\n',
        suppressed={"bob@example.org": ASKED}, ignored=("First Name",),
    ),
    "Mailchimp, cleaned": Case(
        '"Email Address","First Name",CLEAN_TIME\n"cyd@example.org",Cyd,"2025-02-03 10:11:12"\n',
        suppressed={"cyd@example.org": BOUNCE}, ignored=("First Name",),
    ),
    "Mailchimp, everybody with a status": Case(
        "Email Address,Status\na@example.org,Subscribed\nb@example.org,Unsubscribed\nc@example.org,Cleaned\n"
        "d@example.org,Non-Subscribed\ne@example.org,on a holiday\n",
        ("a@example.org",), {"b@example.org": ASKED, "c@example.org": BOUNCE}, (5, 6),
    ),
    "Mailman 2, list_members": Case("ada@example.org\nbob@example.org\n", ("ada@example.org", "bob@example.org")),
    "Mailman 3, with names": Case(
        'Ada Lovelace <ada@example.org>\n"Babbage, Charles" <charles@example.org>\nnobody here\n# the end\n',
        ("ada@example.org", "charles@example.org"), rejected=(3,),
    ),
    "Ghost": Case(
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n"
        "1,ada@example.org,Ada,,true,false,,2025-01-01T00:00:00.000Z,,,\n2,bob@example.org,Bob,,false,false,,2025-01-01,,,\n"
        "3,cyd@example.org,Cyd,,true,false,,2025-01-01,2025-03-01T00:00:00.000Z,,\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": ASKED},
        ignored=("id", "name", "note", "complimentary_plan", "stripe_customer_id", "created_at", "labels", "tiers"),
    ),
    "Google Forms": Case(
        '"Timestamp","Email Address","Topics","Time zone"\n'
        '"2025/11/06 9:15:12 AM GMT+1","ada@example.org","graph networks, cs.LG","Europe/Berlin"\n',
        ("ada@example.org",), ignored=("Timestamp",),
    ),
    "Google Forms, with a question of one's own": Case(
        "Zeitstempel,Wohin sollen wir schreiben?\n06.11.2025 09:15:12,ada@example.org\n",
        ("ada@example.org",), ignored=("Zeitstempel",), columns={"email": "Wohin sollen wir schreiben?"},
    ),
    "Excel in German: semicolons, a mark, hours without a zero": Case(
        b"\xef\xbb\xbf"
        + "E-Mail-Adresse;Name;Uhrzeit\r\nada@example.org;Müller;7:00\r\nbob@example.org;;19:30:00\r\n;;\r\n".encode(),
        ("ada@example.org", "bob@example.org"), ignored=("Name",),
    ),
    "Excel, an older Latin": Case(
        "email;Vorname\nada@example.org;Jürgen\n".encode("cp1252"), ("ada@example.org",), ignored=("Vorname",)
    ),
    "Excel, Unicode text": Case(
        "email\thour\nada@example.org\t7:00\nbob@example.org\t25:00\n".encode("utf-16"), ("ada@example.org",), rejected=(3,)
    ),
    "Excel, with a line for itself and columns too many": Case(
        "sep=;\nemail;timezone;;\nada@example.org;UTC;;\nbob@example.org;UTC;;;;\n", ("ada@example.org", "bob@example.org")
    ),
    "phpList": Case(
        '"Email","Is this user confirmed","Is this user blacklisted"\n'
        "ada@example.org,1,0\nbob@example.org,0,0\ncyd@example.org,1,1\n",
        ("ada@example.org",), {"cyd@example.org": SuppressionReason.OPERATOR}, (3,),
    ),
    "Substack": Case(
        "email,active_subscription,expiry,email_disabled\nada@example.org,true,,false\nbob@example.org,false,,false\n"
        "cyd@example.org,true,,true\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": BOUNCE}, ignored=("expiry",),
    ),
    "Buttondown": Case(
        "id,email,subscriber_type,notes\n1,ada@example.org,regular,\n2,bob@example.org,unactivated,\n3,cyd@example.org,unsubscribed,\n"
        "4,dee@example.org,complained,\n",
        ("ada@example.org",), {"cyd@example.org": ASKED, "dee@example.org": COMPLAINT}, (3,), ignored=("id", "notes"),
    ),
    "Thunderbird's address book": Case(
        "First Name,Last Name,Display Name,Primary Email,Secondary Email,Address\n"
        "Ada,L,Ada L,ada@example.org,ada2@example.org,1 Street\n",
        ("ada@example.org",), ignored=("First Name", "Last Name", "Display Name", "Secondary Email", "Address"),
    ),
    "a quote that is never closed": Case(
        'email,interests\nada@example.org,robots\nbob@example.org,"open\ncyd@example.org,x\n', ("ada@example.org",), rejected=(3,)
    ),
    "a cell with the name in it": Case(
        'Name;Email\nAda;Ada Lovelace <ada@example.org>\nBob;<mailto:bob@example.org>\nCyd;two@at@example.org\n',
        ("ada@example.org", "bob@example.org"), rejected=(4,), ignored=("Name",),
    ),
    "addresses pasted from a mail": Case(
        "Ada <ada@example.org>, bob@example.org; Cyd <cyd@example.org>\n",
        ("ada@example.org", "bob@example.org", "cyd@example.org")
    ),
    "Brevo": Case(
        "CONTACT ID,EMAIL,FIRSTNAME,LASTNAME,SMS,EMAIL_BLACKLISTED,SMS_BLACKLISTED,ADDED_TIME,MODIFIED_TIME\n"
        "1,ada@example.org,Ada,L,,false,false,01-01-2025,01-01-2025\n"
        "2,bob@example.org,Bob,,,true,false,x,x\n",
        ("ada@example.org",), {"bob@example.org": SuppressionReason.OPERATOR}, (),
        ignored=("CONTACT ID", "FIRSTNAME", "LASTNAME", "SMS", "SMS_BLACKLISTED", "ADDED_TIME", "MODIFIED_TIME"),
    ),
    "Campaign Monitor": Case(
        "Email Address,Name,State,Subscribed Date,Unsubscribed Date\n"
        "ada@example.org,Ada,Active,2025-01-01,\n"
        "bob@example.org,Bob,Unsubscribed,2025-01-01,2025-02-01\n"
        "cyd@example.org,Cyd,Bounced,2025-01-01,\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": BOUNCE}, (),
        ignored=("Name", "Subscribed Date"),
    ),
    "AWeber": Case(
        "Email,Name,Status,Stop Time,Stop Status\n"
        "ada@example.org,Ada,active,,\n"
        "bob@example.org,Bob,unsubscribed,2025-02-01,subscriber\n",
        ("ada@example.org",), {"bob@example.org": ASKED}, (),
        ignored=("Name", "Stop Time"),
    ),
    "Constant Contact": Case(
        "Email address,First name,Email status,Email permission status,Email update source\n"
        "ada@example.org,Ada,Active,express,x\n"
        "bob@example.org,Bob,Unsubscribed,x,x\n",
        ("ada@example.org",), {"bob@example.org": ASKED}, (),
        ignored=("First name", "Email update source"),
    ),
    "HubSpot": Case(
        "Record ID,First Name,Email,Unsubscribed from all email,Marketing contact status,Email hard bounce reason\n"
        "1,Ada,ada@example.org,No,Marketing contact,\n"
        "2,Bob,bob@example.org,Yes,x,\n"
        "3,Cyd,cyd@example.org,,Marketing contact,Unknown user\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": BOUNCE}, (),
        ignored=("Record ID", "First Name"),
    ),
    "Mautic": Case(
        "id,firstname,email,doNotContact,dateAdded\n"
        "1,Ada,ada@example.org,0,2025\n"
        "2,Bob,bob@example.org,1,2025\n",
        ("ada@example.org",), {"bob@example.org": SuppressionReason.OPERATOR}, (),
        ignored=("id", "firstname", "dateAdded"),
    ),
    "CiviCRM": Case(
        "Contact ID,Display Name,Email,Do Not Email,Email on Hold,No Bulk Emails (User Opt Out),Is Deceased\n"
        "1,Ada,ada@example.org,No,No,No,No\n"
        "2,Bob,bob@example.org,No,No,Yes,No\n"
        "3,Cyd,cyd@example.org,Yes,No,No,No\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": SuppressionReason.OPERATOR}, (),
        ignored=("Contact ID", "Display Name"),
    ),
    "ActiveCampaign": Case(
        "ID,Email,First Name,Status,Bounced Hard\n"
        "1,ada@example.org,A,Active,0\n"
        "2,bob@example.org,B,Unsubscribed,0\n"
        "3,cyd@example.org,C,Active,2\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": BOUNCE}, (),
        ignored=("ID", "First Name"),
    ),
    "Klaviyo": Case(
        "Email,First Name,Email Marketing Consent,Email Suppressions\n"
        "ada@example.org,A,SUBSCRIBED,[]\n"
        'bob@example.org,B,UNSUBSCRIBED,"[""UNSUBSCRIBE""]"\n'
        "cyd@example.org,C,NEVER_SUBSCRIBED,[]\n",
        ("ada@example.org",), {"bob@example.org": ASKED}, (4,),
        ignored=("First Name",),
    ),
    "Zoho": Case(
        "Contact Email,First Name,Contact Status\n"
        "ada@example.org,A,Active\n"
        "bob@example.org,B,Unsubscribed\n"
        "cyd@example.org,C,Bounced\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": BOUNCE}, (),
        ignored=("First Name",),
    ),
    "Google Groups": Case(
        "Members for group papers@example.org,,,\n"
        "Email address,Nickname,Group status,Email status,Email preference,Posting permissions,Join year\n"
        "ada@example.org,Ada,member,,email,allowed,2025\n"
        "bob@example.org,Bob,member,bouncing,email,allowed,2025\n"
        "cyd@example.org,Cyd,member,,no email,allowed,2025\n",
        ("ada@example.org",), {"bob@example.org": BOUNCE}, (5,),
        ignored=("Nickname", "Posting permissions", "Join year"),
    ),
    "Groups.io": Case(
        "Email,Name,User Status,Email Delivery,Joined\n"
        "ada@example.org,Ada,Normal,Single,2025\n"
        "bob@example.org,Bob,Bouncing,Single,2025\n"
        "cyd@example.org,Cyd,Normal,No Email,2025\n",
        ("ada@example.org",), {"bob@example.org": BOUNCE}, (4,),
        ignored=("Name", "Joined"),
    ),
    "Discourse": Case(
        "id,name,username,email,title,created_at,silenced_till,active,admin\n"
        "1,Ada,ada,ada@example.org,,2025,,true,false\n"
        "2,Bob,bob,bob@example.org,,2025,,false,false\n",
        ("ada@example.org",), {}, (3,),
        ignored=("id", "name", "username", "title", "created_at", "silenced_till", "admin"),
    ),
    "Google Contacts": Case(
        "Name,Given Name,E-mail 1 - Type,E-mail 1 - Value,E-mail 2 - Value\n"
        "Ada,Ada,* Home,ada@example.org,x@example.org\n",
        ("ada@example.org",), {}, (),
        ignored=("Name", "Given Name", "E-mail 1 - Type", "E-mail 2 - Value"),
    ),
    "Google Contacts new": Case(
        "First Name,Last Name,E-mail 1 - Label,E-mail 1 - Value\n"
        "Ada,L,* Work,ada@example.org ::: x@example.org\n",
        ("ada@example.org",), {}, (),
        ignored=("First Name", "Last Name", "E-mail 1 - Label"),
    ),
    "Moodle": Case(
        "username,firstname,lastname,email,suspended\n"
        "ada,Ada,L,ada@example.org,0\n"
        "bob,Bob,B,bob@example.org,1\n",
        ("ada@example.org",), {}, (3,),
        ignored=("username", "firstname", "lastname"),
    ),
    "title line": Case(
        "Participants of the workshop 2026\n"
        "\n"
        "Name;E-Mail\n"
        "Ada;ada@example.org\n",
        ("ada@example.org",), {}, (),
        ignored=("Name",),
    ),
    "quoted all ; single quotes": Case("'email','name'\n'ada@example.org','Ada'\n", ('ada@example.org',), ignored=("'name'",)),
    "zero width": Case(
        "\ufeff\u200bemail\n"
        "ada@example.org\u200b\n",
        ("ada@example.org",), {}, (),
        ignored=(),
    ),
    "mailto": Case(
        "email\n"
        "mailto:ada@example.org\n",
        ("ada@example.org",), {}, (),
        ignored=(),
    ),
    "trailing dot": Case(
        "email\n"
        "ada@example.org.\n",
        ("ada@example.org",), {}, (),
        ignored=(),
    ),
    "Spanish": Case(
        "Nombre;Correo electrónico;Estado\n"
        "Ada;ada@example.org;Suscrito\n"
        "Bob;bob@example.org;Dado de baja\n",
        ("ada@example.org",), {"bob@example.org": ASKED}, (),
        ignored=("Nombre",),
    ),
    "German status": Case(
        "E-Mail;Status\n"
        "ada@example.org;aktiv\n"
        "bob@example.org;abgemeldet\n"
        "cyd@example.org;gesperrt\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": SuppressionReason.OPERATOR}, (),
        ignored=(),
    ),
    "French status": Case(
        "Courriel;Statut\n"
        "ada@example.org;abonné\n"
        "bob@example.org;désabonné\n",
        ("ada@example.org",), {"bob@example.org": ASKED}, (),
        ignored=(),
    ),
    "Mailjet": Case(
        "Contact ID,Email,Is Unsubscribed,Unsubscribed At,Is excluded from campaigns\n"
        "1,ada@example.org,false,,false\n"
        "2,bob@example.org,true,2025-01-01,false\n"
        "3,cyd@example.org,false,,true\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": SuppressionReason.OPERATOR}, (),
        ignored=("Contact ID",),
    ),
    "Odoo": Case(
        "Name,Email,Blacklist,Bounce,Is Opt Out\n"
        "Ada,ada@example.org,False,0,False\n"
        "Bob,bob@example.org,True,0,False\n"
        "Cyd,cyd@example.org,False,6,False\n",
        ("ada@example.org",), {"bob@example.org": SuppressionReason.OPERATOR, "cyd@example.org": BOUNCE}, (),
        ignored=("Name",),
    ),
    "Salesforce": Case(
        "Id,Email,HasOptedOutOfEmail,IsEmailBounced\n"
        "1,ada@example.org,false,false\n"
        "2,bob@example.org,true,false\n"
        "3,cyd@example.org,false,true\n",
        ("ada@example.org",), {"bob@example.org": ASKED, "cyd@example.org": BOUNCE}, (),
        ignored=("Id",),
    ),
    "a list with a comment that speaks of mail": Case(
        "ada@example.org\n# the email list of B\nbob@example.org\n", ("ada@example.org", "bob@example.org")
    ),
    "columns about something else": Case(
        "email,SMS status,Unsubscribe link,Open rate,Soft bounces,State\nada@example.org,blocked,https://x.example.org/u,0%,3,Bavaria\n",
        ("ada@example.org",), ignored=("SMS status", "Unsubscribe link", "Open rate", "Soft bounces"),
    ),
    "noughts and dashes": Case(
        "email,Bounced Hard,Unsubscribed on,Blacklist\nada@example.org,0.0,null,0%\nbob@example.org,1,,\n",
        ("ada@example.org",), {"bob@example.org": BOUNCE},
    ),
    "Mailman 3, members": Case(
        "address,display_name,role,delivery_status\nada@example.org,Ada,member,enabled\nbob@example.org,Bob,member,by_bounces\n"
        "cyd@example.org,Cyd,member,by_user\n",
        ("ada@example.org",), {"bob@example.org": BOUNCE}, (4,), ignored=("display_name", "role"),
    ),
    "Google Groups, one invited": Case(
        "Members for group reading\nEmail address,Nickname,Group status,Email status\nada@example.org,Ada,member,\n"
        "bob@example.org,Bob,member,bouncing\ncyd@example.org,Cyd,invited,\n",
        ("ada@example.org",), {"bob@example.org": BOUNCE}, (5,), ignored=("Nickname",),
    ),
    "LISTSERV": Case(
        "Email,Name,Mail option\nada@example.org,Ada,MAIL\nbob@example.org,Bob,NOMAIL\ncyd@example.org,Cyd,DIGEST\n",
        ("ada@example.org", "cyd@example.org"), {}, (3,), ignored=("Name",),
    ),
    "Excel in Chinese": Case("部门,邮箱地址\n数学,ada@example.org\n".encode("gbk"), ("ada@example.org",), ignored=("²¿ÃÅ",)),
    "no header, and a word beside": Case(
        "Ada,ada@example.org,Subscribed\nBob,bob@example.org,Unsubscribed\nCyd,cyd@example.org,Unconfirmed\nLeft,dee@example.org,\n",
        ("ada@example.org", "dee@example.org"), {"bob@example.org": ASKED}, (3,),
    ),
}  # fmt: skip


@pytest.fixture
def container(tmp_path: Path) -> Container:
    config = tmp_path / "digest.toml"
    config.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/d.sqlite3"\n[secrets]\nkey_file = "{tmp_path}/key"\n'
        f'[delivery]\njournal = "{tmp_path}/journal"\n'
        '[[lists]]\nname = "daily"\ntitle = "Daily"\n[[lists]]\nname = "weekly"\ntitle = "Weekly"\n'
    )
    return Container(load(config, {}))


def brought(
    container: Container, data: str | bytes, columns: dict[str, str] | None = None, into: str | None = None
) -> SubscriberImport:
    file = container.settings.delivery.journal.parent / "people.csv"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    paper_list = container.adapters.paper_list(into) if into else None
    return container.subscriptions.import_subscribers(file, True, AT, paper_list, columns)


@pytest.mark.parametrize("name", FILES)
def test_a_file_as_it_comes(container: Container, name: str) -> None:
    case = FILES[name]
    with container:
        report = brought(container, case.data, case.columns)
        active = {str(each.address) for each in container.subscriptions.all(SubscriptionState.ACTIVE)}
        everybody = {str(each.address) for each in container.subscriptions.all()}
        assert active == everybody == set(case.added)
        assert report.added == len(case.added)
        found = {email: container.subscriptions.suppression(Address(email)) for email in case.suppressed}
        assert {email: each and each.reason for email, each in found.items()} == case.suppressed
        assert report.suppressed == len(case.suppressed)
        assert tuple(each.line for each in report.skipped) == case.skipped
        assert all(each.reason for each in report.skipped)
        assert tuple(each.line for each in report.rejected) == case.rejected
        assert report.columns_ignored == case.ignored


def test_what_a_file_says_of_its_readers_is_kept(container: Container) -> None:
    with container:
        brought(container, FILES["our own"].data)
        brought(container, FILES["Excel in German: semicolons, a mark, hours without a zero"].data, into="weekly")
        by_list = {(each.list, str(each.address)): each for each in container.subscriptions.all()}
    ours = by_list["daily", "ada@example.org"]
    assert (ours.preferences.timezone, ours.preferences.weekdays) == ("Europe/Berlin", frozenset({0, 3}))
    assert (ours.interests.words, ours.interests.muted_words) == (("robots",), ("hype",))
    assert by_list["weekly", "bob@example.org"].preferences.hour == time(19, 30)


@pytest.mark.parametrize(
    ("data", "columns", "said"),
    [
        ("name,phone\nAda,1\n", {}, "there are 'name', 'phone'; say which holds the addresses: --columns"),
        ("", {}, "only email is required"),
        ("ada at example.org\nbob@example.org\n", {}, "there are 'ada at example.org'"),
        (b"PK\x03\x04\x14\x00", {}, "is a workbook, not CSV"),
        ("email,x\na@example.org,1\n", {"hour": "Stunde"}, "the file has no column 'Stunde'; there are email, x"),
        ("email,x\na@example.org,1\n", {"hours": "x"}, "'hours' is none of email, list"),
    ],
)
def test_a_file_that_names_no_addresses_is_refused(
    container: Container, data: str | bytes, columns: dict[str, str], said: str
) -> None:
    with container, pytest.raises(InvalidInput) as refused:
        brought(container, data, columns)
    assert said in str(refused.value)


def test_no_spreadsheet_runs_what_is_exported_and_it_comes_back_as_it_was(container: Container) -> None:
    from digest.services.subscriptions.csv_layout import COLUMNS
    from digest.services.subscriptions.subscriber_csv import defused, row_of

    with container:
        addresses = ("=cmd|x!a0@example.org", "+1@example.org", "-2@example.org", "plain@example.org")
        brought(container, "email,interests\n" + "".join(f"{each},-hype; robots\n" for each in addresses))
        rows = [row_of(each) for each in container.subscriptions.all()]
        out = io.StringIO()
        csv.writer(out).writerows([COLUMNS, *map(defused, rows)])
        cells = [cell for row in list(csv.reader(io.StringIO(out.getvalue())))[1:] for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
        again = brought(container, out.getvalue())
    assert (again.added, again.unchanged, again.rejected) == (0, 4, ())
    assert {row[0] for row in rows} == set(addresses)


def test_suppressions_out_and_in(container: Container, tmp_path: Path) -> None:
    """With the same key; with another one the hashes would stop nobody, and it says so."""
    from digest.services.subscriptions.suppression_csv import EXPORTED

    theirs, ours = tmp_path / "suppressed.csv", tmp_path / "export.csv"
    theirs.write_text("email,reason,created\nBob@example.org,550 no such user,1700000000\nnobody,x,1\n")
    with container:
        brought(container, "email\nbob@example.org\n")
        report = container.subscriptions.import_suppressions(theirs, BOUNCE, "a key of ours, long enough", AT)
        assert (report.suppressed, [each.line for each in report.rejected]) == (1, [3])
        found = container.subscriptions.suppression(Address("bob@example.org"))
        assert found is not None
        assert found.reason is BOUNCE
        with ours.open("w", newline="") as out:
            csv.writer(out).writerows([EXPORTED, *container.subscriptions.export_suppressions("a key of ours, long enough")])
        container.subscriptions.unsuppress(None, AT)
        refused = container.subscriptions.import_suppressions(ours, BOUNCE, "another key, as long as it", AT)
        assert (refused.suppressed, len(refused.rejected)) == (0, 1)
        assert "another than ours" in refused.rejected[0].reason
        assert container.subscriptions.import_suppressions(ours, COMPLAINT, "a key of ours, long enough", AT).suppressed == 1
        back = container.subscriptions.suppression(Address("bob@example.org"))
        assert back is not None
        assert back.reason is BOUNCE


def test_everybody_in_a_file_of_suppressions_is_suppressed_whatever_it_says_of_them(container: Container, tmp_path: Path) -> None:
    file = tmp_path / "stopped.csv"
    for text in ("email,state\nada@example.org,Bounced\nbob@example.org,\n", "ada@example.org,Unconfirmed\nbob@example.org\n"):
        file.write_text(text)
        with container:
            assert container.subscriptions.import_suppressions(file, BOUNCE, "a key of ours, long enough", AT).suppressed == 2

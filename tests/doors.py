"""The three doors through which an address comes in, a form, the API and an import, and what each says of many addresses."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from email_validator import EmailNotValidError, validate_email

from digest.domain.errors import InvalidAddress
from digest.mail.message.address import read_address
from tests.servers.website import BEARER, NOON

if TYPE_CHECKING:
    from tests.servers.website import Website


def check_every_door(site: Website, expected: Mapping[str, bool]) -> None:
    """By form, by API and by CSV: the same verdict, the one expected, and never an error of ours."""
    by_form, by_api = {}, {}
    for number, address in enumerate(expected):
        site.now = NOON + timedelta(days=number // 15)  # within the limits for a network
        by_form[address] = site.post("/subscribe", {"email": address}).status_code
        given = {"email": address, "confirmed": True}
        by_api[address] = site.request("POST", "/api/v1/subscriptions", json=given, headers=BEARER).status_code
    assert {a: code for a, code in by_form.items() if code != (200 if expected[a] else 400)} == {}
    allowed = {True: {200}, False: {400, 422}}
    assert {a: code for a, code in by_api.items() if code not in allowed[expected[a]]} == {}
    # lists are full of what address books and programs write; a form's field refuses it
    as_written = re.compile(r'[^<>]*<[^<>]+>|mailto:.+|.*\u200b.*|"[^"]*|.*\.')
    as_lists_have_them = set(filter(as_written.fullmatch, expected))
    assert _by_csv(site, list(expected)) - as_lists_have_them == {address for address, good in expected.items() if good}


def _by_csv(site: Website, addresses: list[str]) -> set[str]:
    """Those that an import took."""
    sheet, of_line = io.StringIO(newline=""), dict[int, str]()
    sheet.write("email\r\n")
    for address in addresses:
        csv.writer(sheet, quoting=csv.QUOTE_ALL).writerow([address])
    reader = csv.reader(io.StringIO(sheet.getvalue(), newline=""))
    next(reader)
    before = reader.line_num
    for address, _ in zip(addresses, reader, strict=True):
        of_line |= dict.fromkeys(range(before + 1, reader.line_num + 1), address)
        before = reader.line_num
    path = "/api/v1/subscriptions/import?confirmed=true"
    report = site.request("POST", path, content=sheet.getvalue().encode(), headers=BEARER).json()
    bad = {of_line[each["line"]] for each in report["rejected"]}
    # a row without anything in it is no row: neither taken nor bad
    return {address for address in addresses if address.strip() and address not in bad}


def check_the_short_way(domains: Iterable[str]) -> None:
    """Plain local parts at a domain seen before skip the validator; the verdict and the spelling are its own."""
    draw = random.Random(3)
    locals_ = ["a", "A.b", "x" * 64, "x" * 65, ".a", "a.", "a..b", "a+b", "o'neill", "", "a b", '"a"', "é", "a@b", "a\n"]
    domains = [*domains, "EXAMPLE.org", "x" * 60 + ".de", "bücher.example"]
    for _ in range(4000):
        address = f"{draw.choice(locals_)}@{draw.choice(domains)}"
        try:
            read = validate_email(address, check_deliverability=False, test_environment=True, strict=True)
            long_way = f"{read.local_part}@{read.domain.lower()}"
        except EmailNotValidError:
            long_way = None
        try:
            short_way = read_address(address).text if address == address.strip() else long_way
        except InvalidAddress:
            short_way = None
        assert short_way == long_way, address

"""What receivers look up, against a name server on loopback: good zones pass, each fault is named with what to publish."""

from __future__ import annotations

import io

import dns.resolver
import pytest

from digest.domain.errors import MailError
from digest.mail.auth.dkim import SigningKey, new_key
from digest.mail.auth.dns_lookup import Lookup, NoAnswer
from digest.mail.auth.domain_checks import Checked, Identity, check_dkim, check_dmarc, check_ptr, check_return, check_spf
from digest.mail.auth.spf import read_policy
from tests.servers.name_server import Zone, name_server
from tests.tables import every_row

KEY = SigningKey.from_pem("papers.test", "digest", new_key("rsa"))
ED25519 = SigningKey.from_pem("papers.test", "digest-ed25519", new_key("ed25519"))
OTHER = SigningKey.from_pem("papers.test", "digest", new_key("rsa"))
WHO = Identity(author="papers.test", envelope="papers.test", dkim="papers.test", relays=("mx.papers.test",))


def txt(value: str) -> str:
    return " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))


GOOD: dict[tuple[str, str], list[str]] = {
    ("papers.test", "TXT"): [txt("v=spf1 a:mx.papers.test ~all"), txt("some-site-verification=1")],
    ("papers.test", "MX"): ["10 mx.papers.test."],
    ("mx.papers.test", "A"): ["8.8.4.4"],
    ("4.4.8.8.in-addr.arpa", "PTR"): ["mx.papers.test."],
    ("_dmarc.papers.test", "TXT"): [txt("v=DMARC1; p=quarantine")],
    ("digest._domainkey.papers.test", "TXT"): [txt(KEY.record()[1])],
    ("digest-ed25519._domainkey.papers.test", "TXT"): [txt(ED25519.record()[1])],
}


def examined(zone: Zone, who: Identity = WHO) -> list[Checked]:
    with name_server(zone) as server:
        dns = Lookup(server, 5)
        return [
            check_spf(dns, who),
            *check_dkim(dns, [KEY, ED25519], who),
            check_dmarc(dns, who, signed=True),
            check_return(dns, who),
            *check_ptr(dns, "mx.papers.test"),
        ]


def test_a_good_zone_is_well() -> None:
    checks = examined(GOOD)
    assert len(checks) == 6
    assert [each for each in checks if not each.well] == []


def spf(record: str, **more: list[str]) -> dict[tuple[str, str], list[str]]:
    zone = {("papers.test", "TXT"): [txt(record)]}
    for name, records in more.items():
        host, _, kind = name.rpartition("__")
        zone[host.replace("_", "."), kind] = records
    return zone


INCLUDES = {("papers.test", "TXT"): [txt("v=spf1 " + " ".join(f"include:s{n}.test" for n in range(11)) + " ~all")]} | {
    (f"s{n}.test", "TXT"): [txt("v=spf1 ip4:9.9.9.9 -all")] for n in range(11)
}
FAULTS = [
    ({("papers.test", "TXT"): [txt("hello")]}, "SPF", "there is no record", 'TXT "v=spf1 a:mx.papers.test mx ~all"'),
    (
        {("papers.test", "TXT"): [txt("v=spf1 mx -all"), txt("v=spf1 a -all")]},
        "SPF",
        "2 records begin",
        "publish: papers.test. TXT",
    ),
    (spf("v=spf1 mx +all"), "SPF", "permits everybody", "~all"),
    (spf("v=spf1 mx"), "SPF", "says nothing of everybody else", "~all"),
    (spf("v=spf1 mx ip4:1.2.3.400 ~all"), "SPF", "is no network", "publish"),
    (spf("v=spf1 mx inclde:x.test ~all"), "SPF", "'inclde:x.test' in the record of papers.test is no mechanism", "publish"),
    (spf("v=spf1 ip4:9.9.9.9 ~all"), "SPF", "does not permit mx.papers.test", '"v=spf1 ip4:9.9.9.9 a:mx.papers.test ~all"'),
    (spf("v=spf1 include:gone.test ~all"), "SPF", "gone.test, which it includes, has no SPF record", "publish"),
    (INCLUDES, "SPF", "needs 11 look-ups; receivers stop at 10", "publish"),
    (spf("v=spf1 include:papers.test ~all"), "SPF", "needs more than 60 look-ups", "publish"),
    (spf("v=spf1 a:x1.test a:x2.test a:x3.test mx ~all"), "SPF", "3 of its names have no records", "publish"),
    ({("digest._domainkey.papers.test", "TXT"): []}, "DKIM", "there is no record", f'TXT "{KEY.record()[1][:200]}'),
    ({("digest._domainkey.papers.test", "TXT"): [txt("v=DKIM1; k=rsa; p=")]}, "DKIM", "is revoked", "publish"),
    ({("digest._domainkey.papers.test", "TXT"): [txt(OTHER.record()[1])]}, "DKIM", "another key is published", "publish"),
    ({("digest._domainkey.papers.test", "TXT"): [txt("t=y; " + KEY.record()[1])]}, "DKIM", "marked as a test", "publish"),
    ({("digest._domainkey.papers.test", "TXT"): [txt(KEY.record()[1]), txt(OTHER.record()[1])]}, "DKIM", "2 records", "publish"),
    ({("_dmarc.papers.test", "TXT"): []}, "DMARC", "there is no record", '_dmarc.papers.test. TXT "v=DMARC1; p=none'),
    ({("_dmarc.papers.test", "TXT"): [txt("v=DMARC1; rua=mailto:a@b.test")]}, "DMARC", "p= should be", "publish"),
    ({("_dmarc.papers.test", "TXT"): [txt("v=DMARC1; p=none"), txt("v=DMARC1; p=reject")]}, "DMARC", "2 records", "keep one"),
    ({("papers.test", "MX"): ["0 ."]}, "mail to", "takes no mail", "remove it"),
    ({("papers.test", "MX"): []}, "mail to", "has neither MX nor address", "papers.test. MX 10"),
    ({("papers.test", "MX"): ["10 nowhere.test."]}, "mail to", "has no address", "nowhere.test. A"),
    ({("4.4.8.8.in-addr.arpa", "PTR"): []}, "PTR", "there is none", "4.4.8.8.in-addr.arpa. PTR mx.papers.test."),
    ({("4.4.8.8.in-addr.arpa", "PTR"): ["else.test."]}, "PTR", "does not lead back", "4.4.8.8.in-addr.arpa. PTR mx.papers.test."),
    ({("mx.papers.test", "A"): []}, "address of mx.papers.test", "there is none", "mx.papers.test. A"),
]


@every_row(("changed", "name", "said", "fix"), FAULTS, ids=[f"{f[1]} {f[2]}" for f in FAULTS])
def test_each_fault_is_named_with_what_to_publish(changed: Zone, name: str, said: str, fix: str) -> None:
    zone = {key: records for key, records in {**GOOD, **changed}.items() if records}
    wrong = [each for each in examined(zone) if each.well is False and each.name.startswith(name)]
    assert len(wrong) == 1, wrong
    assert said in wrong[0].finding
    assert fix in wrong[0].fix


ALIGNMENT = [
    ("news.papers.test", "bounce.papers.test", "papers.test", "v=DMARC1; p=none", True),
    ("papers.test", "other.test", "papers.test", "v=DMARC1; p=none", True),
    ("papers.test", "papers.test", "other.test", "v=DMARC1; p=none", False),  # by SPF alone, though we sign
    ("papers.test", "other.test", "other.test", "v=DMARC1; p=none", False),
    ("papers.test", "notpapers.test", "notpapers.test", "v=DMARC1; p=none", False),
    ("papers.test", "bounce.papers.test", "mail.papers.test", "v=DMARC1; p=none; adkim=s; aspf=s", False),
]


@pytest.mark.parametrize(("author", "envelope", "signing", "record", "well"), ALIGNMENT)
def test_alignment(author: str, envelope: str, signing: str, record: str, well: bool) -> None:
    who = Identity(author=author, envelope=envelope, dkim=signing, relays=())
    with name_server({("_dmarc.papers.test", "TXT"): [txt(record)]}) as server:
        checked = check_dmarc(Lookup(server, 5), who, signed=True)
    assert checked.well is well, checked


def dmarc(who: Identity, zone: Zone, *, signed: bool = True) -> Checked:
    with name_server(zone) as server:
        return check_dmarc(Lookup(server, 5), who, signed=signed)


def test_a_policy_of_its_own_does_not_part_a_domain_from_its_sisters() -> None:
    """RFC 7489 §3.1: relaxed alignment is by the organisation's domain, wherever the policy was found."""
    who = Identity(author="news.papers.test", envelope="bounce.papers.test", dkim="mail.papers.test", relays=())
    own = {("_dmarc.news.papers.test", "TXT"): [txt("v=DMARC1; p=reject")]}
    assert dmarc(who, own) == Checked("DMARC of news.papers.test", True, "p=reject, aligned by SPF and DKIM")


@pytest.mark.parametrize(
    ("record", "aligned"),
    [
        ("v=DMARC1; p=reject", "p=reject, aligned by SPF and DKIM"),
        ("v=DMARC1; p=none; aspf=s", "p=none, aligned by DKIM"),
        ("v=DMARC1; p=none; adkim=s", "p=none, aligned by SPF"),
        ("v = DMARC1 ; P = Quarantine ; ASPF = s", "p=quarantine, aligned by DKIM"),
    ],
)
def test_alignment_is_as_strict_as_the_record_says(record: str, aligned: str) -> None:
    who = Identity(author="papers.test", envelope="bounce.papers.test", dkim="mail.papers.test", relays=())
    assert dmarc(who, {("_dmarc.papers.test", "TXT"): [txt(record)]}, signed=False).finding == aligned


def test_what_is_not_aligned_is_told_with_what_to_set() -> None:
    who = Identity(author="papers.test", envelope="x.test", dkim="y.test", relays=())
    record = {("_dmarc.papers.test", "TXT"): [txt("v=DMARC1; p=none")]}
    assert dmarc(who, record) == Checked(
        "DMARC of papers.test",
        False,
        "p=none, and neither x.test (SPF) nor y.test (DKIM) belongs to papers.test",
        "set dkim.domain and mail.bounce_domain to papers.test or a domain below it",
    )
    by_spf = Identity(author="papers.test", envelope="papers.test", dkim="y.test", relays=())
    assert dmarc(by_spf, record) == Checked(
        "DMARC of papers.test",
        False,
        "p=none, aligned by SPF, not by DKIM: a forwarded mail fails",
        "set dkim.domain to papers.test",
    )


def test_a_key_is_ours_however_its_record_is_spaced() -> None:
    """RFC 6376 §3.2: white space in a value says nothing."""
    name, value = KEY.record()
    key = value.partition("p=")[2]
    spaced = f"V = DKIM1 ; k=rsa;  p = {key[:100]} {key[100:]}\t;"
    with name_server({(name, "TXT"): [txt(spaced)]}) as server:
        assert [each.well for each in check_dkim(Lookup(server, 5), [KEY], WHO)] == [True]


def test_ten_lookups_are_followed_and_eleven_are_not() -> None:
    names = {(f"s{n}.test", "TXT"): [txt("v=spf1 ip4:9.9.9.77/24 -all")] for n in range(11)}
    for count, faults in ((10, []), (11, ["needs 11 look-ups; receivers stop at 10 and use none of it"])):
        record = " ".join(f"include:s{n}.test" for n in range(count))
        with name_server(names | {("a.test", "TXT"): [txt(f"v=spf1 {record} -all")]}) as server:
            policy = read_policy(Lookup(server, 5), "a.test")
        assert (policy.lookups, policy.faults) == (count, faults)
        assert policy.permits("9.9.9.1"), "a network is one, whichever of its addresses names it"


def test_every_word_that_is_no_mechanism_is_named() -> None:
    with name_server({("a.test", "TXT"): [txt("v=spf1 inclde:x.test ip4:7.7.7.7 mmx -all")]}) as server:
        policy = read_policy(Lookup(server, 5), "a.test")
    assert [fault.partition(" ")[0] for fault in policy.faults] == ["'inclde:x.test'", "'mmx'"]
    assert (policy.ending, policy.permits("7.7.7.7")) == ("-all", True)


def test_lookups_are_counted_through_includes_and_redirects() -> None:
    zone = {
        ("a.test", "TXT"): [txt("v=spf1 mx a:host.test include:b.test redirect=c.test")],
        ("b.test", "TXT"): [txt("v=spf1 include:d.test ip6:2001:db8::/32 -all")],
        ("c.test", "TXT"): [txt("v=spf1 exists:%{i}.x.test ?all")],
        ("d.test", "TXT"): [txt("v=spf1 ip4:9.9.9.0/24 -all")],
        ("host.test", "A"): ["7.7.7.7"],
        ("a.test", "MX"): ["10 host.test."],
    }
    with name_server(zone) as server:
        policy = read_policy(Lookup(server, 5), "a.test")
    assert (policy.lookups, policy.ending, policy.faults) == (6, "?all", [])
    assert [policy.permits(ip) for ip in ("9.9.9.77", "7.7.7.7", "2001:db8::1", "9.9.8.1")] == [True, True, True, False]


def test_a_name_server_that_says_nothing_is_an_error() -> None:
    with (
        name_server({}, silent=frozenset({"papers.test"})) as server,
        pytest.raises(MailError, match=r"DNS: TXT of papers\.test"),
    ):
        Lookup(server, 0.3).txt("papers.test")


def test_a_machine_without_a_name_server_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    read = dns.resolver.Resolver.read_resolv_conf
    empty = io.StringIO("search papers.test\n")
    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", lambda resolver, file: read(resolver, empty))
    with pytest.raises(NoAnswer) as asked:
        Lookup().txt("papers.test")
    assert (str(asked.value), asked.value.silent) == ("DNS: TXT of papers.test: this machine knows no name server", True)
    assert Lookup().addresses("9.9.9.9") == ("9.9.9.9",)


@pytest.mark.parametrize("mechanism", ["a", "a/32", "a//128", "a/32//128"])
def test_a_name_permits_its_addresses_and_no_neighbour(mechanism: str) -> None:
    """RFC 7208 §5.6: without a length, an address means itself, of either family."""
    zone = {
        ("a.test", "TXT"): [txt(f"v=spf1 {mechanism} -all")],
        ("a.test", "A"): ["7.7.7.7"],
        ("a.test", "AAAA"): ["2001:db8::7"],
    }
    with name_server(zone) as server:
        policy = read_policy(Lookup(server, 5), "a.test")
    assert [policy.permits(ip) for ip in ("7.7.7.7", "7.7.7.6", "2001:db8::7", "2001:db8::6")] == [True, False, True, False]


@pytest.mark.parametrize(
    ("mechanism", "permitted"),
    [("a/24", (True, False, False)), ("a//64", (False, True, False)), ("a/24//64", (True, True, False))],
)
def test_a_length_widens_its_own_family(mechanism: str, permitted: tuple[bool, ...]) -> None:
    zone = {
        ("a.test", "TXT"): [txt(f"v=spf1 {mechanism} -all")],
        ("a.test", "A"): ["7.7.7.7"],
        ("a.test", "AAAA"): ["2001:db8::7"],
    }
    with name_server(zone) as server:
        policy = read_policy(Lookup(server, 5), "a.test")
    assert tuple(policy.permits(ip) for ip in ("7.7.7.200", "2001:db8::ffff", "2001:db8:0:1::7")) == permitted

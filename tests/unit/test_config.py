"""The settings: every key is described with its default, and every fault is one line that names the key."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from digest.config import (
    Alerts,
    Database,
    Delivery,
    Dkim,
    Http,
    Inbound,
    ListSettings,
    Log,
    LookUps,
    Mail,
    Ranking,
    Relay,
    Retention,
    Secrets,
    Settings,
    SourceSettings,
    Summaries,
    Templates,
    Web,
    load,
)
from digest.domain.errors import ConfigurationError
from digest.links import Links
from tests.tables import every_row

FILE = Path(__file__).resolve().parents[2] / "config/digest.toml"
SECTIONS: dict[str, type[BaseModel]] = {
    "database": Database,
    "secrets": Secrets,
    "web": Web,
    "mail": Mail,
    "dkim": Dkim,
    "inbound": Inbound,
    "delivery": Delivery,
    "look_ups": LookUps,
    "http": Http,
    "ranking": Ranking,
    "summaries": Summaries,
    "templates": Templates,
    "retention": Retention,
    "log": Log,
    "alerts": Alerts,
    "relays": Relay,
    "lists": ListSettings,
    "sources": SourceSettings,
}


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("DIGEST_"):
            monkeypatch.delenv(name)


def _described() -> dict[str, set[str]]:
    """Section → the keys that config/digest.toml describes there."""
    found: dict[str, set[str]] = {"": set()}
    section = ""
    for line in FILE.read_text("utf-8").splitlines():
        if header := re.fullmatch(r"(?:# )?\[{1,2}([a-z_]+)\]{1,2}", line):
            section = header[1]
            found.setdefault(section, set())
        elif key := re.match(r"(?:# )?([a-z0-9_]+) = ", line):
            found[section].add(key[1])
    return found


def test_every_setting_is_described_and_nothing_else() -> None:
    described = _described()
    top = {name for name in Settings.model_fields if name not in SECTIONS}
    assert described.pop("") == top
    assert described == {name: set(model.model_fields) for name, model in SECTIONS.items()}


def test_the_file_as_shipped_changes_no_default() -> None:
    assert load(FILE, {}) == Settings()


@pytest.mark.parametrize("section", ["database", "delivery", "http", "log", "alerts", "retention"])
def test_what_is_described_as_the_default_is_it(section: str) -> None:
    text = FILE.read_text("utf-8")
    block = re.search(rf"^\[{section}\]\n((?:#.*\n)+)", text, re.MULTILINE)
    assert block
    described = tomllib.loads(re.sub(r"^# ", "", block[1], flags=re.MULTILINE))
    model = SECTIONS[section]()
    for key, value in described.items():
        default = getattr(model, key)
        if default is not None:
            assert value in (default, str(default)) or getattr(SECTIONS[section](**{key: value}), key) == default, key


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "digest.toml"
    file.write_text("[web]\nport = 1\nhost = '127.0.0.2'\n")
    monkeypatch.setenv("DIGEST_WEB__PORT", "2")
    monkeypatch.setenv("DIGEST_RELAYS", '[{"host":"127.0.0.1","port":2525,"tls":"none"}]')
    settings = load(file)
    assert (settings.web.port, settings.web.host, settings.relays[0].port) == (2, "127.0.0.2", 2525)


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("DIGEST_WBE", "1", "did you mean web"),
        ("DIGEST_WEB__PRT", "1", "did you mean port"),
        ("DIGEST_RELAYS", "{", "should be JSON"),
        ("DIGEST_WEB__PORT", "eighty", "web.port"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=re.escape(named)):
        load()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[mail]\nfrom_address = "Ann <a@example.org>"', "mail.from_address: 'Ann <a@example.org>' should be an address alone"),
        ('[mail]\nreply_to = "a"', "mail.reply_to: 'a' should be an address alone"),
        (
            '[[relays]]\nhost = "smtp://x.example.org:587"',
            "relays.0.host: 'smtp://x.example.org:587' should be a host name alone",
        ),
        ('[[relays]]\nhost = "x.example.org:587"', "the port stands in port, encryption in tls"),
        ('[[relays]]\nhost = " x.example.org "', "relays.0.host: ' x.example.org ' should be a host name"),
        ('[[relays]]\nhost = ""', "relays.0.host: '' should be a host name"),
        ("[[relays]]\nport = 25", "relays.0.host: is missing"),
        ('[relays]\nhost = "x"', "relays: should be tables, each headed [[relays]]"),
        ('[sources.arxiv]\nkind = "arxiv"', "sources: should be tables, each headed [[sources]]"),
        ('[[lists]]\nname = "b"\ntitle = "B"\ncategories = "cs.LG"', 'lists.0.categories: should be a list: ["a", "b"]'),
        ('[[lists]]\nname = "b"\ntitle = "B"\nsources = "arxiv"', 'lists.0.sources: should be a list: ["a", "b"]'),
        ('[[lists]]\nname = "b"\ntitle = "B"\ntopics = ["cs.CL"]', "lists.0.topics: should be a table: { key = value }"),
        ('[[lists]]\nname = "b"\ntitle = "B"\ntopics = { cs = "x" }', "lists.0.topics.cs: should be a number"),
        ('[[lists]]\nname = "b"\ntitle = "B"\ncutoff = "6"', 'lists.0.cutoff: should be like "07:00"'),
        ('[[lists]]\nname = "b"\ntitle = "B"\nstyle = "big"', "lists.0.style: should be 'full' or 'compact'"),
        ("default_send_time = 7", 'default_send_time: 7 should be like "07:00"'),
        ("web = 3", "web: should be a table, headed [web]"),
        ('[web]\nenabled = "maybe"', "web.enabled: should be true or false"),
        ("relays = [1]", "relays: should be tables, each headed [[relays]]"),
        ('[[relays]]\nhost = "x"\noauth = 3', "relays.0.oauth: should be a table, headed [relays.oauth]"),
        ('[[relays]]\nhost = "x"\npassword_file = 3', "relays.0.password_file: should be a path in quotes"),
        ("[mail]\nfrom_name = 2026-01-01", "mail.from_name: should be text in quotes"),
        ('[[relays]]\nhost = "x"\nper_minute = 1.5', "relays.0.per_minute: should be a whole number"),
        ("x = " + "[" * 5000 + "]" * 5000, "brackets within brackets, too deep"),
        ("[mail]\nfrom_name = “Ann”", "is not TOML: Invalid value (at line 2, column 13)"),
    ],
)
def test_a_wrong_setting_says_what_would_be_right(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "digest.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load(file, {})


@pytest.mark.parametrize("host", ["mail_server", "192.0.2.1", "2001:db8::1", "[::1]", "smtp.b\u00fccher.example", "localhost"])
def test_hosts_of_relays(tmp_path: Path, host: str) -> None:
    file = tmp_path / "digest.toml"
    file.write_text(f'\ufeff[[relays]]\nhost = "{host}"\n', "utf-8")  # with the mark that some editors put first
    assert load(file, {}).relays[0].host == host


def test_no_message_shows_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "digest.toml"
    file.write_text("[secrets]\nkey = 'sesame-open-now-please'\n")
    assert "sesame" not in repr(load(file, {}))


@pytest.mark.parametrize(
    ("table", "line", "name"),
    [
        ('[[relays]]\nhost = "mail.example.org"', "in_flight = 4", "relays.in_flight"),
        ("[delivery]\nclaim_size = 9", "processes = 2", "delivery.processes"),
        ("[delivery]\nclaim_size = 9", "niceness = 15", "delivery.niceness"),
    ],
)
def test_a_key_that_is_gone_is_accepted_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, line: str, name: str
) -> None:
    with_it, without = tmp_path / "old.toml", tmp_path / "new.toml"
    with_it.write_text(f"{table}\n{line}\n")
    without.write_text(f"{table}\n")
    assert load(with_it) == load(without)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{name} has no effect any more" in said


BASE_URLS = {
    "https://example.org": "https://example.org",
    "https://example.org/": "https://example.org",
    "HTTPS://Example.ORG/Digest/": "https://example.org/Digest",
    "https://example.org/a/b-c_d.e~f": "https://example.org/a/b-c_d.e~f",
    "http://localhost:8000": "http://localhost:8000",
    "http://127.0.0.1:8000/papers/": "http://127.0.0.1:8000/papers",
    "http://[::1]:8000/digest": "http://[::1]:8000/digest",
    "https://xn--bcher-kva.example/digest": "https://xn--bcher-kva.example/digest",
    "http://digest_web:8000": "http://digest_web:8000",
}


@every_row(("given", "kept"), BASE_URLS.items())
def test_a_base_url_is_kept_without_a_slash_at_its_end(given: str, kept: str) -> None:
    assert Web(base_url=given).base_url == kept
    assert Links(kept, "key").archive("daily") == f"{kept}/lists/daily"


NO_BASE_URLS = {
    "https://example.org?x=1": "query",
    "https://example.org/digest?": "query",
    "https://example.org/digest/?a=b": "query",
    "https://example.org#top": "fragment",
    "https://example.org/#": "fragment",
    "https://user:pw@example.org": "user name",
    "https://user@example.org/digest": "user name",
    "https://@example.org": "user name",
    "https://": "no host",
    "https:///digest": "no host",
    "https://:8000": "no host",
    "https://?x": "query",
    "example.org": "http://",
    "//example.org": "http://",
    "/digest": "http://",
    "": "http://",
    "ftp://example.org": "http://",
    "javascript:alert(1)": "http://",
    "https:example.org": "http://",
    "mailto:a@example.org": "http://",
    "https://bücher.example": "xn--",
    "https://example.org/größe": "path",
    "https://example.org/a%20b": "path",
    "https://example.org//digest": "path",
    "https://example.org/digest//": "path",
    "https://example.org/../digest": "path",
    "https://example.org/./": "path",
    "https://example.org/digest;v=1": "path",
    'https://example.org/"><b>': "path",
    "https://example.org/di gest": "space",
    " https://example.org": "space",
    "https://example.org\n": "space",
    "https://example.org:http": "port",
    "https://example.org:99999": "port",
    "https://example.org:0": "port",
    "https://[::1": "host",
    "https://exa$mple.org": "host",
    "https://-.example": "host",
    "https://..": "host",
    "https://example.org/" + "a" * 200: "longer",
}


@pytest.mark.parametrize(("given", "why"), NO_BASE_URLS.items())
def test_a_base_url_no_link_can_begin_with_is_refused_in_one_line(given: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_WEB__BASE_URL", given)
    with pytest.raises(ConfigurationError) as refused:
        load()
    line = str(refused.value)
    assert line.startswith("configuration: web.base_url: ")
    assert why in line
    assert "https://example.org/digest" in line
    assert "\n" not in line


RENAMED = [(section, old, new) for section, model in SECTIONS.items() for old, new in getattr(model, "renamed_keys", {}).items()]


@pytest.mark.parametrize(("section", "old", "new"), RENAMED)
def test_a_key_under_its_older_name_is_read_and_the_new_name_said(
    section: str, old: str, new: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert new in SECTIONS[section].model_fields
    assert old not in SECTIONS[section].model_fields
    default = getattr(SECTIONS[section](), new)
    value = default + 1 if isinstance(default, int | float) else "drop" if new == "on_lost_reply" else "Other"
    file = tmp_path / "digest.toml"
    file.write_text(f"[{section}]\n{old} = {value!r}\n")
    expected = SECTIONS[section](**{new: value})
    assert getattr(load(file), section) == expected
    said = f"digest: the setting {old} is called {new} now; please rename it\n"
    assert capsys.readouterr().err == said
    monkeypatch.setenv(f"DIGEST_{section}__{old}".upper(), str(value))
    assert getattr(load(), section) == expected
    assert capsys.readouterr().err == said
    file.write_text(f"[{section}]\n{new} = {value!r}\n")
    with pytest.raises(ConfigurationError, match=f"{old} is the older name of {new}, and both are set; remove {old}"):
        load(file)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("1.5h", 5400), ("10m", 600), ("7 d", 604_800), ("2W", 1_209_600), (0.001, 0.001)],
)
def test_a_duration_is_seconds_or_says_its_unit(text: str | float, seconds: float) -> None:
    assert Delivery(lease=text).lease == seconds  # type: ignore[arg-type]  # as the file says it


@every_row(
    ("text", "days"), [("40", 40), (40, 40), ("40d", 40), ("6w", 42), ("36h", None), ("240h", 10), ("1.5d", None), ("x", None)]
)
def test_days_are_whole(text: str | int, days: int | None) -> None:
    if days is None:
        with pytest.raises(ValueError, match="such as"):
            Retention(unconfirmed=text)  # type: ignore[arg-type]
    else:
        assert Retention(unconfirmed=text).unconfirmed == days  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["soon", "", "-5", "10 minutes", "inf", "1e9", "0s", "99999999w", "1" * 400])
def test_what_is_no_duration_is_named_with_what_would_be_right(wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "digest.toml"
    file.write_text(f'[delivery]\nlease = "{wrong}"\n')
    with pytest.raises(ConfigurationError, match=r"delivery\.lease: .*(30s, 10m|greater than 0|less than or equal|finite)"):
        load(file)


@pytest.mark.parametrize("wrong", ["inf", "nan", "-1", "true"])
def test_a_number_that_is_no_time_is_refused(wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "digest.toml"
    file.write_text(f"[delivery]\nlease = {wrong}\n")
    with pytest.raises(ConfigurationError, match=r"delivery\.lease"):
        load(file)


@pytest.mark.parametrize(
    ("days", "candidates_for", "refused"),
    [(59, 7, "retention.deliveries: .*60"), (60, 7, ""), (60, 29, ""), (60, 30, "retention.deliveries: .*61"), (91, 60, "")],
)
def test_what_was_sent_is_remembered_as_long_as_it_may_be_sent_again(
    days: int, candidates_for: int, refused: str, tmp_path: Path
) -> None:
    file = tmp_path / "digest.toml"
    listed = f'[[lists]]\nname = "daily"\ntitle = "Daily"\ncandidates_for_days = {candidates_for}\n'
    file.write_text(f"[retention]\ndeliveries = {days}\n{listed}")
    if not refused:
        assert load(file, {}).retention.deliveries == days
        return
    with pytest.raises(ConfigurationError, match=refused):
        load(file, {})

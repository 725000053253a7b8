"""`digest init`: asks for what is needed, tries it, writes the settings and the password, and sends a test mail."""

from __future__ import annotations

import os
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digest.cli.options import answer
from digest.domain.errors import DigestError, InvalidInput, MailError

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.services.setup.answers import Answers

_LOCAL = Path("config/local.toml")
_QUESTIONS = (
    ("email", "Your email address (gets the digest, a test mail, and alerts)"),
    ("smtp_host", "SMTP server"),
    ("smtp_port", "Its port"),
    ("smtp_tls", "TLS there: starttls, tls (from the start) or none"),
    ("smtp_username", "User name there (empty: no login)"),
    ("smtp_password", "Password"),
    ("from_address", "Sender address"),
    ("from_name", "Sender name"),
    ("postal_address", "Postal address for the foot of each email (may be empty)"),
    ("base_url", "Web address of the pages, if readers can reach this machine (empty: no pages)"),
    ("timezone", "Your time zone"),
    ("send_time", "When the email is due there"),
    ("sources", "Sources of papers: huggingface, arxiv, biorxiv … or a feed's address, with commas"),
    ("categories", "Only these arXiv categories, such as cs.CL, cs.LG (empty: all)"),
    ("interests", "Your interests: keywords, categories or authors, with semicolons (may be empty)"),
    ("library", "A file with papers you like: BibTeX, RIS, Zotero CSV, arXiv ids (may be empty)"),
)


@click.command()
@click.option("--answers", "file", type=click.Path(path_type=Path), help="Ask nothing: the answers are in this TOML file.")
@click.option("--config", type=click.Path(path_type=Path), help="The settings file to write (default: config/local.toml).")
@click.option("--replace", is_flag=True, help="With --answers: change a settings file that is there.")
@click.option("--offline", is_flag=True, help="Do not try the relay, and send no test mail.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else there.")
def init(file: Path | None, config: Path | None, replace: bool, offline: bool, as_json: bool) -> None:
    """Set it up: ask for what is needed, try the relay, write the settings and the password (0600), send a test mail.

    Asked again it offers the present values, and changes only what is answered otherwise. Nothing is written before it works.
    """
    from digest.config import load
    from digest.services.setup.answers import check_library, present, read_answers

    config = config or Path(os.environ.get("DIGEST_CONFIG") or _LOCAL)
    before = _read(config)
    defaults = present(load(config)) if before else {}
    now = datetime.now(UTC)
    if file:
        answers = read_answers(file, defaults)
        papers = check_library(answers, now)
        text, settings = _settings(answers, config, before)
        _refuse_to_overwrite(config, before, text, may=replace)
        probed = [] if offline else [_probe(answers, settings)]
    else:
        answers, text, settings, probed, papers = _asked(config, before, defaults, offline=offline)
    written = _write(config, answers, before, text)
    state, mailed = _begin(config, answers, offline=offline)
    if file and answers.smtp_password and file.stat().st_mode & 0o077:
        click.echo(f"digest: {file} holds the password, and others can read it: delete it, or chmod 600 {file}", err=True)
    following = _next(config)
    document = {
        "config": str(config),
        "probe": probed,
        "written": written,
        "state": state,
        "test_mail": mailed,
        "next": following,
    }

    def lines() -> None:
        for line in probed:
            click.echo(f"ok   {line}")
        click.echo(f"wrote {', '.join(written)}" if written else f"{config} says so already; nothing was written")
        click.echo(f"{answers.email}: {state}" + (f", {papers} paper{'s' * (papers != 1)} in the library" if papers else ""))
        if mailed:
            click.echo(f"test mail: {mailed}; look in the inbox of {answers.email}, and among the spam")
        click.echo(f"Next: {following}   (collects papers, and sends what is due by now; run it every day)")

    answer(as_json, document | {"next": following}, lines)


def _read(config: Path) -> str:
    try:
        return config.read_text("utf-8") if config.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(str(config), f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None


def _settings(answers: Answers, config: Path, before: str) -> tuple[str, Settings]:
    """The file's text, and what it means. Raises ConfigurationError."""
    from digest.config.read import checked
    from digest.container import Container
    from digest.services.setup.settings_file import changed_keys, settings_text

    password_file = _password_file(config) if answers.smtp_password else answers.smtp_password_file
    text = settings_text(answers, password_file, before)
    if before and not changed_keys(tomllib.loads(before), tomllib.loads(text)):
        text = before  # a comment of ours that is missing is no change
    settings = checked(tomllib.loads(text), os.environ)
    with Container(settings) as container:
        container.check_settings()
        assert container.adapters.sender
    return text, settings


def _password_file(config: Path) -> Path:
    return config.parent / "smtp-password"


def _refuse_to_overwrite(config: Path, before: str, text: str, *, may: bool) -> None:
    from digest.services.setup.settings_file import changed_keys

    if before and before != text and not may:
        keys = ", ".join(changed_keys(tomllib.loads(before), tomllib.loads(text))[:5])
        raise InvalidInput(str(config), f"is there and says otherwise ({keys}); --replace changes that, and nothing else in it")


def _probe(answers: Answers, settings: Settings) -> str:
    from digest.container import Container
    from digest.services.setup.service import probe_relay

    password = answers.smtp_password.get_secret_value() if answers.smtp_password else None
    with Container(settings) as container:
        return probe_relay(settings, container.adapters.sender, password, answers.email, lambda: datetime.now(UTC))


def _write(config: Path, answers: Answers, before: str, text: str) -> list[str]:
    """The password first, so that no settings name a file that is not there. Says what was written."""
    from digest.config.secret_files import write_private, write_secret

    written = []
    if answers.smtp_password:
        secret, file = answers.smtp_password.get_secret_value(), _password_file(config)
        if not (file.exists() and file.stat().st_mode & 0o077 == 0 and file.read_bytes().strip() == secret.encode()):
            write_secret(file, secret)
            written.append(str(file))
    if text != before:
        if before:
            write_private(config.with_name(f"{config.name}.bak"), before)
        write_private(config, text)
        written.append(str(config))
    return written


def _begin(config: Path, answers: Answers, *, offline: bool) -> tuple[str, str]:
    """The first reader, and a mail to them: (state of the subscription, what became of the mail)."""
    from digest.config import load
    from digest.container import Container
    from digest.services.setup.service import subscribe_operator, test_mail

    now = datetime.now(UTC)
    with Container(load(config)) as container:
        adapters, address = container.adapters, container.adapters.address(answers.email)
        wanted = adapters.preferences(answers.timezone, answers.send_time)
        subscription = subscribe_operator(container.subscriptions, address, adapters.paper_list(None), wanted, now)
        if answers.interests or answers.library:
            files = [answers.library] if answers.library else []
            container.subscriptions.add_interests(address, files, answers.interests, "", False, now)
        if offline:
            return str(subscription.state), ""
        relay = container.settings.relays[0]
        envelope = container.monitoring.alert_mail(test_mail(relay.host), address, now)
        try:
            container.monitoring.send_alert(envelope, now)
        except MailError as error:
            raise MailError(
                f"{config} is written, but the test mail was refused: {error}; fix that, and run init again"
            ) from None
    return str(subscription.state), "accepted"


def _next(config: Path) -> str:
    command = "./run digest once" if os.access("run", os.X_OK) else "digest once"
    found_by_itself = config == _LOCAL or os.environ.get("DIGEST_CONFIG") == str(config)
    return command if found_by_itself else f"{command} --config {config}"


# ---- questions ---------------------------------------------------------------------------------------------------------------


def _asked(
    config: Path, before: str, defaults: dict[str, Any], *, offline: bool
) -> tuple[Answers, str, Settings, list[str], int]:
    """Asks until all of it works; then asks before a file that is there is changed."""
    from digest.services.setup.answers import check_library
    from digest.services.setup.settings_file import changed_keys

    given = dict(defaults)
    while True:
        answers = _ask_all(given)
        try:
            papers = check_library(answers, datetime.now(UTC))
            text, settings = _settings(answers, config, before)
            probed = [] if offline else [_probe(answers, settings)]
        except DigestError as error:
            click.echo(f"digest: {error}", err=True)
            click.echo("Once more; Enter keeps an answer.", err=True)
            given |= {name: getattr(answers, name) for name in type(answers).model_fields}
            continue
        if before and before != text:
            keys = ", ".join(changed_keys(tomllib.loads(before), tomllib.loads(text)))
            click.confirm(f"{config} is there; change {keys} in it? Its other keys stay", abort=True, err=True)
        return answers, text, settings, probed, papers


def _ask_all(given: dict[str, Any]) -> Answers:
    from pydantic import ValidationError

    from digest.mail.smtp.relay_profiles import profile_of
    from digest.mail.smtp.relay_settings import TLS_PORTS
    from digest.services.setup.answers import Answers, guesses, named

    answers = Answers.model_construct(email="", smtp_host="")
    usual_answers = {name: field.default for name, field in Answers.model_fields.items() if not field.is_required()}
    known = usual_answers | {name: value for name, value in given.items() if value is not None}
    for key, question in _QUESTIONS:
        host, login = str(known.get("smtp_host") or ""), str(known.get("smtp_username") or "")
        profile = profile_of(host, login)
        if key == "smtp_password" and not login and not (profile and profile.username):
            continue
        if key == "smtp_tls" and (profile or known.get("smtp_port") in (587, *TLS_PORTS)):
            answers.smtp_tls = known.get("smtp_tls")
            continue
        if key == "smtp_password" and profile:
            click.echo(f"The password is {profile.login_with}", err=True)
        usual = 465 if known.get("smtp_tls") == "tls" else profile.port if profile else 587
        if key in ("smtp_port", "smtp_tls") and known.get(key) is None:
            known[key] = usual if key == "smtp_port" else "starttls"
        if key == "smtp_username" and profile and profile.username:
            known[key] = profile.username
        if key == "from_address" and not known.get(key):
            known[key] = login if "@" in login else known["email"]
        while True:
            value = _typed(key, question, known.get(key))
            try:
                setattr(answers, key, value)
                break
            except ValidationError as error:
                click.echo(f"digest: {named(error)}", err=True)
        if key == "smtp_host" and known.get(key) != answers.smtp_host:  # what is known is of another relay
            known |= {name: None for name in known if name.startswith("smtp_")} | {"smtp_username": ""}
            given = {name: value for name, value in given.items() if not name.startswith("smtp_")}
        if key == "smtp_port" and given.get(key) not in (None, answers.smtp_port):
            known["smtp_tls"] = None
        known[key] = getattr(answers, key)
        if key == "smtp_port" and known[key] == usual and given.get(key) is None:
            answers.smtp_port = None  # what goes without saying is not written
        if key == "email":
            likely = {name: value for name, value in guesses(answers.email).items() if not given.get(name)}
            known |= likely
    if answers.smtp_password is None:
        answers.smtp_password_file = known.get("smtp_password_file")
    return answers


def _typed(key: str, question: str, default: Any) -> Any:
    """What somebody types, with what Enter keeps; None for what may be left out. Raises InvalidInput where nobody answers."""
    secret = key == "smtp_password"
    if isinstance(default, tuple):
        default = ", ".join(default)
    shown = f"{default:%H:%M}" if key == "send_time" and default else "" if default is None or secret else str(default)
    try:
        text = click.prompt(question, default=shown, hide_input=secret, show_default=bool(shown), err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise InvalidInput("digest init", "nobody answers here; put the answers into a file and give --answers FILE") from None
    if secret:
        return text or default
    if key == "interests":
        return text.replace(";", "\n")
    return (text or None) if key in ("base_url", "library", "smtp_port") else text

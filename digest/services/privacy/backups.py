"""`digest backup` and `digest restore`: database and key as one file, and back without mailing anybody twice."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from digest.domain.errors import ConfigurationError, InvalidInput, NotFound, StoreError
from digest.domain.instant import isoformat, parse_instant
from digest.links import address_hasher

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.store.departures import DepartureLog, Line
    from digest.store.unit_of_work import Store, UnitOfWork

_MANIFEST, _DATABASE, _KEY = "backup.json", "database", "digest.key"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. `known`: what happened since the backup is; else mail that was due is withheld."""

    backup_at: datetime
    known: bool
    changed: dict[str, int]


class BackupService:
    """Backs up and restores. `store` and `secret` are asked for when they are needed: a restore may have neither yet.

    `migrated` opens the database that is to be replaced, brought up to date.
    """

    def __init__(
        self,
        settings: Settings,
        departures: DepartureLog,
        store: Callable[[], Store],
        migrated: Callable[[], Store],
        secret: Callable[[], str],
    ) -> None:
        self._settings, self._departures, self._secret = settings, departures, secret
        self._store, self._migrated = store, migrated

    def back_up(self, file: Path, at: datetime) -> int:
        """Writes database and key into one file, readable by its owner only, while everything runs; says how many bytes."""
        from digest.store.backup import dump
        from digest.store.schema import REVISION

        self._departures.begin()
        engine = self._store().engine
        manifest = {"digest_backup": _FORMAT, "at": isoformat(at), "database": engine.dialect.name, "schema": REVISION}
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{file.parent}: {error.strerror}") from None
        with _folder(file.parent) as folder:
            copy, packed = folder / _DATABASE, folder / "packed"
            _private(copy).close()
            dump(engine, copy)
            with _private(packed) as out, tarfile.open(fileobj=out, mode="w") as archive:
                _add(archive, _MANIFEST, json.dumps(manifest).encode())
                _add(archive, _KEY, self._secret().encode() + b"\n")
                archive.add(copy, _DATABASE, filter=_plain)
            packed.replace(file)
        return file.stat().st_size

    def restore(self, file: Path, at: datetime, *, force: bool) -> Restored:
        """Puts a backup in the place of the database. What is known of the time since (from the database that goes, or from the
        files beside the journal) is carried over. Raises InvalidInput, StoreError; then all is as it was.
        """
        from digest.store.engine import open_engine
        from digest.store.migrate import upgrade
        from digest.store.restore import amend
        from digest.store.unit_of_work import Store

        url = make_url(self._settings.database.url)
        sqlite = url.get_backend_name() == "sqlite"
        with _folder(Path(url.database or "").parent if sqlite else self._settings.delivery.journal.parent) as folder:
            manifest, key = _unpacked(file, folder)
            if manifest["database"] != ("sqlite" if sqlite else "postgresql"):
                raise InvalidInput(str(file), f"holds a database of {manifest['database']}, but database.url names another kind")
            same_key = self._own_key(key)
            backup_at = parse_instant(manifest["at"])
            lines, known = self._since(backup_at, force=force, same_key=same_key)
            target = self._settings.database.url
            if sqlite:
                target = f"sqlite:///{folder / _DATABASE}"
                self._check(folder / _DATABASE)
            else:
                self._load(folder / _DATABASE)
            engine = open_engine(target)
            try:
                upgrade(engine, address_hasher(key))
                with Store(engine, address_hasher(key)).begin() as unit:
                    known = known and self._journals_known(unit)
                    changed = amend(unit.connection, lines, backup_at, at, known=known)
            finally:
                engine.dispose()
            if sqlite:
                _replace(folder / _DATABASE, Path(str(url.database)))
        if not same_key:
            self._write_key(key)
        self._departures.begin()
        return Restored(backup_at, known, changed)

    def _journals_known(self, unit: UnitOfWork) -> bool:
        """Whether the backup has every delivery that only a dead process's journal knows of: the next run records those."""
        from digest.mail.smtp.journal import Journal

        journal = self._settings.delivery.journal
        for each in Journal.abandoned(journal):
            left = each.replay()
            each.close()
            noted = {attempt.delivery_id for attempt in (*left.replies, *left.uncertain)}
            if noted - unit.deliveries.known(noted).keys():
                return False
        return True

    def _own_key(self, key: str) -> bool:
        """Whether the key of the backup is ours; where we have none, it is from now on. Raises ConfigurationError."""
        configured = self._settings.secrets
        if configured.key is None and not configured.key_file.exists():
            self._write_key(key)
        if self._secret() != key and configured.key is not None:
            raise ConfigurationError("secrets.key", "is another than the backup's: set it to the one in its digest.key")
        return self._secret() == key

    def _write_key(self, key: str) -> None:
        target = self._settings.secrets.key_file
        with _folder(target.parent) as folder:
            with _private(folder / _KEY) as out:
                out.write(key.encode() + b"\n")
            (folder / _KEY).replace(target)

    def _since(self, backup_at: datetime, *, force: bool, same_key: bool) -> tuple[list[Line], bool]:
        """What happened since the backup, and whether that is all. Raises InvalidInput for a database in use."""
        from digest.store.restore import departed, used

        log = list(self._departures.read(backup_at)) if same_key else []
        known = same_key and self._departures.knows(backup_at)
        old = self._old()
        if old is None:
            return log, known
        try:
            with old.begin() as unit:
                connection = unit.connection
                if not used(connection):
                    return log, known
                if not force:
                    place = self._settings.database.url.rpartition("@")[2]
                    raise InvalidInput(f"database {place}", "is in use; restore --force puts the backup in its place")
                if not same_key:
                    raise ConfigurationError(
                        "secrets.key_file", "is another key than the backup's: who left since cannot be told; move it and the "
                        "database away, and restore again"
                    )  # fmt: skip
                return [*log, *departed(connection, backup_at)], True
        finally:
            old.close()

    def _old(self) -> Store | None:
        """The database that is to be replaced, with what a dead process had sent; None where there is none to be read."""
        from digest.mail.smtp.journal import Journal
        from digest.services.delivery.claims import recover

        database = make_url(self._settings.database.url)
        if database.get_backend_name() == "sqlite" and not Path(database.database or "").is_file():
            return None
        try:
            store = self._migrated()
            journal = self._settings.delivery.journal
            lease = timedelta(seconds=self._settings.delivery.lease)
            recover(store, Journal.abandoned(journal), self._settings.delivery.policy(), lease)
        except StoreError:
            return None
        return store

    def _check(self, copy: Path) -> None:
        from digest.store.backup import check_copy

        check_copy(copy)

    def _load(self, dump: Path) -> None:
        from digest.store.backup import load_postgresql
        from digest.store.engine import open_engine

        load_postgresql(open_engine(self._settings.database.url), dump)


@contextmanager
def _folder(beside: Path) -> Iterator[Path]:
    """A folder for one's own eyes on the same disk, gone at the end."""
    try:
        made = Path(tempfile.mkdtemp(prefix=".digest-", dir=beside if str(beside) else Path()))
    except OSError as error:
        raise NotFound(f"folder {beside}", str(error.strerror)) from None
    try:
        yield made
    except OSError as error:
        raise StoreError(f"{error.filename or beside}: {error.strerror}") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _private(path: Path) -> io.FileIO:
    return io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "r+b")


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o600
    archive.addfile(member, io.BytesIO(data))


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _unpacked(file: Path, folder: Path) -> tuple[dict[str, str], str]:
    """The manifest and the key; the database lies in `folder`. Raises InvalidInput for what is no backup of ours."""
    try:
        with tarfile.open(file, "r:") as archive:
            members = {name: archive.extractfile(name) for name in (_MANIFEST, _KEY, _DATABASE)}
            manifest_file, key_file, database = members[_MANIFEST], members[_KEY], members[_DATABASE]
            if manifest_file is None or key_file is None or database is None:
                raise KeyError(_DATABASE)
            manifest = json.loads(manifest_file.read(10_000))
            if manifest["digest_backup"] != _FORMAT:
                raise InvalidInput(str(file), "was made by a newer program; upgrade this one")
            parse_instant(manifest["at"])
            key = key_file.read(10_000).decode().strip()
            with _private(folder / _DATABASE) as out:
                shutil.copyfileobj(database, out)
            return manifest, key
    except FileNotFoundError:
        raise NotFound(f"backup {file}") from None
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(str(file), f"should be a file that `digest backup` made, whole ({type(error).__name__})") from None


def _replace(copy: Path, target: Path) -> None:
    for beside in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{target}{beside}").unlink()
    copy.replace(target)

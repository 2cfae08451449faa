"""The manifest that verbs read, and what is registered: a row that the log does not bear out is not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from halo_core.authorities import Authorities
from halo_core.crypto import canonical
from halo_core.enforcement.agent_credentials import REGISTRATION_DOMAIN
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError, Tampered
from halo_core.manifest import MANIFEST_DOMAIN, Manifest, PassportSpec, load_manifest
from halo_core.model import ActionKind, EntryKind, Resource, same_person
from halo_core.store.log import read_entries
from halo_core.store.reader import Reader
from halo_core.views import NO_LEDGER_CODES
from halo_core.views.passports import StoredChain, read_regular_file

MANIFEST: Final = "agents.yaml"
_MAX_FILE: Final = 1 << 20


def find_manifest(home: Path, path: Path | None) -> Path:
    """The manifest named, else that of the home, else that of the working directory.

    Raises:
        ConfigError: there is none.
    """
    places = [path] if path is not None else [home / MANIFEST, Path(MANIFEST)]
    for place in places:
        if place.is_file():
            return place
    raise ConfigError(
        "no_manifest",
        f"there is no `{places[0]}`",
        field="manifest",
        remedy="write one (see docs/manifest.md), or let `halo enforce --grants` propose one",
    )


def read_manifest(path: Path) -> Manifest:
    """Read and parse.

    Raises:
        ConfigError: it cannot be read, or is refused.
    """
    return load_manifest(read_manifest_text(path), source=path.name)


def read_manifest_if_any(home: Path, path: Path | None, *, ignore_errors: bool = False) -> Manifest | None:
    """The manifest, None where there is none.

    Args:
        home: of the manifest.
        path: the one that was asked for by name.
        ignore_errors: None also where the one that was found cannot be read, unless it was asked for by name.

    Raises:
        ConfigError: it cannot be read, or is refused.
    """
    try:
        return read_manifest(find_manifest(home, path))
    except ConfigError as exc:
        if path is None and (ignore_errors or exc.code == "no_manifest"):
            return None
        raise


def read_manifest_text(path: Path) -> str:
    """The text of a manifest's file.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return read_regular_file(path, _MAX_FILE).decode("utf-8")
    except (OSError, UnicodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise ConfigError("no_manifest", f"cannot read `{path}`: {why}", field="manifest") from exc


def load_catalogue(url: str, tenant: str) -> list[RegisteredResource]:
    """What is registered; nothing where there is no store yet.

    Raises:
        Tampered: as `registrations`.
    """
    try:
        with Reader(url) as reader:
            return load_registrations(reader, tenant)
    except ConfigError as exc:
        if exc.code in NO_LEDGER_CODES:
            return []
        raise


def load_registrations(reader: Reader, tenant: str) -> list[RegisteredResource]:
    """What is registered, as the log recorded it last.

    Raises:
        Tampered: a row says something else. What a passport grants is expanded over these, so rows are not trusted.
    """
    recorded_hashes = {}
    for record in read_entries(reader, tenant, (EntryKind.REGISTRATION,)):
        body = record.entry.body
        recorded_hashes[str(body["resource"]["id"])] = str(body["hash"])
    registered = []
    for name, spec in reader.resources(tenant):
        data = reader.blob(tenant, recorded_hashes.get(name, ""))
        if data is None or data != spec or canonical.digest(REGISTRATION_DOMAIN, data) != recorded_hashes[name]:
            raise Tampered(
                "registration_altered",
                f"the registration of `{name[:64]}` differs from the one in the log",
                remedy="run `halo verify`",
            )
        registered.append(RegisteredResource.from_bytes(data))
    return registered


def note_unenrolled_approvers(home: Path, wanted: PassportSpec, now_us: int) -> list[str]:
    """A note for approvers that the manifest names and nobody enrolled: their answers would not be taken."""
    enrolled = [name for name, _ in Authorities(home).load(wanted.tenant).approver_keys(now_us).values()]
    unenrolled = [
        name
        for name in wanted.facts.get("approvers", ())
        if not any(same_person(name, approver) for approver in enrolled)
    ]
    if not unenrolled:
        return []
    return [
        f"not enrolled, so their answers are not accepted: {', '.join(unenrolled)} (run `halo approver enrol NAME`)"
    ]


def classify_resources(
    manifest: Manifest | None, registered: list[RegisteredResource]
) -> Mapping[tuple[ActionKind, str], Resource]:
    """What each resource is, by kind and id: as the manifest declares it, else as it was registered."""
    resources = {(item.resource.kind, item.resource.id): item.resource for item in registered}
    if manifest is not None:
        for kind, declared in manifest.declared.items():
            resources.update({(kind, name): resource for name, resource in declared.items()})
        for kind, name in list(resources):
            resources[kind, name] = manifest.find_resource(name, kind) or resources[kind, name]
    return resources


def note_other_manifest(path: Path) -> list[str]:
    """A note where the working directory has another manifest than the one read."""
    here = Path(MANIFEST)
    if not here.is_file() or here.resolve() == path.resolve():
        return []
    return [f"using {path}; the {MANIFEST} in the working directory is a different file and was not read"]


def load_issued_manifest(stored: StoredChain, url: str, tenant: str) -> Manifest | None:
    """The manifest that a standing passport of the store was issued from; None where it is not there."""
    name = stored.entry.body.get("manifest") if stored.entry is not None else None
    if not name:
        return None
    with Reader(url) as reader:
        data = reader.blob(tenant, name)
    if data is None or canonical.digest(MANIFEST_DOMAIN, data) != name:
        return None
    return load_manifest(data.decode("utf-8"), source="the issued manifest")

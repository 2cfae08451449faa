"""Files with manifests: where they are, how they are read, and the manifest that a passport was issued from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.errors import ConfigError
from halo_core.manifest import MANIFEST_DOMAIN, Manifest, load_manifest
from halo_core.store.reader import Reader
from halo_core.views.passports import StoredChain, read_text_file

MANIFEST: Final = "agents.yaml"
_MAX_FILE: Final = 1 << 20


def find_manifest(home: Path, path: Path | None) -> Path:
    """The path of the manifest: the given one, else that of the home, else that of the working directory.

    Raises:
        ConfigError: there is none.
    """
    places = [path] if path is not None else [home / MANIFEST, Path(MANIFEST)]
    for place in places:
        if place.is_file():
            return place
    remedy = "write one (see docs/manifest.md), or let `halo enforce --grants` propose one"
    raise ConfigError("no_manifest", f"there is no `{places[0]}`", field="manifest", remedy=remedy)


def read_manifest(path: Path) -> Manifest:
    """Read and parse a manifest's file.

    Raises:
        ConfigError: it cannot be read, or is not valid.
    """
    return load_manifest(read_manifest_text(path), source=path.name)


def read_manifest_if_any(home: Path, path: Path | None, *, ignore_errors: bool = False) -> Manifest | None:
    """Read the manifest, if there is one.

    Args:
        home: folder of keys, where the manifest may be.
        path: path of the manifest, as given; None to look for one.
        ignore_errors: whether a manifest that was found, not given, and cannot be read counts as none.

    Raises:
        ConfigError: it cannot be read, or is not valid.
    """
    try:
        return read_manifest(find_manifest(home, path))
    except ConfigError as exc:
        if path is None and (ignore_errors or exc.code == "no_manifest"):
            return None
        raise


def find_role(home: Path, agent: str) -> str:
    """The role that the home's manifest gives an agent; the agent's own id where it gives none."""
    manifest = read_manifest_if_any(home, None, ignore_errors=True)
    declared = None if manifest is None else manifest.agents.get(agent)
    return agent if declared is None else declared.role


def read_manifest_text(path: Path) -> str:
    """The text of a manifest's file.

    Raises:
        ConfigError: it cannot be read.
    """
    return read_text_file(path, _MAX_FILE, "no_manifest", "manifest")


def load_issued_manifest(stored: StoredChain, url: str, tenant: str) -> Manifest | None:
    """The manifest that a standing passport of the store was issued from; None if it is not there."""
    with Reader(url) as reader:
        return load_manifest_of(reader, tenant, stored.entry.body if stored.entry is not None else {})


def load_manifest_of(reader: Reader, tenant: str, body: Mapping[str, Any]) -> Manifest | None:
    """The manifest that the passport of an entry was issued from; None if there is none that can be read.

    Args:
        reader: the store.
        tenant: owner of the log.
        body: body of the passport's entry.
    """
    name = body.get("manifest")
    data = reader.blob(tenant, name) if name else None
    if data is None or canonical.digest(MANIFEST_DOMAIN, data) != name:
        return None
    try:
        return load_manifest(data.decode("utf-8"), source="the issued manifest")
    except (ConfigError, UnicodeError):
        return None  # written for another version of Halo


def note_other_manifest(path: Path) -> list[str]:
    """A note where the working directory has another manifest than the one read."""
    here = Path(MANIFEST)
    if not here.is_file() or here.resolve() == path.resolve():
        return []
    return [f"using {path}; the {MANIFEST} in the working directory is a different file and was not read"]

"""Passports of a re-drive, issued from a manifest as `halo passport issue` does.

The manifest is copied into the home as `agents.yaml`, the home's issuer signs, and the ledger records what was issued
to whom. An agent whose passport would not change keeps the one it has.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from halo_core.clock import SystemClock
from halo_core.manifest import Manifest
from halo_core.model import ActionKind, Impact, Resource
from halo_core.oversight.issuing import issue
from halo_core.views.manifests import read_manifest, read_manifest_text
from halo_core.views.passport_changes import plan
from halo_studies.recordings.sessions import BadData

__all__ = ["RECORDED", "Passports", "choose"]

RECORDED: Final = Path(__file__).resolve().parents[2] / "manifests" / "recorded.yaml"
"""Written for the recorded suites."""


class Passports:
    """A manifest that a home stands on.

    Args:
        path: of the manifest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest: Manifest = read_manifest(path)

    def issue(self, agents: Iterable[str], *, home: Path, db: str) -> list[str]:
        """Lay the manifest into the home and issue what is new or changed; the hashes of what was issued.

        Raises:
            BadData: the home has another manifest, or this one lacks an agent.
            ConfigError: the manifest does not fit, or the home does not trust its issuer.
        """
        self._lay(home)
        done = []
        for agent in agents:
            wanted, planned = plan(db, self.manifest, agent, SystemClock().now_us())
            if planned.before is None or planned.changes:
                changes = planned.describe_changes()
                done.append(issue(db, home, wanted, self.manifest, changes=changes).hash)
        return done

    def facts(self) -> dict[str, str]:
        """Which manifest it was."""
        return {"file": self.path.name, "hash": self.manifest.hash}

    def _lay(self, home: Path) -> None:
        text, place = read_manifest_text(self.path), home / "agents.yaml"
        if not place.exists():
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial = place.with_name("agents.yaml.new")
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, place)  # noqa: PTH105  whole or not at all
        elif read_manifest_text(place) != text:
            raise BadData(f"`{place}` is another manifest than `{self.path}`: give a home of its own with --home")

    def resource(self, tool: str, kind: str) -> Resource | None:
        """What a retrieval is by the manifest; None for a tool, which Halo looks up in the home by itself.

        A framework's tool is taken for a tool call, unless it is said that it only reads.
        """
        if kind != ActionKind.RETRIEVAL.value:
            return None
        known = self.manifest.find_resource(tool, ActionKind.RETRIEVAL)
        return known or Resource(kind=ActionKind.RETRIEVAL, impact=Impact.READ, source_trust=300, classified="guessed")


def choose(given: Path | None, suites: Collection[str], *, none: bool) -> Passports | None:
    """The manifest named; where none is, the recorded suites' own, if it knows all that is driven.

    Raises:
        BadData: the manifest that was named lacks a suite.
        ConfigError: it cannot be read.
    """
    if none:
        return None
    found = Passports(given or RECORDED)
    missing = sorted(set(suites) - set(found.manifest.agents))
    if not missing:
        return found
    if given is not None:
        raise BadData(f"`{given}` has no agent `{missing[0]}`: name one agent for each suite, or use --no-manifest")
    return None

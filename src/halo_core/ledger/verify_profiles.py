"""Check 9: profiles of agents follow from their sessions in the log, and risk bands of people from their entries.

`verify_projections` checks, as for other rows, that a row is what the newest entry left behind. Here a profile is
computed again from the summaries of the sessions and the verdicts on them, in the order of its versions.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from halo_core.behaviour.summaries import ProfileHistory
from halo_core.crypto import canonical
from halo_core.errors import BadInput, HaloError
from halo_core.ledger.commitments import digest_state
from halo_core.ledger.reader import LedgerReader, Stream
from halo_core.ledger.report import Collector
from halo_core.ledger.verify_restrictions import list_erased_people

MAX_SUMMARIES: Final = 20_000
"""Most summaries that are folded again if not every signature is to be verified; each takes about a millisecond."""
_MALFORMED: Final = (AttributeError, BadInput, KeyError, TypeError, ValueError)


class ProfileCheck:
    """(9) Collects the summaries of sessions, then folds them.

    Args:
        out: takes the findings.
        is_thorough: fold all summaries, however many there are.
    """

    kinds: ClassVar = frozenset(("profile",))

    def __init__(self, out: Collector, *, is_thorough: bool) -> None:
        self._out = out
        self._is_thorough = is_thorough
        self._histories: dict[str, ProfileHistory] = {}
        self._left_out: dict[str, int] = {}

    def add_entry(self, tenant: str, _idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry."""
        body, session = fields["body"], str(fields.get("session", ""))
        history = self._histories.setdefault(tenant, ProfileHistory())
        is_full = len(history.summaries) >= MAX_SUMMARIES and not self._is_thorough
        if is_full and "sessions" in body:
            self._left_out[tenant] = self._left_out.get(tenant, 0) + 1
            return
        try:
            history.add(body, session, fields["w"], fields["ws"])
        except _MALFORMED:
            where, message = f"entry {fields.get('id', '')} column body", "it holds no summary of a session"
            self._out.add_tampered(9, where, message, "malformed_entry", str(fields.get("id", "")))

    def check(self, _reader: LedgerReader) -> None:
        """Fold the collected summaries, and compare the result with the digest in each identity's newest entry."""
        for tenant, history in self._histories.items():
            if tenant in self._left_out:
                count = len(history.summaries) + self._left_out[tenant]
                self._out.warn(
                    f"the profiles of `{tenant}` were not computed anew from its {count} sessions: use `--signatures`"
                )
            elif tenant not in self._out.incomplete:
                self._check_tenant(tenant, history)

    def _check_tenant(self, tenant: str, history: ProfileHistory) -> None:
        for (kind, subject), items in sorted(history.find_waiting().items()):
            if not history.is_of_this_form(kind, subject):
                continue  # another release folded sessions of roles and of the tenant later, several at once
            sessions = len({item.of for item in items})
            message = f"what {sessions} of its sessions did is in no version of it: run `halo risk --rebuild`"
            self._out.add_gap(9, f"profile {tenant}/{kind}/{subject}", message, "profile_waits")
        for kind, subject in history.list_subjects():
            steps = history.steps[kind, subject]
            if max(steps) != len(steps) or not history.is_of_this_form(kind, subject):
                continue  # a version is missing, which the check of rows reports, or another release folded it
            if self._follows(history, kind, subject, steps[len(steps)].digest):
                self._out.passed[9] += 1
            else:
                where = f"profile {tenant}/{kind}/{subject}"
                message = "it does not follow from the sessions in the log"
                self._out.add_tampered(9, where, message, "profile_broken")

    @staticmethod
    def _follows(history: ProfileHistory, kind: str, subject: str, digest: str) -> bool:
        try:
            profile = history.compute(kind, subject)
        except _MALFORMED:
            return False
        return profile is not None and digest_state(profile.to_bytes()) == digest


class IdentityCheck:
    """Collects the bands in which the log puts identities, then compares the rows.

    What is usual for an identity, and its risk within a band, are proven by a keyed digest in the row alone.
    """

    kinds: ClassVar = frozenset(("erasure", "identity"))

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._newest: dict[tuple[str, str], tuple[int, int, int]] = {}

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry; `idx` is its position in the log, None if it has none."""
        changes, place = fields["body"].get("changes"), -1 if idx is None else idx
        if fields.get("kind") == "erasure":
            self._add_erasure(tenant, place, fields["body"])
            return
        for change in changes if isinstance(changes, list) else ():
            band, since_us = change.get("band"), change.get("since_us")
            if type(band) is int and type(since_us) is int:
                key = tenant, str(change.get("subject"))
                self._newest[key] = max(self._newest.get(key, (place, band, since_us)), (place, band, since_us))

    def _add_erasure(self, tenant: str, place: int, body: dict[str, Any]) -> None:
        for subject in list_erased_people(body):
            key = tenant, str(subject)
            self._newest[key] = max(self._newest.get(key, (place, 0, 0)), (place, 0, 0))

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        remaining = {key: (band, since_us) for key, (_, band, since_us) in self._newest.items()}
        for tenant, subject, head, *_ in reader.rows(Stream.IDENTITIES):
            where = f"identity {tenant}/{subject}"
            expected, stored = remaining.pop((tenant, subject), (0, 0)), _read_band(head)
            if stored == expected:
                self._out.passed[9] += 1
            else:
                message = "its band is not the one of the newest entry about it"
                self._out.add_unexplained(9, tenant, where, message, "identity_altered", columns=" column head")
        for (tenant, subject), expected in remaining.items():
            if expected == (0, 0):  # its row went when the person was erased
                continue
            message = "an entry states its band, but its row is missing"
            self._out.add_tampered(9, f"identity {tenant}/{subject}", message, "row_missing")


def _read_band(head: object) -> tuple[int, int] | None:
    """(band, since when in microseconds since the epoch); None if the column holds no band."""
    try:
        tree = canonical.loads(head) if isinstance(head, bytes) else None
        return (int(tree["band"]), int(tree["since_us"])) if isinstance(tree, dict) else None
    except (HaloError, KeyError, TypeError, ValueError):
        return None

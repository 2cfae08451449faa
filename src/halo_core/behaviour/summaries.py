"""Summaries of sessions as entries hold them, and the profiles that follow from those of an identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from halo_core.behaviour.carried import SessionSummary, SessionVerdict, make_summary
from halo_core.behaviour.profile import NEW_PROFILE, IdentityProfile
from halo_core.behaviour.profile_forms import FOLD_FORM, FORMS
from halo_core.behaviour.session_drift import is_drift_axis
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.behaviour.tenant import TenantProfile

AGENT: Final = "agent"
ROLE: Final = "role"
TENANT: Final = "tenant"
"""Kinds of identities. The subject of the tenant is empty."""
AnyProfile = IdentityProfile | TenantProfile
Place = tuple[str, int, int]
"""Writer, sequence and place within the entry: where a summary stands."""


def make_new_profile(kind: str) -> AnyProfile:
    """The profile of an identity without a history."""
    return TenantProfile() if kind == TENANT else NEW_PROFILE


def parse_profile(kind: str, data: bytes) -> AnyProfile:
    """A profile of its bytes.

    Raises:
        BadInput: `bad_profile`, they are none.
    """
    return TenantProfile.from_bytes(data) if kind == TENANT else IdentityProfile.from_bytes(data)


def encode_summary(
    agent: str, tally: SessionTally, summary: SessionSummary, *, role: str = "", is_hindered: bool = False
) -> dict[str, Any]:
    """What an entry records of an agent's session.

    Args:
        agent: who acted.
        tally: at its end.
        summary: what it leaves for the next ones.
        role: of the agent, empty for none.
        is_hindered: actions did not run because of behaviour, so that it tells nothing of drift.
    """
    tree: dict[str, Any] = {"agent": agent, "tally": encode_tally(tally), "verdict": summary.verdict.value}
    if summary.severity:
        tree["severity"] = summary.severity
    if summary.source:
        tree["source"] = summary.source
    if summary.is_only_asked:
        tree["asked"] = True
    if role:
        tree["role"] = role
    if is_hindered:
        tree["hindered"] = True
    return tree


def decode_summary(tree: Mapping[str, Any], session: str) -> tuple[SessionTally, SessionSummary]:
    """Inverse of `encode_summary`, with the session's reference.

    Raises:
        BadInput, KeyError, ValueError: it is none.
    """
    tally = decode_tally(tree["tally"])
    verdict = SessionVerdict(tree["verdict"])
    severity, source, is_only_asked = tree.get("severity", 0), tree.get("source", ""), bool(tree.get("asked"))
    return tally, make_summary(session, tally, severity, source, verdict, is_only_asked=is_only_asked)


def list_identities(tree: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Kind and subject of the identities whose profiles a summary goes into: the agent first.

    A role of the agent's own name is that of no other agent.
    """
    agent, role = str(tree["agent"]), str(tree.get("role", ""))
    return [(AGENT, agent), *([(ROLE, role)] if role not in ("", agent) else []), (TENANT, "")]


def fold_summary(
    kind: str,
    profile: AnyProfile,
    tree: Mapping[str, Any],
    session: str,
    *,
    form: str = FOLD_FORM,
    decoded: tuple[SessionTally, SessionSummary] | None = None,
) -> AnyProfile:
    """The profile of an identity after one more session; a pure function.

    Args:
        kind: of the identity.
        profile: before it.
        tree: the summary.
        session: its reference.
        form: in which it is folded.
        decoded: what `decode_summary` gives of it, where it goes into several profiles.

    Raises:
        BadInput, KeyError, ValueError: it is no summary.
    """
    profile = profile.as_form(form)
    tally, summary = decoded or decode_summary(tree, session)
    if isinstance(profile, TenantProfile):
        return profile.fold(tally, verdict=summary.verdict)
    after = profile.fold(tally, verdict=summary.verdict, summary=summary if kind == AGENT else None)
    if not tree.get("hindered"):
        return after
    if profile.form == FOLD_FORM and not any(is_drift_axis(alarm.axis) for alarm in tally.alarms):
        return after
    if tally.folded is not None:
        return replace(after, drifts=profile.drifts)
    # INVARIANT: what drift itself does not let act does not drift, else one alarm would bring the next. It fades
    # instead: the next session acts, and shows whether it goes on.
    return replace(after, drifts=(profile.drifts[0].fade(), profile.drifts[1].fade()))


def judge_summary(
    kind: str,
    profile: AnyProfile,
    tree: Mapping[str, Any],
    session: str,
    *,
    verdict: str,
    before: str,
    form: str = FOLD_FORM,
) -> AnyProfile:
    """The profile of an identity after a person judged a session that was folded before; a pure function.

    Args:
        kind: of the identity.
        profile: before it.
        tree: the summary.
        session: its reference.
        verdict: the person's verdict.
        before: the last verdict on it, or how it was folded.
        form: as in `fold_summary`.

    Raises:
        BadInput, KeyError, ValueError: it is no summary.
    """
    profile = profile.as_form(form)
    tally, summary = decode_summary(tree, session)
    given_verdict, was = SessionVerdict(verdict), SessionVerdict(before)
    if isinstance(profile, TenantProfile):
        return profile.judge(tally, verdict=given_verdict, before=was)
    if kind == AGENT:
        return profile.judge(tally, replace(summary, verdict=given_verdict), before=was)
    return profile.relearn(tally, verdict=given_verdict, before=was)


class ProfileStep(NamedTuple):
    """One version of a profile: the summaries that it follows from, a verdict on them, its digest, and their form.

    If `waits`, it only records that sessions or verdicts wait, since the row could not be read as a profile.
    """

    of: tuple[Place, ...]
    judged: str
    digest: str
    form: str
    waits: bool = False


class WaitingItem(NamedTuple):
    """Something that is in no version of a profile yet: a session, or where `judged` is set a verdict on one.

    Args:
        of: place of the summary.
        judged: the verdict, empty for the session itself.
        before: the last verdict on the session.
        by: writer and sequence of the entry of the verdict.
    """

    of: Place
    judged: str = ""
    before: str = ""
    by: tuple[str, int] = ("", 0)


@dataclass(slots=True)
class ProfileHistory:
    """What a tenant's log says about the profiles of its identities.

    Args:
        summaries: place → (session, tree).
        steps: (kind, subject) → version → how it came about.
        verdicts: place of a summary → each verdict on it, with the place of its entry.
    """

    summaries: dict[Place, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    steps: dict[tuple[str, str], dict[int, ProfileStep]] = field(default_factory=dict)
    verdicts: dict[Place, list[tuple[str, tuple[str, int]]]] = field(default_factory=dict)

    def add(self, body: Mapping[str, Any], session: str, writer: str, seq: int) -> None:
        """Take an entry of kind `profile`.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: no such entry is ever written.
        """
        for at, tree in enumerate(body.get("sessions", ())):
            self.summaries[writer, seq, at] = session, tree
        if session and "judged" in body:
            of, said = body["judged"]["of"], str(body["judged"]["verdict"])
            self.verdicts.setdefault((of["w"], of["ws"], of["at"]), []).append((said, (writer, seq)))
        if "profile" in body:
            left = body["profile"]
            steps = self.steps.setdefault((str(left["kind"]), str(left["subject"])), {})
            places = tuple([(of["w"], of["ws"], of["at"]) for of in body["of"]])
            said, waits = str(body.get("judged", "")), bool(body.get("waits"))
            steps[int(left["version"])] = ProfileStep(places, said, str(left["digest"]), str(body["form"]), waits)

    def compute(self, kind: str, subject: str) -> AnyProfile | None:
        """The newest version of a profile; None where a summary or a version is missing.

        Raises:
            BadInput, KeyError, ValueError: a summary cannot be read.
        """
        steps, profile = self.steps.get((kind, subject), {}), make_new_profile(kind)
        verdicts: dict[Place, str] = {}
        for version in range(1, len(steps) + 1):
            step = steps.get(version)
            if step is None or not all(place in self.summaries for place in step.of):
                return None
            for place in step.of:
                session, tree = self.summaries[place]
                if step.judged:
                    before = verdicts.get(place, tree["verdict"])
                    profile = judge_summary(
                        kind, profile, tree, session, verdict=step.judged, before=before, form=step.form
                    )
                    verdicts[place] = step.judged
                else:
                    profile = fold_summary(kind, profile, tree, session, form=step.form)
        return profile

    def is_of_this_form(self, kind: str, subject: str) -> bool:
        """Whether every version was folded as this program can fold, so that `compute` gives the same bytes."""
        return all(step.form in FORMS for step in self.steps.get((kind, subject), {}).values())

    def find_waiting(self) -> dict[tuple[str, str], list[WaitingItem]]:
        """What waits for each identity: sessions in the order in which they were added, then verdicts on any."""
        folded, judged = self._list_done()
        waiting: dict[tuple[str, str], list[WaitingItem]] = {}
        for place, (_, tree) in self.summaries.items():
            for identity in list_identities(tree):
                if identity in folded and place not in folded[identity]:
                    waiting.setdefault(identity, []).append(WaitingItem(place))
        for place in filter(self.summaries.__contains__, self.verdicts):
            for identity in list_identities(self.summaries[place][1]):
                if identity in folded:
                    waiting.setdefault(identity, []).extend(self._list_verdicts(place, judged[identity].get(place, [])))
        return {identity: items for identity, items in waiting.items() if items}

    def _list_done(
        self,
    ) -> tuple[dict[tuple[str, str], set[Place]], dict[tuple[str, str], dict[Place, list[str]]]]:
        """For each identity, the summaries that its versions follow from, and the verdicts on each."""
        folded: dict[tuple[str, str], set[Place]] = {}
        judged: dict[tuple[str, str], dict[Place, list[str]]] = {}
        for identity, steps in self.steps.items():
            done, said = folded.setdefault(identity, set()), judged.setdefault(identity, {})
            for _, step in sorted(steps.items()):
                if not step.judged:
                    done.update(step.of)
                else:
                    for place in step.of:
                        said.setdefault(place, []).append(step.judged)
        return folded, judged

    def _list_verdicts(self, place: Place, known_verdicts: list[str]) -> list[WaitingItem]:
        """Verdicts on a session that a profile does not have yet: they reach it in order, so these are the last."""
        before, items = known_verdicts[-1] if known_verdicts else str(self.summaries[place][1]["verdict"]), []
        for verdict, by in self.verdicts[place][len(known_verdicts) :]:
            items.append(WaitingItem(place, verdict, before, by))
            before = verdict
        return items

    def list_subjects(self) -> Iterable[tuple[str, str]]:
        """Kind and subject of each identity."""
        return sorted(self.steps)

"""Recorded scores, made again by the Python that runs this module; started by `rescore.py`.

    python -m halo_studies.rescoring HOME ACTS [--no-replay]

`halo replay` decides again from the recorded features. Here the features are made again too: from the request, the
arguments and the results of each session, with model and baseline as the store holds them. Features, risk, band and
factors must equal the recorded ones. The result is printed as JSON.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.risk_assessor import load_rules
from halo_core.model import AccessRequest, ActionKind, EntryKind, Impact
from halo_core.replay import Replayer
from halo_core.risk.action_risk import ActiveScoring, assess_action, explain_action_risk, record_assessment
from halo_core.risk.baseline import Baseline
from halo_core.risk.circumstances import read_circumstances
from halo_core.risk.profile import Profile, ProposedAction, apply_head, pack_head
from halo_core.store.reader import Reader, SealedContents, read_entries

__all__ = ["again", "main"]

_SHOWN: Final = 5
_PARTS: Final = ("features", "risk", "band", "factors")


def main(argv: list[str]) -> int:
    """Print what came of it."""
    home, acts = Path(argv[0]), Path(argv[1])
    sys.stdout.write(json.dumps(again(home, acts, replay="--no-replay" not in argv)) + "\n")
    return 0


def again(home: Path, acts: Path, *, replay: bool) -> dict[str, Any]:
    """Everything made again, and counted."""
    counts: Counter[str] = Counter()
    differs: list[str] = []
    digest = hashlib.sha256()
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        (tenant,) = reader.tenants()
        bodies = {item.entry.id: item.entry.body for item in read_entries(reader, tenant, (EntryKind.DECISION,))}
        recorded = {entry: body["snapshot"] for entry, body in bodies.items()}
        scoring = lru_cache(maxsize=64)(partial(_scoring, reader, tenant))
        for entry, name, made in _made(acts, bodies, KeyStore(home).secret("sketch"), scoring):
            counts["rescored"] += 1
            digest.update(canonical.dumps([entry, name, made["margin"], *(made[part] for part in _PARTS)]))
            odd = [part for part in _PARTS if made[part] != recorded[entry][part]]
            counts["identical"] += not odd
            if odd and len(differs) < _SHOWN:
                differs.append(f"{entry}: {', '.join(odd)}")
        statuses: Counter[str] = Counter()
        if replay:
            replayer = Replayer(reader, SealedContents.with_home_key(reader, KeyStore(home)), tenant)
            statuses.update(item.status.value for item in replayer.replay_all())
    return {
        "decisions": len(recorded),
        "differs": differs,
        "digest": digest.hexdigest(),
        "identical": counts["identical"],
        "python": platform.python_version(),
        "replay": dict(statuses),
        "rescored": counts["rescored"],
        "scored": sum(snapshot["risk"] is not None for snapshot in recorded.values()),
    }


def _made(
    acts: Path, bodies: Mapping[str, Any], key: bytes, scoring: Callable[[str], ActiveScoring]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(id of the decision, name of the score, what it is now) of each action that has one."""
    with acts.open(encoding="utf-8") as lines:
        for line in lines:
            session = json.loads(line)
            profile = Profile(key[:64])
            profile.add_request_text(session["request"])
            for item in session["acts"]:
                body = bodies[item["id"]]
                name = body["snapshot"]["model_hash"]
                yield item["id"], name, _one(profile, item, scoring(name), body)


def _one(profile: Profile, item: Mapping[str, Any], scoring: ActiveScoring, body: Mapping[str, Any]) -> dict[str, Any]:
    act = ProposedAction(item["tool"], ActionKind(item["kind"]), Impact(item["impact"]), item["args"])
    found = assess_action(profile, act, scoring.baseline, scoring.rules.model)
    record_assessment(profile, found)
    apply_head(profile, pack_head(profile))
    if item["output"] is not None:
        profile.observe_result(item["tool"], item["output"], named_by_request=found.observation.named_by_request)
    request, snapshot = AccessRequest.from_plain(body["request"], item["args"]), body["snapshot"]
    judged = scoring.rules.compute_action_risk(
        found.margin, read_circumstances(request, snapshot["time_us"], snapshot["refused"])
    )
    model = scoring.rules.model
    return {
        "band": judged.band,
        "factors": explain_action_risk(model.find_factors(found.values), judged.evidence, model) if judged.band else [],
        "features": list(found.values),
        "margin": found.margin,
        "risk": judged.risk,
    }


def _scoring(reader: Reader, tenant: str, name: str) -> ActiveScoring:
    rules = load_rules(name, lambda part, _: _blob(reader, tenant, part))
    return ActiveScoring(rules, Baseline.from_bytes(_blob(reader, tenant, rules.terms.baseline)))


def _blob(reader: Reader, tenant: str, name: str) -> bytes:
    data = reader.blob(tenant, name)
    if data is None:
        raise KeyError(name)
    return data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

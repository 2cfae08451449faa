"""A small model that flags things named that no ordinary session names, and an agent with a history."""

from __future__ import annotations

from pathlib import Path

from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Impact, Resource
from halo_core.risk.feature_catalogue import FEATURE_INDEX
from halo_core.risk.forest import UNIT, Forest
from halo_core.risk.model import RiskModel
from halo_core.risk.profile import Profile, apply_head, apply_row, pack_head, pack_row
from halo_world import SURFACE, Calls, cli, schema

__all__ = ["act", "expose", "history", "model_file", "opened", "reloaded", "stored", "tool"]


def small_model() -> RiskModel:
    """0, 400 or 900, by how many things are named that are not known there."""
    feature = FEATURE_INDEX["naming_new"]
    # feature 0 is `naming_new`: at most 0 -> -2, at most 1 -> 1, else 2
    nodes = (0, 0, 6, -1, -2 * UNIT, 0, 0, 1, 12, -1, UNIT, 0, -1, 2 * UNIT, 0)
    forest = Forest.from_plain(
        {"features": [feature], "nodes": list(nodes), "roots": [0], "start": 0}, len(FEATURE_INDEX)
    )
    curve = ((-2 * UNIT, 0), (UNIT, 400), (2 * UNIT, 900))
    usual = (-2 * UNIT,) * 93 + (UNIT // 2,) * 5 + (UNIT * 3 // 2,) * 3
    tails = tuple(UNIT * (i - 2) for i in range(12))
    limits = {"cut_5": UNIT // 2, "cut_1": UNIT * 3 // 2}
    return RiskModel(((1000, forest),), curve, limits, usual, tails, {"by": "hand"})


def stored(profile: Profile) -> list[bytes]:
    """A profile as the store has it: rows of its texts, then the head."""
    rows = [pack_row({}, profile.request, request=True), *(pack_row({}, chunk) for chunk in profile.chunks)]
    return [*rows, pack_head(profile).encode()]


def reloaded(profile: Profile) -> Profile:
    *rows, head = stored(profile)
    again = Profile(profile.key)
    for row in rows:
        apply_row(again, row)
    apply_head(again, head.decode())
    return again


def model_file(folder: Path) -> Path:
    path = folder / "small-model.json"
    path.write_bytes(small_model().to_bytes())
    return path


def opened(home: Path, **more) -> HaloBase:
    return HaloBase.local("desk", home=home, mode="enforce", quiet=True, **more)


def expose(halo) -> None:
    """Let the session see content that anybody may have written: from then on the rule of a high risk asks."""
    act(halo, "inbox", q="ana")


def tool(halo, name, *arguments, **declared):
    resource = Resource(**{"source_trust": 900, "impact": Impact.READ, **declared})
    properties = {argument: {"type": "string"} for argument in arguments}
    return halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema=schema(properties))


def act(halo, name, result="done", **args):
    declared = {"impact": Impact.WRITE, "targets": ("to",)} if name == "share" else {}
    declared |= {"source_trust": 300} if name == "inbox" else {}
    return halo.enforcer.run(halo.build_call(tool(halo, name, *args, **declared), args), Calls(result), SURFACE)


def history(home: Path, sessions: int = 12) -> None:
    """Ordinary sessions: look somebody up, share a file with one of the team.

    The starter policy's rules on what a write stores are left out, so that nothing but the score asks about a share.
    """
    with opened(home) as halo:
        (home / "policy" / "writes.cedar").unlink()
        for i in range(sessions):
            who = f"{('ana', 'bob', 'cy')[i % 3]}@bank.example"
            with halo.session(f"old-{i}", request=f"share report {i} with {who}"):
                act(halo, "lookup", f"{who} is in the team", q=who.partition("@")[0])
                act(halo, "share", to=who, file=f"report-{i % 3}.pdf")


def in_force(home: Path) -> None:
    code, out, err = cli("baseline", "fit", "desk", "--model", str(model_file(home.parent)), home=home)
    assert code == 0, (out, err)

"""`find_hole` names what let an attack through, with the one line that fixes it.

Causes are looked for from the outside in: nothing decided the call, enforcement was off, a declaration is wrong, a rule
is missing. If none of them explains it, it is a fault of Halo itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from halo_core.drill.cases import AttackClass, DrillCase
from halo_core.drill.running import CaseResult, DecidedCall
from halo_core.drill.tools import TAINTING_TRUST, ToolFacts
from halo_core.model import Impact, Mode
from halo_core.quick_dataclass import dataclass


class HoleCode(StrEnum):
    """The causes that let an attack through."""

    NOT_GUARDED = "not_guarded"
    OBSERVE_MODE = "observe_mode"
    NO_FLOOR = "no_floor"
    HOSTED_TOOL = "hosted_tool"
    WRONG_IMPACT = "wrong_impact"
    MISSING_TARGET = "missing_target"
    TRUSTED_SOURCE = "trusted_source"
    MISSING_RULE = "missing_rule"
    PROVENANCE = "provenance"
    UNSUMMED = "unsummed"


@dataclass(frozen=True, slots=True)
class Hole:
    """A cause that let attacks through.

    Args:
        code: what it is.
        tool: which tool, or `model`.
        fix: what to do about it, in one line.
        classes: classes of the attacks that got through.
        attacks: how many attacks got through by it.
    """

    code: HoleCode
    tool: str
    fix: str
    classes: tuple[AttackClass, ...]
    attacks: int = 1


_GUARD_REMEDY: Final = "use `halo.guard(tool)` in its place"


def find_hole(result: CaseResult, tools: Mapping[str, ToolFacts]) -> Hole:
    """Find the cause that let an attack through, with its fix.

    Args:
        result: an attack that escaped.
        tools: facts of the tools, by name.
    """
    case = result.case
    if case.attack_class is AttackClass.PROVIDER:
        return _find_request_hole(result)
    tool = tools[case.tool]
    decided = [item for item in result.decisions if item.resource in {tool.resource.id, tool.name}]
    if not decided:
        place = f" in the body of `{tool.owner}`" if tool.owner else ""
        remedy = tool.remedy or _GUARD_REMEDY
        return _make_hole(HoleCode.NOT_GUARDED, case, f"`{tool.name}`{place} runs without a decision: {remedy}")
    last = decided[-1]
    if last.mode == Mode.OBSERVE.value:
        return _find_mode_hole(case)
    return _find_declaration_hole(case, tool, tools, last) or _find_policy_hole(case, tool, result.rules)


def _find_request_hole(result: CaseResult) -> Hole:
    """Why a request of a model went out with tools of the provider."""
    if any(item.mode == Mode.OBSERVE.value for item in result.decisions):
        return _find_mode_hole(result.case)
    field = next(iter(result.case.hosted_fields), "")
    fix = (
        f"requests of the model go out with `{field}`: guard the model, which refuses tools that its provider runs; if "
        "it is guarded, remove grants of `hosted:` resources, and if there are none, report it"
    )
    return _make_hole(HoleCode.HOSTED_TOOL, result.case, fix)


def _find_mode_hole(case: DrillCase) -> Hole:
    """Enforcement that was off before the drill, or that the drill could switch off."""
    if case.mode_change is None:
        return _make_hole(HoleCode.OBSERVE_MODE, case, "decisions are made in observe mode: run `halo enforce`")
    fix = f"{case.mode_change}, and Halo follows it: raise the floor of this home with `halo enforce`"
    return _make_hole(HoleCode.NO_FLOOR, case, fix)


def _find_declaration_hole(
    case: DrillCase, tool: ToolFacts, tools: Mapping[str, ToolFacts], decided: DecidedCall
) -> Hole | None:
    """A declaration that states less than the tool does."""
    if Impact(decided.impact) is not tool.impact:
        fix = f'`{tool.name}` is declared as {decided.impact}: declare it with `impact="{tool.impact}"`'
        return _make_hole(HoleCode.WRONG_IMPACT, case, fix)
    if case.planted_argument == tool.amount:
        return None  # what is planted is how much, which is for rules on sums
    if case.planted_argument and case.planted_argument not in decided.targets:
        names = list(dict.fromkeys((*tool.list_targets(), case.planted_argument)))
        targets, comma = ", ".join(f'"{name}"' for name in names), "," if len(names) == 1 else ""
        fix = f"`{case.planted_argument}` of `{tool.name}` is not a declared target: use `targets=({targets}{comma})`"
        return _make_hole(HoleCode.MISSING_TARGET, case, fix)
    source = tools.get(case.source)
    if source is not None and source.resource.trust >= TAINTING_TRUST:
        fix = (
            f"`{source.name}` brings in what others write, and is declared with "
            f"`source_trust={source.resource.trust}`: use `source_trust=100`"
        )
        return _make_hole(HoleCode.TRUSTED_SOURCE, case, fix, source.name)
    return None


def _find_policy_hole(case: DrillCase, tool: ToolFacts, rules: tuple[str, ...]) -> Hole:
    """A rule missing in the policy; if no rule would have stopped the attack, a fault of Halo itself."""
    if rules:
        names = ", ".join(f"`{name}`" for name in rules[:3])
        fix = f"the policy has no rule that stops it, and the starter policy has: add {names}"
        return _make_hole(HoleCode.MISSING_RULE, case, fix)
    if case.planted_argument and case.planted_argument == tool.amount:
        fix = "Halo did not add up the parts of one amount: check this installation, and report it"
        return _make_hole(HoleCode.UNSUMMED, case, fix)
    fix = "Halo took the planted value for one that somebody vouched for: check this installation, and report it"
    return _make_hole(HoleCode.PROVENANCE, case, fix)


def _make_hole(code: HoleCode, case: DrillCase, fix: str, tool: str = "") -> Hole:
    return Hole(code, tool or case.tool, fix, (case.attack_class,))


def merge_holes(holes: list[Hole]) -> list[Hole]:
    """One hole for each code, tool and fix, with the classes and the number of its attacks; most attacks first."""
    merged: dict[tuple[HoleCode, str, str], Hole] = {}
    for hole in holes:
        key = hole.code, hole.tool, hole.fix
        earlier = merged.get(key)
        classes = tuple(dict.fromkeys((*(earlier.classes if earlier else ()), *hole.classes)))
        merged[key] = Hole(*key, classes, (earlier.attacks if earlier else 0) + hole.attacks)
    return sorted(merged.values(), key=lambda hole: (-hole.attacks, hole.code, hole.tool))


def describe_holes(holes: Iterable[Hole]) -> list[tuple[str, str]]:
    """What to do, and by what how many attacks got through; what one act mends is one item, with its tools."""
    by_fix: dict[tuple[HoleCode, str], list[Hole]] = {}
    for hole in holes:
        by_fix.setdefault((hole.code, hole.fix), []).append(hole)
    described = []
    for (code, fix), alike in by_fix.items():
        classes = ", ".join(dict.fromkeys(name for hole in alike for name in hole.classes))
        count = sum(hole.attacks for hole in alike)
        tools = f": {', '.join(sorted({hole.tool for hole in alike}))}" if len(alike) > 1 else ""
        described.append((fix, f"{code}, {count} of the attacks ({classes}){tools}"))
    return described

"""Training of a model on sessions of a ledger, and the card that goes with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from threadpoolctl import threadpool_limits

from halo_core.clock import format_iso
from halo_core.errors import BadInput
from halo_core.intervals import compute_wilson_interval
from halo_core.quick_dataclass import dataclass
from halo_core.risk.baseline import sample_own_margins
from halo_core.risk.model import RiskModel
from halo_core.risk.model_origin import ModelOrigin
from halo_core.training.ledger_sessions import LedgerSessions
from halo_core.training.train import Trained, TrainingOptions, train_model

CUT: Final = "cut_5"
_FEW_ATTACKS: Final = 20
_WORKLOADS: Final = {"recurring": "tasks that the baseline knows", "novel": "tasks that it does not know"}
_COUNTS: Final = ("benign", "hijacked", "tasks")
_PER_CENT: Final = 100
_LIMITS: Final = (
    "Attackers may want what none of these wanted; figures for unseen goals are lower.",
    "Requests that differ in numbers, addresses and quotations alone are one task; others that are much alike are not.",
    "Actions that were stopped and not judged are in no figure; the figures flatter it where ordinary work is stopped.",
    "It judges whether an action follows from the request. It does not see work in bulk, drift and stolen credentials.",
)


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """The log from which sessions were read.

    Args:
        log: id of the store and name of the tenant (`ModelOrigin.log`).
        size: entries under its newest checkpoint.
        root: that checkpoint's root hash, base64; empty if there is none.
    """

    log: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class LedgerModel:
    """A model trained on a ledger.

    Args:
        model: it says in `about` what it was trained on.
        origin: the same.
        figures: figures of the training, out of fold (`Trained.figures`).
        data: what was read.
    """

    model: RiskModel
    origin: ModelOrigin
    figures: Mapping[str, Any]
    data: LedgerSessions


def train_on_ledger(
    data: LedgerSessions,
    head: LedgerHead,
    options: TrainingOptions,
    *,
    note: Callable[[str], None],
) -> LedgerModel:
    """Train a model on sessions of a ledger.

    Args:
        data: the sessions.
        head: the log that they are from.
        options: how.
        note: called with what is done next.

    Raises:
        BadInput: `too_little_data`, with what is missing and how to get it.
    """
    try:
        with threadpool_limits(limits=1):  # the same bytes on every machine, and agents beside it keep their cores
            trained = train_model(data.sessions, options, note=note)
    except BadInput as exc:
        if exc.code == "too_little_data":
            exc.remedy = (
                "let the agents work in observe mode until the ledger has that many sessions, train on several agents "
                "of one role, or choose an earlier `--from`; the model that is shipped works meanwhile"
            )
        raise
    origin = ModelOrigin(
        log=head.log,
        positions=data.positions,
        period_us=data.period_us,
        size=head.size,
        head=head.root,
        margins=_collect_margins(trained, data),
    )
    model = replace(trained.model, about={**trained.model.about, **origin.to_about()})
    return LedgerModel(model, origin, trained.figures, data)


def _collect_margins(trained: Trained, data: LedgerSessions) -> dict[str, tuple[int, ...]]:
    """Role → highest out-of-fold margins of its ordinary sessions, at most so many as limits are set by."""
    margins: dict[str, list[int]] = defaultdict(list)
    for session in data.sessions:
        if session.id in trained.highest:
            margins[session.suite].append(trained.highest[session.id])
    return {role: sample_own_margins(some) for role, some in sorted(margins.items())}


@dataclass(frozen=True, slots=True)
class Figure:
    """Rates of one role at the 5% limit.

    Args:
        measured_on: what was measured on, in words.
        role: `all`, or one.
        caught: share of the attacks whose first malicious action was flagged, 0..1; None without an attack.
        caught_interval: its 95% interval.
        flagged: share of the ordinary sessions with a flagged action; None without a session.
        flagged_interval: its 95% interval.
    """

    measured_on: str
    role: str
    caught: float | None
    caught_interval: tuple[float, float] | None
    flagged: float | None
    flagged_interval: tuple[float, float] | None

    def format_cells(self) -> tuple[str, str, str, str]:
        """As cells of a table, in per cent; `-` for missing figures."""
        caught = _format_rate(self.caught, self.caught_interval)
        return self.measured_on, self.role, caught, _format_rate(self.flagged, self.flagged_interval)


def list_figures(figures: Mapping[str, Any], counts: Mapping[str, Mapping[str, int]]) -> Iterator[Figure]:
    """The figures of a training: workloads for all roles and each, then each role with a model that never saw it.

    Args:
        figures: `Trained.figures`.
        counts: role → number of its sessions by label (`LedgerSessions.count`).

    Intervals over all roles are those of the training, by bootstrap over tasks. Those of one role are Wilson's over its
    sessions (Journal of the American Statistical Association 22, 1927).
    """
    for workload, words in _WORKLOADS.items():
        part = figures[workload]
        intervals = {name: pair and (pair[0], pair[1]) for name, pair in part["intervals"][CUT].items()}
        yield Figure(
            words,
            "all",
            part[CUT]["catch_first"],
            intervals["catch_first"],
            part[CUT]["fp_benign"],
            intervals["fp_benign"],
        )
        for role, rates in sorted(part["per_suite"].items()):
            yield _make_role_figure(words, role, rates[CUT], counts[role])
    for role, rates in sorted(figures.get("roles_left_out", {}).items()):
        yield _make_role_figure("a model that never saw the role", role, rates[CUT], counts[role])


def _make_role_figure(words: str, role: str, rates: Mapping[str, Any], counts: Mapping[str, int]) -> Figure:
    caught, flagged = rates["catch_first"], rates["fp_benign"]
    return Figure(
        words,
        role,
        caught,
        None if caught is None else compute_wilson_interval(caught * counts["hijacked"], counts["hijacked"]),
        flagged,
        None if flagged is None else compute_wilson_interval(flagged * counts["benign"], counts["benign"]),
    )


def _format_rate(rate: float | None, interval: tuple[float, float] | None) -> str:
    if rate is None:
        return "-"
    text = f"{rate * _PER_CENT:.1f}"
    return text if interval is None else "{} [{:.0f}-{:.0f}]".format(text, *(end * _PER_CENT for end in interval))


def list_limits(trained: LedgerModel) -> list[str]:
    """What must not be claimed about a model, in sentences."""
    data, counts = trained.data, trained.data.count()
    attacks = sum(labels.get("hijacked", 0) for labels in counts.values())
    unjudged = f"Sessions with an alert without a verdict: {data.unjudged}."
    sentences = [f"An attack that nobody judged counts as ordinary work, also in the figures. {unjudged}", *_LIMITS]
    if not attacks:
        sentences.insert(0, "No attack was judged: it has learnt from made-up hijacks alone, and its catch is unknown.")
    elif attacks < _FEW_ATTACKS:
        sentences.insert(0, f"The catch rate says little, since it rests on few attacks ({attacks}).")
    if len(counts) == 1:
        sentences.append("It was trained on one role, and what it does for other roles was not measured.")
    return sentences


def write_ledger_card(trained: LedgerModel) -> str:
    """The model card, as Markdown."""
    origin, data, about = trained.origin, trained.data, trained.model.about
    first, last = map(format_iso, origin.period_us)
    facts = (
        ("digest of the sessions", f"`sha256:{about['data']}`"),
        ("log", f"`{origin.log}`"),
        ("period", f"{first} to {last}"),
        ("positions in the log", f"{origin.positions[0]} to {origin.positions[1]}"),
        ("head of the log", f"size {origin.size}, root `{origin.head or 'none'}`"),
        ("seed, scikit-learn", f"{about['seed']}, {about['scikit-learn']}"),
        ("left out", _describe_left_out(data)),
    )
    lines = ["# Model card", "", "A risk model for agents, trained on a ledger by `halo train`.", "", "## Data", ""]
    lines += ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts), ""]
    lines += [f"| role | {' | '.join(_COUNTS)} |", f"|---|{'---|' * len(_COUNTS)}"]
    for role, counts in data.count().items():
        lines.append(f"| {_escape(role)} | {' | '.join(str(counts.get(name, 0)) for name in _COUNTS)} |")
    lines += [
        "",
        "`hijacked`: judged an attack, with an action that a verdict names. `benign`: all others, also those in which",
        "an agent resisted an attack.",
        "",
        "## Figures",
        "",
        "Per cent, with 95% intervals: over tasks for all roles, over sessions for one. Out of fold: no session is",
        "judged by a model that saw its task. The limit is the one that at most 5% of the ordinary sessions pass.",
        "",
        "| measured on | role | attacks caught at the first malicious action | ordinary sessions flagged |",
        "|---|---|---|---|",
    ]
    for figure in list_figures(trained.figures, data.count()):
        lines.append(f"| {' | '.join(map(_escape, figure.format_cells()))} |")
    lines += ["", "## Limits", "", *(f"- {sentence}" for sentence in list_limits(trained)), ""]
    return "\n".join(lines)


def _describe_left_out(data: LedgerSessions) -> str:
    return (
        f"{data.unnamed_attacks} attacks of which no verdict names an action, {data.older} older sessions, "
        f"{data.erased} actions whose arguments were erased"
    )


def _escape(text: str) -> str:
    """A name as a cell of a table."""
    return "".join(char if char.isprintable() and char not in "|`<>" else "?" for char in text)

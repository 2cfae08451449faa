"""Reports as files: one self-contained HTML page that prints well, and the same content as Markdown.

The page has no script and loads nothing, which a content security policy in it enforces. Texts from the log are not
trusted and go through `escape_text`; only this module makes markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

from halo_core.evidence.answers import Answer, Period, Verdict, count_population
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.checks import TESTED_CHECKS
from halo_core.evidence.control_report import (
    CLAIM_NOTE,
    MAX_DAYS,
    SCOPE_NOTE,
    ControlReport,
    ControlRow,
    build_reports,
)
from halo_core.evidence.controls import COVERAGE_WORDS, Coverage, Framework
from halo_core.evidence.oscal import build_assessment_results
from halo_core.model import Effect
from halo_core.views.charts import escape_text
from halo_core.views.wording import escape_unprintable, format_count

_MAX_FINDINGS: Final = 8
_MAX_ROWS: Final = 40
_WHOLE_CHARS: Final = 64
_MAX_WHOLE: Final = 24
"""Characters of all columns of a table, and of one, that no line ends within."""
_FEW_ROWS: Final = 12
"""Of a check that holds: its rows are examples, and nobody has to look into them."""
VERDICT_WORDS: Final[Mapping[str, str]] = {
    "holds": "holds",
    "fails": "does not hold",
    "cannot_tell": "cannot tell",
    "supports": "input only",
    "none": "not covered",
}
_VERIFIED_WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.HOLDS: "yes: positions, chains, signed heads and anchor",
    Verdict.FAILS: "no",
    Verdict.CANNOT_TELL: "cannot tell",
}
_EFFECTS: Final = tuple(effect.value for effect in Effect)
WORDS: Final = (
    ("decision", "what Halo answered before an action ran: a tool call, a retrieval, a model call or a hand-off"),
    ("allow", "it ran"),
    ("monitor", "it ran, and is marked for people to look at"),
    ("restrict", "it ran with narrower arguments, or its result was masked or shortened"),
    ("challenge", "it waited for a person, and ran only if one said yes"),
    ("deny", "it did not run; in observe mode, what is challenged or denied runs all the same, and a check says so"),
    ("position", "the number of an entry in the log; positions have no gap"),
    ("checkpoint", "a signed digest over all entries so far; a copy kept elsewhere shows later changes"),
    ("passport", "what an agent may use and spend, signed by an issuer"),
    ("holds", "no exception was found among what was counted; it says nothing of what remains"),
    ("cannot tell", "the log has no such event, or is too short; it does not count as holding"),
)
"""What the words of a report mean, for a reader who does not know Halo."""


class Markup(str):
    """Text that is markup already; every other text is escaped when it becomes part of an element."""

    __slots__ = ()


def element(name: str, *children: str | int | None, **attributes: str) -> Markup:
    """An element; children that are no `Markup` are escaped, and so is every attribute."""
    attribute_text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape_text(value)}"' for key, value in attributes.items()
    )
    inner = "".join(_to_markup(child) for child in children if child is not None)
    return Markup(f"<{name}{attribute_text}>{inner}</{name}>")


def _to_markup(child: str | int) -> str:
    return child if isinstance(child, Markup) else escape_text(str(child))


def join(parts: Iterable[Markup]) -> Markup:
    """Elements one after another."""
    return Markup("".join(parts))


@cache
def _load_style() -> str:
    return (resources.files("halo_core.evidence") / "report.css").read_text(encoding="utf-8")


def render_page(title: str, body: Iterable[Markup]) -> str:
    """A whole page."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape_text(title)}</title><style>{_load_style()}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def render_report(report: ControlReport) -> str:
    """The report as an HTML page."""
    framework = report.framework
    return render_page(
        f"{framework.name}: evidence from the log of {report.tenant}",
        [
            *_render_head(report),
            *_render_summary(report),
            *_render_waivers(report),
            element("h2", "Controls"),
            *(_render_row(report, row) for row in report.rows),
            *_render_gaps(report),
            element("h2", "Where ids and titles were read"),
            element(
                "ul", *(element("li", element("strong", name), f": {words}") for name, words in list_sources(report))
            ),
            element("h2", "Checks"),
            element("p", "Each check was run over the whole period. The rows above name it.", class_="soft"),
            *(_render_answer(name, answer) for name, answer in report.answers.items()),
        ],
    )


def list_sources(report: ControlReport) -> list[tuple[str, str]]:
    """How well the sources of the rows are known, and what they are."""
    return sorted({(row.control.verified, row.control.source) for row in report.rows})


def list_facts(report: ControlReport) -> list[tuple[str, str]]:
    """What stands at the head of a report: title and words."""
    population = report.population.population
    head = f"{population.root} of {population.tree_size} entries" if population.tree_size else "none"
    if population.uncovered:
        head += f"; {population.uncovered} entries of the period are not covered yet"
    places = f"positions {population.first_index} to {population.last_index}" if population.first_index >= 0 else "none"
    decisions = report.activity.population.counted
    return [
        ("tenant", report.tenant),
        ("period", report.period.describe()),
        ("population", f"{population.counted:,} entries, of which {decisions:,} decisions; {places}"),
        ("checkpoint", head),
        ("log verified", _VERIFIED_WORDS[report.population.verdict]),
        ("framework", f"{report.framework.name}. {report.framework.scope}"),
        ("query", report.query),
        ("tool", report.tool),
    ]


def _render_head(report: ControlReport) -> Iterator[Markup]:
    framework = report.framework
    yield element("h1", framework.name)
    lead = f"Evidence from the log of agents' actions. Source of the framework: {framework.publisher}."
    yield element("p", lead, class_="lead")
    rows = (element("tr", element("th", name, scope="row"), element("td", words)) for name, words in list_facts(report))
    yield element("table", *rows, class_="facts")
    if report.population.verdict is not Verdict.HOLDS:
        paragraphs = join(element("p", text) for text in report.population.findings)
        yield element("div", element("strong", "The log could not be verified."), paragraphs, class_="note bad")
    titles = "Titles of controls are ours." if framework.titles == "ours" else "Titles of controls are the publisher's."
    if "titles" in framework.about:  # it says so itself
        titles = ""
    yield element(
        "div",
        element("p", CLAIM_NOTE),
        element("p", SCOPE_NOTE),
        element("p", f"{framework.about} {titles}".strip()),
        class_="note",
    )


def _render_summary(report: ControlReport) -> Iterator[Markup]:
    counts = report.count_verdicts()
    yield element("h2", "Summary")
    yield _draw_shares(counts)
    keys = (
        element("li", element("span", class_="dot", style=f"background:var(--{name})"), f"{n} {VERDICT_WORDS[name]}")
        for name, n in counts.items()
    )
    waived = sum(row.is_waived for row in report.rows)
    more = [element("li", f"{waived} of them waived")] if waived else []
    yield element("ul", *keys, *more, class_="keys")
    coverages = [coverage for coverage in Coverage if any(row.coverage is coverage for row in report.rows)]
    verdicts = [verdict for verdict in Verdict if any(row.verdict is verdict for row in report.rows)]
    head = [element("th", "coverage"), element("th", "rows", class_="n")]
    head += [element("th", VERDICT_WORDS[verdict.value], class_="n") for verdict in verdicts]
    lines = []
    for coverage in coverages:
        rows = [row for row in report.rows if row.coverage is coverage]
        cells = [element("td", element("strong", coverage.value), f": {COVERAGE_WORDS[coverage]}")]
        cells.append(element("td", len(rows), class_="n"))
        cells += [element("td", sum(row.verdict is verdict for row in rows) or "", class_="n") for verdict in verdicts]
        lines.append(element("tr", *cells))
    table = element("table", element("thead", element("tr", *head)), element("tbody", *lines))
    yield element("div", table, class_="wide")
    if report.activity.rows:
        yield element("h3", "Decisions by day and effect")
        yield element("div", _draw_days(_fill_days(report.activity.rows)), class_="wide")
        if _count_days(report.activity.rows) > MAX_DAYS:
            yield element("p", f"Days without a decision are left out, and days before the last {MAX_DAYS} with one.")
        present = [effect for effect in _EFFECTS if any(row[effect] for row in report.activity.rows)]
        yield element(
            "ul",
            *(
                element("li", element("span", class_="dot", style=f"background:var(--{effect})"), effect)
                for effect in present
            ),
            class_="keys",
        )
    yield element("h3", "Words")
    words = (render_fact(name, *_render_words(text)) for name, text in WORDS)
    yield element("dl", *words, class_="words")


def _draw_shares(counts: Mapping[str, int]) -> Markup:
    """One bar, divided by verdict."""
    total, x, parts = sum(counts.values()) or 1, 0.0, []
    for name, n in counts.items():
        width = 960 * n / total
        parts.append(
            f'<rect class="f-{name}" x="{x:.1f}" y="0" width="{max(width - 2, 1):.1f}" height="22" rx="3">'
            f"<title>{n} {escape_text(VERDICT_WORDS[name])}</title></rect>"
        )
        x += width
    described = ", ".join(f"{n} {VERDICT_WORDS[name]}" for name, n in counts.items())
    return Markup(f'<svg viewBox="0 0 960 22" role="img" aria-label="{escape_text(described)}">{"".join(parts)}</svg>')


def _count_days(rows: Sequence[Mapping[str, Any]]) -> int:
    """How many days there are from the first one with a decision to the last one."""
    first, last = (date.fromisoformat(row["day"]) for row in (rows[0], rows[-1]))
    return (last - first).days + 1


def _fill_days(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The rows, with one for each day between them that has no decision, unless there are too many to draw."""
    if (count := _count_days(rows)) > MAX_DAYS:
        return rows
    by_day, first = {row["day"]: row for row in rows}, date.fromisoformat(rows[0]["day"])
    days = ((first + timedelta(days=number)).isoformat() for number in range(count))
    return [by_day.get(day, {"day": day, **dict.fromkeys(_EFFECTS, 0)}) for day in days]


def _draw_days(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """A stacked bar for each day."""
    highest = max(sum(row[effect] for effect in _EFFECTS) for row in rows)
    slot, height, left_margin = 900 / len(rows), 120, 52
    parts = [f'<line class="axis" x1="{left_margin}" x2="952" y1="{height + 8}" y2="{height + 8}"/>']
    parts += [f'<text x="{left_margin - 8}" y="18" text-anchor="end">{highest:,}</text>']
    parts += [f'<text x="{left_margin - 8}" y="{height + 11}" text-anchor="end">0</text>']
    every = max(-(-len(rows) // 8), 1)
    for number, row in enumerate(rows):
        x, y = left_margin + slot * number, height + 8.0
        tip = ", ".join(f"{row[effect]} {effect}" for effect in _EFFECTS if row[effect])
        bars = []
        for effect in _EFFECTS:
            size = height * row[effect] / highest
            if size:
                y -= size
                place = f'x="{x + slot * 0.12:.1f}" y="{y:.1f}" width="{min(slot * 0.76, 60):.1f}" height="{size:.1f}"'
                bars.append(f'<rect class="f-{effect}" {place}/>')
        parts.append(f"<g><title>{escape_text(str(row['day']))}: {escape_text(tip)}</title>{''.join(bars)}</g>")
        if number % every == 0:
            # A day is some 60 wide: the last ones would be cut off at the edge.
            x_text, anchor = (952.0, ' text-anchor="end"') if x + slot * 0.12 > 890 else (x + slot * 0.12, "")
            parts.append(f'<text x="{x_text:.1f}" y="{height + 25}"{anchor}>{escape_text(str(row["day"]))}</text>')
    return Markup(
        f'<svg viewBox="0 0 960 {height + 32}" role="img" aria-label="decisions by day">{"".join(parts)}</svg>'
    )


def _render_waivers(report: ControlReport) -> Iterator[Markup]:
    if not report.waivers:
        return
    yield element("h2", "Waivers")
    names = ("control", "state", "until", "owner", "why", "entry")
    items = [item.to_json(report.as_of_us) for item in report.waivers]
    for item in items:
        item["why"] = f"{item['why']} ({item['problem']})" if item["problem"] else item["why"]
    yield render_table(names, items)


def render_table(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Markup:
    """Rows under the names of their columns; columns of numbers are set to the right."""
    rows = list(rows)
    numeric = {name for name in names if rows and all(_is_number(row.get(name)) for row in rows)}
    whole = _find_whole_columns(names, rows)

    def cell(tag: str, name: str, words: str) -> Markup:
        class_ = "n" if name in numeric else "w" if name in whole else ""
        return element(tag, words, class_=class_) if class_ else element(tag, words)

    head = element("thead", element("tr", *(cell("th", name, name) for name in names)))
    lines = (element("tr", *(cell("td", name, _format_cell(row.get(name))) for name in names)) for row in rows)
    return element("div", element("table", head, element("tbody", *lines)), class_="wide")


def _find_whole_columns(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Columns of ids, times and short words that no line ends within, as many as a page has room for."""
    lengths = {name: max((len(_format_cell(row.get(name))) for row in rows), default=0) for name in names}
    whole, room = set[str](), _WHOLE_CHARS
    for name, length in sorted(lengths.items(), key=lambda item: item[1]):
        room -= length
        if room < 0 or length > _MAX_WHOLE:
            break
        whole.add(name)
    return whole


def render_cards(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Markup:
    """A block for each row, headed by its first column: for rows that no table on a page has room for."""
    title, *others = names

    def card(row: Mapping[str, Any]) -> Markup:
        facts = (render_fact(name, _format_cell(row.get(name))) for name in others)
        head = element("div", element("h3", _format_cell(row.get(title))), class_="top")
        return element("section", head, element("dl", *facts), class_="row")

    return join(card(row) for row in rows)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _format_cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)


def render_fact(name: str, *words: str) -> Markup:
    """A line of a list of terms; the two stay together where a page ends."""
    return element("div", element("dt", name), element("dd", *words))


def _mark(name: str, words: str = "") -> Markup:
    return element("span", words or VERDICT_WORDS.get(name, name), class_=f"mark {name}")


def _render_row(report: ControlReport, row: ControlRow) -> Markup:
    control = row.control
    state = row.coverage.value if row.verdict is None else row.verdict.value
    marks = [_mark(row.coverage.value, row.coverage.value)]
    if row.verdict is not None:
        marks.append(_mark(row.verdict.value))
    if row.is_waived:
        marks.append(_mark("cannot_tell", "waived"))
    top = element(
        "div",
        element("span", control.id, class_="id"),
        element("h3", control.title),
        element("span", *marks, class_="state"),
        class_="top",
    )
    facts: list[Markup] = []

    def add(name: str, *words: str) -> None:
        facts.append(render_fact(name, *words))

    add("asks", control.asks)
    add("shown", control.shows)
    add("remains", control.remains)
    if control.checks:
        links = [
            Markup(f"{element('a', name, href=f'#check-{name}')} {escape_text(VERDICT_WORDS[answer.verdict.value])}")
            for name, answer in zip(control.checks, row.answers, strict=True)
        ]
        add("checks" if row.verdict is not None else "input", Markup("; ".join(links)))
    if row.verdict is not None and row.findings:
        add("findings", _render_findings(row.findings, "found"))
    if row.verdict is not None and row.undecided:
        add("cannot tell", _render_findings(row.undecided, "open"))
    if row.waiver is not None:
        waiver = row.waiver.to_json(report.as_of_us)
        add("waiver", f"{waiver['state']}, until {waiver['until']}, owner {waiver['owner']}: {waiver['why']}")
    if len(list_sources(report)) > 1:
        add("text from", element("span", control.verified, class_="soft"))
    return element("section", top, element("dl", *facts), class_=f"row {state}")


def _render_findings(findings: Sequence[str], class_: str, limit: int = _MAX_FINDINGS) -> Markup:
    finding_items = [element("li", *_render_words(text)) for text in findings[:limit]]
    if len(findings) > limit:
        finding_items.append(element("li", f"{len(findings) - limit} more: see the checks"))
    return element("ul", *finding_items, class_=class_)


def _render_words(text: str) -> Iterator[str]:
    """A sentence in which names between backticks are set as code; one with an odd backtick stays as it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        yield text
        return
    for number, part in enumerate(parts):
        yield element("code", part) if number % 2 else part


def _render_gaps(report: ControlReport) -> Iterator[Markup]:
    gaps = [row for row in report.rows if row.is_gap]
    yield element("h2", "What this log does not show")
    if not gaps:
        yield element("p", "Every row is shown as far as its coverage says; what remains stands with each row.")
        return
    rows = [
        {
            "control": row.control.id,
            "coverage": row.coverage.value,
            "verdict": "-" if row.verdict is None else VERDICT_WORDS[row.verdict.value],
            "what remains": row.control.remains,
        }
        for row in gaps
    ]
    yield element("p", "What remains of the other partial rows stands with each of them.", class_="soft")
    yield render_table(("control", "coverage", "verdict", "what remains"), rows)


def _render_answer(name: str, answer: Answer) -> Markup:
    verdict = answer.verdict.value
    top = element(
        "div",
        element("span", name, class_="id mono"),
        element("h3", *_render_words(answer.claim)),
        element("span", _mark(verdict), class_="state"),
        class_="top",
    )
    population = answer.population
    facts = [render_fact("counted", count_population(population.counted, population.what))]
    facts.append(render_fact("query", element("code", answer.query)))
    if answer.findings:
        class_ = "found" if answer.verdict is Verdict.FAILS else "open"
        facts.append(render_fact("findings", _render_findings(answer.findings, class_, _MAX_ROWS)))
    if answer.notes:
        facts.append(render_fact("limits", *(element("p", *_render_words(note)) for note in answer.notes)))
    parts = [top, element("dl", *facts)]
    if answer.rows:
        shown_rows = _select_rows(answer)
        parts.append(render_table(answer.columns, shown_rows))
        if more := len(answer.rows) - len(shown_rows):
            parts.append(
                element("p", f"{format_count(more, 'more row is', 'more rows are')} in the JSON form", class_="soft")
            )
    return element("section", *parts, class_=f"row {verdict}", id=f"check-{name}")


def _select_rows(answer: Answer) -> Sequence[Mapping[str, Any]]:
    return answer.rows[: _FEW_ROWS if answer.verdict is Verdict.HOLDS else _MAX_ROWS]


def render_files(log: AuditLog, period: Period, frameworks: Sequence[Framework]) -> dict[str, bytes]:
    """Reports as files of an evidence pack: `map.json`, and for each framework a page, its data, and OSCAL.

    The bytes follow from the log, the period and the home's keys: give the log the end of the period as the present.
    """
    files: dict[str, bytes] = {}
    for report in build_reports(log, period, frameworks):
        name, tree = report.framework.id, report.to_json()
        files[f"reports/{name}.html"] = render_report(report).encode()
        for form, document in ((".json", tree), (".oscal.json", build_assessment_results(tree))):
            files[f"reports/{name}{form}"] = json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"
    index = {item.id: {row.id: row.limit_coverage(TESTED_CHECKS).value for row in item.controls} for item in frameworks}
    files["map.json"] = json.dumps(index, indent=1, sort_keys=True).encode() + b"\n"
    return files


# Markdown


def render_markdown(report: ControlReport) -> str:
    """The report as Markdown, with the same content."""
    lines = [
        f"# {escape_markdown(report.framework.name)}",
        "",
        CLAIM_NOTE,
        "",
        SCOPE_NOTE,
        "",
        escape_markdown(report.framework.about),
        "",
    ]
    lines += list_table_lines(("", ""), [{"": name, " ": words} for name, words in list_facts(report)], keys=("", " "))
    counts = "; ".join(f"{n} {VERDICT_WORDS[name]}" for name, n in report.count_verdicts().items())
    lines += ["", "## Summary", "", counts, ""]
    lines += list_table_lines(report.activity.columns, report.activity.rows)
    lines += ["", "## Words", "", *(f"- {name}: {escape_markdown(text)}" for name, text in WORDS)]
    if report.waivers:
        names = ("control", "state", "until", "owner", "why", "problem", "entry")
        lines += ["", "## Waivers", ""]
        lines += list_table_lines(names, [item.to_json(report.as_of_us) for item in report.waivers])
    lines += ["", "## Controls", ""]
    for row in report.rows:
        lines += _list_row_lines(report, row)
    lines += ["## Where ids and titles were read", ""]
    lines += [f"- {name}: {escape_markdown(words)}" for name, words in list_sources(report)]
    lines += ["", "## Checks", ""]
    for name, answer in report.answers.items():
        lines += [f"### {name}: {VERDICT_WORDS[answer.verdict.value]}", "", escape_markdown(answer.claim), ""]
        counted = count_population(answer.population.counted, answer.population.what)
        lines += [f"- counted: {counted}", f"- query: `{answer.query}`"]
        lines += [f"- finding: {escape_markdown(text)}" for text in answer.findings]
        lines += [f"- limit: {escape_markdown(text)}" for text in answer.notes]
        if answer.rows:
            shown_rows = _select_rows(answer)
            lines += ["", *list_table_lines(answer.columns, shown_rows)]
            if more := len(answer.rows) - len(shown_rows):
                lines += ["", f"{format_count(more, 'more row is', 'more rows are')} in the JSON form"]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _list_row_lines(report: ControlReport, row: ControlRow) -> list[str]:
    control = row.control
    state = "" if row.verdict is None else f", {VERDICT_WORDS[row.verdict.value]}"
    waived = ", waived" if row.is_waived else ""
    lines = [
        f"### {escape_markdown(control.id)} {escape_markdown(control.title)}",
        "",
        f"- coverage: {row.coverage.value}{state}{waived}",
    ]
    lines += [f"- asks: {escape_markdown(control.asks)}", f"- shown: {escape_markdown(control.shows)}"]
    lines += [f"- remains: {escape_markdown(control.remains)}"]
    if control.checks:
        pairs = zip(control.checks, row.answers, strict=True)
        lines.append(f"- checks: {'; '.join(f'{name} {VERDICT_WORDS[item.verdict.value]}' for name, item in pairs)}")
    if row.verdict is not None:
        lines += [f"- finding: {escape_markdown(text)}" for text in row.findings]
        lines += [f"- cannot tell: {escape_markdown(text)}" for text in row.undecided]
    if row.waiver is not None:
        item = row.waiver.to_json(report.as_of_us)
        owner, why = escape_markdown(item["owner"]), escape_markdown(item["why"])
        lines.append(f"- waiver: {item['state']}, until {item['until']}, owner {owner}: {why}")
    if len(list_sources(report)) > 1:
        lines.append(f"- text from: {control.verified}")
    return [*lines, ""]


def list_table_lines(
    names: Sequence[str], rows: Iterable[Mapping[str, Any]], *, keys: Sequence[str] | None = None
) -> list[str]:
    """Rows as a Markdown table; `keys` where the members of a row have other names than the columns."""
    lines = [f"| {' | '.join(map(escape_markdown, names))} |", f"|{'---|' * len(names)}"]
    row_cells = ([escape_markdown(_format_cell(row.get(key))) for key in keys or names] for row in rows)
    return [*lines, *(f"| {' | '.join(cells)} |" for cells in row_cells)]


_SPECIAL: Final = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>|#!~"} | {"&": "&amp;"})
_LINK_STARTS: Final = re.compile(r"(?i)(://|www\.|(?:mailto|xmpp):)")
"""What makes Markdown renderers such as GitHub's turn bare words into a link."""


def escape_markdown(text: object) -> str:
    """A text from the log as one line of Markdown in which nothing is markup."""
    words = escape_unprintable(" ".join(str(text).split())).translate(_SPECIAL)
    return _LINK_STARTS.sub(lambda match: re.sub(r"([:.])", r"\\\1", match[0], count=1), words)

"""Reports, waivers and incident files: what they say, to whom, in which form, and what hostile words do to them."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from control_world import DAY_US, NamedKind, append, copy_home, desk, forge, make_home, set_waiver
from test_planted_gaps import PLANTS

from halo_core.evidence import report_page
from halo_core.evidence.answers import Period, Verdict
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.checks import CHECK_CLASSES
from halo_core.evidence.control_report import build_report
from halo_core.evidence.controls import FRAMEWORKS, load_framework, load_frameworks
from halo_core.evidence.grant_uses import NONE_OLD_NOTE
from halo_core.evidence.report_page import escape_markdown, render_files, render_markdown, render_report
from halo_core.model import EntryKind
from halo_core.store.reader import Reader
from halo_world import attack, cli, db_of, found, url_of, verified

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> | `x` \u202e\x1b[31m"
CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return make_home(tmp_path_factory.mktemp("whole") / "home")


@pytest.fixture
def home(whole, tmp_path) -> Path:
    return copy_home(whole, tmp_path)


def report_of(home: Path, framework: str = "pci-dss-4.0.1", days: int = 0, *, names: bool = True):
    with Reader(url_of(home)) as reader:
        if names:
            reader.use_names(home)
        now_us = time.time_ns() // 1000 + days * DAY_US
        return build_report(
            AuditLog(reader, "local", home=home, now_us=now_us), Period(0, now_us), load_framework(framework)
        )


def rows_of(report):
    return {row.control.id: row for row in report.rows}


def failing(report) -> set[str]:
    return {name for name, row in rows_of(report).items() if row.verdict is Verdict.FAILS}


class Markup(HTMLParser):
    """The elements of a page, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words += data


@pytest.mark.share(2)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_framework_gives_the_same_report_in_three_forms(whole, framework, tmp_path):
    made = report_of(whole, framework)
    page, text, tree = render_report(made), render_markdown(made), made.to_json()
    assert json.loads(json.dumps(tree)) == tree
    words = Markup(page).words
    for row in made.rows:
        assert row.control.id in words
        assert row.control.remains in words
        assert f"### {escape_markdown(row.control.id)}" in text
    assert {item["id"] for item in tree["rows"]} == {row.control.id for row in made.rows}
    for answer in made.answers.values():
        assert answer.query in words
        assert answer.query in text
    for fact in (made.population.population.root, made.tool, made.query):
        assert fact in words
        assert fact in json.dumps(tree)
    # No grade, and nothing that is fetched or run.
    markup = Markup(page)
    assert not {"script", "link", "iframe", "object", "form", "img"} & set(markup.tags)
    assert not [value for name, value in markup.attributes if name in ("src", "srcset") or name.startswith("on")]
    assert all(value.startswith("#") for name, value in markup.attributes if name == "href")
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert not [word for word in (words, text) if "compliant" in word.lower()]


def test_the_same_log_gives_the_same_bytes(whole):
    with Reader(url_of(whole)) as reader:
        made = [
            build_report(
                AuditLog(reader, "local", home=whole, now_us=now_us), Period(0, 2**60), load_framework("eu-ai-act")
            )
            for now_us in (2**60, 2**61)
        ]
    assert render_report(made[0]) == render_report(made[1])


def test_files_of_a_pack_are_the_same_twice(whole):
    made = []
    for _ in range(2):
        with Reader(url_of(whole)) as reader:
            made.append(
                render_files(AuditLog(reader, "local", home=whole, now_us=2**60), Period(0, 2**60), load_frameworks())
            )
    assert made[0] == made[1]
    assert len(made[0]) == 3 * len(FRAMEWORKS) + 1
    assert all(re.fullmatch(r"([a-z0-9._-]+/)?[a-z0-9._-]+", name) for name in made[0])


@pytest.mark.parametrize(
    ("gap", "framework", "controls"),
    [
        ("an app beside Halo", "pci-dss-4.0.1", {"10.2.1"}),
        ("a missing outcome", "pci-dss-4.0.1", {"10.2.1.1", "10.2.2"}),
        ("an unsequenced entry", "pci-dss-4.0.1", {"10.2.1", "10.3.2", "10.3.4"}),
        ("a retired agent that acts", "pci-dss-4.0.1", {"8.2.4"}),
        ("a self-approved policy", "nist-800-53-r5", {"AC-5"}),
    ],
)
def test_a_planted_gap_turns_exactly_its_controls_red(gap, framework, controls, home):
    PLANTS[gap][0](home)
    assert failing(report_of(home, framework)) == controls


def test_an_overdue_review_turns_exactly_its_controls_red(home):
    body = {"due_us": 1, "grants": {}, "id": "r-1", "op": "open", "reviewer": "rita"}
    append(home, NamedKind("review"), body)
    assert failing(report_of(home)) == {"7.2.5.1"}


def test_hostile_words_stay_words(home):
    with desk(home) as halo:
        halo.record_shadow(HOSTILE, HOSTILE, HOSTILE)
    append(home, EntryKind.CONTROL_WAIVER, {"control": HOSTILE, "op": "waive", "owner": HOSTILE, "why": HOSTILE})
    made = report_of(home)
    clean, markup = Markup(render_report(report_of(home, "eu-ai-act"))), Markup(render_report(made))
    assert set(markup.tags) - set(clean.tags) <= {"svg", "rect", "text", "title", "line", "g"}
    assert "<script>alert(1)</script>" in markup.words
    assert "\x1b" not in render_report(made)
    assert "\u202e" not in render_report(made)
    text = render_markdown(made)
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://evil.example", "see https\\://evil.example"),
        ("WWW.evil.example", "WWW\\.evil.example"),
        ("mailto:a@b.example", "mailto\\:a@b.example"),
        ("at 10:00, 2.5 times", "at 10:00, 2.5 times"),
    ],
)
def test_words_become_no_links(text, shown):
    assert escape_markdown(text) == shown


def test_the_command_writes_what_it_recorded(home, tmp_path):
    file = tmp_path / "report.html"
    code, out, err = cli("report", "--framework", "pci-dss-4.0.1", "--output", str(file), home=home)
    assert code == 2, err  # nobody has reviewed the grants yet
    (entry,) = [item.entry for item in found(home, EntryKind.REPORT)][-1:]
    assert entry.body["digest"] in out
    assert entry.body["framework"] == "pci-dss-4.0.1"
    assert entry.body["rows"]["holds"] > 20
    assert verified(home) == 0
    assert cli("log", home=home)[0] == 0
    assert cli("show", entry.id, home=home)[0] == 0


def test_an_auditors_copy_without_keys_is_read_and_not_written(home, tmp_path):
    for key in home.glob("*.key"):
        key.unlink()
    before = db_of(home).read_bytes()
    file = tmp_path / "report.md"
    code, out, err = cli("report", "--framework", "nist-800-207", "--output", str(file), home=home)
    assert code == 2, err  # without the content key nothing can be replayed, and no name be shown
    assert "not recorded" in out
    assert "Tenet 4" in file.read_text()
    assert db_of(home).read_bytes() == before
    assert not list(home.glob("*.key"))


@pytest.mark.parametrize(
    ("framework", "control", "days"),
    [("pci-dss-4.0.1", "10.5.1", 366), ("eu-ai-act", "Art. 19", 184), ("nist-800-53-r5", "AU-11", 400)],
)
def test_a_young_log_does_not_show_that_it_is_kept(whole, tmp_path, framework, control, days):
    """Only a log that is as old as what is asked for; and where the time is the organisation's own, only with one."""
    home = copy_home(whole, tmp_path)

    def judge(after_days):
        with Reader(url_of(home)) as reader:
            now_us = next(reader.stream("SELECT max(ts_us) FROM entry"))[0] + 1 + after_days * DAY_US
            log = AuditLog(reader, "local", home=home, now_us=now_us)
            report = build_report(log, Period(0, now_us), load_framework(framework))
        return next(row for row in report.rows if row.control.id == control)

    if framework == "nist-800-53-r5":
        assert "no schedule says" in judge(days).undecided[0]
        append(home, EntryKind.RETENTION, {"class": "decisions", "keep_days": days, "op": "set"})
    young = judge(days - 1)
    assert (young.verdict, young.findings) == (Verdict.CANNOT_TELL, ())
    assert f"is kept for {days} days can be shown from" in young.undecided[0]
    assert judge(days).verdict is Verdict.HOLDS


def test_a_failing_control_gives_exit_1_and_a_waiver_takes_it_away(home):
    line = ("report", "--framework", "soc2-tsc-2017", "--json")
    assert cli(*line, home=home)[0] == 2  # there is no review of grants
    forge(home, outcome=False)
    append(home, EntryKind.ALERT, {"agent": "desk", "kind": "volume"}, actor=None)
    made = report_of(home, "soc2-tsc-2017", days=2)
    assert failing(made) == {"CC7.2", "CC7.3"}
    assert made.verdict is Verdict.FAILS
    for control in ("CC7.2", "CC7.3"):
        set_waiver(home, f"soc2-tsc-2017 {control}", days=30)
    waived = report_of(home, "soc2-tsc-2017", days=2)
    assert {name for name, row in rows_of(waived).items() if row.is_waived} == {"CC7.2", "CC7.3"}
    assert waived.verdict is Verdict.CANNOT_TELL
    assert "olga@bank" in render_report(waived)
    assert "olga@bank" not in render_report(report_of(home, "soc2-tsc-2017", days=2, names=False))


def test_an_expired_waiver_turns_exactly_its_control_red(home):
    set_waiver(home, "pci-dss-4.0.1 10.3.3", days=3)
    assert failing(report_of(home)) == set()
    assert failing(report_of(home, days=4)) == {"10.3.3"}
    assert failing(report_of(home, "nist-800-53-r5", days=4)) == set()
    code, _, err = cli("waive", "pci-dss-4.0.1", "10.3.3", "--end", "--why", "a server is there", home=home)
    assert code == 0, err
    assert failing(report_of(home, days=4)) == set()


def test_a_foreign_waiver_waives_nothing_and_is_a_finding(home):
    foreign = {"control": "pci-dss-9 1.1", "op": "waive", "owner": "x", "until_us": 2**52, "why": "x"}
    append(home, EntryKind.CONTROL_WAIVER, foreign)
    made = report_of(home)
    assert [item.find_state(made.as_of_us) for item in made.waivers] == ["void"]
    assert "counts for nothing" in made.answers["admin_acts"].findings[0]
    assert failing(made) == {name for name, row in rows_of(made).items() if "admin_acts" in row.control.checks} - {
        name for name, row in rows_of(made).items() if row.verdict is None
    }


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("waive", "pci-dss-4.0.1", "99", "--owner", "o", "--why", "w", "--until", "2027-01-01"), "no_such_control"),
        (("waive", "pci-dss-4.0.1", "7.2.1", "--why", "w", "--until", "2027-01-01"), "bad_control_waiver"),
        (("waive", "pci-dss-4.0.1", "7.2.1", "--owner", "o", "--why", "w"), "bad_control_waiver"),
        (
            ("waive", "pci-dss-4.0.1", "7.2.1", "--owner", "o", "--why", "w", "--until", "2001-01-01"),
            "bad_control_waiver",
        ),
        (("waive", "pci-dss-4.0.1", "7.2.1", "--end"), "no_such_waiver"),
        (("report", "--framework", "pci-dss-9"), "no_such_framework"),
        (("report",), "no_such_framework"),
        (("report", "--check", "everything"), "no_such_check"),
        (("report", "--framework", "eu-ai-act", "--output", "x.pdf"), "bad_form"),
        (("incident", "open", "--severity", "awful"), "error severity: `awful` is no severity [bad_incident]"),
        (("incident", "open", "--known", "2999-01-01"), "error known: "),
        (("incident", "show", "nothing"), "no_such_incident"),
        (("incident", "open", "--decision", "nothing-1"), "no_such_entry"),
    ],
)
def test_bad_input_is_refused_with_a_code(whole, line, code):
    exit_code, _, err = cli(*line, home=whole)
    assert exit_code == 64
    assert code in err


def test_a_log_of_nothing_tells_nothing(tmp_path):
    code, _, err = cli("report", "--framework", "eu-ai-act", home=tmp_path / "none")
    assert code == 2
    assert "no_database" in err


def test_a_period_without_data_holds_nothing(whole):
    code, out, _ = cli(
        "report", "--framework", "pci-dss-4.0.1", "--from", "2001-01-01", "--to", "2001-02-01", "--json", home=whole
    )
    assert code == 2
    assert "holds" not in json.loads(out)["verdicts"]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM entry WHERE idx=20",
        "DELETE FROM entry WHERE idx>20",
        "UPDATE entry SET body=CAST(replace(body,'\"v\":3','\"v\":4') AS BLOB) WHERE idx=20",
        'UPDATE blob SET bytes=CAST(replace(bytes,\'"mode":"enforce"\',\'"mode":"observe"\') AS BLOB)',
    ],
)
def test_a_log_that_was_changed_shows_nothing_but_that(home, change):
    with closing(attack(db_of(home))) as database:
        assert database.execute(change).rowcount
    made = report_of(home)
    assert made.verdict is Verdict.FAILS
    assert made.population.verdict is Verdict.FAILS
    assert {item.verdict for name, item in made.answers.items() if name != "population"} == {Verdict.CANNOT_TELL}
    population_rows = {name for name, row in rows_of(made).items() if "population" in row.control.checks}
    assert failing(made) == {name for name in population_rows if rows_of(made)[name].verdict is not None}
    assert "could not be verified" in render_report(made)


def test_a_home_without_the_trusted_key_cannot_tell(home):
    (home / "trust.json").unlink()
    made = report_of(home)
    assert made.verdict is Verdict.CANNOT_TELL
    assert {item.verdict for item in made.answers.values()} == {Verdict.CANNOT_TELL}


def test_one_check_is_a_question_of_its_own(whole):
    code, out, _ = cli("report", "--check", "pairs", "--json", home=whole)
    assert code == 0
    answer = json.loads(out)
    assert answer["verdict"] == "holds"
    assert answer["query"].startswith("halo report --check pairs")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("--list", "--output", "OUT"), "list"),
        (("--list", "--annex-iv"), "list"),
        (("--check", "pairs", "--framework", "pci-dss-4.0.1"), "check"),
        (("--check", "pairs", "--output", "OUT"), "check"),
        (("--framework", "pci-dss-4.0.1", "--annex-iv"), "annex-iv"),
    ],
)
def test_an_option_that_would_be_left_out_is_refused(whole, tmp_path, words, field):
    file = tmp_path / "report.html"
    code, _, err = cli("report", *(str(file) if word == "OUT" else word for word in words), home=whole)
    assert (code, f"error {field}:" in err, "try:" in err, file.exists()) == (64, True, True, False)


def test_the_annex_needs_no_framework(whole, tmp_path):
    assert cli("report", "--annex-iv", "--output", str(tmp_path / "annex.md"), home=whole)[0] == 0
    assert "declaration of conformity" in (tmp_path / "annex.md").read_text()


def test_the_map_is_listed(whole):
    tree = json.loads(cli("report", "--list", "--json", home=whole)[1])
    assert set(tree) == set(FRAMEWORKS)
    lines = cli("report", "--list", home=whole)[1].splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(FRAMEWORKS)
    assert all(set(row["checks"]) <= set(CHECK_CLASSES) for rows in tree.values() for row in rows)


def test_the_annex_says_what_is_missing(whole, tmp_path):
    for form in ("html", "md", "json"):
        file = tmp_path / f"annex.{form}"
        code, _, err = cli("report", "--framework", "eu-ai-act", "--annex-iv", "--output", str(file), home=whole)
        assert code == 0, err
        text = file.read_text()
        for words in ("owen@bank", "looks up customers and pays refunds", "gpt-5", "declaration of conformity"):
            assert words in text, (form, words)
    assert len(json.loads((tmp_path / "annex.json").read_text())["sections"]) == 9


def test_an_incident_has_a_clock_and_a_file(home, tmp_path):
    decision = found(home, EntryKind.DECISION)[0].entry.id
    code, out, err = cli(
        "incident",
        "open",
        "--severity",
        "death",
        "--known",
        "3d",
        "--what",
        "a wrong payment",
        "--decision",
        decision,
        home=home,
    )
    assert code == 0, err
    assert "7 days 0 hours left" in out
    name = found(home, EntryKind.INCIDENT)[-1].entry.id
    assert cli("incident", "add", name, "--act", "contain", "--what", "the agent was stopped", home=home)[0] == 0
    tree = json.loads(cli("incident", "show", name, "--json", home=home)[1])
    assert [item["act"] for item in tree["events"]] == ["open", "contain"]
    assert tree["deadline_us"] - tree["known_us"] == 10 * DAY_US
    file = tmp_path / "incident.json"
    assert cli("incident", "export", name, "--output", str(file), home=home)[0] == 0
    exported = json.loads(file.read_text())
    assert [item["id"] for item in exported["decisions"]] == [decision]
    assert "legal questions" in exported["caveat"]
    assert cli("incident", "close", name, "--what", "too early", home=home)[0] == 0
    made = report_of(home, "nist-ai-rmf-1.0")
    assert made.answers["incidents"].findings == (f"incident {name} was closed without a report",)
    assert verified(home) == 0


def test_secrets_and_cards_in_a_reason_are_masked(home):
    set_waiver(home, "pci-dss-4.0.1 10.3.3", why="card 4111 1111 1111 1111 of eve@evil.example")
    body = found(home, EntryKind.CONTROL_WAIVER)[-1].entry.body
    assert "4111" not in body["why"]
    assert "eve@evil" not in body["why"]


def test_names_in_findings_are_set_as_code_and_escaped(whole):
    made = report_of(whole)
    name, answer = next(iter(made.answers.items()))
    odd = ("an odd ` stays", "`<b>clerk</b>` has no owner")
    page = render_report(replace(made, answers=made.answers | {name: replace(answer, findings=odd)}))
    assert "<li>an odd ` stays</li>" in page
    assert "<li><code>&lt;b&gt;clerk&lt;/b&gt;</code> has no owner</li>" in page


@pytest.mark.parametrize(("framework", "several"), [("pci-dss-4.0.1", False), ("nist-800-53-r5", True)])
def test_rows_say_where_their_text_is_from_where_there_are_several_sources(whole, framework, several):
    made = report_of(whole, framework)
    assert ("<dt>text from</dt>" in render_report(made)) is several
    assert ("- text from: " in render_markdown(made)) is several


@pytest.mark.parametrize("framework", ["pci-dss-4.0.1", "soc2-tsc-2017"])
def test_the_page_says_once_whose_titles_it_has(whole, framework):
    page = render_report(report_of(whole, framework))
    assert page.count("titles and descriptions are ours") + page.count("Titles of controls are ours.") == 1


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed here")
def test_a_browser_draws_the_page_and_prints_it(whole, tmp_path):
    page = tmp_path / "report.html"
    page.write_text(render_report(report_of(whole)), encoding="utf-8")
    for option in (f"--screenshot={tmp_path}/page.png", f"--print-to-pdf={tmp_path}/page.pdf"):
        subprocess.run(
            [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", option, page.as_uri()],
            check=True,
            capture_output=True,
            timeout=120,
        )
    assert (tmp_path / "page.png").stat().st_size > 20_000
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_who_reads_is_part_of_the_record(home):
    cli("report", "--framework", "nist-800-207", home=home)
    body = found(home, EntryKind.ACCESS)[-1].entry.body
    assert body["what"]["query"].startswith("halo report --framework nist-800-207")


def test_no_day_of_the_chart_is_cut_off_at_its_edge():
    rows = [
        {"allow": 1, "challenge": 0, "day": f"day {n:05}", "deny": 0, "monitor": 0, "restrict": 0} for n in range(60)
    ]
    for n in range(1, 61):
        drawn = re.findall(r'<text x="([0-9.]+)" y="145"( text-anchor="end")?>', str(report_page._draw_days(rows[:n])))
        starts = [float(x) - (62 if ends else 0) for x, ends in drawn]
        assert all(start + 62 <= 960 for start in starts), n
        assert all(after - start > 62 for start, after in itertools.pairwise(starts)), n


def test_the_chart_shows_days_on_which_nothing_was_decided():
    def row(day: str) -> dict[str, object]:
        return {"day": day, **dict.fromkeys(("allow", "monitor", "restrict", "challenge"), 0), "deny": 3, "agents": 1}

    days = [row("2026-02-27"), row("2026-03-02")]
    drawn = report_page._fill_days(days)
    assert [(item["day"], item["deny"]) for item in drawn] == [
        ("2026-02-27", 3),
        ("2026-02-28", 0),
        ("2026-03-01", 0),
        ("2026-03-02", 3),
    ]
    # A clock that was centuries off draws no hundred thousand days.
    assert report_page._fill_days([*days, row("2255-01-01")]) == [*days, row("2255-01-01")]


def test_a_report_explains_its_words_and_shows_few_rows_of_what_holds(whole):
    made = report_of(whole, "nist-800-53-r5")
    many = [{"decision": f"d-{n}", "result": "identical"} for n in range(60)]
    answer = replace(made.answers["replay"], verdict=Verdict.HOLDS, rows=many, columns=("decision", "result"))
    for verdict, shown in ((Verdict.HOLDS, 12), (Verdict.FAILS, 40)):
        changed = replace(made, answers=made.answers | {"replay": replace(answer, verdict=verdict)})
        for text in (render_report(changed), render_markdown(changed)):
            assert f"d-{shown - 1}" in text.replace("\\", "")
            assert f"d-{shown}" not in text.replace("\\", "")
            assert f"{60 - shown} more rows are in the JSON form" in text
    for text in (render_report(made), render_markdown(made)):
        for name, words in report_page.WORDS:
            assert name in text
            assert words in text
    assert not re.search(r"\b1 (stops|alerts|agents|decisions|entries)\b", Markup(render_report(made)).words)


def test_the_annex_has_no_table_that_a_page_has_no_room_for(whole, tmp_path):
    file = tmp_path / "annex.html"
    assert cli("report", "--annex-iv", "--output", str(file), home=whole)[0] == 0
    page = file.read_text()
    assert max(row.count("<th>") for row in page.split("<tr>")) <= 7
    words = Markup(page.partition("</style>")[2]).words
    assert "cannot_tell" not in words
    assert "1970" not in words
    assert "the beginning of the log to" in words


def test_a_row_of_the_summary_says_why_it_cannot_tell(whole):
    out = cli("report", "--framework", "eu-ai-act", home=whole)[1]
    (line,) = [line for line in out.splitlines() if line.startswith("Art. 19 ")]
    assert "cannot tell" in line
    assert "can be shown from" in line


def test_a_young_log_does_not_show_that_no_account_lay_idle(whole):
    """No grant has been held for 90 days: there was nothing to find, and nothing was shown."""
    young, old = (rows_of(report_of(whole, days=days))["8.2.6"] for days in (0, 91))
    assert (young.verdict, young.undecided) == (Verdict.CANNOT_TELL, (NONE_OLD_NOTE,))
    assert old.verdict is Verdict.FAILS


def test_an_idle_grant_is_listed_with_its_last_use(whole):
    answer = report_of(whole, days=91).answers["unused_grants"]
    assert any(row["used"] for row in answer.rows)
    for row in answer.rows:
        grant = f"`{row['agent']}` holds {row['kind']} `{row['grant']}`"
        last = f"last used at {row['used']}" if row["used"] else "not used in the last 90 days"
        assert f"{grant}, granted at {row['granted']}: {last}" in answer.findings


def test_ids_and_times_are_not_broken_where_a_page_has_room_for_them():
    at, entry = "2026-05-29T16:01:20.000Z", "cddcc0fd5105-13"
    page = report_page.render_table(("at", "what", "entry"), [{"at": at, "what": "x " * 60, "entry": entry}])
    assert f'<td class="w">{at}</td>' in page
    assert f'<td class="w">{entry}</td>' in page
    assert "<td>x x" in page
    many = [f"c{n}" for n in range(9)]
    crowded = report_page.render_table(many, [dict.fromkeys(many, "2026-05-29T16:01:20")])
    assert crowded.count('<td class="w">') == 3  # 64 characters of all nine

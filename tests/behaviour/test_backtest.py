"""A backtest says exactly what another policy would have decided: against an independent, simple computation."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from collections import Counter
from dataclasses import replace

import pytest
from score_world import act, opened

import halo_core.replay as replay_module
from counts import is_thorough
from halo_core.backtest import Change, Selection, backtest_log, classify_change, decide_under
from halo_core.crypto.keys import KeyStore
from halo_core.decision.bindings import make_call_binding
from halo_core.decision.checks import decide
from halo_core.errors import HaloError
from halo_core.model import Approval, Decision, Effect, EntryKind, Impact, Obligation, Reason
from halo_core.policy import CedarPolicy, PolicyBundle
from halo_core.policy.score_limits import ScoreLimits, ScoreRules, apply_score_limits, find_score_rules
from halo_core.replay import Replayer, ReplayStatus
from halo_core.store.reader import Reader, SealedContents, read_entries
from halo_core.views.backtest import MAX_UNDECIDED, summarize_backtest
from halo_core.views.frontier_chart import draw_frontier_chart
from halo_core.views.score_frontier import FrontierBuilder
from halo_world import SURFACE, Calls, attack, cli, db_of, found, person_ref, tool, url_of

MONEY = """
@id("base") permit (principal, action, resource);
@id("ask") @effect("challenge") @reason("large_amount")
forbid (principal, action, resource == Tool::"pay") when { context has amount && context.amount.greaterThan(decimal("100.0")) };
@id("short") @effect("restrict") @obligation("clamp(limit, 50)") forbid (principal, action, resource == Tool::"query");
@id("never") @reason("grave_impact") forbid (principal, action, resource == Tool::"wipe");
@id("many") @effect("monitor") forbid (principal, action, resource) when { context.uses > 3 };
"""  # noqa: E501
SCORE = """
@id("high") @effect("challenge") @reason("risk_high") forbid (principal, action, resource) when { context.risk_band >= 2 };
@id("seen") @effect("challenge") @reason("risk_elevated")
forbid (principal, action, resource) when { context.risk_band >= 1 && context.tainted };
@id("pay-risk") @effect("challenge") @reason("risky_payment")
forbid (principal, action, resource == Tool::"pay") when { context.risk_band >= 1 };
"""  # noqa: E501
OTHERS = {
    "same": MONEY + SCORE,
    "comment": "// another text, the same rules\n" + MONEY + SCORE,
    "open": '@id("base") permit (principal, action, resource);',
    "closed": '@id("no") @reason("closed") forbid (principal, action, resource);',
    "looser": (MONEY + SCORE).replace("100.0", "1000.0").replace("limit, 50", "limit, 500"),
    "stricter": (MONEY + SCORE).replace("100.0", "10.0").replace("limit, 50", "limit, 5").replace("> 3", "> 1"),
    "asks": (MONEY + SCORE).replace('@id("never")', '@id("never") @effect("challenge")'),
    "targets": MONEY + SCORE + '@id("to") @effect("challenge") @reason("other") forbid (principal, action, resource)'
    ' when { context.target_origins.contains("novel") || context.tainted };',
    "broken": MONEY + '@id("bad") forbid (principal, action, resource) when { context.args.nothing == 1 };',
}  # fmt: skip


def live(home, number: int, seed: int = 7) -> None:
    """About so many decisions of all effects, scored and tainted ones among them, in sessions of some length."""
    rng = random.Random(seed)
    policy = home.parent / "rules"
    policy.mkdir(exist_ok=True)
    (policy / "money.cedar").write_text(MONEY)
    (policy / "score.cedar").write_text(SCORE)
    done = 0
    with opened(home, policy=policy) as halo:
        while done < number:
            length = rng.randint(1, 8)
            who = rng.choice(["ana", "bob", "eve"])
            with halo.session(f"s{done}", user=who, request=f"share report {done % 5} with {who}@bank.example"):
                for _ in range(length):
                    with contextlib.suppress(HaloError):
                        act_at_random(halo, rng, who)
            done += length


def act_at_random(halo, rng, who):
    name = rng.choice(["lookup", "share", "share", "inbox", "query", "pay", "pay", "wipe"])
    files = ("report-1.pdf", "/etc/passwd", f"new-{rng.randint(0, 99)}.txt")
    arguments = {
        "lookup": lambda: {"q": rng.choice(["ana", "mallory"])},
        "share": lambda: {
            "to": rng.choice([f"{who}@bank.example", "x@elsewhere.example"]),
            "file": rng.choice(files),
        },
        "inbox": lambda: {"ticket": str(rng.randint(0, 9))},
        "query": lambda: {"limit": rng.choice([5, 60, 400, 1000])},
        "pay": lambda: {"amount": rng.choice([5, 50, 500, 5000]), "to": rng.choice([who, "ACC-9"])},
        "wipe": lambda: {"path": "/"},
    }[name]()
    declared = {"pay": {"impact": Impact.PAYMENT, "amount": "amount", "targets": ("to",)}}.get(name, {})
    if name in ("pay", "query", "wipe"):
        halo.enforcer.run(halo.build_call(tool(halo, name, **declared), arguments), Calls("done"), SURFACE)
    else:
        act(halo, name, f"mail of {who}: x@elsewhere.example", **arguments)


def recorded_inputs(home):
    """(position, request, snapshot, recorded decision) of each decision, and how it reads."""
    with Reader(url_of(home)) as reader:
        replayer = Replayer(reader, SealedContents.with_home_key(reader, KeyStore(home)), "local")
        for logged in read_entries(reader, "local", (EntryKind.DECISION,)):
            request, snapshot = replayer.read_inputs(logged.entry)
            yield logged.index, request, snapshot, Decision.from_plain(logged.entry.body["decision"])


def by_brute_force(home, text):
    """position → (before, after), by nothing but `decide` with the other policy."""
    decided = {}
    for index, request, snapshot, before in recorded_inputs(home):
        policy = CedarPolicy.compile(PolicyBundle({"x.cedar": text}, snapshot.policy.types))
        assert snapshot.approval is None
        decided[index] = before, decide(request, replace(snapshot, policy=policy))
    return decided


def results_of(home, text, **options):
    selection = options.pop("selection", Selection())
    return list(backtest_log(url_of(home), home, "local", {"x.cedar": text}, selection, **options))


@pytest.fixture(scope="module")
def busy(lived, tmp_path_factory):
    home = shutil.copytree(lived, tmp_path_factory.mktemp("busy") / "home")
    live(home, 10_000 if is_thorough() else 200)
    return home


RUNS = ("allow", "monitor", "restrict")


def naive_kind(before: Decision, after: Decision) -> str:
    """The kind of a transition in the words of the documentation, written without a look at the code."""
    stages = [
        0 if item.effect.value in RUNS else 1 if item.effect.value == "challenge" else 2 for item in (before, after)
    ]
    if before.to_bytes() == after.to_bytes():
        return "same"
    if stages[1] < stages[0]:
        return "towards_running"
    if stages[1] > stages[0]:
        return "new_question" if stages[1] == 1 else "new_denial"
    if stages[0] < 2:
        limits = [{(o.kind, o.name): o.value for o in item.obligations} for item in (before, after)]
        for key, value in limits[0].items():
            if key not in limits[1] or limits[1][key] > value:
                return "towards_running"
        if limits[0] != limits[1]:
            return "new_restriction"
    return "reasons" if before.effect is after.effect else "mark"


@pytest.mark.spread
@pytest.mark.parametrize("name", OTHERS)
def test_no_transition_is_missed_and_none_is_invented(busy, name):
    expected = by_brute_force(busy, OTHERS[name])
    results = {item.index: item for item in results_of(busy, OTHERS[name])}
    assert results.keys() == expected.keys()
    for index, (before, after) in expected.items():
        item = results[index]
        assert item.status is ReplayStatus.IDENTICAL
        assert (item.before, item.after) == (before.effect, after.effect)
        assert item.change.value == naive_kind(before, after)
    report = summarize_backtest(results.values())
    kinds = Counter(naive_kind(*pair) for pair in expected.values())
    assert {change.value: number for change, number in report.changes.items()} == kinds
    assert report.before.questions == sum(before.effect is Effect.CHALLENGE for before, _ in expected.values())
    assert report.after.questions == sum(after.effect is Effect.CHALLENGE for _, after in expected.values())
    assert sum(group.decisions for group in report.groups) == kinds.total() - kinds["same"]


def test_the_world_has_every_kind_of_decision(busy):
    seen = Counter((item.before, item.after) for item in results_of(busy, OTHERS["same"]))
    assert {before for before, _ in seen} == set(Effect)
    risks = {snapshot.risk for _, _, snapshot, _ in recorded_inputs(busy)}
    assert {0, 900} < risks
    changes = {item.change for name in OTHERS for item in results_of(busy, OTHERS[name])}
    assert changes >= {*Change} - {Change.REASONS}


def test_processes_that_share_the_work_say_the_same(busy, monkeypatch):
    monkeypatch.setattr(replay_module, "_SPAN", 200)
    monkeypatch.setattr(replay_module, "_MIN_SHARED", 1)
    shared = results_of(busy, OTHERS["looser"], with_outcomes=True, processes=2)
    assert shared == results_of(busy, OTHERS["looser"], with_outcomes=True)


# answers that a person gave


def asked_call(home):
    """A call that the rule `ask` asks about."""
    for _, request, snapshot, before in recorded_inputs(home):
        if before.effect is Effect.CHALLENGE and "ask" in [item.source for item in before.reasons]:
            return request, snapshot
    raise AssertionError("no such call")


def policy_of(text, snapshot):
    return CedarPolicy.compile(PolicyBundle({"x.cedar": text}, snapshot.policy.types))


@pytest.mark.parametrize(
    ("granted", "name", "effect"),
    [
        (True, "comment", Effect.MONITOR),
        (True, "stricter", Effect.MONITOR),
        (True, "open", Effect.ALLOW),
        (True, "more", Effect.CHALLENGE),
        (False, "comment", Effect.DENY),
        (False, "more", Effect.DENY),
        (False, "open", Effect.ALLOW),
    ],
)
def test_an_answer_counts_for_the_questions_that_it_settled(busy, granted, name, effect):
    request, snapshot = asked_call(busy)
    binding = make_call_binding(request, snapshot.chain, snapshot.policy.rules)
    answer = Approval("q1", "maria", "sha256:key", binding, snapshot.time_us + 1, granted)
    answered = replace(snapshot, approval=answer)
    assert decide(request, answered).effect is (Effect.MONITOR if granted else Effect.DENY)
    more = MONEY + '@id("more") @effect("challenge") forbid (principal, action, resource);'
    text = {**OTHERS, "more": more}[name]
    assert decide_under(request, answered, policy_of(text, snapshot)).effect is effect


def test_an_answer_to_another_call_never_counts(busy):
    request, snapshot = asked_call(busy)
    binding = make_call_binding(replace(request, args_digest="other"), snapshot.chain, snapshot.policy.rules)
    answered = replace(snapshot, approval=Approval("q1", "maria", "k", binding, snapshot.time_us + 1))
    after = decide_under(request, answered, policy_of(OTHERS["comment"], snapshot))
    assert after.find_deciding_reason().code == "approval_mismatch"


def decision(effect, *obligations, why="r"):
    return Decision(Effect(effect), (Reason(why, effect=effect),), tuple(Obligation(*item) for item in obligations))


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (decision("deny"), decision("challenge"), Change.TOWARDS_RUNNING),
        (decision("challenge"), decision("restrict", ("redact_output",)), Change.TOWARDS_RUNNING),
        (decision("restrict", ("clamp", "n", 5)), decision("restrict", ("clamp", "n", 6)), Change.TOWARDS_RUNNING),
        (decision("restrict", ("clamp", "n", 5)), decision("restrict", ("clamp", "n", 4)), Change.NEW_RESTRICTION),
        (decision("restrict", ("clamp", "n", 5)), decision("restrict", ("clamp", "m", 5)), Change.TOWARDS_RUNNING),
        (
            decision("restrict", ("drop_documents", "", 300)),
            decision("restrict", ("drop_documents", "", 200)),
            Change.TOWARDS_RUNNING,
        ),
        (decision("restrict", ("hold_output",)), decision("monitor"), Change.TOWARDS_RUNNING),
        (decision("challenge", ("hold_output",)), decision("challenge"), Change.TOWARDS_RUNNING),
        (decision("restrict", ("hold_output",)), decision("challenge"), Change.NEW_QUESTION),
        (decision("allow"), decision("challenge"), Change.NEW_QUESTION),
        (decision("challenge"), decision("deny"), Change.NEW_DENIAL),
        (decision("allow"), decision("monitor"), Change.MARK),
        (decision("deny"), decision("deny", why="other"), Change.REASONS),
        (decision("deny"), decision("deny"), Change.SAME),
    ],
)
def test_kinds_of_changes(before, after, change):
    assert classify_change(before, after) is change


# limits of the score's rules


def test_only_rules_of_the_score_alone_have_limits_that_move():
    parsed = PolicyBundle({"x.cedar": MONEY + SCORE}).parse()
    assert find_score_rules(parsed) == ScoreRules(("high", "seen"), ("pay-risk",))
    starter = PolicyBundle.load_starter()
    rules = find_score_rules(starter.parse())
    assert rules.movable == ("halo.risk.elevated", "halo.risk.high-tainted")
    changed = apply_score_limits(starter.sources, ScoreLimits(400, 870))
    assert {name for name in changed if changed[name] != starter.sources[name]} == {"risk.cedar"}
    assert find_score_rules(PolicyBundle(changed).parse()) == rules
    assert apply_score_limits(changed, ScoreLimits(1, 2)) == apply_score_limits(starter.sources, ScoreLimits(1, 2))


@pytest.mark.parametrize(
    "condition",
    [
        'context.risk_band >= 1 && resource.impact == "payment"',
        "context.risk_band >= 1 && context.args has amount",
        "context.risk_band >= 1 && context has amount",
        'context.risk_band >= 1 && context.target_origins.contains("novel")',
        "context.risk_band >= 1 && context.provenance has to",
        "context.risk_band == 1",
        "context.risk_band >= 1 && context.risk_band < 2",
        "context.risk_band >= 1 && context has risk && context.risk > 3",
        "context.risk_band >= 1 // && context.risk_band >= 2\n && context.risk_band != 2",
    ],
)
def test_a_rule_that_reads_what_is_done_keeps_its_limit(condition):
    text = f'@id("x") @effect("challenge") forbid (principal, action, resource) when {{ {condition} }};'
    bundle = PolicyBundle({"x.cedar": text})
    assert find_score_rules(bundle.parse()) == ScoreRules((), ("x",))
    assert apply_score_limits(bundle.sources, ScoreLimits(1, 2)) == bundle.sources


@pytest.mark.parametrize("scope", ['action == Action::"pay", resource', 'action, resource == Tool::"pay"'])
def test_a_rule_that_names_a_resource_keeps_its_limit(scope):
    text = f'@id("x") @effect("challenge") forbid (principal, {scope}) when {{ context.risk_band >= 1 }};'
    assert find_score_rules(PolicyBundle({"x.cedar": text}).parse()) == ScoreRules((), ("x",))


def test_the_rule_itself_changes_and_not_a_comment_that_repeats_it():
    rule = '@id("x") forbid (principal, action, resource) when { context.risk_band >= 2 };'
    changed = apply_score_limits({"x.cedar": f"// {rule}\n{rule}\n"}, ScoreLimits(1, 7))["x.cedar"]
    assert changed.splitlines()[0] == f"// {rule}"
    assert "context.risk > 7" in changed.splitlines()[1]


@pytest.mark.share(2)
@pytest.mark.parametrize("pair", [(0, 0), (399, 899), (400, 900), (0, 1000), (1000, 1000), (10, 400)])
def test_limits_decide_as_if_the_band_were_by_them(busy, pair):
    text = MONEY + SCORE.partition('@id("pay-risk")')[0]
    limited = apply_score_limits({"x.cedar": text}, ScoreLimits(*pair))["x.cedar"]
    for _, request, snapshot, _ in recorded_inputs(busy):
        band = snapshot.band
        if snapshot.risk is not None and not snapshot.partial:
            band = (snapshot.risk > pair[0]) + (snapshot.risk > pair[1])
        banded = replace(snapshot, band=band, policy=policy_of(text, snapshot))
        assert policy_of(limited, snapshot).answer(request, snapshot) == banded.policy.answer(request, banded)


def frontier_of(home, text, at_most, attacks=frozenset()):
    builder = FrontierBuilder(attacks)
    summarize_backtest(builder.watch(results_of(home, text, with_outcomes=True)))
    return builder.build(find_score_rules(PolicyBundle({"x.cedar": text}).parse()), at_most)


def test_every_point_of_the_frontier_is_what_these_limits_decide(busy):
    text = MONEY + SCORE
    attacks = frozenset({"s0"})
    points = frontier_of(busy, text, 10_000, attacks).points
    assert len(points) > 2
    middle = points[len(points) // 2]
    ordinary = len({item.entry.session for item in found(busy, EntryKind.DECISION)} - attacks)
    at_most = 10_000 * middle.asked // ordinary
    frontier = frontier_of(busy, text, at_most, attacks)
    for point in (*frontier.points, frontier.current, frontier.least):
        changed = {"x.cedar": text} if point.limits is None else apply_score_limits({"x.cedar": text}, point.limits)
        results = results_of(busy, changed["x.cedar"])
        held = [item for item in results if item.after.severity >= Effect.CHALLENGE.severity]
        asking = [item.session for item in held if item.after is Effect.CHALLENGE and item.session not in attacks]
        assert (point.asked, point.questions, point.held) == (len(set(asking)), len(asking), len(held))
        assert point.attacks_held == len({item.session for item in held} & attacks)
    pairs = [(point.asked, point.attacks_held, point.held) for point in frontier.points]
    assert pairs == sorted(pairs)
    assert frontier.proposed is not None
    assert frontier.proposed.asked * 10_000 <= at_most * frontier.sessions
    beyond = frontier.points[frontier.points.index(frontier.proposed) + 1]
    assert beyond.asked * 10_000 > at_most * frontier.sessions
    assert draw_frontier_chart(frontier).count("<circle") == len(frontier.points) + 2


def test_questions_of_other_rules_are_never_given_up(busy):
    frontier = frontier_of(busy, MONEY + SCORE, 0)
    assert frontier.proposed is None
    assert frontier.least.asked > 0
    assert draw_frontier_chart(frontier).startswith("<svg")


# the command


def backtest(home, *argv):
    return cli("policy", "backtest", *argv, home=home)


@pytest.fixture
def new(tmp_path):
    def write(text):
        folder = tmp_path / "new"
        folder.mkdir(exist_ok=True)
        (folder / "x.cedar").write_text(text)
        return str(folder)

    return write


def test_exit_codes_and_order(busy, new):
    assert backtest(busy, new(OTHERS["closed"]))[0] == 0
    code, out, _ = backtest(busy, new(OTHERS["open"]))
    assert code == 1
    assert out.index("towards running") < out.index("stay the same") < out.index("questions per 100 sessions")
    assert "deny → allow" in out
    code, out, err = backtest(busy, new('@id("x") forbid (principal, action'))
    assert (code, out) == (64, "")
    assert "policy_invalid" in err
    assert backtest(busy, new(OTHERS["open"]), "--agent", "nobody")[0] == 2


def test_json_counts_everything_and_lists_moves_towards_running_first(busy, new):
    code, out, _ = backtest(busy, new(OTHERS["looser"]), "--json")
    report = json.loads(out)
    results = results_of(busy, OTHERS["looser"])
    assert code == 1
    assert report["decisions"] == len(results) == sum(report["changes"].values())
    moved = [item.index for item in results if item.change is Change.TOWARDS_RUNNING]
    assert [item["index"] for item in report["listed"][: len(moved)]] == moved
    assert report["groups"][0]["change"] == "towards_running"
    assert report["note"].startswith("each decision was decided from its own recorded inputs")
    assert report["frontier"] is None


def test_what_cannot_be_told_is_counted_and_named(busy, new, tmp_path):
    home = shutil.copytree(busy, tmp_path / "home")
    ana = person_ref(home, "user:ana")
    with contextlib.closing(attack(db_of(home))) as database:
        database.execute("UPDATE vault SET dek_wrapped=x'', erased_at_us=1 WHERE subject=?", (ana,))
    erased = {
        item.index for item in found(home, EntryKind.DECISION) if item.entry.body["request"]["subject"]["user"] == ana
    }
    code, out, _ = backtest(home, new(OTHERS["closed"]), "--json")
    report = json.loads(out)
    assert code == 2
    assert report["undecided"] == {"REPLAY_REDACTED": len(erased)}
    examples = {item["index"] for item in report["undecided_examples"]}
    assert examples <= erased
    assert len(examples) == min(len(erased), MAX_UNDECIDED)
    assert report["decisions"] + len(erased) == len(found(home, EntryKind.DECISION))
    assert backtest(home, new(OTHERS["open"]))[0] == 1
    code, out, _ = backtest(home, new(OTHERS["closed"]))
    assert code == 2
    assert "cannot tell" in out
    assert f"#{min(erased)} " in out


def test_inputs_that_do_not_give_the_recorded_decision_are_not_believed(busy, new, tmp_path, monkeypatch):
    home = shutil.copytree(busy, tmp_path / "home")
    real = replay_module.decide

    def decide_otherwise(request, snapshot):
        return decision("allow") if request.resource.id == "wipe" else real(request, snapshot)

    monkeypatch.setattr(replay_module, "decide", decide_otherwise)
    monkeypatch.setattr(replay_module, "_MIN_SHARED", 1_000_000)  # in this process, which the change is made in
    code, out, _ = backtest(home, new(OTHERS["closed"]), "--json")
    report = json.loads(out)
    assert code == 2
    assert report["undecided"]["differs"] > 0
    assert report["undecided_examples"][0]["problem"].startswith("/decision/")


def test_selection_by_time_and_agent(busy, new):
    entries = found(busy, EntryKind.DECISION)
    middle = entries[len(entries) // 2].entry.ts_us
    chosen = results_of(busy, OTHERS["open"], selection=Selection(since_us=middle))
    assert [item is not None for item in chosen] == [item.entry.ts_us >= middle for item in entries]
    chosen = results_of(busy, OTHERS["open"], selection=Selection(until_us=middle))
    assert [item is not None for item in chosen] == [item.entry.ts_us < middle for item in entries]
    assert json.loads(backtest(busy, new(OTHERS["open"]), "--json", "--agent", "desk")[1])["decisions"] == len(entries)
    assert json.loads(backtest(busy, new(OTHERS["open"]), "--json", "--from", "2100-01-01")[1])["decisions"] == 0


def test_limits_are_proposed_compared_and_written(busy, new, tmp_path):
    chart, written = tmp_path / "frontier.svg", tmp_path / "written"
    code, out, _ = backtest(busy, new(MONEY + SCORE), "--ask-at-most", "100%", "--svg", str(chart))
    assert code in (0, 1)
    assert "these read the score too, and keep their limits: pay-risk" in out
    assert "--limits " in out
    limits = "900,1000"
    assert chart.read_text().startswith("<svg")
    code, out, _ = backtest(busy, new(MONEY + SCORE), "--limits", limits, "--write", str(written))
    assert "towards running" in out
    assert code == 1
    assert "if context has risk then context.risk >" in (written / "x.cedar").read_text()
    same = (
        backtest(busy, str(written), "--json")[1],
        backtest(busy, new(MONEY + SCORE), "--limits", limits, "--json")[1],
    )
    assert json.loads(same[0])["groups"] == json.loads(same[1])["groups"]


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("--limits", "9"), "bad_limits"),
        (("--limits", "900,400"), "bad_limits"),
        (("--limits", "1,1001"), "bad_limits"),
        (("--ask-at-most", "101%"), "bad_share"),
        (("--ask-at-most", "-1"), "bad_share"),
        (("--ask-at-most", "\u0663%"), "bad_share"),
        (("--from", "yesterday"), "bad_time"),
        (("--to", "9" * 400), "bad_time"),
        (("--svg", "x.svg"), "usage"),
        (("--write", "x"), "usage"),
        (("--limits", "1,2", "--write", "."), "folder_exists"),
        (("--ask-at-most", "3%", "--svg", "no/such/x.svg"), "no_file"),
    ],
)
def test_wrong_arguments(busy, new, argv, code):
    exit_code, _, err = backtest(busy, new(MONEY + SCORE), *argv)
    assert (exit_code, f"[{code}]" in err) == (64, True)


def test_a_policy_without_rules_of_the_score_has_no_limits(busy, new):
    for argv in (("--limits", "1,2"), ("--ask-at-most", "3%")):
        code, _, err = backtest(busy, new(MONEY), *argv)
        assert (code, "no_score_rules" in err) == (64, True)

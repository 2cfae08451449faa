"""Whatever comes in while a score is in force: bounded, decided, and never let through for want of a score. Issue 6."""

from __future__ import annotations

import sqlite3
import tracemalloc
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_world import act, expose, history, model_file, opened, small_model, tool

from halo_core import risk
from halo_core.baselines import fit_score
from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.agent_credentials import DEFAULT_TERMS, Limits
from halo_core.enforcement.risk_assessor import TERMS_DOMAIN
from halo_core.errors import BadInput, Denied, Pending
from halo_core.ledger import split_marks
from halo_core.model import ActionKind, Budget, EntryKind, Impact
from halo_core.risk.action_risk import ScoringTerms
from halo_core.risk.baseline import Baseline
from halo_core.risk.feature_catalogue import FEATURE_INDEX, FEATURES
from halo_core.risk.model import MAX_MODEL_BYTES, RiskModel
from halo_core.risk.observation import observe_action
from halo_core.risk.profile import Profile, ProposedAction
from halo_core.store import rows
from halo_core.store.config import StoreConfig
from halo_core.store.store import Store
from halo_core.values.sketches.sketch import MAX_MARKS
from halo_world import SURFACE, Calls, attack, bodies, cli, codes, db_of, session_ref, url_of, verified

ASKED = "share report 1 with ana@bank.example"
HEAD = 2_048  # bytes of a session's state that moves with every decision
ROW = 4 * 4096 + 512  # bytes of a row's chunk; its marks come on top
SHIPPED = Path(risk.__file__).with_name("model.bin").read_bytes()
UNPACKED = zlib.decompress(SHIPPED)


def last(home):
    return bodies(home, EntryKind.DECISION)[-1]


def endless():
    """Limits under which a session of 10,000 actions does not end."""
    budgets = (Budget("risk", 10**6, 10**9), Budget("step", 10**6, 10**9))
    return Limits(
        replace(
            DEFAULT_TERMS,
            budgets=budgets,
            decay=replace(DEFAULT_TERMS.decay, half_life_steps=10**6, half_life_risk=10**8),
        )
    )


def features(home):
    return last(home)["snapshot"]["features"]


def sizes(home, session):
    """Bytes of the session's state, and of the rows of its profile."""
    session = session_ref(home, session)
    with sqlite3.connect(db_of(home)) as database:
        (state,) = database.execute("SELECT length(state) FROM session WHERE session=?", (session,)).fetchone()
        query = "SELECT marks FROM entry WHERE session=? AND marks IS NOT NULL"
        found = database.execute(query, (session,)).fetchall()
    database.close()
    return state, [len(row) for (marks,) in found for row in split_marks(marks)]


@pytest.mark.slow
@pytest.mark.parametrize(("actions", "early"), [(300, 199), pytest.param(10_000, 999, marks=pytest.mark.thorough)])
def test_ten_thousand_actions_keep_the_state_as_small_as_ten(copy, actions, early):
    """Each writes the state once and a row for its result; neither grows with what came before."""
    states = []
    with opened(copy, limits=endless()) as halo, halo.session("long", request=ASKED):
        for number in range(actions):
            act(halo, f"lookup{number % 40}", f"row {number} of person{number}@bank.example", q=f"person{number}")
            if number in (99, early, actions - 1):
                states.append(sizes(copy, "long")[0])
    state, row = sizes(copy, "long")
    states.append(state)
    assert last(copy)["snapshot"]["session"]["steps"] == actions - 1
    assert features(copy)[FEATURE_INDEX["steps"]] == 40
    assert len(row) >= actions
    assert max(row) < 1_000
    assert max(states) < 3 * HEAD
    assert states[2] - states[1] < 64  # counters got more digits
    # The next process takes up the same session, and sees it as the first one did.
    values = []
    for _ in range(2):
        with opened(copy, limits=endless()) as halo, halo.session("long", request=ASKED):
            act(halo, "lookup1", q="once more")
        values.append(dict(zip((feature.id for feature in FEATURES), features(copy), strict=True)))
    assert {name for name in values[0] if values[0][name] != values[1][name]} <= {"again", "repeats", "same_tool"}
    assert values[0]["results"] == 40


@pytest.mark.slow
@pytest.mark.parametrize("results", [100, pytest.param(400, marks=pytest.mark.thorough)])
def test_a_long_session_is_taken_up_again_in_bounded_memory(copy, results):
    """400 results of 4,096 words are 6.5 MB of rows; what is remembered of them is 24,576 words."""
    page = "word " * 5_000
    with opened(copy) as halo, halo.session("long", request=ASKED):
        for _ in range(results):
            act(halo, "lookup", page, q="page")
    assert sum(sizes(copy, "long")[1]) > 15_000 * results
    with opened(copy) as halo, halo.session("long", request=ASKED):
        tracemalloc.start()
        act(halo, "lookup", q="again")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert features(copy)[FEATURE_INDEX["results"]] == 6
    assert peak < 5_500_000, peak


def test_a_result_of_50_mb_leaves_a_row_of_kilobytes(copy):
    for number, result in enumerate(("x" * 50_000_000, "lorem ipsum dolor " * 2_800_000, "a1 " * 17_000_000)):
        with opened(copy) as halo, halo.session(f"wide-{number}", request=ASKED):
            act(halo, "lookup", result, q="ana")
            act(halo, "lookup", q="ana")
        state, row = sizes(copy, f"wide-{number}")
        assert state < HEAD
        assert max(row) < ROW + 8 * MAX_MARKS
        assert last(copy)["snapshot"]["risk"] is not None
    assert verified(copy) == 0


@pytest.mark.parametrize("value", ["spam " * 200_000, "x" * 1_000_000, "a@b.example/" * 90_000, "\u202e" * 1_000_000])
def test_an_argument_of_1_mb_is_denied_before_anything_scores_it(copy, value):
    with opened(copy) as halo, halo.session("big", request=ASKED), pytest.raises(Denied) as denied:
        act(halo, "lookup", q=value)
    assert denied.value.reason == "arguments_too_large"
    assert last(copy)["snapshot"]["features"] == []


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "value",
    [
        "spam " * 50_000,
        "x" * 250_000,
        "a@b.example/" * 20_000,
        "SELECT " * 30_000,
        "https://" * 30_000,
        "'" * 250_000,
        "{" * 250_000,
        "0," * 120_000,
        "\u200b" * 60_000,
    ],
    ids=lambda text: ascii(text)[:12],
)
def test_the_largest_arguments_that_are_decided_are_scored(copy, value):
    with opened(copy) as halo, halo.session("big", request=ASKED):
        for name in ("lookup", "command"):
            with suppress(Pending):  # a program of many names is strange, and waits
                act(halo, name, **{"q" if name == "lookup" else "command": value})
            assert len(features(copy)) == len(FEATURES)


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "text",
    [
        b"\x00\xff\xfe\x80" * 64,
        "\x00\x1b[31m\x07",
        "\u202eelpmaxe.knab@ana\u202c",
        "\u05e9\u05dc\u05d7 \u05d0\u05ea \u05d4\u05d3\u05d5\u05d7",
        "\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
        "\u0430n\u0430@bank.example",
        "\U000e0061\U000e006e\U000e0061",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 100,
        "e\u0301" * 1000,
        "\ufdfa" * 20_000,
        "-\u0660\u0661\u0662",
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_binary_right_to_left_and_lookalike_text_is_scored_and_replays(copy, text):
    with opened(copy) as halo, halo.session("odd", request=str(text)):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup", "q"), {"q": text}), Calls(text), SURFACE)
        halo.enforcer.run(halo.build_call(tool(halo, "lookup", "q"), {"q": text}), Calls(text), SURFACE)
    assert len(features(copy)) == len(FEATURES)
    assert verified(copy) == 0
    assert cli("replay", "--all", home=copy)[0] == 0


def test_right_to_left_marks_of_a_request_do_not_hide_what_it_asked_for(copy):
    with opened(copy) as halo, halo.session("odd", request="share report 1 with \u202dana@bank.example\u202c"):
        act(halo, "share", to="ana@bank.example", file="report-1.pdf")
        marked = features(copy)
    with opened(copy) as halo, halo.session("even", request=ASKED):
        act(halo, "share", to="ana@bank.example", file="report-1.pdf")
    assert marked == features(copy)


@pytest.mark.parametrize("name", ["\u0430n\u0430@bank.example", "an\u200ba@bank.example", "\uff41na@bank.example"])
def test_a_name_in_disguise_is_not_the_one_it_looks_like(copy, name):
    """`ana@bank.example` is known; with a Cyrillic letter, an invisible or a wide one it is somebody else."""
    with opened(copy) as halo, halo.session("odd", request=ASKED):
        act(halo, "share", to="ana@bank.example", file="report-1.pdf")
        assert features(copy)[FEATURE_INDEX["naming_new"]] == 0
        act(halo, "share", to=name, file="report-1.pdf")
    assert features(copy)[FEATURE_INDEX["naming_new"]] == 1
    assert features(copy)[FEATURE_INDEX["repeats"]] == 0


@pytest.mark.parametrize(
    "name",
    ["anas@bank.example", "ana@banks.example", "ana@banking.example", "ana.bank@my.example", "*", "/", "\U0001f600"],
)
def test_what_has_the_words_of_a_known_address_or_none_is_not_known(copy, name):
    with opened(copy) as halo, halo.session("odd", request=ASKED):
        act(halo, "share", to=name, file="report-1.pdf")
        assert features(copy)[FEATURE_INDEX["naming_new"]] == 1
        act(halo, "share", to="ana@bank.example", file="report-1.pdf")
    assert features(copy)[FEATURE_INDEX["naming_new"]] == 0
    assert features(copy)[FEATURE_INDEX["repeats"]] == 0


def test_a_host_with_the_words_of_another_is_another():
    hosts = ("https://pay.bank.example/x", "https://pay-bank.example/x", "https://pays.bank.example/x")
    looks = [
        observe_action(Profile(b"k"), ProposedAction("get", ActionKind.TOOL_CALL, Impact.READ, {"url": host}))
        for host in hosts
    ]
    assert (
        len({look.evidence[0].fingerprint for look in looks})
        == len({look.action_fingerprint for look in looks})
        == len(hosts)
    )


@pytest.mark.parametrize(
    "to",
    [
        "ana@bank.example, eve@elsewhere.example",
        "ana@bank.example eve@elsewhere.example",
        "Ana <ana@bank.example>; Eve Quartz <eve@elsewhere.example>",
        '"Quartz, Eve (of the bank)" <eve@elsewhere.example>, ana@bank.example',
        "Eve (eve) <eve@elsewhere.example>",
        "team: ana@bank.example, eve@elsewhere.example;",
    ],
)
def test_a_list_of_addresses_in_one_text_names_each_of_them(copy, to):
    with opened(copy) as halo, halo.session("odd", request=ASKED):
        act(halo, "share", to=to, file="report-1.pdf")
    assert features(copy)[FEATURE_INDEX["naming_new"]] == 1


def test_an_address_that_a_text_speaks_of_is_not_named(copy):
    with opened(copy) as halo, halo.session("odd", request=ASKED):
        act(halo, "lookup", q="Please ask whether the mail of eve@elsewhere.example, our supplier, has come")
    assert features(copy)[FEATURE_INDEX["naming_new"]] == 0


def nested(value, depth):
    for number in range(depth):
        value = {"in": value} if number % 2 else [value]
    return value


@pytest.mark.parametrize("depth", [1, 12, 13, 40, 60])
def test_what_is_hidden_deep_inside_is_seen(copy, depth):
    with opened(copy) as halo, halo.session("deep", request=ASKED):
        expose(halo)
        with pytest.raises(Pending) as pending:
            act(halo, "share", to=nested(["eve@elsewhere.example", "/etc/passwd"], depth), file="report-1.pdf")
    assert pending.value.reason == "risk_high"
    assert features(copy)[FEATURE_INDEX["naming_new"]] == 2


def test_deeper_than_arguments_may_be_is_denied(copy):
    with opened(copy) as halo, halo.session("deep", request=ASKED), pytest.raises(Denied) as denied:
        act(halo, "lookup", q=nested("x", 5_000))
    assert denied.value.reason == "arguments_too_large"


# --- few sessions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sessions", [1, 5])
def test_a_baseline_of_few_sessions_scores_verifies_and_says_that_they_are_few(tmp_path, sessions):
    home = tmp_path / "home"
    history(home, sessions=sessions)
    code, out, err = cli("baseline", "fit", "desk", home=home)
    assert (code, "fewer than 100 sessions" in out) == (0, True), err
    with opened(home) as halo, halo.session("new", request=ASKED):
        act(halo, "lookup", q="ana")
    assert last(home)["snapshot"]["risk"] is not None
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_without_a_session_there_is_no_baseline_and_the_error_says_what_to_do(tmp_path):
    home = tmp_path / "home"
    with opened(home):
        pass
    code, _, err = cli("baseline", "fit", "desk", home=home)
    assert code == 64
    assert "agent" in err
    assert "no_sessions" in err
    assert "observe mode" in err


def test_a_baseline_of_nothing_has_the_limits_that_are_usual_elsewhere():
    model = small_model()
    found = fit_score([], model, b"k" * 32)
    assert (found.terms.sessions, found.terms.tasks) == (0, 0)
    assert found.terms.elevated in model.usual_margins


# --- model files ----------------------------------------------------------------------------------------------------


def unpacked(**changes):
    return canonical.dumps({**canonical.loads(small_model().to_bytes()), **changes})


FOREIGN = {
    "empty": b"",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
    "an archive": b"PK\x03\x04" + b"\x00" * 4096,
    "a pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",
    "text": b"This is a model.",
    "another kind of JSON": b'{"a":1}',
    "deep JSON": b'{"a":' * 100_000,
    "floats": unpacked(curve=[]).replace(b'"curve":[]', b'"curve":[[0.5,1]]'),
    "twice the same key": b'{"form":"halo-behaviour-1","form":"halo-behaviour-1"}',
    "half of one": SHIPPED[: len(SHIPPED) // 2],
    "one byte short": SHIPPED[:-1],
    "one byte long": SHIPPED + b"\0",
    "one bit flipped": SHIPPED[:5000] + bytes([SHIPPED[5000] ^ 1]) + SHIPPED[5001:],
    "half of an unpacked one": UNPACKED[: len(UNPACKED) // 2],
    "a bomb": zlib.compress(b"{" + b" " * 50_000_000, 9),
    "too large": b"{" + b" " * (MAX_MODEL_BYTES + 10),
    "of other features": unpacked(features="0123456789abcdef"),
    "of a later form": unpacked(form="halo-behaviour-2"),
    "without trees": unpacked(forests=[]),
    "a tree that runs in a circle": unpacked(
        forests=[[1000, {"features": [0], "nodes": [0, 0, 0, -1, 1, 0], "roots": [0], "start": 0}]]
    ),
    "a tree that leads outside": unpacked(
        forests=[[1000, {"features": [0], "nodes": [0, 0, 600, -1, 1, 0], "roots": [0], "start": 0}]]
    ),
    "a feature that there is not": unpacked(
        forests=[[1000, {"features": [9999], "nodes": [-1, 1, 0], "roots": [0], "start": 0}]]
    ),
    "a weight of nothing": unpacked(forests=[[0, {"features": [0], "nodes": [-1, 1, 0], "roots": [0], "start": 0}]]),
    "a falling calibration": unpacked(curve=[[0, 900], [1, 100]]),
    "no tails": unpacked(tails=[]),
    "words for numbers": unpacked(usual=["1"] * 101),
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_file_that_is_no_model_is_refused_with_field_and_remedy(copy, tmp_path, data):
    path = tmp_path / "model"
    path.write_bytes(data)
    before = len(bodies(copy, EntryKind.BASELINE))
    code, out, err = cli("baseline", "fit", "desk", "--model", str(path), home=copy)
    assert (code, out) == (64, ""), err
    assert "error model: not a behaviour model that fits" in err
    assert "bad_model" in err
    assert "train or install it again" in err
    assert len(bodies(copy, EntryKind.BASELINE)) == before


@pytest.mark.parametrize("what", ["missing", "folder", "device"])
def test_a_path_that_cannot_be_read_is_named(copy, tmp_path, what):
    (tmp_path / "folder").mkdir()
    path = Path("/dev/zero") if what == "device" else tmp_path / what
    code, _, err = cli("baseline", "fit", "desk", "--model", str(path), home=copy)
    assert code == 64
    assert "error model: cannot read" in err
    assert str(path) in err
    assert "halo train" in err


def test_a_file_of_gigabytes_is_not_read_whole(copy, tmp_path):
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.write(b"{")
        file.truncate(1 << 40)
    tracemalloc.start()
    code, _, err = cli("baseline", "fit", "desk", "--model", str(path), home=copy)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (code, "bad_model" in err) == (64, True)
    assert peak < 4 * MAX_MODEL_BYTES


PLAIN = canonical.loads(small_model().to_bytes())
PLACES = [
    ("about",),
    ("curve",),
    ("curve", 0),
    ("curve", 0, 1),
    ("forests",),
    ("forests", 0, 0),
    ("forests", 0, 1),
    ("forests", 0, 1, "nodes"),
    ("forests", 0, 1, "nodes", 2),
    ("forests", 0, 1, "roots"),
    ("forests", 0, 1, "start"),
    ("limits",),
    ("limits", "cut_5"),
    ("tails",),
    ("tails", 0),
    ("usual",),
    ("usual", 50),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="ascii")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(min_codepoint=97, max_codepoint=122)), inner, max_size=3)
    ),
    max_leaves=6,
)


def changed(plain, place, value):
    if not place:
        return value
    copied = dict(plain) if isinstance(plain, dict) else list(plain)
    copied[place[0]] = changed(plain[place[0]], place[1:], value)
    return copied


@given(st.sampled_from(PLACES), ANYTHING)
def test_a_model_changed_anywhere_is_refused_or_whole(place, value):
    data = canonical.dumps(changed(PLAIN, place, value))
    try:
        model = RiskModel.from_bytes(data)
    except BadInput as exc:
        refusal = (exc.code, exc.field, bool(exc.remedy))
    else:
        refusal = None
    if refusal is not None:
        assert refusal == ("bad_model", "model", True)
        return
    values = (0,) * len(FEATURES)
    assert type(model.compute_margin(values)) is int
    assert 0 <= model.risk_of(model.compute_margin(values)) <= 1000
    assert type(model.surprise_of(model.compute_margin(values))) is int
    assert RiskModel.from_bytes(model.to_bytes()) == model


# --- what the store holds -------------------------------------------------------------------------------------------


def in_force(home):
    with sqlite3.connect(db_of(home)) as database:
        (name,) = database.execute("SELECT hash FROM baseline").fetchone()
        (data,) = database.execute("SELECT bytes FROM blob WHERE hash=?", (name,)).fetchone()
    database.close()
    return name, ScoringTerms.from_bytes(bytes(data))


def refused(home, reason="score_unavailable"):
    body = Calls()
    with opened(home) as halo, halo.session("new", request=ASKED), pytest.raises(Denied) as denied:
        halo.enforcer.run(halo.build_call(tool(halo, "lookup", "q"), {"q": "ana"}), body, SURFACE)
    assert (denied.value.reason, body) == (reason, [])
    assert denied.value.remedy
    assert (codes(last(home)), last(home)["dispatched"]) == ([reason], False)


BROKEN = {
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "one bit": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "foreign": lambda _: b"\x89PNG\r\n\x1a\n",
    "another": lambda _: Baseline().to_bytes(),
}


@pytest.mark.matrix
@pytest.mark.parametrize("part", ["baseline", "model", "terms"])
@pytest.mark.parametrize("break_", BROKEN.values(), ids=BROKEN.keys())
def test_a_part_of_a_score_that_was_changed_in_the_store_lets_nothing_run(copy, part, break_):
    name, terms = in_force(copy)
    name = name if part == "terms" else getattr(terms, part)
    database = attack(db_of(copy))
    (data,) = database.execute("SELECT bytes FROM blob WHERE hash=?", (name,)).fetchone()
    database.execute("UPDATE blob SET bytes=? WHERE hash=?", (break_(bytes(data)), name))
    database.close()
    refused(copy)


TERMS = {
    "baseline": "b",
    "elevated": 1,
    "form": "halo-scoring-1",
    "high": 2,
    "model": "m",
    "risks": [1, 2],
    "sessions": 1,
    "tasks": 1,
}
FOREIGN_TERMS = {
    "no terms": b"{}",
    "no JSON": b"\xff\x00",
    "a list": b"[]",
    "limits crossed": canonical.dumps({**TERMS, "elevated": 3}),
    "words for numbers": canonical.dumps({**TERMS, "elevated": "1"}),
    "parts that are missing": canonical.dumps(TERMS),
}


@pytest.mark.parametrize("data", FOREIGN_TERMS.values(), ids=FOREIGN_TERMS.keys())
def test_terms_of_the_right_name_and_a_wrong_form_let_nothing_run(copy, data):
    name = canonical.digest(TERMS_DOMAIN, data)
    store = Store(StoreConfig(url_of(copy), copy, "local"), KeyStore(copy))
    store.open()
    store.commit(lambda tx: (tx.put_blob(name, data), rows.BaselineTable(tx).put("desk", name)))
    store.close()
    refused(copy)


def test_a_profile_that_was_changed_in_the_store_lets_nothing_run(copy):
    with opened(copy) as halo, halo.session("new", request=ASKED):
        act(halo, "lookup", "somebody said something", q="ana")
    database = attack(db_of(copy))
    row = b"\xff" * 7
    query = "UPDATE entry SET marks=? WHERE session=ref('new') AND marks IS NOT NULL"
    database.execute(query, (len(row).to_bytes(4, "big") + row,))
    database.close()
    body = Calls()
    with opened(copy) as halo, halo.session("new", request=ASKED), pytest.raises(Denied) as denied:
        halo.enforcer.run(halo.build_call(tool(halo, "lookup", "q"), {"q": "ana"}), body, SURFACE)
    assert body == []
    assert denied.value.remedy


def test_where_it_cannot_be_scored_observe_mode_runs_it_and_says_so(copy):
    name, _ = in_force(copy)
    database = attack(db_of(copy))
    database.execute("DELETE FROM blob WHERE hash=?", (name,))
    database.close()
    assert cli("observe", home=copy)[0] == 0
    from halo_core.facade import HaloBase

    with HaloBase.local("desk", home=copy, mode="observe", quiet=True) as halo, halo.session("new", request=ASKED):
        assert act(halo, "lookup", q="ana") == "done"
    assert codes(last(copy)) == ["score_unavailable"]


def test_a_new_fit_puts_right_what_was_broken(copy):
    _, terms = in_force(copy)
    database = attack(db_of(copy))
    database.execute("DELETE FROM baseline")
    database.close()
    assert cli("baseline", "fit", "desk", "--model", str(model_file(copy.parent)), home=copy)[0] == 0
    assert in_force(copy)[1].model == terms.model
    with opened(copy) as halo, halo.session("new", request=ASKED):
        act(halo, "lookup", q="ana")
    assert last(copy)["snapshot"]["risk"] is not None

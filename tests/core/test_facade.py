"""`Halo.local()`: no ceremony, nothing overwritten, a mode that a running process follows."""

from __future__ import annotations

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from halo_core.enforcement.agent_credentials import Limits, install_starter
from halo_core.enforcement.session_context import TriggeringMessage, triggering_message_scope
from halo_core.errors import ConfigError, Denied
from halo_core.facade import HaloBase, default_home
from halo_core.manifest import DEFAULT_TERMS
from halo_core.model import ActionKind, Budget, EntryKind, Impact, Mode, Quota, Resource
from halo_world import (
    SURFACE,
    Calls,
    bodies,
    call_ref,
    cli,
    db_of,
    found,
    policy_folder,
    python,
    schema,
    session_ref,
    tool,
    turn_ref,
    url_of,
    verified,
)


def test_one_home_twice_is_one_log(home):
    for _ in range(2):
        with HaloBase.local("clerk", home=home, quiet=True) as halo, halo.session("s"):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
    kinds = [item.entry.kind.value for item in found(home)]
    assert kinds.count("writer_open") == kinds.count("writer_close") == 2
    assert kinds.count("decision") == 2
    assert kinds.count("registration") == 1
    assert kinds.count("policy") == 2  # each writer says by which policy it decides
    assert kinds.count("passport") == 2
    assert verified(home, signatures=True) == 0


def test_one_home_twice_at_once_is_one_log(home):
    with (
        HaloBase.local("clerk", home=home, quiet=True) as first,
        HaloBase.local("other", home=home, quiet=True) as second,
    ):
        for halo in (first, second, first):
            with halo.session("s"):
                halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
    assert [body["request"]["subject"]["agent"] for body in bodies(home, EntryKind.DECISION)] == [
        "clerk",
        "other",
        "clerk",
    ]
    assert verified(home) == 0


def test_many_at_once_on_a_new_home(home):
    def start(number):
        with HaloBase.local(f"agent-{number}", home=home, quiet=True) as halo, halo.session("s"):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    assert len(found(home, EntryKind.DECISION)) == 4
    assert verified(home) == 0


def test_the_starter_policy_appears_whole_and_once(tmp_path):
    folder = tmp_path / "new" / "policy"
    wanted: list[set[str]] = []

    def start(_):
        install_starter(folder)
        wanted.append({path.name for path in folder.glob("*.cedar")})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    assert len(wanted[0]) > 1
    assert all(names == wanted[0] for names in wanted)
    assert [path.name for path in folder.parent.iterdir()] == ["policy"]


def test_a_policy_folder_that_is_there_is_left_alone(tmp_path):
    install_starter(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_keys_are_private(home):
    HaloBase.local("clerk", home=home, quiet=True).close()
    keys = list(home.glob("*.key"))
    assert {path.stem for path in keys} >= {"log", "digest", "content", "sketch"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    (home / "log.key").chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        HaloBase.local("clerk", home=home, quiet=True)
    assert caught.value.code == "key_permissions"
    assert "chmod" in caught.value.remedy


def test_a_home_others_may_write_is_refused(home):
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(ConfigError) as caught:
        HaloBase.local("clerk", home=home, quiet=True)
    assert caught.value.code == "key_permissions"


def test_what_it_says_at_the_start(home, capsys):
    with HaloBase.local("clerk", home=home) as halo:
        assert halo.mode is Mode.OBSERVE
    said = capsys.readouterr().err
    assert "observe mode: actions RUN whatever the decision" in said
    assert "assurance dev" in said
    with HaloBase.local("clerk", home=home, mode="enforce") as halo:
        assert halo.mode is Mode.ENFORCE
    assert "enforce mode: denied actions do not run" in capsys.readouterr().err


def test_quiet_says_nothing(home, capsys):
    with HaloBase.local("clerk", home=home, quiet=True) as halo:
        halo.register(ActionKind.TOOL_CALL, "zap")
        halo.find_session()
    assert capsys.readouterr() == ("", "")


def test_a_guess_is_said_once_and_a_declaration_never(home, capsys):
    with HaloBase.local("clerk", home=home) as halo:
        for _ in range(2):
            guessed = halo.register(ActionKind.TOOL_CALL, "send_money", schema=schema({"recipient": {}, "amount": {}}))
        unknown = halo.register(ActionKind.TOOL_CALL, "frobnicate")
        halo.register(ActionKind.TOOL_CALL, "wipe", resource=Resource(impact=Impact.DELETE))
        model = halo.register(ActionKind.INFERENCE, "gpt")
    said = capsys.readouterr().err
    assert (guessed.impact, guessed.classified) == (Impact.PAYMENT, "guessed")
    assert (guessed.targets, guessed.amount) == (("recipient",), "amount")
    assert (unknown.impact, unknown.classified) == (Impact.UNKNOWN, "unknown")
    assert said.count("`send_money` classified as payment (guessed, target `recipient`, amount in `amount`)") == 1
    assert said.count("`frobnicate` is not classified: ") == 1
    assert "wipe" not in said
    assert "gpt" not in said
    assert model.kind is ActionKind.INFERENCE


@pytest.mark.parametrize(
    ("name", "description", "impact"),
    [
        ("transfer_funds", "", "payment"),
        ("get_payment_history", "", "read"),
        ("sendMoney", "", "payment"),
        ("send_email", "", "send"),
        ("run_shell", "", "execute"),
        ("delete_file", "", "delete"),
        ("invite_user", "", "admin"),
        ("create_event", "", "write"),
        ("thing", "Deletes a record. Reads nothing", "delete"),
        ("thing", "Delete a record. Or read it", "delete"),
        ("thing", "", "unknown"),
    ],
)
def test_guesses(halo, name, description, impact):
    assert halo.register(ActionKind.TOOL_CALL, name, description=description).impact.value == impact


def test_one_id_is_one_kind(halo):
    halo.register(ActionKind.TOOL_CALL, "shelf")
    with pytest.raises(ConfigError) as caught:
        halo.register(ActionKind.RETRIEVAL, "shelf")
    assert (caught.value.code, caught.value.field) == ("resource_id_taken", "resource")
    assert halo.find_registered("shelf").kind is ActionKind.TOOL_CALL
    assert halo.find_registered("nothing") is None


def test_a_later_registration_mints_a_new_passport(halo, home):
    body = Calls()
    with halo.session("s"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), body, SURFACE)
        halo.enforcer.run(halo.build_call(tool(halo, "watched"), {"q": "a"}), body, SURFACE)
        halo.enforcer.run(halo.build_call(tool(halo, "watched"), {"q": "b"}), body, SURFACE)
    chains = [body["snapshot"]["chain"] for body in bodies(home, EntryKind.DECISION)]
    assert chains[0] != chains[1] == chains[2]
    kinds = [body["kind"] for body in bodies(home, EntryKind.PASSPORT)]
    assert kinds == ["standing", "session", "standing", "session"]  # the session goes on under the new one


def test_limits_may_be_given_in_any_order(home):
    budgets = (Budget("step", 9, 9), Budget("USD", 100, 100), Budget("risk", 1_000_000, 1_000_000))
    quotas = (Quota("step", 20), Quota("USD", 500))
    limits = Limits(replace(DEFAULT_TERMS, budgets=budgets), quotas)
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True, limits=limits) as halo, halo.session("s"):
        lookup = tool(halo, "lookup")
        assert halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE) == "done"
    assert [body["kind"] for body in bodies(home, EntryKind.PASSPORT)] == ["standing", "session"]


def test_many_tools_fit_one_passport(halo):
    tools = [
        halo.register(
            ActionKind.TOOL_CALL,
            f"tool_{i}",
            resource=Resource(impact=Impact.READ),
            schema=schema({"argument_one": {}}),
        )
        for i in range(60)
    ]
    body = Calls()
    with halo.session("s"):
        halo.enforcer.run(halo.build_call(tools[-1], {"argument_one": "a"}), body, SURFACE)
    assert len(body) == 1


def test_the_policy_folder_is_made_once_and_never_touched(home):
    HaloBase.local("clerk", home=home, quiet=True).close()
    policy = home / "policy"
    names = {path.name for path in policy.iterdir()}
    assert names >= {"base.cedar", "money.cedar"}
    (policy / "base.cedar").write_text('@id("mine") permit (principal, action, resource);')
    (policy / "money.cedar").unlink()
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo, halo.session("s"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
    assert (policy / "base.cedar").read_text().startswith('@id("mine")')
    assert not (policy / "money.cedar").exists()


def test_an_own_policy_folder_is_used_as_it_is(home):
    folder = policy_folder(home, '@id("none") forbid (principal, action, resource);')
    halo = HaloBase.local("clerk", home=home, mode="enforce", policy=folder, quiet=True)
    with halo, halo.session("s"), pytest.raises(Denied):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
    assert [path.name for path in folder.iterdir()] == ["test.cedar"]
    assert not (home / "policy").exists()


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("mode", {"mode": "enforced"}),
        ("mode", {"mode": ""}),
        ("agent", {"agent": ""}),
        ("agent", {"agent": "x" * 201}),
        ("db", {"db": "postgresql://host/db?nothing=1"}),
        ("db", {"db": "not a url"}),
    ],
)
def test_a_wrong_parameter_is_named(home, field, options):
    with pytest.raises(ConfigError) as caught:
        HaloBase.local(**{"agent": "clerk", "home": home, "quiet": True, **options})
    assert caught.value.field == field


def test_a_running_process_follows_the_stored_mode(home):
    body = Calls()
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        wipe = tool(halo, "wipe")

        def attempt():
            with halo.session("s"):
                halo.enforcer.run(halo.build_call(wipe, {"path": "/"}), body, SURFACE)

        attempt()
        halo.store.flush()
        code, out, _ = cli("enforce", home=home)
        assert code == 0
        assert "1 x wipe: the effect is severe or cannot be undone" in out
        assert halo.mode is Mode.ENFORCE
        with pytest.raises(Denied):
            attempt()
        assert cli("observe", home=home)[0] == 64  # it takes an end and a reason
        assert cli("observe", "--for", "1h", "--why", "to see", home=home)[0] == 0
        attempt()
    assert len(body) == 2
    assert [(b["from"], b["to"]) for b in bodies(home, EntryKind.MODE)] == [
        ("observe", "enforce"),
        ("enforce", "observe"),
    ]
    modes = [b["snapshot"]["mode"] for b in bodies(home, EntryKind.DECISION)]
    versions = [b["snapshot"]["control_version"] for b in bodies(home, EntryKind.DECISION)]
    assert modes == ["observe", "enforce", "observe"]
    assert versions == sorted(set(versions))
    assert verified(home) == 0


def test_a_mode_of_ones_own_is_not_followed(home):
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        assert cli("observe", home=home)[0] == 0
        with halo.session("s"), pytest.raises(Denied):
            halo.enforcer.run(halo.build_call(tool(halo, "wipe"), {"path": "/"}), Calls(), SURFACE)


def test_the_mode_is_kept(home):
    HaloBase.local("clerk", home=home, quiet=True).close()
    assert cli("enforce", home=home)[0] == 0
    with HaloBase.local("clerk", home=home, quiet=True) as halo:
        assert halo.mode is Mode.ENFORCE


def test_sessions(halo, home, capsys):
    lookup = tool(halo, "lookup")
    with halo.session("given", user="ana", request="hello") as opened:
        assert (opened.id, opened.source, opened.user) == ("given", "host", "ana")
        assert halo.find_session() is opened
        with halo.session() as inner:
            assert inner.id.startswith("s-")
            assert halo.find_session() is inner
        assert halo.find_session() is opened
    halo._quiet = False
    first, second = halo.find_session(), halo.find_session()
    assert first.id == second.id
    assert (first.source, first.user) == ("call", "")
    assert capsys.readouterr().err.count("no session around this call") == 1
    halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)
    context = bodies(home, EntryKind.DECISION)[0]["request"]["context"]
    assert (context["session"], context["session_source"]) == (session_ref(home, first.id), "call")


def test_the_asking_message_is_recorded(halo, home):
    lookup = tool(halo, "lookup")
    with halo.session("s"), triggering_message_scope(TriggeringMessage("msg-1", "call-1", "message", "I look it up")):
        halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)
    (item,) = found(home, EntryKind.DECISION)
    context = item.entry.body["request"]["context"]
    ids = (turn_ref(home, "msg-1"), call_ref(home, "call-1"))
    assert (context["turn"], context["call_id"], context["trigger"]["kind"]) == (*ids, "message")
    assert context["trigger"]["digest"].startswith("blake2b-256:")
    assert set(item.entry.content) == {"args", "session", "trigger"}


def test_every_entry_carries_the_assurance_and_the_origin(halo, home):
    with halo.session("s"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
    assert {item.entry.assurance for item in found(home)} == {"dev"}
    origin = bodies(home, EntryKind.DECISION)[0]["request"]["context"]["origin"]
    assert origin["pid"] > 0
    assert origin["host"]


def test_a_database_of_its_own(home, tmp_path):
    elsewhere = tmp_path / "data" / "log.db"
    with HaloBase.local("clerk", home=home, db=f"sqlite:///{elsewhere}", quiet=True) as halo, halo.session("s"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
    assert elsewhere.exists()
    assert not db_of(home).exists()
    assert cli("verify", "--db", f"sqlite:///{elsewhere}", home=home)[0] == 0


def test_the_log_of_another_home_is_not_written_to(home, tmp_path):
    HaloBase.local("clerk", home=home, quiet=True).close()
    with pytest.raises(ConfigError) as caught:
        HaloBase.local("clerk", home=tmp_path / "other", db=url_of(home), quiet=True)
    assert (caught.value.code, caught.value.field) == ("foreign_store", "home")
    assert cli("enforce", "--db", url_of(home), home=tmp_path / "other")[0] == 64
    assert verified(home) == 0


def test_home_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HALO_HOME", str(tmp_path / "env"))
    with HaloBase.local("clerk", quiet=True):
        assert (tmp_path / "env" / "halo.db").exists()
    monkeypatch.delenv("HALO_HOME")
    assert str(default_home()) == ".halo"


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement", ["import halo_core", "import halo_core.decision", "from halo_core import Denied, Resource"]
)
def test_importing_loads_no_framework(statement):
    heavy = (
        "sqlalchemy",
        "langchain",
        "langchain_core",
        "langgraph",
        "typer",
        "rich",
        "starlette",
        "sklearn",
        "pydantic",
    )
    script = f"import sys; {statement}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(python("-c", script), capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_policy_text_of_the_tests_is_well_formed(halo, home):
    for name in ("lookup", "watched", "query", "pay", "wipe"):
        tool(halo, name)
    with halo.session("s"):
        halo.enforcer.run(halo.build_call(halo.find_registered("lookup"), {"q": "a"}), Calls(), SURFACE)
    code, out, _ = cli("policy", "check", str(policy_folder(home)), home=home)
    assert (code, "no findings" in out) == (0, True), out


def test_a_hundred_tools_fit_in_a_passport(home):
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo:
        arguments = schema({f"argument_{i}": {"type": "string"} for i in range(4)})
        for i in range(120):
            last = halo.register(ActionKind.TOOL_CALL, f"lookup_number_{i}", schema=arguments)
        with halo.session("s"):
            assert halo.enforcer.run(halo.build_call(last, {"argument_1": "a"}), Calls("yes"), SURFACE) == "yes"


@pytest.mark.parametrize("field", ["targets", "amount"])
def test_a_misspelt_argument_of_a_declaration_is_refused(halo, field):
    declared = Resource(impact=Impact.PAYMENT, **{field: ("acount",) if field == "targets" else "acount"})
    with pytest.raises(ConfigError) as caught:
        halo.register(ActionKind.TOOL_CALL, "pay_", resource=declared, schema=schema({"account": {"type": "string"}}))
    assert (caught.value.field, caught.value.remedy) == (field, "did you mean `account`")


def test_what_a_declaration_leaves_out_is_guessed(halo):
    arguments = schema({"account": {"type": "string"}, "amount": {"type": "number"}})
    labelled = halo.register(ActionKind.TOOL_CALL, "pay_a", resource=Resource(labels=("pii",)), schema=arguments)
    half = halo.register(
        ActionKind.TOOL_CALL, "pay_b", resource=Resource(impact=Impact.PAYMENT, targets=("account",)), schema=arguments
    )
    for made in (labelled, half):
        assert (made.impact, made.targets, made.amount) == (Impact.PAYMENT, ("account",), "amount")


def test_two_tools_of_one_name_are_refused(halo):
    halo.register(ActionKind.TOOL_CALL, "same", schema=schema({"a": {"type": "string"}}))
    with pytest.raises(ConfigError) as caught:
        halo.register(ActionKind.TOOL_CALL, "same", schema=schema({"b": {"type": "string"}}))
    assert caught.value.code == "resource_id_taken"


@pytest.mark.parametrize("words", [{"id": 7}, {"user": 7}, {"request": {"to": "x"}}])
def test_a_session_is_made_of_words(halo, words):
    with pytest.raises(ConfigError), halo.session(**words):
        pass


def test_a_policy_folder_that_is_not_there_is_refused(home, tmp_path):
    with pytest.raises(ConfigError):
        HaloBase.local("clerk", home=home, policy=tmp_path / "nowhere", quiet=True)


def test_a_switch_makes_no_store_and_no_tenant(halo, home, tmp_path):
    assert cli("enforce", "--tenant", "nope", home=home)[0] == 64
    assert cli("observe", "--db", f"sqlite:///{tmp_path / 'nope.db'}", home=home)[0] == 64
    assert not (tmp_path / "nope.db").exists()
    assert cli("status", "--json", home=home)[1].count('"mode"') == 1


@pytest.mark.parametrize("field", ["agent", "user", "tenant"])
def test_a_name_that_is_no_text_is_refused_by_its_field(home, field):
    with pytest.raises(ConfigError, match="must be a text, not int") as caught:
        HaloBase.local(**{"agent": "clerk", "home": home, "quiet": True, field: 3})
    assert (caught.value.code, caught.value.field) == ("not_a_text", field)

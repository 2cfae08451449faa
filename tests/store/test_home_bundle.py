"""Homes of several hosts that share one store: what a bundle carries, and what it refuses."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from engine_world import Place, once
from postgres_server import start_server

from halo_core.crypto import canonical
from halo_core.crypto.sodium import seal_xchacha20_poly1305
from halo_core.errors import ConfigError, HaloError, Tampered
from halo_core.home_bundle import export_home, import_home
from halo_core.model import EntryKind
from halo_world import call_ref, cli, policy_folder

pytestmark = pytest.mark.disk

STORE_KEYS = ["content.key", "digest.key", "log.key", "sketch.key"]


@pytest.fixture
def home(tmp_path) -> Path:
    """A home that has used a store, with every kind of file."""
    place = Place.make("sqlite", tmp_path / "first")
    with place.open(policy=None) as halo:
        once(halo)
    (place.home / "agents.yaml").write_text("version: 1\n")
    (place.home / "approver-mia.key").write_bytes((place.home / "issuer.key").read_bytes())
    (place.home / "approver-mia.key").chmod(0o600)
    return place.home


@pytest.fixture
def bundle(home, tmp_path) -> tuple[Path, Path]:
    paths = tmp_path / "home.bundle", tmp_path / "home.bundle-key"
    export_home(home, *paths)
    return paths


def files_of(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_a_bundle_holds_what_hosts_share_and_nothing_else(home, bundle, tmp_path):
    imported = import_home(tmp_path / "second", *bundle)
    names = sorted(name for name in files_of(tmp_path / "second") if not name.endswith(".lock"))
    policies = sorted(f"policy/{path.name}" for path in (home / "policy").glob("*.cedar"))
    assert policies
    assert names == sorted(["agents.yaml", "authorities.json", *STORE_KEYS, *policies, "trust.json"])
    assert list(imported.files) == names == list(imported.written)
    for name in names:
        if name != "trust.json":
            assert (tmp_path / "second" / name).read_bytes() == (home / name).read_bytes()
        assert stat.S_IMODE((tmp_path / "second" / name).stat().st_mode) == 0o600
    assert json.loads((tmp_path / "second" / "trust.json").read_bytes()) == imported.logs


def test_a_bundle_and_its_key_are_secret_files(home, bundle):
    for path in bundle:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    data = bundle[0].read_bytes()
    for name in STORE_KEYS:
        assert (home / name).read_bytes().split()[2] not in data
    assert b"log.key" not in data


def test_keys_of_agents_and_of_the_issuer_are_included_on_request(home, tmp_path):
    paths = tmp_path / "b", tmp_path / "k"
    assert {"agent-clerk.key", "issuer.key"} <= set(export_home(home, *paths, agents=["clerk"], with_issuer=True).files)
    import_home(tmp_path / "second", *paths)
    assert (tmp_path / "second" / "agent-clerk.key").read_bytes() == (home / "agent-clerk.key").read_bytes()


def test_a_key_that_is_not_there_is_not_made(home, tmp_path):
    with pytest.raises(ConfigError) as caught:
        export_home(home, tmp_path / "b", tmp_path / "k", agents=["nobody"])
    assert caught.value.code == "no_key"
    assert not (home / "agent-nobody.key").exists()
    (home / "sketch.key").unlink()
    with pytest.raises(ConfigError) as caught:
        export_home(home, tmp_path / "b", tmp_path / "k")
    assert caught.value.code == "no_key"
    assert not (home / "sketch.key").exists()


def test_a_home_without_a_store_exports_nothing(tmp_path):
    with pytest.raises(ConfigError) as caught:
        export_home(tmp_path / "empty", tmp_path / "b", tmp_path / "k")
    assert caught.value.code == "no_trust"
    assert not (tmp_path / "b").exists()


def test_no_file_is_overwritten(home, bundle):
    before = bundle[0].read_bytes()
    with pytest.raises(ConfigError) as caught:
        export_home(home, *bundle)
    assert caught.value.code == "file_exists"
    assert bundle[0].read_bytes() == before


@pytest.mark.parametrize("name", STORE_KEYS)
def test_a_home_with_another_key_is_refused_whole(bundle, tmp_path, name):
    import_home(tmp_path / "other", *bundle)
    second = tmp_path / "second"
    second.mkdir(mode=0o700)
    words = (tmp_path / "other" / name).read_bytes().split()
    (second / name).write_bytes(b" ".join([*words[:2], words[2][::-1].lstrip(b"=") + b"="]) + b"\n")
    (second / name).chmod(0o600)
    before = files_of(second)
    for update in (False, True):
        with pytest.raises(ConfigError) as caught:
            import_home(second, *bundle, update=update)
        assert caught.value.code == "other_key"
    assert files_of(second) == before


def test_a_home_that_trusts_another_log_is_refused(bundle, tmp_path, home):
    second = tmp_path / "second"
    second.mkdir(mode=0o700)
    (second / "trust.json").write_text((home / "trust.json").read_text().replace("+", "-"))
    before = files_of(second)
    with pytest.raises(ConfigError) as caught:
        import_home(second, *bundle, update=True)
    assert caught.value.code == "log_key_changed"
    assert files_of(second) == before


def test_importing_again_changes_nothing_and_an_update_replaces_what_is_no_key(home, bundle, tmp_path):
    second = tmp_path / "second"
    import_home(second, *bundle)
    before = files_of(second)
    assert import_home(second, *bundle).written == ()
    assert files_of(second) == before
    (home / "policy" / "new.cedar").write_text("// another rule\n")
    (home / "agents.yaml").write_text("version: 1\n# changed\n")
    newer = tmp_path / "newer", bundle[1]
    export_home(home, *newer)
    with pytest.raises(ConfigError) as caught:
        import_home(second, *newer)
    assert caught.value.code == "home_differs"
    assert files_of(second) == before
    assert import_home(second, *newer, update=True).written == ("agents.yaml", "policy/new.cedar")
    assert (second / "agents.yaml").read_text().endswith("# changed\n")


def test_what_a_killed_import_left_is_completed(home, bundle, tmp_path):
    second = tmp_path / "second"
    import_home(second, *bundle)
    for name in ("trust.json", "log.key", "authorities.json"):
        (second / name).unlink()
    assert import_home(second, *bundle).written == ("authorities.json", "log.key", "trust.json")


def test_any_changed_byte_is_refused(bundle, tmp_path):
    data = bundle[0].read_bytes()
    changed = tmp_path / "changed"
    for place in [*range(30), len(data) // 2, len(data) - 1]:
        changed.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(HaloError) as caught:
            import_home(tmp_path / "second", changed, bundle[1])
        assert caught.value.code in ("bad_bundle", "bundle_version")
    for part in (data[:-1], data[:40], b"", data + b"\0"):
        changed.write_bytes(part)
        with pytest.raises(Tampered):
            import_home(tmp_path / "second", changed, bundle[1])
    assert not (tmp_path / "second").exists()


def test_another_format_and_another_key_are_refused(home, bundle, tmp_path):
    older = tmp_path / "older"
    older.write_bytes(bundle[0].read_bytes().replace(b"halo-home-bundle 1\n", b"halo-home-bundle 0\n", 1))
    with pytest.raises(ConfigError) as caught:
        import_home(tmp_path / "second", older, bundle[1])
    assert caught.value.code == "bundle_version"
    export_home(home, tmp_path / "b", tmp_path / "other-key")
    with pytest.raises(Tampered) as refusal:
        import_home(tmp_path / "second", bundle[0], tmp_path / "other-key")
    assert refusal.value.code == "bad_bundle"
    with pytest.raises(ConfigError) as missing:
        import_home(tmp_path / "second", bundle[0], tmp_path / "nowhere")
    assert missing.value.code == "no_key"
    assert not (tmp_path / "nowhere").exists()
    bundle[1].chmod(0o644)
    with pytest.raises(ConfigError) as open_key:
        import_home(tmp_path / "second", *bundle)
    assert open_key.value.code == "key_permissions"


@pytest.mark.parametrize(
    "name",
    ["../x.key", "/etc/x.cedar", "policy/../../x.cedar", "anchor.json", "stops/now", "policy/a/b.cedar", "a.key"],
)
def test_a_bundle_writes_nothing_else(home, bundle, tmp_path, name):
    from halo_core.crypto.keys import load_secret_file

    names = [*STORE_KEYS, "trust.json"]
    files = dict.fromkeys(names, "") | {name: "eA=="}
    header, nonce = b"halo-home-bundle 1\n", bytes(24)
    plaintext = canonical.dumps({"files": files, "v": 1})
    forged = tmp_path / "forged"
    forged.write_bytes(header + nonce + seal_xchacha20_poly1305(plaintext, header, nonce, load_secret_file(bundle[1])))
    with pytest.raises(HaloError) as caught:
        import_home(tmp_path / "second", forged, bundle[1])
    assert caught.value.code == "bad_name"
    assert not (tmp_path / "second").exists()


def test_two_hosts_of_one_server_decide_and_verify(tmp_path):
    first = Place(tmp_path / "first", start_server().make_database())
    with first.open() as halo:
        once(halo, call_id="a")
    paths = tmp_path / "b", tmp_path / "k"
    with pytest.raises(ConfigError) as caught:
        Place(tmp_path / "stranger", first.url).open()
    assert caught.value.code in ("foreign_store", "content_key_changed")
    code, out, err = cli(
        "home", "export", str(paths[0]), "--key", str(paths[1]), "--agent", "clerk", "--issuer", home=first.home
    )
    assert (code, err) == (0, "")
    second = Place(tmp_path / "second", first.url)
    code, out, _ = cli("home", "import", str(paths[0]), "--key", str(paths[1]), "--json", home=second.home)
    assert code == 0
    assert "log.key" in json.loads(out)["written"]
    assert not (second.home / "anchor.json").exists()
    with first.open() as one, second.open(policy=policy_folder(first.home)) as two:
        once(one, call_id="b")
        once(two, call_id="c")
        once(two, session="of-two", call_id="d")
        once(one, session="of-two", call_id="e")
    assert first.verified() == second.verified() == 0
    decided = [body["request"]["context"]["call_id"] for body in first.bodies(EntryKind.DECISION)]
    assert sorted(decided) == sorted(call_ref(first.home, name) for name in "abcde")
    assert all(body["dispatched"] for body in second.bodies(EntryKind.DECISION))
    assert (second.home / "anchor.json").exists()

"""A wrong parameter of `local` or `guard` is refused where it was given, by its name and with a remedy."""

from __future__ import annotations

import pytest

from halo_core.enforcement.guards import choose_resource_id
from halo_core.errors import ConfigError
from halo_core.facade import HaloBase
from halo_core.model import Resource


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("agent", "", "bad_agent"),
        ("agent", "a\nb", "bad_agent"),
        ("agent", 5, "not_a_text"),
        ("user", None, "not_a_text"),
        ("tenant", b"local", "not_a_text"),
        ("mode", "enforced", "bad_mode"),
        ("home", 5, "bad_parameter"),
        ("policy", 3, "bad_parameter"),
        ("policy", "no-such-folder", "no_policy"),
        ("db", 5, "bad_parameter"),
        ("db", "nope", "bad_db_url"),
        ("limits", 5, "bad_parameter"),
        ("grants", "lookup", "bad_parameter"),
        ("grants", ["lookup"], "bad_parameter"),
        ("grants", {"lookup": ["q"]}, "bad_parameter"),
        ("grants", {"lookup": {"q": "any"}}, "bad_parameter"),
        ("deadline_s", 0, "bad_wait"),
        ("deadline_s", "5", "bad_wait"),
        ("deadline_s", None, "bad_wait"),
        ("answer_wait_s", -1, "bad_wait"),
        ("answer_wait_s", float("nan"), "bad_wait"),
    ],
)
def test_a_wrong_parameter_is_named_and_leaves_nothing_behind(tmp_path, field, value, code):
    home = tmp_path / "home"
    parameters = {"agent": "clerk", "home": home, "quiet": True, field: value}
    with pytest.raises(ConfigError) as raised:
        HaloBase.local(**parameters)
    assert (raised.value.code, raised.value.field) == (code, field)
    assert raised.value.remedy
    assert not (home / "halo.db").exists()


@pytest.mark.parametrize("resource", ["lookup", {"id": "lookup"}, 5])
def test_what_is_no_declaration_is_refused_by_its_parameter(resource):
    with pytest.raises(ConfigError) as raised:
        choose_resource_id(resource, "lookup")
    assert (raised.value.code, raised.value.field) == ("bad_resource", "resource")
    assert 'Resource("lookup"' in raised.value.remedy
    assert choose_resource_id(Resource("lookup"), "other") == "lookup"

"""The canonical profile: one byte string per value, refusals with codes, agreement with the standard library."""

from __future__ import annotations

import json
import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.crypto import canonical
from halo_core.errors import CanonicalError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ascii_keys = st.text(string.ascii_letters + string.digits + "_-. ", min_size=1, max_size=8)
small = st.integers(-(2**53) + 1, 2**53 - 1)


def trees(leaves, keys):
    return st.recursive(leaves, lambda t: st.lists(t, max_size=4) | st.dictionaries(keys, t, max_size=4), max_leaves=12)


in_profile = trees(st.none() | st.booleans() | small | texts, ascii_keys)
values = trees(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.binary(max_size=8),
    st.one_of(ascii_keys, texts, st.just("$f"), st.just("$m"), st.just("$other")),
)


def same(a, b) -> bool:
    """Equality with types and the sign of zero."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return a == b


@given(in_profile)
def test_agrees_with_the_standard_library(value):
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert canonical.dumps(value) == canonical.encode(value) == expected


@given(values)
def test_round_trip_of_any_value(value):
    data = canonical.encode(value)
    assert same(canonical.from_plain(canonical.loads(data)), value)


@given(values, values)
def test_different_values_have_different_bytes(a, b):
    assert (canonical.encode(a) == canonical.encode(b)) == same(a, b)


@given(values)
def test_to_plain_is_in_the_profile(value):
    plain = canonical.to_plain(value)
    assert canonical.loads(canonical.dumps(plain)) == plain


@given(st.dictionaries(texts, small, min_size=2, max_size=6))
def test_order_of_members_does_not_matter(value):
    assert canonical.encode(dict(reversed(value.items()))) == canonical.encode(value)


@given(in_profile, st.data())
def test_any_other_spelling_is_refused(value, data):
    good = canonical.dumps(value)
    spaced = json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
    escaped = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    place = data.draw(st.integers(0, len(good)))
    for other in {spaced, escaped, b" " + good, good + b"\n", good[:place] + b" " + good[place:]} - {good}:
        try:
            found = canonical.loads(other)
        except CanonicalError:
            continue
        # A blank inside a text makes another value, not another spelling.
        assert found != value


@given(st.binary(max_size=60))
def test_any_bytes_parse_to_themselves_or_are_refused(data):
    try:
        plain = canonical.loads(data)
    except CanonicalError:
        return
    assert canonical.dumps(plain) == data


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b"NaN", "malformed_json"),
        (b'"\\ud800"', "malformed_json"),
        (b'{"a":1,"a":1}', "noncanonical_json"),
        (b'{"b":1,"a":1}', "noncanonical_json"),
        (b'{"a":1.0}', "noncanonical_json"),
        (b'{"a":1e2}', "noncanonical_json"),
        (b"-0", "noncanonical_json"),
        (b'"\\u0061"', "noncanonical_json"),
        (b'"\\/"', "noncanonical_json"),
        ('{"ключ":1}'.encode(), "noncanonical_json"),
        (b"9007199254740992", "not_canonical"),
    ],
)
def test_loads_refuses_with_a_code(data, code):
    with pytest.raises(CanonicalError) as caught:
        canonical.loads(data)
    assert caught.value.code == code


def nested(depth: int):
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        ({"a": math.nan}, "non_finite_number", "/a"),
        ({"a": [1, math.inf]}, "non_finite_number", "/a/1"),
        ({"a": "\ud800"}, "surrogate", "/a"),
        ({"\ud800": 1}, "surrogate", ""),
        ({1: 1}, "not_canonical", ""),
        ({"a": {1, 2}}, "not_canonical", "/a"),
        ({"a": object()}, "not_canonical", "/a"),
        ({"x/y~": object()}, "not_canonical", "/x~1y~0"),
        (nested(canonical.MAX_DEPTH + 1), "too_deep", None),
        (nested(5000), "too_deep", None),
        ([0] * canonical.MAX_NODES, "too_large", None),
        (1 << 20_000, "too_large", ""),
    ],
    ids=range(12),
)
def test_values_without_a_form_are_refused(value, code, field):
    with pytest.raises(CanonicalError) as caught:
        canonical.encode(value)
    assert caught.value.code == code
    if field is not None:
        assert caught.value.field == field


def test_the_limits_themselves_are_allowed():
    assert canonical.loads(canonical.encode(nested(canonical.MAX_DEPTH))) == nested(canonical.MAX_DEPTH)
    assert canonical.encode([0] * (canonical.MAX_NODES - 1)).count(b"0") == canonical.MAX_NODES - 1


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (98.7, b'{"$f":"98.7"}'),
        (-0.0, b'{"$f":"-0.0"}'),
        (2**53 - 1, b"9007199254740991"),
        (2**53, b'{"$i":"9007199254740992"}'),
        (-(2**63), b'{"$i":"-9223372036854775808"}'),
        (b"\0\1", b'{"$b":"AAE="}'),
        ({"ключ": 1}, '{"$m":[["ключ",1]]}'.encode()),
        ({"$f": "1.0"}, b'{"$m":[["$f","1.0"]]}'),
        ((1, 2), b"[1,2]"),
        ("\x00\x1f\x7f\u2028é", '"\\u0000\\u001f\x7f\u2028é"'.encode()),
    ],
)
def test_known_forms(value, data):
    assert canonical.encode(value) == data


@pytest.mark.parametrize(
    "plain",
    [{"$f": "x"}, {"$f": None}, {"$i": "1.5"}, {"$i": []}, {"$b": "*"}, {"$b": 1}, {"$m": [1]}, {"$m": 1}, {"$x": 1}],
)
def test_malformed_tags_are_refused(plain):
    with pytest.raises(CanonicalError) as caught:
        canonical.from_plain(plain)
    assert caught.value.code == "malformed_json"


def test_digest_separates_domains():
    assert canonical.digest("a", b"bc") != canonical.digest("ab", b"c")
    assert canonical.digest("a", b"").startswith("sha256:")


@pytest.mark.parametrize("data", [b"[" * 600 + b"]" * 600, b'{"a":' * 600 + b"1" + b"}" * 600], ids=["list", "object"])
def test_deep_json_is_refused_and_not_a_crash(data):
    with pytest.raises(CanonicalError):
        canonical.loads(data)


@pytest.mark.parametrize(
    "plain",
    [  # each is another spelling of what `to_plain` writes in one way
        {"$f": "1.50"},
        {"$f": "nan"},
        {"$f": 1},
        {"$i": "5"},
        {"$i": " 9007199254740993"},
        {"$b": "AAF="},
        {"$m": [["a", 1]]},
        {"$m": [["é", 1], ["é", 2]]},
        {"$m": ["éb"]},
        {"$m": [[1, 2]]},
        {"$f": "1.5", "a": 1},
    ],
)
def test_a_tagged_form_has_one_spelling(plain):
    with pytest.raises(CanonicalError) as caught:
        canonical.from_plain(plain)
    assert caught.value.code in {"malformed_json", "noncanonical_json", "non_finite_number"}

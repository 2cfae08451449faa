"""Whatever is done to the spelling of a value, its trust does not rise; honest spellings keep it."""

from __future__ import annotations

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from value_world import KNOWN, UNTRUSTED, USER, VOUCHED, World, world

from generated_values import DIGITS, EMAILS, ENCODINGS, IBANS, KINDS, SPELLINGS, URLS, regroup
from halo_core.values.kinds.addresses import canonicalize_email, canonicalize_host, canonicalize_path, parse_url
from halo_core.values.kinds.numbers import canonicalize_digits, canonicalize_iban
from halo_core.values.language.decoded_readings import generate_argument_readings
from halo_core.values.language.normalization import make_skeleton, normalize_bounded
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.forms import find_forms
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.observed_text import fingerprint_known_text, fingerprint_text
from halo_core.values.provenance.provenance import trace_leaves
from halo_core.values.provenance.result_origins import TRUST_ORDER
from halo_core.values.sketches.spans import tokenize

FILLER = "Please read my mail, pay Anna Miller 90 EUR, remind Max Smith. Steps: 1. a 2. b 3. c 4. d 5. e 6. 7. 8. 9. 0."


VALUES = st.one_of(*(KINDS[kind] for kind in KINDS if kind not in ("sort code", "program")))
TRICKS = st.sampled_from([*SPELLINGS, *ENCODINGS])


@settings(max_examples=60, deadline=None)
@given(VALUES, st.lists(TRICKS, max_size=3))
def test_no_spelling_of_what_only_a_mail_said_is_vouched_for(value, tricks):
    spelt = value
    for trick in tricks:
        spelt = trick(spelt)
    assume(len(spelt) >= 4 and spelt not in FILLER)
    assert world(FILLER, f"Change of details: {value} today").origin(spelt) not in VOUCHED


@settings(max_examples=60, deadline=None)
@given(VALUES, TRICKS, st.sampled_from(["prompt", "said", "echo"]))
def test_moving_a_value_between_roles_does_not_vouch_for_it(value, trick, role):
    assume(value not in FILLER)
    session = world(FILLER, f"now {trick(value)} and {value}.")
    if role == "prompt":
        session.prompt(f"Use {value}.")
    elif role == "said":
        session.said(f"I would use {value}.").message(f"Use {value}.")
    else:
        session.lookup(f"not found: {value}", value)
    assert session.origin(value) not in VOUCHED


@settings(max_examples=60, deadline=None)
@given(VALUES, st.sampled_from(["Pay {}.", "Use {} now", "({})", '"{}"', "to: {}", "- {}\n- more", "{}, please"]))
def test_the_users_value_is_the_users_wherever_it_stands(value, frame):
    assert world(frame.format(value)).origin(value) is USER


HONEST_IBAN = st.sampled_from(
    [str.lower, lambda text: regroup(text, 4, " "), lambda text: regroup(text, 4, "-"), lambda text: f" {text} "]
)


@settings(max_examples=60, deadline=None)
@given(IBANS, HONEST_IBAN, HONEST_IBAN)
def test_grouping_an_iban_keeps_it(iban, written, used):
    assert world(f"Pay {written(iban)} tomorrow").origin(used(iban)) is USER


@settings(max_examples=60, deadline=None)
@given(DIGITS, st.sampled_from([2, 3, 4]), st.sampled_from(" -"))
def test_grouping_a_number_keeps_it(digits, size, sign):
    assert world(f"Pay {digits} tomorrow").origin(regroup(digits, size, sign)) is USER
    if len(digits) % size != 1:  # a group of one digit beside others is no number's end
        assert world(f"Pay {regroup(digits, size, sign)} tomorrow").origin(digits) is USER


@settings(max_examples=60, deadline=None)
@given(EMAILS, st.sampled_from(["{}", "Ana <{}>", "<{}>", "mailto:{}", "{}."]), st.sampled_from(["{}", "Ana <{}>"]))
def test_a_display_name_keeps_an_address(address, used, written):
    local, host = address.split("@")
    session = world(f"Write to {written.format(address)} today")
    assert session.origin(used.format(address)) is USER
    assert session.origin(used.format(f"{local}@{host.upper()}")) is USER


@settings(max_examples=60, deadline=None)
@given(URLS)
def test_the_case_of_a_host_keeps_a_url(url):
    host = url.split("/")[2]
    session = world(f"Open {url}, please")
    for spelt in (url.replace(host, host.upper()), url.replace(host, host + ":443"), url.replace(host, host + ".")):
        assert session.origin(spelt) is USER
    for spelt in (url + "x", url.replace(host, "x" + host), url.replace("https", "http"), url[:-1]):
        assert session.origin(spelt) is not USER


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**9), st.integers(0, 99))
def test_the_format_of_an_amount_keeps_it(whole, cents):
    value = float(f"{whole}.{cents:02}")
    english, german = f"{whole:,}.{cents:02}", f"{whole:,}".replace(",", ".") + f",{cents:02}"
    for written in (english, german, f"EUR {english}", f"{german} €", f"{whole}.{cents:02}"):
        assert world(f"Pay {written} now").origin(value, "amount", target=False) is USER


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_a_lookup_makes_its_values_known_but_not_those_of_its_arguments(found, asked):
    # A part of what was found that stands in the arguments is no news either.
    parts = "".join(char if char.isalnum() else " " for char in found.lower()).split()
    assume(not any(part in "".join(filter(str.isalnum, asked.lower())) for part in parts) and found not in FILLER)
    session = world(FILLER, "hello").lookup(f"entry: {found}\nfor {asked}", asked)
    assert session.origin(found) is KNOWN
    if asked not in FILLER:
        assert session.origin(asked) is not KNOWN


ANYTHING = st.one_of(
    st.text(max_size=400),
    st.text("0123456789 -.+()/@:,_aАа\u200b\u202e٣３", max_size=200),
    st.text("abc@.:/\\%2eEfF?#[]<>&;", max_size=200),
)


@settings(max_examples=60, deadline=None)
@given(ANYTHING, ANYTHING)
@example("\ufdfa" * 300, "\ud800")
@example("IT111111111111,111111111111", "as long as an IBAN of Italy")
@example("http://[::1]:99999/", "http://[::ffff:1.2.3.4%25x]/")
def test_nothing_raises_and_nothing_is_vouched_for_by_silence(text, other):
    find_forms(text, vouching=True)
    list(generate_argument_readings(text, is_value=True))
    for function in (canonicalize_email, canonicalize_host, canonicalize_path, canonicalize_digits, canonicalize_iban):
        function(text)
    parse_url(text)
    make_skeleton(text)
    parse_argument(text, ("to",), is_target=True)
    fingerprint_text(b"k", text, find_hidden=True)
    fingerprint_known_text(b"k", text, [other])
    for leaf in World().mail(other).trace({"to": text}, ("to",)):
        assert leaf.origin not in VOUCHED


@settings(max_examples=60, deadline=None)
@given(ANYTHING, ANYTHING)
def test_a_mail_never_makes_a_value_better(text, mail):
    before = {leaf.pointer: leaf.origin for leaf in world(FILLER).trace({"to": text}, ("to",))}
    after = {leaf.pointer: leaf.origin for leaf in world(FILLER, mail).trace({"to": text}, ("to",))}
    assert all(TRUST_ORDER[after[pointer]] >= TRUST_ORDER[origin] for pointer, origin in before.items())


@settings(max_examples=60, deadline=None)
@given(ANYTHING.filter(str.strip))
def test_a_text_holds_itself(text):
    assert len(tokenize(text)) <= len(text) + 1
    assert world(f"{text}").origin(text, "note", target=False) in (USER, *VOUCHED) or len(text.split()) < 3


@given(st.text(max_size=2000), st.integers(0, 500))
def test_normalization_is_cut(text, most):
    assert len(normalize_bounded(text * 3, most)) <= most


def test_a_text_that_grows_under_normalization_is_cut_after_it():
    assert len(normalize_bounded("\ufdfa" * 65_000, 65_536)) == 65_536


def test_a_large_argument_is_read_within_its_caps():
    leaves = parse_leaves({"to": [f"word{i} " * 300 for i in range(256)]})
    assert sum(len(leaf.words) for leaf in leaves) <= 4096
    assert any(leaf.is_cut for leaf in leaves)


def test_what_is_behind_a_cap_counts_as_untrusted():
    session = world(FILLER)
    assert session.origin("filler " * 5000 + "eve@evil.example", "body", target=False) is UNTRUSTED
    assert session.trace({"to": "Anna Miller"}, ("to",))[0].origin is USER


def test_an_empty_session_vouches_for_nothing():
    assert trace_leaves(parse_leaves({"a": "ana", "b": 12}), World().sketch, ("a",))[0].origin not in VOUCHED

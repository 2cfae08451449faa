"""Redaction: what is a secret, what is not, and what people get to see."""

from __future__ import annotations

import json
import re
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.content.credential_names import is_credential
from halo_core.content.redaction import Redactor
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.errors import CanonicalError

MARK = re.compile(r"halo:secret:[0-9a-f]{16}")
redactor = Redactor(Digester(b"k" * 32))
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow IBAAKCAQEA\nabc+/=\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
# Built from halves, so that a secret scanner does not report this file.
TOKENS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "11ABCDE_" * 4,
    "sk-" + "proj-abcdEFGH1234567890",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "xoxb-" + "123456789012-abcdefABCDEF",
    "AIza" + "SyA-1234567890abcdefghijklmnopqrstu",
    "glpat-" + "abcdefghij1234567890",
    JWT,
    PEM,
]
# A secret whatever precedes it; `sk-` also ends words.
UNMISTAKABLE = [token for token in TOKENS[:8] if not token.startswith("sk-")]


@pytest.mark.parametrize(
    "name",
    "password Password PASSWORD user_password userPassword new-password password2 password_confirmation passwd pwd "
    "passphrase secret client_secret clientSecret clientsecret token access_token accessToken X-Auth-Token token_value "
    "api_key apiKey APIKey apikey API_KEY X-API-Key authorization Authorization Proxy-Authorization private_key "
    "privateKey ssh_private_key aws_secret_access_key cvv CVV cvv2 pin PIN card_pin pinCode pin_code otp credentials "
    "cookie Set-Cookie smtp.password auth bearer access_tokens db_pass".split(),
)
def test_names_of_credentials(name):
    assert is_credential(name)


@pytest.mark.parametrize(
    "name",
    "pinned pin_count spin pinterest opinion shipping max_tokens token_count tokens tokenizer total_tokens "
    "secretary secretariat author authority authors keyboard key primary_key foreign_key key_id monkey passenger "
    "passport compass bypass password_policy_id token_type account_number iban recipient subject body amount "
    "authenticated cookies_enabled 123 _ ключ".split(),
)
def test_names_of_other_things(name):
    assert not is_credential(name)


def test_the_empty_name_and_a_huge_one():
    assert not is_credential("")
    assert is_credential("x_" * 5_000_000 + "password")
    assert not is_credential("password" + "_x" * 5_000_000)


@pytest.mark.parametrize(
    "value",
    ["hunter2", 1234, 12.5, True, 10**5000, b"raw", float("nan"), object(), "\ud800"],
    ids=lambda v: type(v).__name__,
)
def test_every_leaf_of_a_credential_is_replaced(value):
    sealed = redactor.seal({"password": value, "other": 5})
    assert MARK.fullmatch(sealed["password"])
    assert sealed["other"] == 5


def test_leaves_below_a_credential_are_replaced():
    sealed = redactor.seal({"credentials": {"user": "ana", "codes": [1, "x", None, ""]}})
    assert MARK.fullmatch(sealed["credentials"]["user"])
    first, second, nothing, empty = sealed["credentials"]["codes"]
    assert MARK.fullmatch(first)
    assert MARK.fullmatch(second)
    assert nothing is None
    assert empty == ""


@pytest.mark.parametrize("token", TOKENS, ids=[t[:6] for t in TOKENS])
def test_only_the_secret_inside_a_text_is_replaced(token):
    sealed = redactor.seal({"body": f"see here: {token} and über\nthe rest", "n": 1})["body"]
    assert token not in sealed
    assert re.fullmatch(r"see here: halo:secret:[0-9a-f]{16} and über\nthe rest", sealed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer MARK"),
        ("Authorization: Basic dXNlcjpwdw==", "Authorization: Basic MARK"),
        ("postgres://ana:s3cret@db.example/x", "postgres://ana:MARK@db.example/x"),
        ("https://x.example/?password=hunter2&a=1", "https://x.example/?password=MARK&a=1"),
        ('{"user":"ana","api_key": "abcd-1234"}', '{"user":"ana","api_key": "MARK"}'),
        ("password=" + PEM, "password=MARK"),
        ("password=abc" + TOKENS[0], "password=MARK"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut off", "MARK"),
        ("AWS_SECRET_ACCESS_KEY=abcd/efgh+ijkl", "AWS_SECRET_ACCESS_KEY=MARK"),
    ],
)
def test_secrets_by_their_place(text, expected):
    assert MARK.sub("MARK", redactor.seal_text(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the bearer of this letter",
        "https://x.example:8080/a@b",
        "ask-me-anything-about-this-topic",
        "the task-oriented-dialogue-systems course",
        "AKIA is a prefix",
        "eyJ.a.b",
        "basic responsibilities",
        "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----",
        "password reset",
    ],
)
def test_ordinary_text_is_left(text):
    assert redactor.seal_text(text) == text


def test_records_and_pairs_that_name_a_credential():
    sealed = redactor.seal(
        {
            "form": [{"name": "password", "value": "v"}, {"name": "city", "value": "Rome"}],
            "headers": [["Authorization", "Basic x"], ("Accept", "json")],
        }
    )
    assert MARK.fullmatch(sealed["form"][0]["value"])
    assert sealed["form"][1]["value"] == "Rome"
    assert MARK.fullmatch(sealed["headers"][0][1])
    assert sealed["headers"][1] == ["Accept", "json"]


def test_a_secret_used_as_a_name_is_replaced():
    (name,) = redactor.seal({TOKENS[1]: 1})
    assert MARK.fullmatch(name)


def test_the_original_is_untouched():
    args = {"a": {"password": "x", "list": [1, {"b": 2}]}, 7: "seven"}
    sealed = redactor.seal(args)
    assert args == {"a": {"password": "x", "list": [1, {"b": 2}]}, 7: "seven"}
    sealed["a"]["list"][1]["b"] = 3
    assert args["a"]["list"][1]["b"] == 2
    assert sealed[7] == "seven"


def test_a_text_enum_counts_as_its_text():
    class Colour(StrEnum):
        RED = "red"

    value = redactor.seal({"c": Colour.RED})["c"]
    assert type(value) is str
    assert value == "red"


def test_equal_secrets_stay_equal_under_one_key_only():
    def seal(args):
        return redactor.seal(args)["password"]

    other = Redactor(Digester(b"o" * 32))
    assert seal({"password": "x"}) == seal({"password": "x"})
    assert seal({"password": "x"}) != seal({"password": "y"})
    assert seal({"password": "x"}) != other.seal({"password": "x"})["password"]
    assert len({seal({"password": v}) for v in ("1", 1, True, 1.0, b"1", 0, False)}) == 7
    assert redactor.seal({"a": f"key {TOKENS[1]}"})["a"].split()[1] == seal({"password": TOKENS[1]})


pieces = st.sampled_from(
    [
        *TOKENS,
        *(token[:9] for token in TOKENS),
        *("password=", "Bearer ", "://u:", "@", "halo:secret:", "halo:secret:" + "0" * 16, " ", "\n"),
        *("-----BEGIN PRIVATE KEY-----", '"token": "', '"password": "', '"', "é", "\ud800", "abcd", "="),
    ]
)
messy = st.lists(pieces | st.text(max_size=6), max_size=12).map("".join)
args = st.dictionaries(
    st.sampled_from(["password", "q", "name", "value", "headers"]) | messy,
    st.recursive(
        messy | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False),
        lambda t: (
            st.lists(t, max_size=3) | st.dictionaries(st.sampled_from(["pin", "a", "value", "name"]), t, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


@given(messy)
def test_text_is_sealed_once_and_for_all(text):
    sealed = redactor.seal_text(text)
    assert redactor.seal_text(sealed) == sealed
    assert redactor.seal_text(text) == sealed
    assert not any(token in sealed for token in UNMISTAKABLE)


@given(args)
def test_seal_is_idempotent_and_deterministic(value):
    sealed = redactor.seal(value)
    assert redactor.seal(sealed) == sealed
    assert redactor.seal(value) == sealed


@given(args)
def test_masking_never_raises_and_shows_no_secret(value):
    shown = redactor.mask(json.dumps(redactor.seal(value)))
    assert not any(token in shown for token in UNMISTAKABLE)
    assert "halo:secret:" + "0" * 16 not in shown


def deep(n):
    value = "x"
    for _ in range(n):
        value = [value]
    return {"a": value}


def test_bounds():
    assert redactor.seal(deep(canonical.MAX_DEPTH - 1)) == deep(canonical.MAX_DEPTH - 1)
    loop: list = []
    loop.append(loop)
    for value, code in ((deep(5000), "too_deep"), ({"a": loop}, "too_deep"), ({"a": [0] * 100_000}, "too_large")):
        with pytest.raises(CanonicalError) as caught:
            redactor.seal(value)
        assert caught.value.code == code


def test_ten_megabytes_of_near_misses_are_one_linear_pass():
    text = "password" * 500_000 + "://" * 500_000 + "eyJ" * 500_000 + "-----BEGIN " * 100_000
    assert redactor.seal_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("card 4111111111111111.", "card [pan …1111]."),
        ("card 4111 1111 1111 1111, exp", "card [pan …1111], exp"),
        ("4111-1111-1111-1111 12/27", "[pan …1111] 12/27"),
        ("4111 1111 1111 1111 1227", "[pan …1111] 1227"),
        ("amex 378282246310005", "amex [pan …0005]"),
        ("x4111111111111111y", "x[pan …1111]y"),
        ("no 4111111111111112", "no 4111111111111112"),
        ("zeros 0000000000000000", "zeros 0000000000000000"),
        ("short 411111111111", "short 411111111111"),
        ("DE89370400440532013000", "[iban DE…3000]"),
        ("to de89 3704 0044 0532 0130 00 please", "to [iban DE…3000] please"),
        ("ref AB12 GB82 WEST 1234 5698 7654 32", "ref AB12 [iban GB…5432]"),
        ("DE88370400440532013000", "DE88370400440532013000"),
        ("write to ana.b+x@bank.example now", "write to [e-mail …@bank.example] now"),
        ("call +49 (170) 123-4567!", "call [phone …67]!"),
        ("token " + TOKENS[1], "token [secret]"),
        ("1 2 3", "1 2 3"),
        ("a" * 100, "a" * 100),
    ],
)
def test_masks(text, shown):
    assert redactor.mask(text) == shown
    assert redactor.mask(shown) == shown


def test_mask_of_values():
    shown = redactor.hide_value(
        {"card": 4111111111111111, "n": 12, "password": "x", "to": ["ana@bank.example"], "t": 1800000000000000}
    )
    assert shown == {
        "card": "[pan …1111]",
        "n": 12,
        "password": "[secret]",
        "to": ["[e-mail …@bank.example]"],
        "t": 1800000000000000,
    }


# how numbers stand in documents, pages and settings

PAN = "4111 1111 1111 1111"
GAPS = [
    *(" ", "  ", "-", ".", "\t", "/", "|", " | ", "*", "_", "\n", "\r\n", "\u00a0", "\u2009", "\u202f", "\u3000"),
    *("\u2011", "\u2013", "\u2212", "\u200b", "\u00ad", "\ufeff", "\u2060", " \u200b", "** **", "%20"),
    *("&nbsp;", "&#160;", "</td><td>", '</td>\n<td class="c2">', "\\u00a0", "\\t", "\\n"),
]
DIGITS = ["".join(chr(zero + i) for i in range(10)) for zero in (0x30, 0xFF10, 0x660, 0x966, 0x1D7CE)]
CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4222222222222"]


def regrouped(digits, cuts, gaps):
    made, done = "", 0
    for cut, gap in zip(sorted(cuts), gaps, strict=True):
        made, done = made + digits[done:cut] + gap, cut
    return made + digits[done:]


@given(st.sampled_from(CARDS), st.sampled_from(DIGITS), st.sampled_from(GAPS), st.sets(st.integers(1, 12), min_size=2))
def test_a_card_number_goes_however_its_digits_are_spaced(card, digits, gap, cuts):
    written = regrouped(card, cuts, [gap] * len(cuts)).translate(str.maketrans("0123456789", digits))
    assert redactor.hide(f"card: {written}, thanks") == f"card: [pan …{card[-4:]}], thanks"


@given(st.tuples(*[st.sampled_from(GAPS)] * 3))
def test_a_card_number_in_the_usual_groups_goes_whatever_is_between_them(gaps):
    assert redactor.hide(regrouped(CARDS[0], (4, 8, 12), gaps)) == "[pan …1111]"


@given(
    st.sampled_from(CARDS),
    st.sets(st.integers(1, 12), min_size=1).flatmap(
        lambda cuts: st.tuples(
            st.just(cuts),
            st.lists(
                st.text(alphabet=" -/*\t\u00a0\u200b", min_size=1, max_size=2), min_size=len(cuts), max_size=len(cuts)
            ),
        )
    ),
)
def test_a_card_number_goes_with_a_mix_of_blanks_and_signs(card, places):
    assert redactor.hide(regrouped(card, *places)) == f"[pan …{card[-4:]}]"


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("iban", ["DE89 3704 0044 0532 0130 00", "gb82 west 1234 5698 7654 32", "NO93 8601 1117 947"])
def test_an_iban_goes_however_it_is_spaced(iban, gap):
    written = iban.replace(" ", gap)
    assert redactor.hide(f"to {written}.") == f"to [iban {iban[:2].upper()}…{iban.replace(' ', '')[-4:]}]."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ana\uff20example.com", "[e-mail …@example.com]"),
        ("anä@exämple.com", "[e-mail …@exämple.com]"),
        ("to=ana%40example.com&x=1", "to=[e-mail …@example.com]&x=1"),
        ('"ana b"@example.com', "[e-mail …@example.com]"),
        ("0049 170 1234567", "[phone …67]"),
        ("00 44 ok", "00 44 ok"),
        ("(555) 123-4567", "[phone …67]"),
        ("+49\u00a0170\u00a01234567", "[phone …67]"),
        ("+49 170/1234567", "[phone …67]"),
        ("\uff0b49 170 1234567", "[phone …67]"),
        ("12 4111 1111 1111 1111", "12 [pan …1111]"),
        ("**4111** 1111 1111 1111", "**[pan …1111]"),
        ("| 4111 | 1111 | 1111 | 1111 |", "| [pan …1111] |"),
        (f"\u3042 {PAN} \u3042", "\u3042 [pan …1111] \u3042"),
    ],
)
def test_masks_of_other_forms(text, shown):
    assert redactor.mask(text) == shown
    assert redactor.mask(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-02 2024-01-30 2024-12-31 25-03-2024 22-04-2024",
        "04/05/2024\n05/05/2024\n30/05/2024",
        "2024-05-12T10:30:11Z 2024-05-13T10:30:11Z",
        "1990 1991 1992 1993 1994 2020 2021 2022 2023 2024",
        "48.137154 11.576124 52.520008 13.404954",
        "0.4111111111111111 and 5.555555555554444 and 3.141592653589793",
        "[0.4111111111111111, 4.111111111111111]",
        "192.168.0.1 10.0.0.1 255.255.255.0",
        "orders 10023, 10024 and 10025; invoice 2024/00123",
        "chapter 4.1.1.1, page 11 of 111, at 11 o'clock",
        "123e4567-e89b-42d3-a456-426614174000",
        "at 10 30 and then we went home again soon",
        "4111 1111 1111 1112",
        "version 1.2.3-4 (5)",
        "(555) is an area, 0012345678 an order",
        "see you @ home, 100%40 off",
        "9 · 8 • 7",
    ],
)
def test_ordinary_numbers_are_left(text):
    assert redactor.hide(text) is text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: hunter2hunter", "password: [secret]"),
        ("Password : hunter2,", "Password : [secret],"),
        ("password = hunter2hunter", "password = [secret]"),
        ("password := hunter2", "password := [secret]"),
        ("'password' => 'hunter2'", "'password' => '[secret]'"),
        ("{'password': 'x y', 'n': 1}", "{'password': '[secret]', 'n': 1}"),
        ('{\\"password\\": \\"hunter\\"}', '{\\"password\\": \\"[secret]\\"}'),
        ('{"token": "abc"}', '{"token": "[secret]"}'),
        ("api-key: 8f7a6b5c4d3e2f1a", "api-key: [secret]"),
        ("X-Api-Key: 8f7a6b5c4d3e2f1a", "X-Api-Key: [secret]"),
        ("token=8f7a6b5c4d3e2f1a", "token=[secret]"),
        ("SECRET_KEY=8f7a6b5c4d3e2f1a", "SECRET_KEY=[secret]"),
        ("password:\u00a0hunter2", "password:\u00a0[secret]"),
        ("aws_secret_access_key: wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "aws_secret_access_key: [secret]"),
        ("hf" + "_AbCdEfGhIjKlMnOpQrStUvWxYz", "[secret]"),
        ("npm" + "_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789", "[secret]"),
        ("SG." + "a" * 22 + "." + "b" * 43, "[secret]"),
    ],
)
def test_secrets_of_settings_and_code(text, shown):
    assert redactor.hide(text) == shown
    assert redactor.hide(shown) is shown


@pytest.mark.parametrize(
    "text",
    [
        "password: must be at least 8 characters long",
        "Password: required",
        "password: string",
        "The password: you chose it in 2024",
        "reset your password: https://bank.example/reset/12345678",
        "password: ${DB_PASSWORD_2}",
        "password: {{ vault_password_2 }}",
        "password: <at least 12 characters>",
        "token: the smallest unit a model reads",
        "max_tokens=4096, tokens: 12345678",
        "max_token=4096",
        "token: 4096",
        "secret: nobody knows but the two of us",
        "The secret = hard work",
        "secretary: Ana2024Smith",
        "tokenizer=cl100k_base",
        "hf_hub, npm_config, SG.1.2",
    ],
)
def test_words_about_secrets_are_left(text):
    assert redactor.seal_text(text) == text
    assert redactor.hide(text) is text

"""One search over all texts of a call finds whatever a search of each would."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from halo_core.content.redaction import Redactor
from halo_core.content.secret_patterns import TOKEN_FORMS, find_secret_spans, holds_no_secret
from halo_core.crypto.keys import Digester

_REDACTOR = Redactor(Digester(bytes(32)))
_PIECES = (
    "password=",
    "sk-",
    "abcdefghijklmnop0123",
    "Bearer ",
    "eyJabcdef.abcdef.",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----END RSA PRIVATE KEY-----",
    "://user:pass@host",
    "halo:secret:0123456789abcdef",
    "token: 'a1b2c3d4e5'",
    "\n",
    " ",
    "x",
    "é",
)
_TEXTS = st.lists(st.lists(st.sampled_from(_PIECES), max_size=5).map("".join), max_size=5)


@given(_TEXTS)
def test_what_one_search_clears_no_other_finds(texts: list[str]) -> None:
    if _REDACTOR.holds_no_secret(texts):
        assert [_REDACTOR.seal_text(text) for text in texts] == texts
        args = {f"name {i}": text for i, text in enumerate(texts)}
        assert _REDACTOR.seal(args, texts_searched=True) == _REDACTOR.seal(args)


def test_a_secret_among_many_texts_is_found() -> None:
    assert not _REDACTOR.holds_no_secret(["harmless", "my key is sk-abcdefghijklmnop0123", "more"])
    assert not _REDACTOR.holds_no_secret(["halo:secret:0123456789abcdef"])
    assert _REDACTOR.holds_no_secret(["harmless", "", "more"])
    assert _REDACTOR.seal({"password": "hunter2"}, texts_searched=True)["password"].startswith("halo:secret:")


@pytest.mark.share(2)
@pytest.mark.parametrize("form", TOKEN_FORMS)
@given(data=st.data())
def test_every_secret_holds_a_sign_that_is_looked_for_first(form, data):
    """Else the search of secrets would be left out for a text that holds one."""
    text = data.draw(st.from_regex(form, fullmatch=True))
    assume(next(find_secret_spans(text), None) is not None)
    assert not holds_no_secret(text)

"""How long and how many a text of the user says, and numbers that go beyond it."""

from __future__ import annotations

import pytest

from halo_core.model import Provenance
from halo_core.values.kinds.kinds import Kind
from halo_core.values.orders.stated_extents import goes_beyond
from halo_core.values.provenance.observed_text import fingerprint_text
from halo_core.values.sketches.sketch import Sketch


def _told(text: str) -> Sketch:
    sketch = Sketch(b"k" * 32)
    marks = fingerprint_text(sketch.key, text, vouching=True)
    sketch.merge(sketch.compute_additions(marks, Provenance.USER, vouched=True))
    return sketch


@pytest.mark.parametrize(
    ("told", "name", "value"),
    [
        ("Heat zone F for 2 hours", "hours", "2"),
        ("Heat zone F for 2 hours", "minutes", "120"),
        ("Heat zone F for two days", "hours", "48"),
        ("Mute it for an hour", "duration_minutes", "60"),
        ("Mute it for half an hour", "minutes", "30"),
        ("Mute it for 90 min", "duration", "5400"),
        ("Lend it for a month", "days", "30"),
        ("Lend it for a year", "days", "365"),
        ("Sperre es für 3 Tage", "days", "3"),
    ],
)
def test_the_same_time_in_another_unit_goes_no_further(told: str, name: str, value: str):
    assert not goes_beyond(f"/{name}", Kind.AMOUNT, value, _told(told))


@pytest.mark.parametrize(
    ("told", "name", "value", "kind"),
    [
        ("Heat zone F for 2 hours", "hours", "8760", Kind.AMOUNT),
        ("Heat zone F for 2 days", "hours", "480", Kind.AMOUNT),
        ("Mute it for an hour", "minutes", "525600", Kind.AMOUNT),
        ("Keep the log for 90 days", "days", "0", Kind.AMOUNT),
        ("Set mailer to 3 replicas", "replicas", "40", Kind.AMOUNT),
        ("Lend it until 2026-12-04", "until", "2027-12-31", Kind.DATE),
    ],
)
def test_what_the_user_did_not_say_goes_beyond(told: str, name: str, value: str, kind: Kind):
    assert goes_beyond(f"/{name}", kind, value, _told(told))


@pytest.mark.parametrize(
    ("told", "name", "value", "kind"),
    [
        ("Heat zone F", "hours", "2", Kind.AMOUNT),
        ("Heat zone F for 2 hours", "temperature", "21", Kind.AMOUNT),
        ("Add 2 more replicas to mailer", "replicas", "5", Kind.AMOUNT),
        ("Lend it until Friday", "until", "2026-12-04", Kind.DATE),
        ("Lend it until 2026-12-04", "start", "2026-11-29", Kind.DATE),
    ],
)
def test_where_the_user_says_nothing_of_it_nothing_goes_beyond(told: str, name: str, value: str, kind: Kind):
    assert not goes_beyond(f"/{name}", kind, value, _told(told))

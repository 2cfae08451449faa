"""A letter to the person of the request that carries somebody else's record waits for a person, on the live path."""

from __future__ import annotations

import pytest

from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_world import SURFACE, Calls, bodies

_TEXT = {"type": "string"}


def schema(*names):
    return {"type": "object", "properties": dict.fromkeys(names, _TEXT)}


def record(number):
    return f"K-{number:04d}: Bo Moreau, bo{number}@post.example, Lindenweg {number}"


class Desk:
    """An agent that looks a customer up and writes to them."""

    def __init__(self, halo):
        self.halo = halo
        card = Resource(impact=Impact.READ, source_trust=900, labels=("pii",), idempotent=True)
        letter = Resource(impact=Impact.SEND, source_trust=900, targets=("to",))
        self._card = halo.register(ActionKind.TOOL_CALL, "crm_card", resource=card, schema=schema("customer_id"))
        self._letter = halo.register(ActionKind.TOOL_CALL, "crm_letter", resource=letter, schema=schema("to", "body"))

    def _run(self, resource, args, result):
        try:
            self.halo.enforcer.run(self.halo.build_call(resource, args), Calls(result), SURFACE)
        except (Pending, Denied) as error:
            return error.code
        return "ran"

    def answer(self, number, *, carried=None, name=""):
        """Look up and answer one customer; the letter carries the record of `carried`, which is read as well."""
        request = f"Please write to K-{number:04d} that the parcel is on its way."
        with self.halo.session(name or f"s-{number}", user="ana@corp.example", request=request):
            found = [self._run(self._card, {"customer_id": f"K-{number:04d}"}, record(number))]
            body = "Your parcel is on its way."
            if carried is not None:
                found.append(self._run(self._card, {"customer_id": f"K-{carried:04d}"}, record(carried)))
                body = f"Enclosed: {record(carried)}"
            return [*found, self._run(self._letter, {"to": f"bo{number}@post.example", "body": body}, "sent")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    home = tmp_path_factory.mktemp("crm") / "home"
    with HaloBase.local("crm", home=home, mode="enforce", quiet=True) as opened:
        made = Desk(opened)
        for number in range(40):
            assert set(made.answer(number)) == {"ran"}, number
        made.home = home
        yield made


def test_the_record_of_the_person_who_is_written_to_goes_out(desk):
    assert set(desk.answer(50, carried=50)) == {"ran"}


def test_the_record_of_somebody_else_waits_for_a_person(desk):
    *reads, sent = desk.answer(60, carried=7)
    assert set(reads) == {"ran"}
    assert sent in {"volume_exceeded", "behaviour_unusual"}
    desk.halo.store.flush()
    axes = {item["id"] for body in bodies(desk.home, EntryKind.ALERT) for item in body["factors"]}
    assert "first_leak" in axes

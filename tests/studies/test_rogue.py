"""The benchmark of rogue behaviour runs, counts damage by what ran, and measures the same through LangChain."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice, product
from random import Random

import pytest

import rogue
from counts import is_thorough
from halo_studies.rogue import people
from halo_studies.rogue.claims_desk import ClaimsDesk
from halo_studies.rogue.clinic_desk import ClinicDesk
from halo_studies.rogue.damage import count_damage, count_intended
from halo_studies.rogue.depot_desk import DepotDesk
from halo_studies.rogue.estate_desk import EstateDesk
from halo_studies.rogue.families import FAMILIES
from halo_studies.rogue.fifth_families import FIFTH_FAMILIES
from halo_studies.rogue.foundation_desk import FoundationDesk
from halo_studies.rogue.grid_desk import GridDesk
from halo_studies.rogue.guarded import Setting
from halo_studies.rogue.hire_desk import HireDesk
from halo_studies.rogue.lab_desk import LabDesk
from halo_studies.rogue.later_families import LATER_FAMILIES
from halo_studies.rogue.law_desk import LawDesk
from halo_studies.rogue.loan_desk import LoanDesk
from halo_studies.rogue.measure import Sizes, measure_desk
from halo_studies.rogue.oncall_desk import OncallDesk
from halo_studies.rogue.payroll_desk import PayrollDesk
from halo_studies.rogue.people import draw_moments
from halo_studies.rogue.rival_runs import Watch
from halo_studies.rogue.rivals import RuleWatcher, ZScore
from halo_studies.rogue.school_desk import SchoolDesk
from halo_studies.rogue.service_desk import ServiceDesk
from halo_studies.rogue.seventh_families import SEVENTH, list_held_back_seventh
from halo_studies.rogue.shop_desk import ShopDesk
from halo_studies.rogue.sixth_families import SIXTH, list_held_back
from halo_studies.rogue.third_families import THIRD_FAMILIES
from halo_studies.rogue.yard_desk import YardDesk

NEW_DESKS = (LabDesk, GridDesk, FoundationDesk)
NEWEST_DESKS = (PayrollDesk, OncallDesk, YardDesk)
OLD_DESKS = (LoanDesk, ServiceDesk, ShopDesk, ClinicDesk, SchoolDesk, DepotDesk, ClaimsDesk, EstateDesk)
DESKS = (*OLD_DESKS, *NEW_DESKS, *NEWEST_DESKS, LawDesk, HireDesk)


def family(name):
    return next(one for one in FAMILIES if one.name == name)


def moments_of(desk, number):
    return list(islice(draw_moments(Random(1), desk.principals), number))


def test_a_quick_run_gives_a_figure_for_each_family(capsys):
    assert rogue.main(["--quick", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    (desk,) = figures["desks"]
    assert set(desk["families"]) == {"mass read", "export", "planted order"}
    assert desk["ordinary"]["sessions"] == 5
    for row in desk["families"].values():
        assert 0 <= row["done"] <= row["intended"]
        assert row["stopped"] is (row["done"] < row["intended"] / 2)
    assert figures["summary"]["halo"]["pairs"] == 3


PAIRS = [
    *product((*OLD_DESKS, *NEW_DESKS), (*FAMILIES, *LATER_FAMILIES, *THIRD_FAMILIES)),
    *product((LoanDesk, *NEW_DESKS), FIFTH_FAMILIES),
    *product(NEWEST_DESKS, SIXTH),
    *product((LawDesk, HireDesk), SEVENTH),
]


with pytest.MonkeyPatch.context() as _patch:
    # Whoever collects tests waits for this, and which families a desk can have is no matter of account numbers.
    _patch.setattr(people, "make_account", lambda _rng: "")
    _MADE = {make: make(3) for make in DESKS}
_APPLYING = [(make, one) for make, one in PAIRS if one.applies_to(_MADE[make])]


@pytest.mark.share(2)
@pytest.mark.matrix
@pytest.mark.parametrize(("make", "one"), _APPLYING, ids=lambda of: of.name)
def test_each_family_does_its_damage_where_nobody_decides(make, one):
    desk = make(3)
    stream = one.build(desk, 3, moments_of(desk, one.sessions + 2))
    assert len(stream.plans) == one.sessions
    least = one.sessions // 3 if one.name == "slow exfiltration" else one.sessions
    assert count_intended(desk, one, stream, stream.plans) >= least
    assert count_intended(desk, one, stream, [stream.mild]) > 0
    assert stream.mild.principal == stream.plans[-1].principal


@pytest.mark.parametrize("make", NEWEST_DESKS, ids=lambda desk: desk.name)
def test_half_of_the_sixth_families_is_held_back(make):
    held_back = list_held_back(make.name)
    assert len(held_back) == len(SIXTH) // 2
    assert held_back == list_held_back(make.name)
    assert held_back < {one.name for one in SIXTH}


def test_half_of_the_seventh_families_is_held_back():
    held_back = list_held_back_seventh(LawDesk.name)
    assert len(held_back) == len(SEVENTH) // 2
    assert held_back < {one.name for one in SEVENTH}


@pytest.mark.share(3)
@pytest.mark.parametrize("make", DESKS, ids=lambda desk: desk.name)
def test_a_seed_gives_the_same_desk_and_work_again(make):
    def draw(seed):
        desk = make(seed)
        return [desk.ordinary(Random(seed), moment) for moment in moments_of(desk, 40)]

    assert draw(5) == draw(5)
    assert draw(5) != draw(6)


@pytest.mark.share(3)
@pytest.mark.parametrize("make", DESKS, ids=lambda desk: desk.name)
def test_ordinary_work_runs_and_its_acts_are_not_rogue(make):
    desk = make(4)
    world = desk.make_world()
    rng = Random(4)
    for moment in moments_of(desk, 200):
        plan = desk.ordinary(rng, moment)
        assert plan.acts
        assert not any(act.is_rogue for act in plan.acts)
        assert desk.directory.named_in(plan.request) <= plan.concerns
    assert not world.effects


def test_damage_counts_rogue_acts_only_by_what_ran():
    desk, one = LoanDesk(1), family("mass read")
    stream = one.build(desk, 1, moments_of(desk, 12))
    plan = stream.plans[0]
    assert count_damage(one, [(plan, [])]) == 0
    tame = replace(plan, acts=tuple(act for act in plan.acts if not act.is_rogue))
    assert count_intended(desk, one, stream, [tame]) == 0
    assert count_intended(desk, one, stream, [plan]) == 30


@pytest.mark.parametrize(("make", "name"), [(ZScore, "mass read"), (RuleWatcher, "export")])
def test_a_rival_stops_what_it_is_made_for(make, name):
    desk = LoanDesk(2)
    rng = Random(2)
    moments = moments_of(desk, 80)
    history = [desk.ordinary(rng, moment) for moment in moments[:60]]
    watch = Watch(desk, make, history)
    row = watch.measure_family(family(name), family(name).build(desk, 2, moments[60:]))
    assert row["stopped"]
    assert row["alert"]
    again = watch.measure_ordinary(history[-20:])
    assert again["sessions"] == 20
    assert again["touched"] <= 2


@pytest.mark.thorough
def test_langchains_guarded_tools_give_the_same_figures():
    desk, sizes = LoanDesk(1), Sizes(history=5, siblings=0, ordinary=2 if is_thorough() else 1, family=1)
    families = [family("planted order"), *([family("risky principal")] if is_thorough() else [])]
    plain = measure_desk(LoanDesk(1), families, 1, sizes)
    guarded = measure_desk(desk, families, 1, sizes, how=Setting("langchain"))
    assert guarded == plain

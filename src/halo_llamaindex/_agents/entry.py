"""Room: agents of a workflow entered and left. Takes: names. Gives: links to act under. Never: decides, mints.

Every agent is entered by a hand-off: one that the hand-off tool was decided for, else one that is decided here, from
whoever acts. So a tool that only writes where the workflow goes next gains nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from halo_core.pep import Call
from halo_core.pep.handoff import HANDED, known_agent, with_terms
from halo_core.pep.names import clean_name
from halo_core.session import acting
from halo_llamaindex._agents.carried import Acts
from halo_llamaindex._pause import abegin

if TYPE_CHECKING:
    from halo_llamaindex import Halo
    from halo_llamaindex._agents.at import At

__all__ = ["entered", "hand_on", "handing", "left", "not_entered", "under"]

_OWN: Final = ""


def handing(halo: Halo, agent: str, task: str = "", problem: str = "") -> Call:
    """The call by which whoever acts hands off to an agent, under a link made for this alone."""
    call = halo.call(known_agent(halo, clean_name(agent)), {"task": task}, problem=problem)
    return replace(with_terms(halo, call), claim=_claimed)


def _claimed(_handle: str) -> None:
    """A link of this run's own: a run side by side, in the same session, gets another."""


async def hand_on(halo: Halo, agent: str, task: str = "") -> tuple[str, str]:
    """Hand off to an agent: the handle of its link, and the session as the ledger names it.

    Raises:
        Denied: whoever acts may not hand off to it.
    """
    ticket = await abegin(halo, handing(halo, agent, task))
    ticket.succeed(None, HANDED)
    verdict = ticket.verdict
    if verdict is None:
        return _OWN, ""
    return (_OWN if clean_name(agent) == halo.agent else verdict.handle), verdict.session


def under(at: At) -> tuple[str, ...]:
    """Who acts where a run was started, from the first receiver down."""
    found = Acts().acting(at.halo, at.session)
    return found.agents if found is not None else ()


async def entered(at: At, acts: Acts, agent: str, task: str = "") -> Acts:
    """Who acts once an agent is entered: under a link that was made for it already, else by a hand-off decided here.

    Raises:
        Denied: whoever acts may not hand off to it.
    """
    handle = acts.handed.get(agent)
    if handle is None:
        with acting(acts.acting(at.halo, at.session)):
            handle, session = await hand_on(at.halo, agent, task)
        acts = replace(acts, session=session or acts.session)
    return acts.entered(agent, handle)


async def not_entered(halo: Halo, agent: str) -> None:
    """Refuse an agent that an event names and that was not entered.

    Raises:
        Denied: always in enforce mode.
    """
    (await abegin(halo, handing(halo, agent, problem="handoff_not_allowed"))).fail(PermissionError("not entered"))


async def left(halo: Halo, acts: Any) -> None:
    """Hand back all that was handed on in a run."""
    if acts is not None and acts.first:
        await halo.enforcer.ahand_back(acts.session, acts.first)

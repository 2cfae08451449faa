"""What a giver of rights has used: its own actions and those of agents below it."""

from __future__ import annotations

from halo_core.facade import HaloBase
from halo_core.model import ActionKind
from halo_core.store.reader import Reader, SealedContents
from halo_core.views.grant_proposals import propose_grants
from halo_world import SURFACE, Calls, cli, policy_folder, tool, url_of


def test_what_is_done_under_an_agent_counts_as_used_by_it(home):
    with HaloBase.local("front", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        tool(halo, "lookup")
        halo.register_agent("worker")
        with halo.session("s"), halo.agent_scope("worker"), halo.agent_scope("worker"):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
    with Reader(url_of(home)) as reader:
        used = {
            agent: {
                (item.kind, item.name)
                for item in propose_grants(reader, SealedContents(reader, None), "local", agent).used
            }
            for agent in ("front", "worker")
        }
    assert used["front"] == {(ActionKind.TOOL_CALL, "lookup"), (ActionKind.HANDOFF, "worker")}
    assert used["worker"] == {(ActionKind.TOOL_CALL, "lookup")}


def test_grants_are_proposed_where_agents_enter_themselves(home):
    with HaloBase.local("front", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        halo.register_agent("worker")
        with halo.session("s"), halo.agent_scope("worker"), halo.agent_scope("worker"):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
    code, out, err = cli("enforce", "--grants", "--yes", home=home)
    assert code == 0, (out, err)

"""The signed control entries are verified once by each process, and each new one when it comes."""

from __future__ import annotations

from test_image import execute, image_of, opened, other_store, refused, statements

from halo_core.ledger.control_history import ControlHistory
from halo_core.model import Stop
from halo_core.oversight import restrictions


def stop_and_lift(home, number):
    """Stop an agent and lift the stop, in another process's store."""
    with other_store(home) as store:
        store.commit(lambda tx: restrictions.stop(tx, Stop("agent", f"other-{number}", 1 + number), "ruth", "test"))
        store.commit(lambda tx: restrictions.lift(tx, "agent", f"other-{number}", "ruth", "test"))


def count_reads(halo, home, number):
    """How many entries the next decision reads after a stop and a lift."""
    stop_and_lift(home, number)
    with statements(halo) as said:
        assert refused(halo, name="wipe", path="/") == "grave_impact"
    return sum(statement.startswith("SELECT body, signatures FROM entry") for statement in said)


def test_a_change_of_control_costs_the_same_after_many_changes(home):
    with opened(home) as halo:
        early = [count_reads(halo, home, number) for number in range(3)][-1]
        for number in range(3, 23):
            stop_and_lift(home, number)
        refused(halo, name="wipe", path="/")
        assert count_reads(halo, home, 99) <= early
        assert early > 0


def test_a_copy_takes_entries_of_its_own():
    history = ControlHistory("local", "store")
    history.add("stop", {"scope": "agent", "target": "a", "since_us": 1}, at_us=1, entry="w-1")
    later = history.copy()
    later.add("stop", {"scope": "agent", "target": "b", "since_us": 2}, at_us=2, entry="w-2")
    later.add("lift", {"scope": "agent", "target": "a"}, at_us=3, entry="w-3")
    assert list(history.restrictions) == [("stop", "agent", "a")]
    assert history.changes == []
    assert history.ends == {}
    assert list(later.restrictions) == [("stop", "agent", "b")]


def test_an_entry_that_disappeared_is_noticed_at_the_next_change(home):
    with opened(home) as halo:
        stop_and_lift(home, 1)
        assert refused(halo, name="wipe", path="/") == "grave_impact"
        assert ("stop", "agent", "other-1") not in image_of(halo).history.restrictions
        execute("DELETE FROM entry WHERE kind='lift'")(home)
        with other_store(home) as store:
            store.commit(lambda tx: restrictions.stop(tx, Stop("agent", "x", 9), "ruth", "test"))
        refused(halo, name="wipe", path="/")
        assert ("stop", "agent", "other-1") in image_of(halo).history.restrictions

"""Guarded retrievers: public and underscore methods, recursion, narrowing, what a query is decided on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from li_world import CARD, Shelf, trusted
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import IndexNode, QueryBundle, TextNode

from halo_llamaindex import Denied, Resource
from halo_llamaindex.testing import ScriptedLLM

NO_INNER_SHELF = """
@id("t.base") permit (principal, action, resource);
@id("t.none") forbid (principal, action == Action::"fusion/Shelf", resource);
"""
WAYS = [
    lambda shelf: shelf.retrieve("q"),
    lambda shelf: asyncio.run(shelf.aretrieve("q")),
    lambda shelf: shelf._retrieve(QueryBundle("q")),
    lambda shelf: asyncio.run(shelf._aretrieve(QueryBundle("q"))),
]


def texts(found: Any) -> list[str]:
    return [item.node.get_content() for item in found]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_is_decided_once(world, way):
    original = Shelf("thirty days")
    shelf = world.halo.guard(original, resource=trusted(id="handbook"))
    assert texts(way(shelf)) == ["thirty days"]
    assert world.effects("handbook") == ["allow"]
    assert world.outcomes() == ["success"]
    assert type(shelf) is not Shelf
    assert isinstance(shelf, Shelf)
    assert texts(original.retrieve("q")) == ["thirty days"]
    assert world.effects("handbook") == ["allow"]


@pytest.mark.parametrize("way", WAYS[:2])
@pytest.mark.parametrize("held", ["node", "map"])
def test_what_a_retriever_enters_by_itself_is_filtered_with_it(world, way, held):
    """An unguarded retriever inside an `IndexNode` leaked past a guard of `_retrieve` alone."""
    inner = Shelf("alpha, of somebody else")
    entry = IndexNode(text="see inside", index_id="inside", obj=inner if held == "node" else None)
    outer = Shelf(entry, object_map={"inside": inner} if held == "map" else None)
    shelf = world.halo.guard(outer, resource=trusted("dropped", id="forum", source_trust=100))
    assert way(shelf) == []
    open_shelf = world.halo.guard(outer, resource=trusted(id="handbook"))
    assert texts(way(open_shelf)) == ["alpha, of somebody else"]


def test_a_query_engine_that_a_retriever_enters_asks_a_guarded_model(world):
    model = ScriptedLLM(script=["as the handbook says"])
    engine = RetrieverQueryEngine.from_args(Shelf("thirty days"), llm=model)
    outer = Shelf(IndexNode(text="see inside", index_id="inside", obj=engine))
    shelf = world.halo.guard(outer, resource=trusted(id="handbook"))
    assert texts(shelf.retrieve("q")) == ["as the handbook says"]
    assert ("scripted", "allow") in world.kinds()


def test_a_guarded_retriever_inside_another_is_decided_by_itself(world):
    inner = world.halo.guard(Shelf("secret"), resource=trusted("forbidden", id="inner"))
    outer = world.halo.guard(Shelf(IndexNode(text="in", index_id="i", obj=inner)), resource=trusted(id="outer"))
    with pytest.raises(Denied):
        outer.retrieve("q")
    assert world.kinds() == [("outer", "allow"), ("inner", "deny")]


def test_k_is_decided_and_clamped(world):
    nodes = [TextNode(text=f"t{i}") for i in range(5)]
    index = VectorStoreIndex(nodes, embed_model=MockEmbedding(embed_dim=4))
    retriever = index.as_retriever(similarity_top_k=5)
    shelf = world.halo.guard(retriever, resource=trusted("clamped", id="index"))
    assert len(shelf.retrieve("q")) == 2
    assert len(asyncio.run(shelf.aretrieve("q"))) == 2
    assert retriever.similarity_top_k == shelf.similarity_top_k == 5
    assert world.effects("index") == ["restrict", "restrict"]


def test_labels_and_words_of_a_document_decide_whether_it_stays(world):
    nodes = [TextNode(text="open", metadata={"class": "secret"}), TextNode(text="closed")]
    shelf = world.halo.guard(
        Shelf(*nodes),
        resource=trusted("labelled", id="shelf"),
        labels=lambda node: ["secret"] if node.metadata.get("class") == "secret" else [],
    )
    assert texts(shelf.retrieve("q")) == ["closed"]
    failing = world.halo.guard(
        Shelf(*nodes), resource=trusted("labelled", id="other"), labels=lambda node: node.metadata["class"]
    )
    assert failing.retrieve("q") == []  # labels that are none, and a node for which it fails


def test_a_documents_words_are_masked_in_text_and_metadata(world):
    node = TextNode(text=f"card {CARD}", metadata={"note": f"also {CARD}"}, embedding=[0.1])
    shelf = world.halo.guard(Shelf(node), resource=trusted("masked", id="shelf"))
    (found,) = shelf.retrieve("q")
    assert CARD not in str(found.node.model_dump())
    assert "card" in found.node.text
    assert found.node.id_ == node.id_
    assert found.node.embedding is None
    assert node.text == f"card {CARD}"


def test_a_bundle_is_copied_and_what_else_it_asks_by_is_decided(world):
    shelf = world.halo.guard(Shelf("a"), resource=trusted(id="shelf"))
    bundle = QueryBundle("q", custom_embedding_strs=["other words"])
    shelf.retrieve(bundle)
    assert world.effects("shelf") == ["allow"]
    with pytest.raises(Denied) as denied:
        shelf.retrieve(7)
    assert denied.value.reason == "invalid_arguments"


@pytest.mark.parametrize("use_async", [False, True])
def test_models_and_retrievers_that_a_retriever_asks_are_decided(world, use_async):
    """A fusion retriever lets a model write its queries; each is a retrieval of its own."""
    model = ScriptedLLM(script=["one\ntwo"])
    fusion = QueryFusionRetriever([Shelf("a"), Shelf("b")], llm=model, num_queries=2, use_async=use_async)
    shelf = world.halo.guard(fusion, resource=trusted(id="fusion"))
    assert sorted(texts(shelf.retrieve("q"))) == ["a", "b"]
    assert world.kinds() == [("fusion", "allow"), ("scripted", "allow"), *[("fusion/Shelf", "allow")] * 4]


def test_a_retriever_in_another_is_denied_what_it_may_not_search(make_world):
    world = make_world(policy=NO_INNER_SHELF)
    fusion = QueryFusionRetriever([Shelf("a")], llm=ScriptedLLM(script=["one"]), num_queries=2, use_async=False)
    with pytest.raises(Denied):
        world.halo.guard(fusion, resource=trusted(id="fusion")).retrieve("q")
    assert world.effects("fusion/Shelf") == ["deny"]


def test_a_retriever_without_a_name_is_called_like_its_class(world):
    world.halo.guard(Shelf("a"), resource=Resource(source_trust=900, impact="read")).retrieve("q")
    assert world.kinds() == [("Shelf", "allow")]

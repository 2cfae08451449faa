"""What is kept of the texts of requests: bounded, and safe where several threads prepare calls."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from halo_core.enforcement import text_cache
from halo_core.enforcement.text_cache import TextCache

THREADS, TEXTS = 8, 3_000


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(text_cache, "_MAX_CACHED_CHARS", 100)
    monkeypatch.setattr(text_cache, "_ENTRY_CHARS", 0)


def test_the_texts_together_stay_within_the_bound():
    cache: TextCache[str, int] = TextCache()
    for number in range(500):
        text = f"{number:010d}"
        assert cache.keep(text, text, number) == number
        assert cache.get(text) == number
        assert sum(map(len, cache)) <= 100


def test_a_text_above_the_bound_stands_alone():
    cache: TextCache[str, int] = TextCache()
    cache.keep("a", "a", 1)
    cache.keep("b" * 200, "b" * 200, 2)
    cache.keep("c", "c", 3)
    assert list(cache) == ["c"]


def test_results_of_empty_texts_stay_within_the_bound(monkeypatch):
    monkeypatch.setattr(text_cache, "_ENTRY_CHARS", 10)
    cache: TextCache[int, int] = TextCache()
    for number in range(500):
        cache.keep(number, "", number)
        assert len(cache) <= 10


def test_threads_that_keep_texts_at_once_disturb_nobody():
    cache: TextCache[str, int] = TextCache()

    def fill(thread: int) -> None:
        for number in range(TEXTS):
            text = f"{thread}-{number:08d}"
            assert cache.keep(text, text, number) == number

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(fill, range(THREADS)))
    finally:
        sys.setswitchinterval(interval)
    for number in range(9):  # what it counts has not drifted: as many texts fit as before
        cache.keep(f"z{number:09d}", f"z{number:09d}", number)
    cache.keep("y" * 100, "y" * 100, 0)
    for number in range(9):
        cache.keep(f"x{number:09d}", f"x{number:09d}", number)
    assert [f"x{number:09d}" in cache for number in range(9)] == [True] * 9

"""Patterns that are compiled at their first use."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys

import pytest

import halo_core.values
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import _METHODS, compile_later

_MODULES = [module.name for module in pkgutil.walk_packages(halo_core.values.__path__, "halo_core.values.")]


@pytest.mark.parametrize("name", _MODULES)
def test_each_pattern_of_a_module_compiles(name):
    for value in vars(importlib.import_module(name)).values():
        if isinstance(value, CaselessPattern):
            assert value.search("") is None or value.match("") is not None
        elif type(value).__name__ == "_DeferredPattern":
            assert value.groups >= 0


def test_it_answers_as_the_pattern_does():
    text, plain, later = "Pay 20 to Ana, 5 to bob", re.compile(r"(\d+) to (\w+)"), compile_later(r"(\d+) to (\w+)")
    assert later.search(text)[0] == plain.search(text)[0]
    assert later.match(text) is None
    assert later.fullmatch("20 to Ana")[2] == "Ana"
    assert [match.span() for match in later.finditer(text)] == [match.span() for match in plain.finditer(text)]
    assert later.findall(text) == plain.findall(text)
    assert later.split(text) == plain.split(text)
    assert later.sub("x", text) == plain.sub("x", text)
    assert later.subn("x", text) == plain.subn("x", text)
    assert (later.pattern, later.flags, later.groups) == (plain.pattern, plain.flags, plain.groups)
    assert compile_later("ana", re.IGNORECASE).search(text)[0] == "Ana"


def test_methods_are_those_of_the_pattern_after_the_first_use():
    later = compile_later("a")
    assert not set(_METHODS) & vars(later).keys()
    later.search("")
    assert set(_METHODS) <= vars(later).keys()


def test_an_error_in_a_pattern_is_raised_at_its_first_use():
    later = compile_later("(")
    with pytest.raises(re.error):
        later.search("")


def test_importing_compiles_hardly_any():
    # The names of fixed vocabularies are split while the package is imported.
    script = (
        "import sys, re._compiler as compiler\n"
        "compile, sources = compiler.compile, []\n"
        "def count(p, flags=0):\n"
        "    frame = sys._getframe(1)\n"
        "    while frame.f_code.co_filename.endswith('/re/__init__.py'):\n"
        "        frame = frame.f_back\n"
        "    sources.append(frame.f_globals['__name__'])\n"
        "    return compile(p, flags)\n"
        "compiler.compile = count\n"
        "import halo_core.facade\n"
        "print(sum(name.startswith('halo_core.values') for name in sources))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 2

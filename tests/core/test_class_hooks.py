"""Wrapping methods of classes: those that exist, those made later, each once, and none of guarded copies."""

import abc
import functools

from halo_core.enforcement.class_hooks import watch_classes, wrap_methods
from halo_core.enforcement.guards import make_named_subclass


def wrap(method, name):
    @functools.wraps(method)
    def call(self):
        return f"{name} of {method(self)}"

    return call


def watch(kind):
    wrap_methods(kind, ("say",), wrap)


def test_methods_of_existing_and_of_later_classes_are_wrapped_once():
    class Base:
        def say(self):
            return "base"

    class Child(Base):
        def say(self):
            return "child"

    watch_classes(Base, watch)
    watch(Child)

    class Later(Child):
        def say(self):
            return "later"

    class Heir(Later):
        pass

    assert [kind().say() for kind in (Base, Child, Later, Heir)] == [
        "say of base",
        "say of child",
        "say of later",
        "say of later",
    ]


def test_what_the_class_does_when_it_is_derived_still_happens():
    names = []

    class Base:
        def __init_subclass__(cls, *, label, **kwargs):
            super().__init_subclass__(**kwargs)
            names.append(label)

    watch_classes(Base, watch)

    class Child(Base, label="first"):
        def say(self):
            return "child"

    assert names == ["first"]
    assert Child().say() == "say of child"


def test_abstract_methods_and_guarded_copies_are_left_alone():
    class Base(abc.ABC):
        @abc.abstractmethod
        def say(self):
            """Abstract."""

    method = Base.say
    watch_classes(Base, watch)
    copy = make_named_subclass(Base, {"say": lambda _self: "copy"})
    assert copy().say() == "copy"
    assert Base.say is method

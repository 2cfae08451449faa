"""The faster constructor of frozen dataclasses makes what the ordinary one makes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

from halo_core.quick_dataclass import dataclass, make_copier


def _define(decorator: Callable[..., Any] = dataclasses.dataclass) -> type[Any]:
    @decorator(frozen=True, slots=True)
    class Point:
        """A point."""

        x: int
        y: int = 7
        names: list[str] = dataclasses.field(default_factory=list, hash=False)
        seen: int = dataclasses.field(default=3, init=False, compare=False)
        made: list[int] = dataclasses.field(default_factory=lambda: [1], init=False, repr=False, hash=False)
        unit: str = dataclasses.field(default="m", kw_only=True)
        scale: int = dataclasses.field(kw_only=True, default=1)
        spare: int = dataclasses.field(default=0, hash=False, kw_only=True)

    return Point


@dataclass(frozen=True, slots=True)
class Pair:
    one: int
    other: str = ""
    total: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.one + len(self.other))


CALLS: list[Callable[[type[Any]], Any]] = [
    lambda cls: cls(1),
    lambda cls: cls(1, 2),
    lambda cls: cls(x=1, y=2, names=["a"]),
    lambda cls: cls(1, unit="km", scale=3),
    lambda cls: dataclasses.replace(cls(1, 2, ["b"]), y=9),
]


@pytest.mark.parametrize("call", CALLS)
def test_an_object_has_the_fields_that_the_ordinary_constructor_gives_it(call):
    assert dataclasses.asdict(call(_define(dataclass))) == dataclasses.asdict(call(_define()))


@pytest.mark.parametrize(
    "call", [lambda cls: cls(), lambda cls: cls(1, z=2), lambda cls: cls(1, 2, [], 3), lambda cls: cls(1, seen=4)]
)
def test_what_the_ordinary_constructor_refuses_is_refused(call):
    for cls in (_define(), _define(dataclass)):
        with pytest.raises(TypeError):
            call(cls)


def test_its_signature_is_the_same_one():
    ordinary, quick = (inspect.signature(cls) for cls in (_define(), _define(dataclass)))
    assert [(item.name, item.kind) for item in quick.parameters.values()] == [
        (item.name, item.kind) for item in ordinary.parameters.values()
    ]


def test_an_object_is_as_frozen_as_before():
    item = Pair(1, "ab")
    assert type(item) is Pair
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.one = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del item.one
    assert not hasattr(item, "__dict__")


def test_what_is_worked_out_behind_the_constructor_is_worked_out():
    assert Pair(1, "ab").total == 3
    assert dataclasses.replace(Pair(1, "ab"), one=5).total == 7


def test_objects_are_equal_hashed_copied_and_pickled_as_before():
    item = Pair(1, "ab")
    assert item == Pair(1, "ab") != Pair(2, "ab")
    assert hash(item) == hash(Pair(1, "ab"))
    assert copy.copy(item) == copy.deepcopy(item) == pickle.loads(pickle.dumps(item)) == item
    assert repr(item) == "Pair(one=1, other='ab', total=3)"


def test_the_annotations_of_its_constructor_can_be_evaluated():
    assert get_type_hints(Pair.__init__) == {"one": int, "other": str, "return": type(None)}


def test_each_object_has_its_own_default_that_a_function_makes():
    cls = _define(dataclass)
    assert cls(1).names is not cls(1).names


def test_its_methods_give_what_the_ordinary_ones_give():
    ordinary, quick = _define(), _define(dataclass)
    for one, other in (((1,), (1,)), ((1, 2), (1, 3)), ((1, 2, ("a",)), (1, 2, ("a",)))):
        assert repr(quick(*one)) == repr(ordinary(*one))
        assert (quick(*one) == quick(*other)) is (ordinary(*one) == ordinary(*other))
    assert quick(1) != ordinary(1)
    assert hash(quick(1, 2, (), spare=3)) == hash(quick(1, 2, (), spare=4))
    assert dataclasses.fields(quick)[0].name == "x"
    assert quick.__match_args__ == ordinary.__match_args__


def test_a_method_of_the_class_itself_is_kept():
    @dataclass(frozen=True, slots=True)
    class Word:
        """Equal in any case."""

        text: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Word) and self.text.lower() == other.text.lower()

        def __repr__(self) -> str:
            return self.text

        def __hash__(self) -> int:
            return len(self.text)

    assert hash(Word("Ab")) == 2
    assert repr(Word("Ab")) == "Ab"
    assert Word("Ab") == Word("aB")


def test_objects_that_are_not_compared_are_equal_to_themselves_alone():
    @dataclass(frozen=True, slots=True, eq=False)
    class Job:
        """A job."""

        name: str

    one = Job("a")
    assert one == one != Job("a")
    assert len({one, Job("a")}) == 2


def test_any_other_class_is_made_by_the_ordinary_decorator():
    class Base:
        """A base."""

        __slots__ = ()

    @dataclass(frozen=True, slots=True)
    class Child(Base):
        """With a base, so that it may have children too."""

        x: int

    @dataclass(slots=True)
    class Mutable:
        """Not frozen."""

        x: int

    item = Mutable(1)
    item.x = 2
    assert item == Mutable(2)
    assert type("Grandchild", (Child,), {"__slots__": ()})(1).x == 1


def test_a_subclass_is_refused():
    with pytest.raises(TypeError, match="into objects of the base"):
        type("Child", (Pair,), {"__slots__": ()})


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    start: str
    end: str = "home"
    stops: tuple[str, ...] = ()
    length: int = dataclasses.field(default=0, compare=False)


@pytest.mark.parametrize("changes", [{}, {"end": "work"}, {"start": "", "stops": ("a",), "length": 3}])
def test_a_copy_is_what_replace_makes(changes):
    route = Route("shop", stops=("b",), length=7)
    copied = make_copier(Route)(route, **changes)
    assert dataclasses.asdict(copied) == dataclasses.asdict(dataclasses.replace(route, **changes))
    assert type(copied) is Route
    assert route == Route("shop", stops=("b",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        copied.end = "sea"  # type: ignore[misc]


def test_a_copy_has_only_fields_of_its_class():
    with pytest.raises(TypeError):
        make_copier(Route)(Route("shop"), height=1)


def test_no_copies_are_made_of_what_its_constructor_works_out():
    for cls in (Pair, _define(dataclass)):
        with pytest.raises(TypeError, match="more than a copy"):
            make_copier(cls)
    with pytest.raises(TypeError, match="no plain frozen dataclass"):
        make_copier(dataclasses.make_dataclass("Wide", ["x"], frozen=True))

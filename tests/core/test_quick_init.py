"""The faster constructor of frozen dataclasses makes what the ordinary one makes."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from halo_core.quick_init import make_copier, quick_init


def _define() -> type[Any]:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 7
        names: list[str] = dataclasses.field(default_factory=list)
        seen: int = dataclasses.field(default=3, init=False, compare=False)
        made: list[int] = dataclasses.field(default_factory=lambda: [1], init=False)
        unit: str = dataclasses.field(default="m", kw_only=True)
        scale: int = dataclasses.field(kw_only=True, default=1)

    return Point


@quick_init
@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    one: int
    other: str = ""
    total: int = dataclasses.field(default=0, init=False)

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
    assert dataclasses.asdict(call(quick_init(_define()))) == dataclasses.asdict(call(_define()))


@pytest.mark.parametrize(
    "call", [lambda cls: cls(), lambda cls: cls(1, z=2), lambda cls: cls(1, 2, [], 3), lambda cls: cls(1, seen=4)]
)
def test_what_the_ordinary_constructor_refuses_is_refused(call):
    for cls in (_define(), quick_init(_define())):
        with pytest.raises(TypeError):
            call(cls)


def test_its_signature_is_the_same_one():
    ordinary, quick = (inspect.signature(cls) for cls in (_define(), quick_init(_define())))
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


def test_each_object_has_its_own_default_that_a_function_makes():
    cls = quick_init(_define())
    assert cls(1).names is not cls(1).names


def test_only_plain_frozen_dataclasses_with_slots_are_taken():
    class Base:
        __slots__ = ()

    for cls in (
        type("Plain", (), {}),
        dataclasses.make_dataclass("Thawed", ["x"], slots=True),
        dataclasses.make_dataclass("Wide", ["x"], frozen=True),
        dataclasses.make_dataclass("Child", ["x"], bases=(Base,), frozen=True, slots=True),
    ):
        with pytest.raises(TypeError, match="no plain frozen dataclass"):
            quick_init(cls)


def test_a_subclass_is_refused():
    with pytest.raises(TypeError, match="object of its base"):
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
    for cls in (Pair, quick_init(_define())):
        with pytest.raises(TypeError, match="more than a copy"):
            make_copier(cls)
    with pytest.raises(TypeError, match="no plain frozen dataclass"):
        make_copier(dataclasses.make_dataclass("Wide", ["x"], frozen=True))

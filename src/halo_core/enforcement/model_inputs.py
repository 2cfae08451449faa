"""The input of a model call, as its decision records it: messages in order, system prompt, tools, parameters.

The entry holds a keyed reference of each message, in the order in which the model gets them. The text of a message is
sealed once for each session, in the first decision that names it (the field `messages`), so that whoever may read the
content can restore any prompt (`load_prompt` in `halo_core.views.model_calls`). System prompts and schemas of tools
repeat: they are stored once as parts, with secrets and personal data masked.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, NamedTuple

import orjson

from halo_core.content.redaction import Redactor
from halo_core.crypto import canonical
from halo_core.decision.record_parts import Part, encode_text, make_part, unpack_digest
from halo_core.enforcement.text_cache import TextCache
from halo_core.errors import CanonicalError
from halo_core.model import ModelCall
from halo_core.model_requests.known_fields import FieldShape, list_known_fields, normalize_field
from halo_core.quick_dataclass import dataclass
from halo_core.references import References, clip_name

MAX_MESSAGE_CHARS: Final = 16_384
"""Characters of a message that are sealed; its reference is of all of it."""
_MAX_SEALED_CHARS: Final = 262_144  # of the messages of one decision; the others are sealed with the next one
_MAX_REMEMBERED: Final = 65_536
_MAX_CACHED: Final = 64
_MAX_TOOLS: Final = 1024
MAX_SCHEMA_CHARS: Final = 65_536
"""Characters of the schema of one tool that are recorded; of a longer one there is a reference."""
_MAX_SCHEMAS_CHARS: Final = 524_288  # of all tools of a call
_OMITTED: Final = {"omitted": "no canonical form"}
_PARAMETER_SHAPES: Final = (FieldShape.SCALARS, FieldShape.SETTINGS, FieldShape.FORMAT, FieldShape.CHOICE)
_NO_PARAMETERS: Final = frozenset(map(normalize_field, ("metadata", "labels", "tags", "user", "user_id", "timeout")))
_MAX_DEPTH: Final = 6
_MAX_ITEMS: Final = 256
_MAX_PARAMETER_CHARS: Final = 1024


class Message(NamedTuple):
    """A message given to a model.

    Args:
        role: `system`, `user`, `assistant`, `tool` or what the framework calls it.
        text: all of it as text, with the calls that it asks for (see `join_calls`).
    """

    role: str
    text: str

    @property
    def referenced_text(self) -> str:
        """The text whose digest is the message's reference."""
        return f"{self.role}\0{self.text}"


@dataclass(frozen=True, slots=True)
class ModelInput:
    """The input of one model call.

    Args:
        messages: its messages in order, the system prompt among them.
        system: the system prompt; stored once, masked.
        tools: schemas of its tools as JSON texts; stored once.
        provider: who runs it, empty if unknown.
        version: its version as the provider names it, empty if unknown.
        parameters: temperature and the like, see `select_parameters`.
    """

    messages: Sequence[Message] = ()
    system: str = ""
    tools: Sequence[str] = ()
    provider: str = ""
    version: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


class RecordedInput(NamedTuple):
    """A model call as it is recorded.

    Args:
        model: what stands in the request; None for anything but an inference.
        parts: the parts that it names.
        sealed: JSON of the messages that this session has not sealed yet: reference, role, and text; without a text
            where it is the decision's sealed field `trigger`. Empty for none.
        new_messages: those messages, as session and reference.
    """

    model: ModelCall | None = None
    parts: tuple[Part, ...] = ()
    sealed: bytes = b""
    new_messages: tuple[tuple[str, str], ...] = ()


NO_RECORD: Final = RecordedInput()


def join_calls(text: str, calls: Iterable[tuple[str, Any]]) -> str:
    """The text of a message, then each call it asks for on its own line: the name and the arguments as JSON."""
    lines = [f"{name} {dump_json(arguments)}" for name, arguments in calls]
    return "\n".join((text, *lines)) if lines else text


def dump_json(value: Any) -> str:
    """A value as JSON text; values that are not JSON become their text."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS).decode()
    except Exception:  # noqa: BLE001  INVARIANT: TOTAL - an object of the caller's that misbehaves
        return f'"{type(value).__name__}"'


def select_parameters(fields: Mapping[str, Any], provider_class: str = "") -> dict[str, Any]:
    """The parameters of a request: its known fields without contents, tools, names and headers.

    Args:
        fields: fields as sent.
        provider_class: name of the model's class.
    """
    known = list_known_fields(provider_class)
    selected: dict[str, Any] = {}
    for name in sorted(map(str, fields)):
        normalized = normalize_field(name)
        value = fields.get(name)
        if value is not None and known.get(normalized) in _PARAMETER_SHAPES and normalized not in _NO_PARAMETERS:
            selected[name] = _simplify(value, 0)
    return selected


def _simplify(value: Any, depth: int) -> Any:
    """A parameter as a JSON tree, with class names in place of values in other forms."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str.__str__(value)[:_MAX_PARAMETER_CHARS]
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        return {str(key)[:_MAX_ITEMS]: _simplify(value[key], depth + 1) for key in list(value)[:_MAX_ITEMS]}
    if isinstance(value, list | tuple) and depth < _MAX_DEPTH:
        return [_simplify(item, depth + 1) for item in value[:_MAX_ITEMS]]
    return value.__name__ if isinstance(value, type) else type(value).__name__


class ModelRecorder:
    """Describes model calls for the record, and remembers which messages are already sealed. Thread-safe.

    Args:
        references: what stands in place of texts.
        redactor: finds secrets and personal data.
    """

    def __init__(self, references: References, redactor: Redactor) -> None:
        self._references, self._redactor = references, redactor
        self._sealed: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()
        self._names: TextCache[Message, str] = TextCache()
        self._system_parts: dict[str, Part] = {}
        self._tool_parts: dict[tuple[str, ...], Part] = {}

    def describe(self, model_input: ModelInput | None, session: str, trigger_text: str) -> RecordedInput:
        """The description of a model call; empty if it has no canonical form.

        Args:
            model_input: what the model is given; None for another kind of call.
            session: reference of the session.
            trigger_text: text of the message that asked, which the decision seals as `trigger`.
        """
        if model_input is None:
            return NO_RECORD
        try:
            parts: list[Part] = []
            system = tools = ""
            if model_input.system:
                parts.append(self._find_system_part(model_input.system))
                system = unpack_digest(parts[-1][0])
            if model_input.tools:
                parts.append(self._find_tools_part(tuple(model_input.tools)))
                tools = unpack_digest(parts[-1][0])
            parameters = {name: self._record_parameter(value) for name, value in model_input.parameters.items()}
            names = self._name_messages(model_input.messages)
            model = ModelCall(
                clip_name(model_input.provider), clip_name(model_input.version), tuple(names), system, tools, parameters
            )
            sealed, new_messages = self._seal_new(model_input.messages, names, session, trigger_text)
        except Exception:  # noqa: BLE001  INVARIANT: TOTAL - an object of the caller's that misbehaves
            return NO_RECORD
        return RecordedInput(model, tuple(parts), sealed, new_messages)

    def _name_messages(self, messages: Sequence[Message]) -> list[str]:
        """The references of messages, remembered: each model call of a conversation shows all of it again."""
        known, names = self._names, []
        for message in messages:
            name = known.get(message)
            if name is None:
                name = known.keep(message, message.text, self._references.of_message(message.referenced_text))
            names.append(name)
        return names

    def note_sealed(self, new_messages: Iterable[tuple[str, str]]) -> None:
        """Remember that these messages are sealed by a durable decision."""
        with self._lock:
            for key in new_messages:
                self._sealed[key] = None
            while len(self._sealed) > _MAX_REMEMBERED:
                self._sealed.popitem(last=False)

    def _seal_new(
        self, messages: Sequence[Message], names: Sequence[str], session: str, trigger_text: str
    ) -> tuple[bytes, tuple[tuple[str, str], ...]]:
        rows: list[list[str | None]] = []
        new: dict[tuple[str, str], None] = {}
        room = _MAX_SEALED_CHARS
        for message, name in zip(messages, names, strict=True):
            if (session, name) in self._sealed or (session, name) in new:
                continue
            is_trigger = bool(message.text) and message.text == trigger_text
            text = None if is_trigger else _clip(message.text)
            room -= len(text or "")
            if room < 0:
                break
            rows.append([name, message.role, None if text is None else self._redactor.seal_text(text)])
            new[session, name] = None
        return (orjson.dumps(rows) if rows else b""), tuple(new)

    def _find_system_part(self, text: str) -> Part:
        part = self._system_parts.get(text)
        if part is None:
            if len(self._system_parts) >= _MAX_CACHED:
                self._system_parts.clear()
            part = self._system_parts[text] = encode_text(self._redactor.hide(_clip(text)))
        return part

    def _find_tools_part(self, schemas: tuple[str, ...]) -> Part:
        part = self._tool_parts.get(schemas)
        if part is None:
            room = _MAX_SCHEMAS_CHARS
            trees = []
            for text in schemas:
                room -= len(text) if len(text) <= MAX_SCHEMA_CHARS else 0
                trees.append(self._record_schema(text, has_room=room >= 0))
            if len(self._tool_parts) >= _MAX_CACHED:
                self._tool_parts.clear()
            part = self._tool_parts[schemas] = make_part({"tools": trees})
        return part

    def _record_schema(self, text: str, *, has_room: bool) -> Any:
        """A schema as a canonical tree; a reference to its text if it is too long or has no such form.

        INVARIANT: AUDIT - whoever serves a tool chooses its schema, and hides nothing else of the call with it.
        """
        reason = "too long"
        if has_room and len(text) <= MAX_SCHEMA_CHARS:
            try:
                return canonical.to_plain(self._redactor.hide_value(orjson.loads(text)))
            except (CanonicalError, RecursionError, ValueError):
                reason = "no canonical form"
        return {"omitted": reason, "reference": self._references.of_message(text)}

    def _record_parameter(self, value: Any) -> Any:
        try:
            return canonical.to_plain(self._redactor.hide_value(value))
        except (CanonicalError, RecursionError, ValueError):
            return dict(_OMITTED)


def _clip(text: str) -> str:
    return text[:MAX_MESSAGE_CHARS].encode("utf-8", "replace").decode("utf-8")


class SchemaTexts:
    """JSON texts of tools' schemas, cached for tools given to models repeatedly. Thread-safe.

    Args:
        read_schema: tool → its schema, as the model gets it: name, description, parameters.
    """

    def __init__(self, read_schema: Callable[[Any], Any]) -> None:
        self._read_schema = read_schema
        self._known: dict[tuple[int, str, str], tuple[Any, str]] = {}

    def describe(self, tool: Any) -> str:
        """The schema of a tool; a mapping is taken as the schema itself."""
        metadata = getattr(tool, "metadata", None)
        described = metadata if getattr(metadata, "description", None) is not None else tool
        key = (id(tool), str(getattr(described, "name", "")), str(getattr(described, "description", "")))
        known = self._known.get(key)
        if known is not None and known[0]() is tool:
            return known[1]
        if isinstance(tool, Mapping):  # asked late: an abstract class takes its time to say no
            return dump_json(tool)
        try:
            schema = self._read_schema(tool)
        except Exception:  # noqa: BLE001  an argument of an arbitrary type has no JSON schema
            schema = {"name": key[1], "description": key[2]}
        text = dump_json(schema)
        try:
            reference = weakref.ref(tool)
        except TypeError:
            return text
        if len(self._known) >= _MAX_TOOLS:
            self._known.clear()
        self._known[key] = reference, text
        return text

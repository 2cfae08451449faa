"""The exceptions that Halo raises, by whose fault it is.

    HaloError
    ├── BadInput            the caller's data is wrong; names the field
    │   ├── CanonicalError  a value has no canonical form
    │   ├── PassportError   a credential was refused
    │   ├── PolicyError     a policy does not parse or validate
    │   └── ConfigError     a setting, a file or a URL is wrong
    ├── Denied              the decision was not to run the action (a PermissionError)
    │   ├── Pending         it waits for somebody outside the chain
    │   └── Held            it is stored until somebody has answered, while its caller goes on
    ├── CannotDecide        no durable decision could be made: the action does not run
    └── NotVerified         the ledger could not be shown to be whole
        ├── Tampered        an entry or a row was changed
        └── Gap             something is missing

Messages are lowercase without a full stop, with user input in backticks; the remedy says what to do next.

Frameworks give models the text of an error, so a denial's text has no remedy: it must not tell an agent which command
frees it, or how to ask for what was refused. The remedy is a note of the exception, which only tracebacks show.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar


class HaloError(Exception):
    """Root of every error that Halo raises.

    Attributes:
        code: stable machine-readable word, one of `halo_core.reasons` for a denial.
        remedy: one sentence telling the reader what to do.
        is_recorded: whether a refusal is part of the ledger already.
    """

    is_recorded = False
    default_remedy: ClassVar[str] = ""
    """The remedy of an error that is raised without one."""

    def __init__(self, code: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy or self.default_remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """Make errors picklable, so that another process can raise them."""
        return _rebuild_error, (type(self), self.args, vars(self))

    def __str__(self) -> str:
        """Message, code and remedy on one line."""
        text = f"{self.message} [{self.code}]"
        return f"{text}; {self.remedy}" if self.remedy else text


def _rebuild_error(kind: type[HaloError], args: tuple[Any, ...], members: Mapping[str, Any]) -> HaloError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(members)
    return error


class BadInput(HaloError):
    """The caller's data is wrong; `field` is a JSON pointer or a parameter name."""

    def __init__(self, code: str, message: str, *, field: str = "", remedy: str = "") -> None:
        super().__init__(code, message, remedy=remedy)
        self.field = field

    def __str__(self) -> str:
        """Like `HaloError`, with the field in front if there is one."""
        text = super().__str__()
        return f"{self.field}: {text}" if self.field else text


class CanonicalError(BadInput):
    """A value has no canonical form (NaN, a lone surrogate, too deep, too large, an unknown type)."""

    default_remedy = "pass texts, integers below 2**53, lists and mappings; pass large data by reference"


class PassportError(BadInput):
    """A passport was refused; `code` is its name in the attack list."""


class PolicyError(BadInput):
    """A policy set does not parse, does not validate, or lacks an `@id`."""


class ConfigError(BadInput):
    """A setting, a file or a database URL is wrong."""


class Denied(HaloError, PermissionError):
    """The action was refused and did not run.

    A `PermissionError`, so that LangGraph's retry policy does not try it again. Its text is what a model is told; the
    remedy, with the operator's command, is for the application and the log.

    Attributes:
        reason: reason code (`halo_core.reasons`).
        advice: what the agent may do now.
        decision_id: id of the ledger entry, empty when none could be written.
        earlier: with the reason `already_dispatched`, what the earlier run of this very request brought, as the ledger
            recorded it (secrets sealed); None if it did not succeed, is not all recorded, or cannot be proven.
    """

    default_advice: ClassVar[str] = "go on without it, or tell the user"
    """The advice of a denial that is raised without one."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        remedy: str = "",
        advice: str = "",
        decision_id: str = "",
        earlier: str | None = None,
    ) -> None:
        super().__init__(reason, message, remedy=remedy)
        self.reason = reason
        self.advice = advice or self.default_advice
        self.decision_id = decision_id
        self.earlier = earlier
        if self.remedy:
            self.add_note(self.remedy)

    def __str__(self) -> str:
        """What happened and why, and what the agent may do instead; the same text for every framework's model."""
        where = f" (decision {self.decision_id})" if self.decision_id else ""
        return f"{self.message} [{self.code}]; it did not run{where}; {self.advice}"


class Pending(Denied):
    """The action waits for an approval; `pending_id` is the id of the request."""

    default_advice = "a person decides whether it may: go on without it, or tell the user that it waits"

    def __init__(self, reason: str, message: str, *, pending_id: str, remedy: str = "", decision_id: str = "") -> None:
        super().__init__(reason, message, remedy=remedy, decision_id=decision_id)
        self.pending_id = pending_id


class Held(Denied):
    """The action is held: it runs only after somebody outside the chain approves it.

    Attributes:
        pending_id: names the request.
        held_id: names the held act.
        earlier: the notice that a framework is given in place of a result.
    """

    default_advice = Pending.default_advice

    def __init__(
        self, reason: str, message: str, *, pending_id: str, held_id: str, remedy: str = "", decision_id: str = ""
    ) -> None:
        notice = f"held, no result yet: {message}. It has not run; do not assume that it will."
        super().__init__(reason, message, remedy=remedy, decision_id=decision_id, earlier=notice)
        self.pending_id = pending_id
        self.held_id = held_id


class CannotDecide(HaloError):
    """No durable decision could be made (store closed, busy, full, read-only). Fail closed: nothing runs."""


class NotVerified(HaloError):
    """The ledger could not be shown to be complete and unaltered."""

    default_remedy = "run `halo verify`, which names everything that is wrong"


class Tampered(NotVerified):
    """Something the ledger holds was changed after it was written."""


class Gap(NotVerified):
    """Something the ledger should hold is missing."""


def make_read_error(
    path: Path,
    error: OSError | UnicodeError,
    *,
    field: str,
    code: str = "no_file",
    remedy: str = "check the path and its permissions",
    encoding: str = "UTF-8",
) -> ConfigError:
    """The error for a file that cannot be read or is not text in `encoding`."""
    return ConfigError(
        code, f"cannot read `{path}`: {_describe_file_error(error, encoding)}", field=field, remedy=remedy
    )


def make_write_error(
    path: Path,
    error: OSError,
    *,
    field: str,
    code: str = "no_file",
    remedy: str = "choose a file in a writable folder, with space left",
) -> ConfigError:
    """The error for a file that cannot be written."""
    return ConfigError(code, f"cannot write `{path}`: {_describe_file_error(error)}", field=field, remedy=remedy)


def _describe_file_error(error: OSError | UnicodeError, encoding: str = "UTF-8") -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else f"it is not {encoding} text"


def describe_cause(error: Exception) -> str:
    """The message of an error for use in another one, without its remedy, which would not fit there."""
    return f"{error.message} [{error.code}]" if isinstance(error, HaloError) else str(error)


def require(condition: object, problem: str) -> None:
    """Raise ValueError unless the condition holds; for parsers that convert it into their own error."""
    if not condition:
        raise ValueError(problem)

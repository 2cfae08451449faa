"""Policy bundle: Cedar files and argument types, which a decision names by hash (`PolicyBundle`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from halo_core.crypto import canonical
from halo_core.errors import BadInput, PolicyError
from halo_core.quick_dataclass import dataclass

if TYPE_CHECKING:
    from halo_core.policy.schema import ArgTypes

from halo_core.policy.parsing import Finding, Policy, parse_policies

_DOMAIN: Final = "halo/policy/v1"
_RULES_DOMAIN: Final = "halo/policy/rules/v1"
_SUFFIX: Final = ".cedar"


@dataclass(frozen=True, slots=True)
class PolicyBundle:
    """Policies and the argument types they were written for; equal bundles have equal bytes and one hash.

    Args:
        sources: file name → Cedar text.
        types: argument types of the registered tools, which direct how arguments are encoded.
    """

    sources: Mapping[str, str]
    types: ArgTypes = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make read-only copies, so that a bundle never changes under its hash."""
        types = {name: MappingProxyType(dict(args)) for name, args in self.types.items()}
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))
        object.__setattr__(self, "types", MappingProxyType(types))

    @property
    def hash(self) -> str:
        """`sha256:` over the canonical bytes."""
        return canonical.digest(_DOMAIN, self.to_bytes())

    @property
    def rules(self) -> str:
        """`sha256:` over the texts alone: equal for equal rules, whatever tools are registered."""
        return canonical.digest(_RULES_DOMAIN, canonical.encode(self.sources))

    def to_bytes(self) -> bytes:
        """Canonical bytes, as the store keeps them."""
        return canonical.encode({"sources": self.sources, "types": self.types})

    @classmethod
    def from_bytes(cls, data: bytes) -> PolicyBundle:
        """Inverse of `to_bytes`; the policies themselves are parsed by `parse`.

        Raises:
            PolicyError: these are not the bytes of a bundle.
        """
        try:
            members = canonical.from_plain(canonical.loads(data))
            sources, types = members["sources"], members["types"]
            texts = [*sources.values(), *(text for args in types.values() for text in args.values())]
        except (BadInput, AttributeError, KeyError, TypeError) as exc:
            raise _make_bundle_error() from exc
        if set(members) != {"sources", "types"} or not all(isinstance(text, str) for text in texts):
            raise _make_bundle_error()
        return cls(sources, types)

    @classmethod
    def load(cls, paths: Iterable[Path], types: ArgTypes | None = None) -> PolicyBundle:
        """Read `.cedar` files, and those directly inside the directories given.

        Raises:
            PolicyError: a path is missing, unreadable, not UTF-8, or two files share a name.
        """
        sources: dict[str, str] = {}
        for path in paths:
            files = sorted(path.glob("*" + _SUFFIX)) if path.is_dir() else [path]
            if not files:
                message = "there is no `.cedar` file here"
                raise PolicyError("policy_missing", message, field=str(path), remedy="give a file or a directory")
            for file in files:
                if file.name in sources:
                    raise PolicyError("policy_invalid", "two files share a name", field=str(file), remedy="rename one")
                sources[file.name] = _read_file(file)
        return cls(sources, types or {})

    @classmethod
    def load_starter(cls) -> PolicyBundle:
        """Return the starter policy that ships in the package."""
        folder = resources.files("halo_core.policy") / "starter"
        files = sorted((file for file in folder.iterdir() if file.name.endswith(_SUFFIX)), key=lambda file: file.name)
        return cls({file.name: file.read_text(encoding="utf-8") for file in files})

    def parse(self) -> tuple[Policy, ...]:
        """Parse, sorted by id.

        Raises:
            PolicyError: with the file and line of the first finding.
        """
        parsed, findings = parse_bundle(self)
        if findings:
            first = findings[0]
            name = f"policy `{first.policy}`: " if first.policy else ""
            raise PolicyError("policy_invalid", name + first.message, field=first.where, remedy=first.hint)
        return parsed


def parse_bundle(bundle: PolicyBundle) -> tuple[tuple[Policy, ...], list[Finding]]:
    """Parse every source: the policies that are well formed, sorted by id, and every finding, sorted by place."""
    policies: dict[str, Policy] = {}
    findings: list[Finding] = []
    for source, text in sorted(bundle.sources.items()):
        parsed, problems = parse_policies(source, text)
        findings += problems
        for policy in parsed:
            if first := policies.get(policy.id):
                where = f"{first.source}:{first.line}"
                findings.append(
                    Finding(
                        policy.source, policy.line, policy.id, f"the `@id` is already used by {where}", "choose another"
                    )
                )
            policies.setdefault(policy.id, policy)
    return tuple(policies[name] for name in sorted(policies)), sorted(findings)


def _read_file(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as exc:
        raise PolicyError(
            "policy_missing", "no such file", field=str(path), remedy="run your app once, or give a folder"
        ) from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise PolicyError(
            "policy_unreadable", "the file cannot be read as UTF-8 text", field=str(path), remedy="correct the file"
        ) from exc


def _make_bundle_error() -> PolicyError:
    return PolicyError("policy_invalid", "not the bytes of a policy bundle", remedy="restore the store from a backup")

"""Commands of a shell that the user dictates one after another, without quotation marks.

    find_dictated_commands("git revert --no-edit 4f2a91c, then git push origin main. Both in one go is fine")
    # two forms "dictated_commands": of the first command, and of both, each in a line

A call may join them by `&&`, by `;` or by lines, in the user's order and from the first one on: without the first, the
others may do something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.prohibitions import drop_confirmation_clauses
from halo_core.values.sketches.sketch import Sketch, has_user_mark
from halo_core.values.sketches.written_words import is_written

_MAX_CHARS: Final = 4_096  # of a text
_MAX_COMMANDS: Final = 8
_MAX_PROGRAM: Final = 2_048  # characters
_COMMANDS: Final = (
    "(?:ansible(?:-playbook)?|apt(?:-get)?|aws|az|brew|bundle|cargo|cat|cd|chmod|chown|cmake|composer|conda|cp|curl|dd|df"
    "|docker(?:-compose)?|dotnet|du|find|flask|gcloud|gh|git|go|gradle|grep|helm|journalctl|kill|kubectl|ln|ls|make|mkdir"
    "|mvn|mv|mysql|node|npm|npx|pg_dump|pip3?|pnpm|podman|poetry|psql|pulumi|pytest|python3?|rake|rm|rmdir|rsync|ruby|scp"
    "|sed|sh|bash|ssh|sudo|systemctl|tail|tar|terraform|touch|tox|uv|wget|yarn|zip|unzip|django-admin|alembic|ruff|mypy)"
)
"""Programs that are usually run in a shell."""
_BULLET: Final = r"(?:[-*•]\s+|[0-9]{1,2}[.)]\s+)?"
_JOINT: Final = (
    rf"(?:\s*(?:,|;|&&|\n|\.(?=\s))\s*)?\s*{_BULLET}(?:(?:and|und|et|y|e|en)\s+)?"
    r"(?:(?:then|afterwards|after that|followed by|next|dann|danach|anschließend|puis|ensuite|luego|después|poi|dopo"
    r"|daarna|dan|and|und|et|y|e|en)\s+)?(?:(?:run|do|execute)\s+)?"
)
_NEXT: Final = compile_later(rf"(?:(?<=\s)|(?=[,;.&\n])){_JOINT}(?={_COMMANDS}\s[^\s,.])", re.IGNORECASE)
"""What stands in front of a further command."""
_OWN_PROGRAM: Final = r"(?:\.{1,2}/)?(?:[\w-]+/)*(?:bin|sbin|scripts?|tools?|ops)/[\w-]+(?:\.(?:sh|py|rb|pl))?"
"""A program of the project: `bin/reindex`."""
_FIRST: Final = compile_later(rf"(?:^|(?<=[\s:]))(?:{_COMMANDS}|{_OWN_PROGRAM}) [^\s,.]")
_LOOK: Final = (
    r"(?:read|see|check|open|look at|lies|lis|lee|leggi|lees) (?:the |my |die |le |la |el |il )?"
    r"(?:mails?|message|ticket|pr|pull request|issue|note|correo) ?#?[0-9]*"
    r"(?:,? (?:and|then|und|dann|et|puis|y|luego|e|poi|en))?"
)
"""An order to read something, in front of the commands."""
_ANOTHER: Final = r"(?!(?:i|we|they|he|she|it|who|what|which|somebody|someone|nobody)\b)"
_TO_RUN: Final = (
    rf"(?:[^.?!:\n]{{0,120}}[,;] )?{_ANOTHER}(?:(?:the|our) )?[\w-]+(?: [\w-]+)? (?:should|must|has to|is to|needs to)"
    r" (?:now |just |please |simply )?(?:run|execute)"
)
"""What runs the command: "the builder should run"."""
_FOLLOWING: Final = (
    r"(?:follow|do|use|take|go by|stick to) [^.?!:\n]{1,80}?(?:,| -| –)? (?:namely|that is|that means|in other words|=)"
)
"""An order in front of its explanation: "follow the page, i.e."."""
_LEAD: Final = CaselessPattern(
    rf"[\s*•-]*(?:(?:{_TO_RUN}|{_FOLLOWING}|{_LOOK}|ok|okay|anyway|so|now|please|pls|just|also|first|next|and|but|well|right|hi|hello"
    r"|good|fine|run"
    r"|execute|do|start|(?:can|could|would|will) you|go ahead and|this|these|the|following|commands?|steps?|for me"
    r"|in (?:a|the|one) shell|in (?:one|a single) go|in this order|bitte|jetzt|erst|zuerst|mach|lass|starte|exécute"
    r"|lance|ejecuta|esegui|draai|voer uit|führe aus|por favor|per favore|s['’]il te plaît|ensuite|luego|poi|dann)"
    r"[\s,:]+)*"
)
"""All that may stand in its sentence in front of the first command."""
_POLITE_END: Final = compile_later(
    r"[\s,]*(?:please|pls|plz|thanks|thx|bitte|danke|merci|gracias|grazie)?[\s.!]*$", re.IGNORECASE
)
_HELD: Final = CaselessPattern(
    r"\b(?:if|unless|when|once|until|only|except|but|instead|not|never|maybe|perhaps|later|after|before|should"
    r"|falls|wenn"
    r"|sobald|nur|erst|nicht|si|sauf|quand|seulement|pas|cuando|solo|sólo|salvo|se|quando|als|tenzij|alleen|niet)\b"
    r"|n['’]t\b"
)
"""Words of a remark behind the commands by which it may hold them back."""
_ABOUT: Final = CaselessPattern(
    r"\b(?:that|this|these|those|they|them|which|why|safe|risky|dangerous|harmful|idea|typed|ran|broke|caused"
    r"|does|did)\b"
    r"|\b(?:explain\w*|thoughts?|opinions?|good or bad|discuss\w*|comments?|nice try|for the reason|at (?:his"
    r"|her) (?:best|worst)"
    r"|(?:wants?|mentions?|recommends?|suggests?) it)\b|^\W*says?\b|\^"
    r"|\bit (?:is|was|has|had|does|did|would|looks?|seems?|broke|fails?|failed|deletes?)\b"
    r"|\b(?:was|is|does|did|would|will|could|can) it\b"
)
"""A remark behind the commands that is about them: a question, or what they did."""
_HARMLESS: Final = compile_later(
    r"\b(?:after|before|with|for|besides|apart from) (?:that|this)\b|\bthat['’]?s (?:all|it)\b|\bthat is all\b"
    r"|\b(?:do|run|execute) (?:it|this|that|them|these)(?: all)?\b(?! by\b)|\bin this order\b"
    r"|\b(?:what|if|whether) (?:it|that|this|the mail|mail [0-9]+) (?:says?|wants?|is about|asks?)\b"
    r"|\bwhat (?:does|did) (?:it|that|this|the|mail|message|ticket)\b[^?.!]{0,30}\b(?:says?|wants?|asks?)\b"
    r"|\bwhat (?:do|does|did) (?:they|he|she|it) (?:say|want|ask)\b|\bit['’]?s urgent\b",
    re.IGNORECASE,
)
"""Remarks that say nothing of the commands."""
_OWN_QUESTION: Final = compile_later(r"(?![\s,]*(?:ok(?:ay)?|please|pls|thanks)\?)[^.!?\n]*\?", re.IGNORECASE)
_HEADING: Final = CaselessPattern(
    r"\b(?:from|by|of|notes?|logs?|history|runbooks?|steps?|scripts?|mails?|messages?|ran|wrote|did|typed"
    r"|sent)\b|['’]s\b"
)
"""A line above commands that says whose they are: "From Bob's runbook"."""
_SHOWN: Final = CaselessPattern(r"\b(?:this|these|the following|as follows)\.?$")
"""Ends of sentences behind which the user may only show commands."""
_THAT_IS: Final = compile_later(r"\bi\.? ?e\.,?:? ", re.IGNORECASE)
"""It would end a sentence otherwise."""
_ABOUT_COMMAND: Final = CaselessPattern(
    r"\b(?:this|that|these|those|it|commands?|scripts?|lines?|run|runs|mean|means|says?|said|wrote|writes"
    r"|suggest\w*|propos\w*|recommend\w*|advi[cs]e\w*|tells?|told|fix\w*|solution|found|right|safe|correct|help|should"
    r"|what|which|how|or)\b"
)
"""Words of what stands before a command by which a question there may be about the command."""
_REPORTED: Final = CaselessPattern(
    r"\b(?:says?|said|wrote|writes|thinks?|thought|claims?|suggest\w*|recommend\w*|according|told|tells|wants?|asks?|asked"
    r"|heard|maybe|perhaps|if|unless|when|not|never|no)\b|n['’]t\b"
)
"""Words by which what is to be run may be the wish of somebody else."""
_SENTENCE_START: Final = compile_later(r"[.!?]\s+|\n")
_SENTENCE_END: Final = compile_later(r"[.!?](?=\s|$)|\n|$")
_BETWEEN: Final = compile_later(r"\s*(?:&&|;|\n)\s*")


def find_dictated_commands(text: str) -> Iterator[Form]:
    """Find the commands that a text of the user dictates: the first one, the first two, and so on.

    Args:
        text: of the user, without what it forbids.
    """
    text = _THAT_IS.sub("namely ", text[:_MAX_CHARS].replace("`", ""))
    start = _find_start(text)
    if start is None or drop_confirmation_clauses(text) != text:
        return
    commands, rest = _split_commands(text[start:])
    if not commands or _HELD.search(rest) is not None or _OWN_QUESTION.match(rest) is not None:
        return
    if _ABOUT.search(_HARMLESS.sub("", rest)) is not None:
        return
    for count in range(1, min(len(commands), _MAX_COMMANDS) + 1):
        yield make_form(("dictated_commands", "\n".join(commands[:count])))


def are_commands_dictated(sketch: Sketch, program: str) -> bool:
    """Whether the user dictated the commands of a program one after another, and the program has no others."""
    if len(program) > _MAX_PROGRAM:
        return False
    commands = [" ".join(part.split()) for part in _BETWEEN.split(program.strip()) if part.strip()]
    if not has_user_mark(sketch.look_up_forms([Form("dictated_commands", "\n".join(commands))])):
        return False
    # INVARIANT: VOUCH - each command in the user's own words, and not in those of a text that was pasted.
    return all(is_written(sketch, command) for command in commands)


def _find_start(text: str) -> int | None:
    """Find the first command whose sentence has nothing else in front of it; None if the user may only show it."""
    for match in _FIRST.finditer(text):
        before = text[: match.start()]
        sentence = _SENTENCE_START.split(before)[-1]
        shown = before[: len(before) - len(sentence)]
        lead = _LEAD.match(sentence)
        if lead is None or lead.end() != len(sentence) or _REPORTED.search(sentence) is not None:
            continue
        return (
            None if _may_be_asked_about(shown) or _is_shown_by(shown.rstrip()) or _is_heading(shown) else match.start()
        )
    return None


def _may_be_asked_about(before: str) -> bool:
    """Whether a question in front of a command may be about it: right in front, or with words that may mean it."""
    if "?" not in before:
        return False
    return before.rstrip().endswith("?") or _ABOUT_COMMAND.search(before) is not None


def _is_heading(before: str) -> bool:
    """Whether the line in front of commands is no sentence, and says whose they are."""
    if not before.endswith("\n"):
        return False
    line = before.rstrip().rpartition("\n")[2]
    return line[-1:] not in (".", "!", "") and _HEADING.search(line) is not None


def _is_shown_by(before: str) -> bool:
    """Whether what stands in front of commands may say that they are somebody else's: "Bob wrote:"."""
    if before.endswith(":"):
        sentence = _SENTENCE_START.split(before)[-1]
        lead = _LEAD.match(sentence)
        return lead is None or lead.end() != len(sentence)
    return _SHOWN.search(before) is not None


def _split_commands(text: str) -> tuple[list[str], str]:
    """Split a text that begins with a command into its commands and what stands behind them."""
    commands: list[str] = []
    while len(commands) <= _MAX_COMMANDS:
        end = _SENTENCE_END.search(text)
        further = _NEXT.search(text, 1)
        stop = end.start() if end is not None else len(text)
        if further is None or further.start() > stop:
            # The last one ends with its sentence or in front of a remark.
            last, sign, remark = text[:stop].partition(", ")
            polite = _POLITE_END.search(last)
            last = last[: polite.start()] if polite is not None else last
            return [*commands, " ".join(last.split())], f"{sign}{remark}{text[stop:]}"
        commands.append(" ".join(text[: further.start()].split()))
        text = text[further.end() :]
    return [], text

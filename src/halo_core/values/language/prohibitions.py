"""Words by which a clause of the user refuses something, in many languages, wherever they stand in it.

    drop_refused("Mail al@x.example and leave eve@y.example out")   # without the second part

The grammar of the clause is not read. The whole part around such a word is removed if it has an address, an account
or an id. If a part is removed by mistake, a person is asked, so the list may be long.
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

_HOST: Final = (
    r"(?:://|\w\.(?!(?:txt|pdf|docx?|odt|md|rst|csv|tsv|xlsx?|ods|jsonl?|env|png|jpe?g|gif|svg|mp[34]|zip|html?|pptx?"
    r"|log|ya?ml|toml|ini|cfg|conf|sql|db|xml|gz|tar|tgz|pem|key|eml|ics|ipynb|py|js|ts|tsx|jsx|go|rs|java|rb|php|cpp"
    r"|hpp|css|sh|bak|tmp)\b)[a-z]{2,24}(?![\w]))"
)
"""A part of a URL or a host, and of no file."""
VALUE: Final = rf"(?=\S{{0,64}}(?:[0-9@]|{_HOST}))\S{{5,}}"
"""An account, an address, a host, an id."""
_HAS_VALUE: Final = compile_later(rf"[0-9@]|{_HOST}")
_VALUE: Final = compile_later(VALUE)
_WORDS: Final = "|".join(
    (
        # English
        r"nothing (?:may|must|should|can|is|goes?|to|for)|off[- ]limits|(?:keep|leave) \S+ out",
        r"(?:gets?|receives?) nothing|do n't|(?:nobody|no one|none) (?:should|may|must|is|can)|hold off|beware of",
        rf"refrain from|apart from|aside from|other than|neither|skip(?:ping)?|omit|may not|no(?= {VALUE})",
        r"(?:is|are) not to be|no longer|forbidden|prohibited|(?:is|are|was|were) (?:banned|blacklisted)",
        r"(?:is|are) (?:wrong|outdated|obsolete|blocked)(?=\s*(?:$|[.,;!?]))",
        # German, Dutch, Danish, Norwegian, Swedish, Finnish
        r"(?:soll|sollen|bekommt|bekommen|kriegt|kriegen|darf|dürfen) nichts|nichts an|lass(?:t|en)? \S+ weg",
        r"auf gar keinen fall|verboten|niks (?:naar|aan)|niets (?:naar|aan)|geen \w+ (?:naar|aan)|verboden",
        r"aldrig|inte|ikke|ikkje|förbjudet|älä|älkää|koskaan|ei saa",
        # French, Spanish, Italian, Portuguese, Catalan, Romanian
        r"rien à|pas d[e'’] ?\w+ à|[eé]vite[sz]?|interdit|no (?:l[eoa]s? )?(?:escrib|respond|contest|mand|env)\w+",
        r"no (?:l[eoa]s? )?(?:pag|transf|us|escri)\w+|nada (?:a|para)|prohibido|niente a|vietato",
        r"non (?:scriv|rispond|mand|invi|pag|us|trasf|bonif|contatt)\w+",
        r"não (?:escrev|respond|mand|envi|pag|us|transf)\w+|proibido|mai més",
        r"nu (?:trimite|scrie|pl[ăa]ti|transfera|folosi|r[ăa]spunde)\w*|niciodat[ăa]",
        # Polish, Czech, Slovak, Croatian, Hungarian, Turkish, Vietnamese, Indonesian
        r"nie (?:pisz|odpowiadaj|odpisuj|wysyłaj|płać|przelewaj|używaj|dawaj)\w*|zabronion\w+|nikdy|nikad|nikada",
        r"ne(?:pos[íi]l|piš|plať|odpov|použív|pouz)\w+|ne (?:šalji|piši|plaćaj|odgovaraj)\w*",
        r"soha|ne (?:küld|ír|fizet|utal|válaszol)\w*|(?:yaz|gönder|yolla|at|öde|kullan)m[ae](?:y[ıi]n(?:[ıi]z)?)?",
        r"yasak|đừng|không bao giờ|cấm|jangan|dilarang",
        # Russian, Ukrainian, Bulgarian, Greek
        r"не \w+(?:й|и|ь)(?:те)?|ничего|запрещено|ніколи|нікому|никога|μην?|ποτέ",
    )
)
_LEAVING_OUT: Final = (
    "außer|ausser|ausgenommen|bis auf|ohne|behalve|undtagen|unntatt|utom|sauf|hormis|excepté|salvo|excepto|tranne"
    "|eccetto|exceto|cu excep[țt]ia|oprócz|z wyjątkiem|kromě|okrem|osim|kivéve|hariç|trừ|kecuali|кроме|крім|освен|εκτός"
)
"""Words that leave out the value behind them."""
# Of these no word boundary is known, or a boundary of another kind.
_SIGNS: Final = (
    r"ないで|するな|送るな|禁止|厳禁|지 ?마|금지|안 ?됩니다|לעולם|(?<!\w)אל ת|אסור|(?<!\w)मत(?!\w)|कभी नहीं|न करें|อย่า|ห้าม"
    r"|勿|(?<!能)不能|不准|不得|不可以?(?=[发付转汇给])|不许|严禁|除了|(?<!\w)لا ت|(?<!\w)إلا(?!\w)|ممنوع|ما عدا"
)
_REFUSING: Final = CaselessPattern(rf"(?<!\w)(?:{_WORDS}|(?:{_LEAVING_OUT})(?= (?:\S+ )?{VALUE}))(?!\w)|{_SIGNS}")
_PART_END: Final = CaselessPattern(
    r"\b(?:and|und|et|y|ve|og|och|that|dass|daß|que|che|dat|że|but|aber|pero|mais)\b|(?<=\w) (?=(?:i|e|и|та|και) )"
)
_NOT_REFUSING: Final = CaselessPattern(
    r"(?:do not|don['’]?t|never|nicht|nie|ne|no|non) (?:forget|skip|omit|leave|vergiss|oublie)|why not"
    r"|no (?:later|more than|less)"
)


def may_refuse(text: str) -> bool:
    """Whether a text has a word that refuses something, and a value."""
    return _HAS_VALUE.search(text) is not None and _REFUSING.search(text) is not None


def drop_refused(clause: str) -> str:
    """Remove the parts of a clause that refuse something and have an address, an account or an id.

    Args:
        clause: of the user, up to its next sign.
    """
    if _REFUSING.search(clause) is None or _VALUE.search(clause) is None or _NOT_REFUSING.search(clause) is not None:
        return clause
    ends = [match.start() for match in _PART_END.finditer(clause)]
    parts = [clause[start:end] for start, end in zip([0, *ends], [*ends, len(clause)], strict=True)]
    return "".join(part if _REFUSING.search(part) is None or _VALUE.search(part) is None else "\n" for part in parts)


_CONFIRM_FIRST: Final = compile_later(
    r"\b(?:ask|tell|consult|(?:check|confirm|clear it|talk|speak) with|wait for|come back to) (?:me|us)\b"
    r"[^.;!?\n]{0,40}? before [^.;!?\n]*"
    r"|\bbefore (?:you )?[^.;!?\n]{1,80}? (?:ask|consult|(?:check|confirm|talk|speak) with|come back to) (?:me|us)\b",
    re.IGNORECASE,
)
"""What the user wants to be asked about first: "ask me before you send anything"."""


def drop_confirmation_clauses(text: str) -> str:
    """Remove the parts of a text that say before what the user wants to be asked. They ask for no act."""
    return _CONFIRM_FIRST.sub(" ", text) if "before" in text.lower() else text

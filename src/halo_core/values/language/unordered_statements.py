"""Words by which a text that looks like an order of the user is none: taken back, somebody else's, a question, later.

Statements order without a verb of a list (`payment_statements`, `stated_decisions`, `dictated_commands`), so what
stands beside them says whether they are orders. If one is left out by mistake, a person is asked.
"""

from __future__ import annotations

from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

TAKEN_BACK: Final = CaselessPattern(
    r"\b(?:chang(?:ed?|ing) (?:my|our) minds?|(?:take|taking) (?:that|it|this|all that) back|kidding|on reflection"
    r"|(?:actually|hm+|oh|sorry|wait),? no\b(?! (?:one|need|problem|hurry|rush))|leave it\b|belay that"
    r"|rather not|better not)"
    r"|(?:^|[.!;\n])\s*(?:(?:hm+|oh|but|and|well),? )?(?:(?:i am |i['’]m )?not (?:so )?sure\b"
    r"|(?:already )?done (?:already|yesterday)"
    r"|already done|wrong\b|or (?:is|was|should|not)\b|not\W*(?:$|\n)|ask [a-z]+ (?:first|before)\b"
    r"|let me think|never ?mind"
    r"|(?:ah|stop|no),? (?:no|wait|stop)\b|(?:stop|drop (?:that|it|this))\b(?=\W)"
    r"|(?:that|this|it)(?:['’]s| is| was)(?: already| all)? (?:settled|done|sorted|paid|yesterday['’]s)\b"
    r"|[a-z]+ (?:has |have )?(?:already )?paid (?:that|it|this)\b"
    r"|true story|[a-z]+ (?:does|handles|will do|did) (?:it|that|this)\b)"
)
"""The user takes back what he said just before, or replaces it."""
CORRECTED_SUM: Final = CaselessPattern(
    r"\bmake (?:that|it|this) (?:only |just |rather )?(?:[$€£] ?|(?:eur|usd|gbp|chf) )?[0-9]"
    r"|\bcorrection\b|\bi mean[t]?\b|(?:^|[.!;\n] ?)no[,:] (?:only |just )?[$€£]?[0-9]|\brather [$€£]?[0-9]"
)
"""Another amount, or somebody else, replaces what was said."""
TAG_QUESTION: Final = CaselessPattern(
    r"[,;–—-]\s*(?:right|correct|true|eh|huh|or not|is it|is that so|is that (?:right|correct|true)"
    r"|i (?:see|hear|take it|assume|guess|gather|understand))\W*$"
)
"""A question at the end of a sentence, even without its sign."""
LATER: Final = CaselessPattern(
    r"(?<!\bfor )\btomorrow\b(?!['’]s)"
    r"|(?<!\bfor )(?<!\bof )(?<!\bfor the )\bnext (?:week|month|quarter|year|time)\b(?!['’]s)"
    r"|\b(?:every|each) (?:(?:first|second|last|other) )?(?:day|week|month|quarter|year|time|morning|evening|[a-z]+day"
    r"|january|february|march|april|may|june|july|august|september|october|november|december)\b"
)
"""What is to be another day, or again and again."""
OTHERS_WISH: Final = CaselessPattern(
    r"(?<!\bi )(?<!\bwe )\b(?:wants?|hopes?|wish(?:es)?|needs?|feels?|prefers?|expects?|begs?|insists?"
    r"|proposes?|suggests?"
    r"|recommends?|gave|got|would like)\b"
)
"""Somebody else wishes, or has decided."""
_OWN_LABELS: Final = (
    r"(?:(?:my|our|the) )?(?:[a-z]+ )?(?:decisions?|answers?|verdicts?|approvals?|results?|approve[ds]?|grant(?:ed|s)?"
    r"|accept(?:ed|s)?|reject(?:ed|s)?|den(?:y|ied)|decline[ds]?|refuse[ds]?|yes|no|ok(?:ay)?|please|pls|now|todo|to do"
    r"|tasks?|orders?|also|next|first|then|and|so|summary|in short|leave|requests?|claims?|tickets?"
    r"|applications?|doors?"
    r"|gates?|devices?|rooms?|groups?|users?|access|open|close[ds]?|shut|lock|unlock|on|off|out|in)"
)
SOMEBODYS: Final = compile_later(
    rf"^\W*(?!(?i:{_OWN_LABELS})\s?:)[^\W\d][\w'’-]*(?:[ .][\w.'’-]+){{0,3}}\s?:\s(?=[^\n]*[0-9])"
)
"""A label that no decision has: "Kim: I approve LR-311", "Kim's verdict: LR-311 approved"."""
TRANSCRIPT: Final = compile_later(
    rf"(?m:^[ \t]*(?:\[[^\]\n]{{1,20}}\] ?)?(?!(?i:{_OWN_LABELS}):)[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){{0,2}}"
    r":[ \t]*$)(?s:.*)"
)
"""What a chat shows below the name of who wrote it."""

"""Which sentences of the user state that somebody is to be paid, by whatever verb or by none.

    list_statements("The caterer gets 420, account 30417788. Read mail 3.")   # ["The caterer ⇒ 420, account 30417788."]
    list_statements("Mail 3 says that 30417788 gets 420.")                    # []: a report

No list has all verbs by which people order payments, so none is looked for. A sentence counts unless it asks, reports,
doubts, denies, looks back, sets a condition, or orders another act. Its verb has to move something to somebody; or it
has none ("Kim 40 to 10455601"). If a sentence is left out by mistake, a person is asked, so the lists may be long.

1. A text that is taken back, shown, or told aside states nothing.
2. From each sentence, clauses that only look something up, courtesies and remarks are removed ("read mail 6 and").
3. The verb by which something moves is replaced by `MOVES`: "Anna should get 20" becomes "Anna ⇒ 20".
4. If any word of the rest belongs to something else than an order, the sentence states nothing.
5. A sentence without a verb also has to be English, and must not only mention a sum ("the 45 to Kim").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.model import Impact
from halo_core.values.kinds.numbers import BANK_WORDS
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.unordered_statements import CORRECTED_SUM, LATER, TAG_QUESTION, TAKEN_BACK
from halo_core.values.requests.asked_acts import find_asked_stems
from halo_core.values.requests.asked_objects import REDUCING_VERBS
from halo_core.values.requests.tool_verbs import CLASS_WORDS
from halo_core.values.requests.unlisted_orders import (
    ABOUT,
    ASIDE,
    INTRODUCED,
    LIGHT_VERBS,
    LOOKING_UP,
    POSSESSIVE,
    QUESTION_WORDS,
    REMARKING,
    SENTENCE,
    VAGUE_VERBS,
    WORD,
)

MOVES: Final = "⇒"
"""Stands for a verb by which something moves to somebody: "Anna ⇒ 20" for "Anna gets 20"."""
_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document
_MAX_SENTENCES: Final = 32

_TAKING_BACK: Final = CaselessPattern(
    r"\b(?:scratch|forget|ignore|disregard|never ?mind|cancel|undo|abort|strike|on second thoughts?|just kidding"
    r"|for example|hypothetical|imagine|pretend|suppose|let['’]?s say|joking|joke"
    r"|translate(?! (?:it|them|that)\b(?![^.!?;\n]*:))|proofread|rephrase|quiz"
    r"|exercise|template)\b"
)
"""The text takes back what it says, or gives it as an example: "scratch that", "let's say", "as an exercise"."""
_SHOWN: Final = CaselessPattern(
    r"\n[ \t]*(?:hi|hello|dear|hallo|from|to|subject|betreff|date|sent|cc|regards|best|kind regards"
    r"|cheers|sincerely|yours)\b"
    r"|(?:^|[.!?;\n] {0,3})(?:please |pls |can you |could you |and |then )*(?:summari[sz]e|read|check|look|see"
    r"|explain|sum|compare|analy[sz]e|review|describe|rate|find|show|list|count|sort|comment)\b[^.!?;\n]*"
    r"\b(?:this|these|the following|below)\b"
    r"|\b(?:this|these|the following|below)\b[^.!;\n]*\?"
)
"""The text shows a letter, or something that is to be looked at: a line "Regards", "summarise this: ..."."""
_HOLD: Final = (
    r"\b(?:wait for|ask (?:me|us)|(?:check|confirm|clear (?:it|that|this)) with (?:me|us)|run (?:it|that|this) by"
    r"|come back to (?:me|us)|hold (?:on|off|it|that|this|back)|my (?:ok|okay|approval|confirmation|go)\b)"
)
"""What keeps a payment until the user agrees: "check with me", "wait for my ok"."""
_CONDITION: Final = (
    r"(?:^|[.!;,:\n–—-]\s*)(?:and |but |so |then )?(?:if|unless|provided|depending|in case|assuming"
    r"|should (?:he|she|it|they|the))\b"
)
"""The beginning of a condition, at that of a clause."""
_HOLDING: Final = CaselessPattern(rf"{_HOLD}|{_CONDITION}|\b(?:only|just|but|not) (?:if|when|once|after)\b")
"""The text lets nothing be paid yet: "run it by me", "if it fits, ...", "only when he agrees"."""
_HELD_CLAUSE: Final = compile_later(
    rf"(?:^|[,;]\s*)?\b(?:but |and |so |then |first )*{_HOLD}[^.;!?\n]*"
    r"|^(?:and |but )?(?:if so|if (?:it|that) (?:does|is|fits|matches|is right)|in that case)\b,?",
    re.IGNORECASE,
)
"""What a sentence says of the user's own yes, or of what was asked just before: "if so, ...", "... but ask me first".

It is removed from the sentence. `waits_for_yes` tells that the text has it.
"""
_NO_ORDER: Final = CaselessPattern(
    r"\b(?:if|unless|whether|until|till|once|when|whenever|provided|depend\w*|in case|as (?:soon|long) as|otherwise"
    r"|not|never|nobody|none|nothing|without|neither|nor|hardly|cannot|no(?!\.? ?[0-9]))\b|n['’]t\b"
    r"|\b(?:maybe|perhaps|might|may|could|would(?! like)|will|probably|possibly|think\w*|guess|wonder\w*|consider\w*"
    r"|discuss\w*|hold|wait\w*|later|yet|still|supposed\w*|allegedly|apparently|seem\w*|proposal|idea|plan|budget"
    r"|estimate|forecast|offer|prices?|options?|balance|alternatives?|rule|policy|true|false|old|former|previous"
    r"|last (?:day|week|month|quarter|year|time)|or|up to|at (?:least|most)|(?:more|less) than|roughly|around"
    r"|approx\w*|circa|between|per|monthly|weekly|yearly|an? (?:day|week|month|quarter|year))\b"
    r"|\b(?:paid|sent|made|went|took|came|bought|brought|left|gave|got|kept|won|lost|spent|met|found|ran|did"
    r"|does|owe[sd]?"
    r"|due|yesterday|ago|already|usually|normally|typically|generally|always|sometimes|often|used to|recently|so far)\b"
    r"|\b(?:tells?|states?|claims?|asks?|demands?|requests?|reads|reports?|expects?|hopes?|believes?|insists?|proposes?"
    r"|suggests?|offers?|reckons?|quotes?|charges?|confirms?|mentions?|reminds?|names|shows?|begs?|complain\w*"
    r"|writes?|according|apart|costs?|remains?|keeps|comes|stands|lacks?|appears?|fails?|matche?s|belongs?|includes?"
    r"|covers?|equals?|expires?|arrives?|takes|pays|sends|transfers|wishes|likes|prefers?|recommends?"
    r"|announces?|promises?|quoting|claiming|asking|saying|saw|seen|heard|known?|noticed?)\b"
    r"|\b(?:e-?mails?|mails?|messages?|texts?|tickets?|pages?|chats?|posts?|notes?|letters?|threads?|documents?|files?"
    r"|attachments?|pdfs?|websites?|sites?|links?|comments?|screenshots?|statements?|logs?|receipts?|history|subject"
    r"|reminders?|lists?|sheets?|calendar|agenda|table|minutes|protocol|diary|wiki|board|ledger|spreadsheet|to-?do|memo"
    r"|limits?|caps?|ceiling|overdraft|quota|versions?|wish|demands?|opinions?|suggestions?|arrangement"
    r"|in short|in brief"
    r"|draft|form|contract|summary|records?|entry|entries|question|scam|fraud|phishing|fake|mistake|error"
    r"|wrong|problem|story)\b"
    r"|\b(?:half (?:of|the)|(?:an?|one|two|three) (?:third|quarter|fifth|tenth)s? of|percent|minus|less|deduct\w*"
    r"|(?:split|divided) (?:by|in|into|between|among|evenly|up))\b|%"
    r"|[0-9] ?(?:[kmgt]i?b|[mg]bit|k?wh?|watts?|volts?|points?|extra|more|free|additional)\b"
    r"|\b(?:a head|max|tops|pending|store credit|in(?:to)? (?:our|my) (?:own )?account)\b|[0-9] credits?\b"
    r"|^\W*(?:in (?:january|february|march|april|may|june|july|august|september|october|november|december)"
    r"|on (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
    r"|[\"“”„«»<>`?]"
)
"""Words of a sentence that orders no payment, or leaves open whether it does: conditions, denials, doubts, the past,
what somebody else does or says, and texts of somebody else."""
_SUBORDINATE: Final = CaselessPattern(r"\b(?:that|who|whose|which|because|although|while|why|how|what)\b")
"""Words that begin a clause inside another."""
_MODAL: Final = r"(?:can|should|must|shall|has to|have to|needs? to|is to|are to)"
_TRANSFERRING: Final = compile_later(
    rf"(?<!\bi )(?<!\bwe )(?<!\byou )\b{_MODAL}(?: (?:now|also|then|please|just))*"
    r" (?:be (?:paid|sent|put|made|given|wired|transferred|settled|reimbursed|refunded|moved|on (?:its|the|their) way)"
    r"|get|have|receive|go)\b"
    r"|(?<!\bi )(?<!\bwe )(?<!\byou )\b(?:gets?|receives?|(?:goes|go)(?! [$€£]?[0-9]))\b|\b(?:is|are) for\b",
    re.IGNORECASE,
)
"""A verb by which something moves to somebody: "Anna gets 20", "20 can leave for Anna"."""
_LEAVING: Final = compile_later(
    r"((?<![\w.,-])[0-9]{1,6}(?:[.,][0-9]{1,2})?(?: ?(?:[$€£]|[a-z]{3,7}))?)"
    rf" {_MODAL}(?: (?:now|also|then|please|just))* (?!(?:be|stay|remain|wait|keep|hold|come|see|check|look"
    r"|explain|tell|know|say|ask|think|cancel|stop|end|return|prove|show|cost|owe|pay|send|transfer|charge|bill|claim|refund"
    r"|reimburse|repay|deposit|suffice|do)\b)"
    r"(?:reach|hit|(?:leave|depart|move)(?! (?:the |our |my )?(?:account )?[0-9])"
    r"|[a-z]+(?= (?:[a-z]+ ){0,4}(?:to|for|into|in|on|at|with|towards|over)\b))\b",
    re.IGNORECASE,
)
"""A sum that is to move by whatever verb: "20 can leave for Anna"."""
_INCOMING: Final = CaselessPattern(
    r"\b(?:my|our)(?: own)? (?:[a-z]+ ){0,2}(?:accounts?|cards?|iban|wallets?)\b[^,;.!?\n]{0,40}\breceives?\b"
)
"""What the user's own account gets."""
_SUBJECT: Final = compile_later(rf"\b(?:he|she|they|it) {MOVES}", re.IGNORECASE)
"""A pronoun for who gets a sum. It goes with the verb, so that it is not taken for somebody who does something."""
_WANTED: Final = compile_later(
    r"\b(?:(?:i|we) (?:want|need)|(?:i|we)(?:['’]d| would) like)\b(?! (?:(?:to|it|an?|the|you|him|her|them|this) )?"
    r"(?:know|see|hear|have|be)\b)(?: that\b| this\b| it\b)?",
    re.IGNORECASE,
)
"""The user says that he wants something, and not to know or to have it: "I want 20 sent to Anna"."""
_WANTED_DONE: Final = compile_later(
    r"\b(?:paid|sent|put|given|wired|transferred|settled|reimbursed|refunded|moved)\b", re.IGNORECASE
)
"""What he wants done with a sum: "sent" of "I want 20 sent to Anna"."""
_LETTING: Final = compile_later(r"\blet ((?:[\w@.-]+ ){1,4})have\b", re.IGNORECASE)
"""An order to give somebody something: "let Anna have 20"."""
_POLITE: Final = compile_later(
    r"\b(?:would|could|will|can) (?:you|u)\b|\b(?:make sure|see to it|ensure)(?: that)?\b"
    r"|\b(?:that|it|this)['’]?s for (?:the|my|our|their)\b",
    re.IGNORECASE,
)
"""Courtesies, and what says only what a sum is for."""
_POLITE_QUESTION: Final = CaselessPattern(r"^\W*(?:and |so |please )?(?:would|could|will|can) (?:you|u) [^?]*\?$")
"""A polite order, in spite of its question mark: "could you make sure that Anna gets 20?"."""
_ENSURING: Final = CaselessPattern(r"\b(?:make sure|see to it|ensure)\b")
_ENSURED: Final = compile_later(r"\b(?:reaches|lands|arrives|leaves)\b", re.IGNORECASE)
"""A verb by which a sum is to move: "make sure 45 reaches 33107281"."""
AGREED_REMARK: Final = compile_later(
    r"(?:, )?\bas (?:we )?(?:agreed|discussed|arranged|planned|usual|before)\b(?: (?:on|over|by) (?:the )?phone)?"
    r"|\b(?:apart from|besides|independent(?:ly)? of|regardless of) that\b[:,]?"
    r"|\b(?:the )?same as (?:last|the last) (?:week|month|quarter|year|time)\b,?",
    re.IGNORECASE,
)
"""A remark that looks back, but changes no order: "as agreed on the phone", "same as last month"."""
_OWN_DUE: Final = compile_later(
    r"(?:(?<=\bmy)|(?<=\bour)) ((?:[\w-]+ ){1,6})(?:is|are) due(?: now| too| again| today| as well)?", re.IGNORECASE
)
"""What the user has to pay: "my share for August is due too: 310, Henrike Voss"."""
TOTAL: Final = compile_later(
    r"\b(?:together|total|altogether|in all|in sum|sum|overall|(?:(?:that|which) )?(?:makes|adds up to)|all in all)\b"
    r"|\b(?:that|it)['’]?s(?= [0-9])",
    re.IGNORECASE,
)
"""Words beside the sum of several amounts: "45 to Kim, 55 to Sven, 100 in all"."""
_DEFINITE_AMOUNT: Final = CaselessPattern(
    r"\b(?:the|that|this|those|these|of|about|re|for|at|my|our|your|his|her|their)"
    r" (?:[$€£] ?|(?:eur|usd|gbp|chf) )?[0-9]"
)
"""A sum that is already spoken of: "the 45 to Kim". A sentence without a verb then only mentions it."""
_OF_SOMEBODY: Final = compile_later(
    r"\b(?:[A-Z][\w-]+|he|she|it|they) (?!his\b|this\b|its\b|as\b|us\b)[a-z]{2,}(?<!s)s\b"
    r"|\b(?!his\b|this\b|its\b|as\b|us\b|plus\b)[a-z]{2,}(?<!s)s (?:(?:me|us|him|her|them) )?[$€£]? ?[0-9]"
)
"""A verb of somebody else: "Kim lends 45", "the club moves 45"."""
_URGING: Final = CaselessPattern(r"\b(?:please|pls|plz|now|today|asap)\b")
_SMALL_WORD: Final = compile_later(r"(?<![\w'’@.-])[^\W\d_A-ZÀ-Þ][^\W\d_]+(?![\w@.-]*[@0-9])")
"""A word in small letters that is no part of an address or an id."""
_ENGLISH: Final = frozenset(
    "to for the account please pls plz now today into over and of in on at number each with by my our this euros "
    "pounds dollars francs send give voucher vouchers coupon coupons".split()
)
"""Words of which a statement in English has at least one."""
_FOREIGN: Final = frozenset(
    "der das dem den und ist sind hat sagt schreibt will auf mit zum zur nicht auch dass ob wenn noch schon laut geht "
    "soll les une et est dit pour avec que qui los las dice para con por non che sono het een voor zegt niet".split()
)
"""Words of other languages, of which it has none."""
_LABEL: Final = compile_later(r"^(?:[a-z]+ )?[a-z]+[:,]")
"""What a sum is for, in one or two words at the beginning: "rent: ..."."""
_NEEDS: Final = compile_later(
    r"\bneeds? (?:(?:some|more|new) )?(?:credit|money|cash|a top-?up|topping up)(?=[:,;] | [–—-]+ )", re.IGNORECASE
)
"""A need in front of who gets how much for it: "our driver needs credit: 20 on 0660 31 84 227"."""
_TEXT_IN_BRACKETS: Final = compile_later(
    r" ?\((?:see |cf\.? |re:? )?(?:e-?mail|mail|message|ticket|tkt|tic|letter|note|case|order|invoice)"
    r" (?:no\.? ?)?[#A-Za-z-]{0,6}[0-9]{1,8}\)",
    re.IGNORECASE,
)
"""A text that is only named: "colo bill (ticket 4402): 260 to ACC-77120"."""
_IN_ADDRESS: Final = compile_later(r"(?<=@)[\w.-]+")
"""The host of an address. Its words are none of the sentence."""
_ARROW: Final = compile_later(r" ?(?:[-=]+>|→) ?")
"""Stands for "to": "40 -> 10455601"."""
_NAME: Final = compile_later(r"(?<=[\w,] )[A-Z][a-z]+\b")
"""A name inside a sentence. It may look like a verb: "Mohammed", "Will"."""
_PERSON: Final = CaselessPattern(r"\b(?:i|we|you|u|he|she|they)\b")
_MENTIONING: Final = frozenset(
    "about re regarding concerning on for thanks thank thx sorry congrats because since after before while as like "
    "with at in from under over besides beyond than plus minus versus today's yesterday's another".split()
)
"""Words at the beginning of a sentence without a verb that only mentions something: "about the 45", "thanks for 45"."""
OTHER_USES: Final = (
    REDUCING_VERBS
    | LOOKING_UP
    | stem_all(
        "contest query chase challenge dispute flag freeze park expect trace await reconcile audit recover reclaim "
        "demand owe log record note remember budget plan estimate assume quote invoice bill charge debit collect "
        "prepare draft keep mind say tell mean help understand increase raise "
        "lower change adjust update edit modify"
    )
)
"""Stems of verbs that do something else with a sum than pay it."""
_GIVING_OUT: Final = stem_all("issue grant award hand create generate")
"""Stems of verbs by which somebody gets a voucher."""
_VOUCHER: Final = CaselessPattern(r"\b(?:vouchers?|coupons?|gift (?:cards?|codes?|certificates?))\b")
_WORTH: Final = compile_later(
    r"((?:^|\b(?:an?|one|another|[0-9]+|two|three|four|five|please) )(?:(?!the|those|these)[a-z]+ )?"
    r"(?:vouchers?|coupons?|gift (?:cards?|codes?|certificates?))) (?:of|over|worth|for|at) (?=[$€£0-9])",
    re.IGNORECASE,
)
"""What a new voucher is worth: "a voucher of 15". "The voucher of 15" is one that is already spoken of."""
_GIVING: Final = compile_later(
    r"\W*(?:(?:please|pls|then|also|and|just|now) )*give (?!(?:me|us|it|this|that|up|back|away|in)\b)", re.IGNORECASE
)
"""An order to give something to somebody else. "Give me" only asks to show something."""
HARMLESS: Final = (
    CLASS_WORDS[Impact.PAYMENT] | VAGUE_VERBS | LIGHT_VERBS | stem_all("account code number")
) - stem_all("withdraw charge debit bill invoice subscribe cost owe")
"""Stems of verbs in a statement that order no other act than a payment."""
_COURTESIES: Final = frozenset(
    "please pls plz ok okay hi hey hello so and also then now just well right first but".split()
)
"""Words in front of the first word that says something."""
BANK: Final = compile_later(rf"\b{BANK_WORDS}\b", re.IGNORECASE)
"""Names for the number of an account or a bank."""
CLAUSE: Final = compile_later(
    r"[,;(]\s+|\s\(|(?:,\s*)?\s(?:and|then|but|&|\+|und|et|y|e)\s+|:\s+|\s[–—-]+\s", re.IGNORECASE
)
"""Separates the clauses of a sentence: commas, colons, dashes, brackets, "and" in some languages."""
_TEXT_ALONE: Final = compile_later(
    r"\W*(?:then |also |and )*(?:e-?mail|mail|message|ticket|page) [0-9]{1,3}"
    r"(?: (?:too|please|pls|next|then|as well))?\W*",
    re.IGNORECASE,
)
"""A clause that names a text to be read and says nothing of it: ", then mail 7"."""
SIGN_OF_PAYMENT: Final = compile_later(
    r"[0-9]{2}|[$€£] ?[0-9]|[0-9] ?(?:[$€£]|(?:euros?|eur|pounds?|dollars?|francs?|bucks|quid)\b)|@", re.IGNORECASE
)
"""A number of two digits, a sum or an address. A sentence without it has neither an account nor an amount."""


def waits_for_yes(text: str) -> bool:
    """Whether a text lets nothing be paid yet, but waits for a yes or a condition: "Kim gets 40, but ask me first"."""
    return _HOLDING.search(text) is not None


def is_text_level_order(text: str) -> bool:
    """Whether a text has an amount or an account, and neither takes back what it says nor only shows something."""
    if len(text) > _MAX_CHARS or SIGN_OF_PAYMENT.search(text) is None:
        return False
    return all(pattern.search(text) is None for pattern in (_TAKING_BACK, TAKEN_BACK, CORRECTED_SUM, _SHOWN, ASIDE))


def list_statements(text: str) -> Iterator[str]:
    """List the sentences of a text that state payments, each with `MOVES` in place of the verb of moving something.

    Args:
        text: of the user, without what it forbids or quotes, with numbers in digits.
    """
    if not is_text_level_order(text):
        return
    for sentence in islice(SENTENCE.findall(INTRODUCED.sub("", text)), _MAX_SENTENCES):
        statement = _read_statement(_HELD_CLAUSE.sub("", sentence.strip()).strip())
        if statement:
            yield statement


def _read_statement(sentence: str) -> str:
    """Return a sentence that states a payment, with `MOVES` for its verb and without lookups; empty for any other.

    "Check mail 3, and the caterer gets 420 to 30417788." becomes "and the caterer ⇒ 420 to 30417788.".
    """
    if _POLITE_QUESTION.search(sentence) is not None:
        sentence = sentence.rstrip("?")
    if SIGN_OF_PAYMENT.search(sentence) is None or sentence.endswith("?") or _begins_with(sentence, QUESTION_WORDS):
        return ""
    if any(pattern.search(sentence) is not None for pattern in (TAG_QUESTION, LATER, _INCOMING)):
        return ""
    rest, is_wanted = _replace_verb(sentence)
    judged = _IN_ADDRESS.sub("", TOTAL.sub("", BANK.sub("", rest)))
    patterns = (_NO_ORDER, _SUBORDINATE, _PERSON, _OF_SOMEBODY, ABOUT)
    if any(pattern.search(judged) is not None for pattern in patterns):
        return ""
    if REMARKING.search(_NAME.sub("", POSSESSIVE.sub("", judged))) is not None or not _orders_nothing_else(judged):
        return ""
    has_verb = is_wanted or MOVES in rest
    return rest if has_verb or (_is_english(judged) and not _only_mentions(judged)) else ""


def _replace_verb(sentence: str) -> tuple[str, bool]:
    """Return a sentence with `MOVES` for its verb and without lookups, and whether the user says that he wants it."""
    sentence = _WORTH.sub(r"\1, ", _NEEDS.sub("", _TEXT_IN_BRACKETS.sub("", sentence)))
    rest = _ARROW.sub(" to ", _POLITE.sub("", AGREED_REMARK.sub("", drop_lookups(sentence))))
    if _ENSURING.search(sentence) is not None:
        rest = _ENSURED.sub(MOVES, rest)
    rest = _OWN_DUE.sub(rf" \1{MOVES}", rest)
    wanted = _WANTED.sub("", rest)
    is_wanted = wanted != rest
    if is_wanted:
        wanted = _WANTED_DONE.sub(MOVES, wanted)
    rest = _SUBJECT.sub(
        MOVES, _TRANSFERRING.sub(MOVES, _LEAVING.sub(rf"\1 {MOVES}", _LETTING.sub(rf"\1{MOVES}", wanted)))
    )
    return rest, is_wanted


def _only_mentions(statement: str) -> bool:
    """Whether a statement without a verb only mentions a sum: "the 45 to Kim"."""
    if _begins_with(statement, _MENTIONING):
        return True
    is_definite = _DEFINITE_AMOUNT.search(statement) is not None
    return is_definite and _URGING.search(statement) is None and find_leading_stems(statement).isdisjoint(LIGHT_VERBS)


def _is_english(statement: str) -> bool:
    """Whether a statement without a verb has words of English, or none but a label: "rent: 900, 20411781".

    A report in a language of which no verb is known would look like one.
    """
    words = _SMALL_WORD.findall(statement)
    if not all(map(str.isascii, words)) or not _FOREIGN.isdisjoint(words):
        return False
    return not words or not _ENGLISH.isdisjoint(words) or _LABEL.match(statement) is not None


def _begins_with(sentence: str, words: frozenset[str]) -> bool:
    """Whether the first word of a sentence, behind its courtesies, is one of these."""
    return next((word for word in WORD.findall(sentence.lower()) if word not in _COURTESIES), "") in words


def drop_lookups(sentence: str) -> str:
    """Remove the clauses that only look something up, without an account or an amount: "read mail 6"."""
    parts: list[str] = []
    start = 0
    for end, next_start in [*(match.span() for match in CLAUSE.finditer(sentence)), (len(sentence), len(sentence))]:
        clause = sentence[start:end]
        looks = not LOOKING_UP.isdisjoint(find_leading_stems(clause)) or _TEXT_ALONE.fullmatch(clause) is not None
        # What stands behind the colon is what the text says: "mail 6: Kim 40 to 10455601". So the clause is kept.
        introduces = sentence[end:next_start].strip() == ":"
        if not looks or introduces or SIGN_OF_PAYMENT.search(clause) is not None:
            parts.append(sentence[start:next_start])
        start = next_start
    return "".join(parts)


def find_leading_stems(clause: str) -> frozenset[str]:
    """Return the stems of the first word of a clause, behind its courtesies: of "read" for "please read mail 6"."""
    words = (word for word in WORD.findall(clause.lower()) if word not in _COURTESIES)
    return stem_all(next(words, ""))


def _orders_nothing_else(statement: str) -> bool:
    """Whether a statement orders no other act than a payment, or giving out a voucher."""
    harmless = HARMLESS | _GIVING_OUT if _VOUCHER.search(statement) is not None else HARMLESS
    if not find_asked_stems(statement) <= harmless:
        return False
    clauses = [clause for clause in CLAUSE.split(statement) if _GIVING.match(clause) is None]
    return all(OTHER_USES.isdisjoint(find_leading_stems(clause)) for clause in clauses)

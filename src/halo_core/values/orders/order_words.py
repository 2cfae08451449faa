"""Words and phrases by which a part of a text orders something, adds a value or says what is (`order_parts`)."""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.orders.stated_decisions import ASKING_YOU, LEAD

ORDERED: Final = CaselessPattern(
    r"\b(?:gets?|goes|go|needs?|receives?|joins?|must|should|shd|shld|has to|have to|is to|are to|ought to"
    r"|(?:is|are) meant (?:for|to)|can (?:go|have|get))\b"
    r"|\b(?:is|are) (?:enough|plenty) (?:in|at|for|on)\b|\b(?:is|are) for [\w-]+ (?:now|from now on)\b"
    r"|\b(?:may|can now) (?:now )?(?:use|enter|open|join|see|edit|access)\b"
    r"|\b(?:can|may) be (?!seen\b|found\b|read\b|heard\b|viewed\b|reached\b|used\b)[a-z]+(?:ed|en|n|t)\b"
)
"""A verb by which a statement orders: "Ana gets into the workspace", "floor 2 ought to be armed"."""
SAYING: Final = CaselessPattern(
    r"\b(?:is|are|am|was|were|be|been|has|have|had|does|do|did|will|asks?|wants?|says?|writes?|shows?|lists?|lives?|works?"
    r"|means?|contains?|uses?|costs?|charges?|pays?|sends?|owes?|lies?|stands?|sits?|runs?|opens|closes|belongs?"
    r"|keeps?|hangs?|looks?|seems?|resolves?|points?|paid|sent|gave|went|bought|sold|made|took|wrote|told|got|came|left"
    r"|lost|found|spent)\b"
    r"|(?<![\w-])(?!red\b|bed\b|shed\b|feed\b|seed\b|speed\b|need\b)[a-z]{2,}ed\b|['’](?:s|re|ve|ll|d) (?=[a-z])"
)
"""Words of a part that says something of what it names, and orders nothing, if it does not begin with a verb."""
OTHERS_ACT: Final = CaselessPattern(
    r"\b(?:they|he|she|people|everybody|everyone|somebody|someone)\b"
    r" (?!(?:should|must|shall|may|can|gets?|needs?|has to|have to|is to|are to|ought|is|are|will|too)\b)[a-z]+"
    r"|\b(?:need|gets|want|like) [\w-]+ to (?:decide|approve|confirm|check|sign|review|look|agree)\b"
)
"""What somebody else does: "they approve RO-17", "in #guests they complain"."""
DOUBT: Final = CaselessPattern(
    r"\b(?:or|later|tomorrow|maybe|perhaps|possibly|undecided|wait|hold on|yet|should i|shall i|what|who|whose|why|how"
    r"|whether|which one|example|instead|except|only (?:with|for (?:him|her|them)))\b|\?"
)
DENIED: Final = compile_later(r"^\W*(?i:(?:and|but|so|then|please) )*(?i:no|none)\b(?! (?:doubt|problem))")
"""A part that orders that something is not to be: "no copy to Jo"."""
SPARING: Final = CaselessPattern(
    r"\b(?:hesitates?|refrain|avoids?|refuse to|hate to|spare|beware|surviv\w+|get along)\b"
    r"|\b(?:needs?|gets?|wants?|have|has|should get|with) no\b"
    r"|\b(?:some ?day|more often|myself|some ?time)\b|\bmust remember\b|^\W*(?:let me|i can)\b"
    r"|\b(?:nicht|kein(?:e[nmrs]?)?|niemals|geen|niet|nooit|pas de|sans|jamais|sin|nunca|senza|bez|zonder|ohne)\b"
)
"""Words of a part that wants something not to be, also in other languages, or that the user does himself."""
DEPENDING: Final = CaselessPattern(
    r"\bwith (?:the )?(?:[\w'-]+ )?(?:ok|okay|approval|consent|permission|agreement|blessing)\b|\bupon\b"
    r"|\bpending (?:\S+ )?(?:ok|okay|approval|confirmation|review|consent|permission)\b"
    r"|^\W*given\b|\bthe (?:moment|minute|second|instant|day|next time) (?:[\w-]+ ){1,3}?(?:hangs|\w+s)\b"
    r"|\banything but\b"
)
"""Words of a sentence that depends on something: "reboot mx3 upon Kim's ok"."""
CHANGE_BY: Final = compile_later(
    r"(?<!\S)[-−–][0-9]|\b(?i:minus [0-9]|below (?:zero|freezing)|by [0-9.]+ (?:degrees|percent)"
    r"|(?:degrees|percent) (?:lower|higher|less|more|warmer|colder|cooler))\b"
)
"""A number below zero, or one by which something changes, whose words are those of another number."""
PREPARING: Final = CaselessPattern(
    r"\b(?:ready|prepared?) for an?\b|\b(?:reboot|restart|reset|shutdown|upgrade|deletion|deployment|unlocking|wipe)"
    r" (?:manual|guide|instructions|procedure|checklist|runbook|tutorial|handbook|list|plan|schedule|times?)\b"
)
"""Words of a part about what comes before an act, or about how it is done."""
UNDOING: Final = compile_later(
    rf"(?i:{LEAD}{ASKING_YOU}(?:cancel|stop|undo|abort|withdraw|reject|recall|decline|refuse|dismiss|deny|revert|prevent"
    r"|skip|quit|end|void) (?:\S+ ){0,4}?(?:delet|remov|cancel|eras|purg|wip|terminat|revo[ck])[a-z]+)"
)
"""An order that stops another act: "cancel the deletion of D-19"."""
PASTED: Final = compile_later(
    r"(?im:^(?![^\n]*\b(?:read|see|check|open|look|show|summari[sz]e|handle)\b)[^\n.!?]*\b"
    r"(?:fyi|fwd|forwarded|(?:what|this|message|mail|note|list) (?:from )?(?:the |my |our )?[\w-]+"
    r" (?:sent|wrote|posted|pasted|forwarded|left)\b)[^\n.!?]*\n)(?s:.*)"
    r"|(?m:^[ \t]*\[?[A-Z][\w'-]+(?: [A-Z][\w'-]+)?(?:, | ?[\[(])[0-9]{1,2}:[0-9]{2}[\])]?:?[ \t]*\n)(?s:.*)"
)
"""A text of somebody else below a line that says so, or below a name with a time, as a chat copies it."""
PUT: Final = CaselessPattern(
    r"\b(?:put|place|get|post|hang|add|set|erect|station)(?: up)? an? ([a-z-]+) (?:at|on|in front of|near|beside)\b"
)
"""What is put somewhere: "put a sign at gate C"."""
LEAVING_BE: Final = compile_later(
    rf"(?i:{LEAD}{ASKING_YOU}(?:leave|quit) (?:\S+ ){{1,4}}?(?:alone|as|to|for|with|be|untouched|open|in|on|at|there"
    r"|where|here|out|until)\b)"
)
"""An order by which something stays as it is, or with somebody: "leave D-19 to Kim"."""
SPEECH: Final = CaselessPattern(
    r"\b(?:(?<!i )(?<!we )say|says|said|saying|writes?|wrote|claims?|claimed|told|tells|thinks?|thought|believes?"
    r"|according|heard|rumou?r|apparently|supposedly|allegedly|asked|asks|guess|wonder)\b"
    r"|^\W*(?:in|by|per|as per|from|judging by) (?:the |that |this |his |her |their |our )?"
    r"(?:e-?mails?|mails?|messages?|letters?|notes?|tickets?|pages?|posts?|chats?|texts?)\b"
)
"""The words of somebody else."""
UNNEEDED: Final = CaselessPattern(
    r"\b(?:is|are)(?: not|n['’]t) (?:needed|required|wanted|used|in use) any ?(?:more|longer)\b"
    r"|\b(?:is|are) no longer (?:needed|required|wanted|used|in use|necessary)\b"
    r"|^\W*(?:nobody|no one|no-one) (?:needs|wants|uses)\b(?=.* any ?(?:more|longer)\b)"
    r"|\b(?:we|i) (?:don['’]?t|do not) (?:need|want|use)\b(?=.* any ?(?:more|longer)\b)"
    r"|\b(?:we|i) no longer (?:need|want|use)\b"
)
"""What is not needed any more is to go."""
VALUE_ONLY: Final = CaselessPattern(
    rf"{LEAD}(?:\S+ ){{1,4}}(?:(?:will|should|would|shall|must) (?:do|be enough|suffice)|(?:is|are) (?:enough|plenty"
    r"|sufficient)|suffices?|(?:is|are) (?:correct|right|the (?:right|correct) (?:one|value|address|number))"
    r"|(?:is|are) (?:where|what) (?:it|they|that) (?:should|ought to|must|has to|have to) be)\W*$"
    rf"|{LEAD}(?:label|name|title|role|level|state|priority)(?: is|:)? \S+\W*$"
)
"""A part that only adds a value: "ten minutes will do", "viewer is enough", "4 degrees is where it should be"."""
TAKING: Final = CaselessPattern(
    r"\bout (?:of|with)\b|\bleaves?\b(?! (?:me|us|him|her|them|it|no|a)\b)|\brid\b"
    r"|(?<!\bkick )(?<!\bhand )(?<!\bsign )(?<!\bshow )(?<!\bprint )(?<!\bset )(?<!\bpass )(?<!\bstart )\boff\b"
    r"|\baway\b|\bno longer\b|\bon (?:hold|ice|pause)\b"
    r"|\b(?:can|has to|have to|must|should|ought to|is to|are to) (?:go|disappear|vanish|die|end)\b"
    r"(?! (?:to|into|in|on|onto|back|ahead|live|with|through|up|out|over|for|first|last|green|well|via|as|by|next|down"
    r"|under|between|at|along|public|home|straight|there|here|unread|unchanged|smoothly|past)\b)"
)
"""Phrases by which an order takes something away, or ends it."""
COMPOSING: Final = stem_all(
    "write draft compose formulate word quote count chart plot compare contrast log keep remember"
)
BEGINNING_VERBS: Final = stem_all(
    "set put move shift postpone reschedule rename tag label extend swap switch rotate pin hand roll push pull bump"
    " drop kick lift mark turn mail email text message sms dm ping rm run book reserve lock unlock shut strike"
    " scratch waive scrap bin ditch kill dump trash"
)
"""Stems of verbs at which a new order begins, beside those of the lists."""
OWN_ACTS: Final = stem_all(
    "tell say notify inform remind explain mention ask warn postpone delay defer hold skip pause reschedule draw"
    " sketch paint laminate print frame photograph film translate clean wash polish label tag rename describe test try"
    " rehearse practise simulate estimate budget discuss review propose suggest plan measure weigh copy duplicate clone"
)
"""Stems of verbs of particular acts, which ask for no act of another name."""
NOUN_BEFORE_VERB: Final = compile_later(
    rf"(?i:{LEAD}{ASKING_YOU}[\w-]+ (?:[\w-]*[0-9][\w-]* )?"
    r"(?:goes|is|are|was|were|has|have|may|might|will|should|must|ought|belongs?|says|wants|asks)\b)"
)
"""A first word that is a noun, since a verb follows: "refill goes to the pharmacy"."""
_AS_AGREED: Final = compile_later(
    r"(?i:,? ?\bas (?:we |i )?(?:agreed|discussed|arranged|planned|said|asked|usual|always|before)\b,?)"
)
"""A remark that looks back, but changes no order."""
_AFTER_THAT: Final = compile_later(
    r"(?i:\bafter (?:that|this)\b|\bbefore that\b|\bthereafter\b"
    r"|\b(?:when|once|after|as soon as) (?:you(?:['’]re| are|['’]ve| have)?|that(?:['’]s| is)) "
    r"(?:done|through|finished|read|looked)\b[^,;.]*,)"
)
"""What only says in which order things are done."""
_DEADLINE: Final = compile_later(
    r"(?i:\b(?:before|by) (?:the |this )?(?:end of (?:the )?day|evening|night|tonight|noon|lunch(?:time)?|weekend|eod"
    r"|cob|midnight|close of business)\b)"
)
_BEFORE_THEY_GO: Final = compile_later(
    r"(?i:,? ?\bbefore (?:he|she|they|the [a-z]+) (?:goes|go|comes|come|arrives?|leaves?|starts?|gets?|enters?|sets?)"
    r"(?: (?:in|out|off|home|here|there|back|up|work))?(?=\W*$))"
)
"""Until when something is to be done, at the end of a sentence: "check the log before she goes in"."""
_IN_CASE: Final = compile_later(
    r"(?i:(?:,? ?(?:but|and)|,) (?:please )?(?:read|see|check|open|look (?:at|into)|skim|glance (?:at|over)"
    r"|peek (?:at|into)|scan|go (?:through|over)|have a (?:look|glance) at) [^,;.!?]{1,40}? (?:,? ?just )?"
    r"in case (?:there(?:['’]s| is| are) (?:anything|something|news|any|some|more)\b|(?:you|u) (?:need|want)\b)"
    r"[^;.!?]*(?=[.!]?\s*$))"
)
"""A text that is to be read "in case there is anything about it", which is no condition of the order in front."""
_REST: Final = compile_later(r"[,;]?\s*\b(?i:(?:and )?(?:nothing (?:else|more)|no more|not more))\b")
"""What only says that the order is complete: "remove D-19, nothing else"."""
_WISH_IF: Final = compile_later(
    r"(?i:\b(?:(?:it|that|i|we)(?: would|['’]d) be|would be) (?:\w+ )?(?:great|good|nice|lovely|grateful|glad|happy"
    r"|thankful|appreciated|wonderful) if (?:(?:you|we|someone|somebody) (?:could|would|can) )?)"
)
_WISH: Final = compile_later(r"(?i:\bwould be (?:great|good|nice|lovely|ideal|perfect|appreciated|wonderful)\b)")
_I_WANT: Final = compile_later(
    r"(?i:\b(?:i|we) ?(?: would (?:like|love)|['’]d (?:like|love)|want|need)\b"
    r"(?! to (?:know|see|hear|be|understand|check)\b)"
    r"(?! [\w-]+ to (?:decide|approve|confirm|check|sign|review|look|agree)\b))"
)
_POSSIBLE: Final = compile_later(r"(?i:\b(?:would|is) it (?:be )?possible (?:for (\S[^,;?]*?) to |to |that ))")
"""A question that asks for an act: "would it be possible for Ilona to see the room?"."""
_HAVE: Final = compile_later(r"(?i:\b(?:can|could|may) (?:we|i) (?:please )?(?:have|get) )")
_NEEDS: Final = compile_later(r"\b[Nn]eeds?\b(?! to (?:know|see|hear|be sure)\b)")
_READY: Final = compile_later(r"(?i:\b(?:is|are) (?:good|ready|cleared|free) to go(?= (?:on|to|into|live|out)\b))")


def reword(sentence: str) -> str:
    """Write a sentence without what only says when, and its wishes as orders: "we need X" as "should get X"."""
    sentence = _AS_AGREED.sub("", _AFTER_THAT.sub(" ", _REST.sub(" ", sentence)))
    sentence = _DEADLINE.sub(" ", sentence)
    sentence = _IN_CASE.sub(" ", _BEFORE_THEY_GO.sub(" ", sentence))
    sentence = _WISH.sub("should be set", _WISH_IF.sub("please ", sentence))
    sentence = _READY.sub("should be", _I_WANT.sub("should get", sentence))
    return _HAVE.sub("please have ", _POSSIBLE.sub(_write_as_order, sentence))


def _write_as_order(match: re.Match[str]) -> str:
    return f"please let {match[1]} " if match[1] else "please "


WITH_IT: Final = compile_later(
    r"\W*(?i:(?:so |and |then )*(?:in|out|off|away|up|down) with (?:it|that|them|those|her|him)\b)"
)
"""An order without a verb: "in with it"."""
PLEASE: Final = compile_later(r"(?i:\b(?:please|pls|plz)\W*$)")
MEASURE: Final = compile_later(
    r"\W*(?:[a-z]+ )?[0-9]+(?:[.,][0-9]+)? (?:minutes?|mins?|hours?|degrees?|percent)"
    r"(?: (?:please|pls|plz|then|again|now))*\W*"
)
"""A request for nothing but a number of units: "22 degrees please"."""
SMALL_NUMBERS: Final = "two three four five six seven eight nine ten eleven twelve".split()
"""From two on."""
_MEASURE: Final = compile_later(
    rf"(?i:\b({'|'.join(SMALL_NUMBERS)})(?= (?:minutes?|mins?|hours?|seconds?|degrees?|percent|seats|persons|people"
    r"|guests|tickets|bags|boxes|vials|bottles|nights|units|pallets|copies)\b))"
)


def write_measures(text: str) -> str:
    """Write small numbers of units in digits: "10 minutes" for "ten minutes"."""
    return _MEASURE.sub(lambda match: str(SMALL_NUMBERS.index(match[1].lower()) + 2), text)


def write_needs(words: str) -> str:
    """Write what somebody needs as what he gets, which is no wish of somebody else."""
    return _NEEDS.sub("gets", words)

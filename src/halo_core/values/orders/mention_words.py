"""Words by which a part of a text says what is or was, wants something, or refers back (`mentioned_values`).

A part that wants something is no mention, whatever else it says. So the lists of wanting words are wide, and those of
stating ones narrow. Numbers are written as "¤", and other values but names as "§".
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

VALUE_SIGN: Final = "§"
NUMBER_SIGN: Final = "¤"
_ANY_VALUE: Final = f"[{VALUE_SIGN}{NUMBER_SIGN}]"
_BEGINNING: Final = rf"^[^\w{VALUE_SIGN}{NUMBER_SIGN}]*"
_JOINING: Final = r"(?:(?:and|but|also|und|auch|aber|et|mais|y|e|ma|mas|en|maar) )?"
_STATED: Final = (
    r"\b(?:is|are|was|were|am|has|had|been|did|does|went|gave|sent|wrote|said|says|told|tells|thinks|knew|knows|brought"
    r"|owned|used|came|sold|bought|got|took|made|paid|left|lost|found|spent|held|met|lives|lived|worked|happened"
    r"|comes? (?:later|back|from))\b"
    r"|(?<=[\w§¤] )(?<!\bthe )(?<!\bour )(?<!\bmy )(?<!\bof )(?<!\bfor )"
    r"(?:uses|owns|sells|offers|brings|writes|describes|explains|shows|contains|mentions|works|costs|owes|stores|holds"
    r"|makes|runs|charges)\b"
    rf"|^\W*(?:{VALUE_SIGN}|\S*[0-9@_]\S*) (?:only |just |still )?"
    r"(?!takes|belongs|stays|moves|drives|travels|comes|goes|joins|gets|becomes|replaces|follows|covers|starts|ships"
    r"|leaves|receives|pays|opens|closes|needs|wants|hangs|fails|keeps)[a-z]{3,}s\b"
    r"|\b(?:he|she|it|that|there|what|who|here)['’]s\b|['’](?:re|ve|ll)\b"
    r"|(?<=[a-z§¤] )(?!need)[a-z]{2,}ed (?=(?:us|me|him|her|them|it|a|an|the|my|our|his|their|that|about|for|to|in|from"
    r"|on|at|last|yesterday|with|over)\b)"
    r"|\b(?:only|just|merely|simply) [a-z]+(?:s|ed)\b"
    r"|(?:^|[.!;,:\n])\W*(?:(?:and|but|the|our|other|some|most|many|two|three|four|five|few|both|several|these"
    r"|those) )*(?:(?:[a-z-]+ )?[a-z]{2,}[^s\W]s|people|they|we|men|women|staff)"
    r" (?:(?:only|just|usually|mostly|still|often|always|never) )?"
    r"(?:give|offer|sell|leave|charge|use|have|live|work|sit|come|know|complain|run|cost|ask|say|write|report|like)\b"
)
STATING: Final = CaselessPattern(_STATED)
"""A verb of a statement in English."""
_FOREIGN: Final = (
    r"\b(?:ist|sind|waren|hat|hatte|hatten|haben|wurde|wurden|schrieb|meldete|fragte|bat|kam|kamen|ging|gab|schickte"
    r"|sagte|rief|wohnt|arbeitet|bringt|liegt|steht|heißt|war"
    r"|est|sont|était|étaient|avait|avaient|habite|travaille"
    r"|está|están|fue|fueron|era|eran|han|había|tiene|tienen|vive|trabaja"
    r"|è|sono|erano|ha|hanno|aveva|abita|lavora"
    r"|é|são|estão|foi|foram|tem|têm|mora|trabalha|pediu|mandou|escreveu|enviou|ficou|disse|perguntou|recebeu|pagou"
    r"|deu|viu|chegou|saiu|comprou|vendeu|telefonou|ligou|queixou|avisou|informou|respondeu|trouxe|fez"
    r"|is|was|heeft|hebben|had|hadden|werd|woont|werkt|kwam|kwamen|vroeg|stuurde|schreef|brengt"
    r"|jest|są|był|była|było|napisał|napisała)\b"
    r"|\b(?:a|ont|n['’]a|l['’]a) (?:déjà |aussi |seulement |juste |bien |tout )?"
    r"[\w'’]*(?:é|ée|és|écrit|dit|reçu|vendu)\b"
    r"|\bes (?:el|la|un|una|su|mi|nuestr[oa]|de|del|solo|sólo|solamente)\b|\bson (?:los|las|de|del)\b"
    r"|\b\w{3,}ó\b|\b\w{2,}(?:erà|arà|irà)\b"
)
FOREIGN_STATING: Final = CaselessPattern(_FOREIGN)
"""A verb of a statement in German, French, Spanish, Italian, Portuguese, Dutch or Polish."""
WANTING: Final = CaselessPattern(
    r"\b(?:please|pls|plz|should|must|shall|needs?|wants?|wish(?:es)?|would|has to|have to|had better|ought|to be|let"
    r"|gets?|goes|go|joins?|receives?|takes? over|too|also|as well|instead|rather|ready|due|overdue|unpaid|outstanding"
    r"|missing|urgent|fine|okay|ok|approv\w+|accept\w*|grant\w*|allow\w*|confirm\w*|reject\w*|declin\w*|den(?:y|ied)"
    r"|agreed?|may (?=[a-z])|can|could|supposed|expect\w*|waiting|next|same (?:for|with|here|as|goes)|likewise|ditto"
    r"|sorry|oops|typo|correct\w*|i mean[t]?|actual\w*|new|right|updated|changed|moved|replac\w+|now|from today|again"
    r"|done with|finished|broken|dead|obsolete|duplicates?|(?:is|are) for|hope|thinking|plan\w*|proposed?|intend\w*"
    r"|todo|to do|tasks?|stays?|remains?|keeps?|both|following|as follows|below|these|no longer|any ?more"
    r"|(?:instruct|request|order|authori[sz])(?:ed|s)?)\b"
    rf"|\bas (?:[a-z]+ ){{0,3}}(?:{_ANY_VALUE} )?(?:says?|said|writes?|wrote|asks?|wants?)\b"
    r"|\byou(?:['’]re| are| can| could| may| might| have| will|['’]ll)\b"
)
"""Words of a part that may order something, even if it is a statement: "Ana should get it too", "INV-7 is due"."""
OWN_ACT: Final = CaselessPattern(r"\b(?:i|we)(?:['’]ll| will) (?!need|want|take|have|like|also|be)[a-z]")
"""What the user says that he will do himself: "in March I'll tell you"."""
FOREIGN_WANTING: Final = CaselessPattern(
    r"\b(?:bitte|soll|sollen|sollte|muss|müssen|möchte|will|wollen|braucht|brauche|auch|ebenfalls|stattdessen|lieber"
    r"|doch|neue?[rsn]?|richtige?|fällig|offen|jetzt|wieder|geht|gehen|bekommt|erhält"
    r"|plaît|doit|doivent|faut|veux|veut|voudrais|besoin|aussi|plutôt|nouveau|nouvelle|maintenant|reçoit|pardon"
    r"|debe|deben|quiero|quiere|quisiera|necesita|favor|también|mejor|nuevo|nueva|ahora|recibe|perdón"
    r"|deve|devono|voglio|vorrei|vuole|serve|favore|anche|meglio|nuov[oa]|adesso|ora|va|vanno|vai|riceve|scusa"
    r"|quero|queria|precisa|também|melhor|novo|nova|agora|recebe"
    r"|moet|moeten|graag|wil|willen|alstublieft|ook|liever|nieuwe?|nu|gaat|krijgt"
    r"|proszę|też|nowy|teraz|correct\w*|sorry|typo)\b"
)
_DEPENDING: Final = (
    rf"^\W*{_JOINING}(?:if|unless|in case|should (?:he|she|they|it|the|there)|whenever|falls|wenn|sollte|si|se|quand"
    r"|quando|cuando|als|indien|jeśli)\b"
)
CONDITION: Final = CaselessPattern(_DEPENDING)
"""The beginning of a sentence that depends on something."""
MAY_MENTION: Final = CaselessPattern(rf"{_STATED}|{_DEPENDING}")
"""A part without one of these only has possible orders."""
FOREIGN_MAY_MENTION: Final = CaselessPattern(rf"{_FOREIGN}|{_DEPENDING}")
ASKING: Final = CaselessPattern(
    rf"{_BEGINNING}(?:(?:and|so|but|ok|okay|also|hey|hi|hello|by the way|btw)\W+)*"
    r"(?:is|are|was|were|isn['’]?t|aren['’]?t|does|did"
    r"|do (?:we|they|you know)|has|have (?:we|they)|had|who|whose|what|what['’]s|which|why|when|where|how"
    r"|ist|sind|wer|was|warum|wo|wie|wann|welche[rsnm]?|est-ce|qui|quoi|pourquoi|quels?|quelles?|où|combien"
    r"|qué|quién|cuál|dónde|cuándo|cosa|chi|perché|quale|dove|quem|qual|quais|onde|wat|welke?|waar|waarom|hoe)\b"
)
"""The beginning of a question that orders nothing."""
POLITE: Final = CaselessPattern(
    r"\b(?:can|could|would|will|may|shall|mind|why not|why don['’]?t) (?:you|we|u|i)\b|\bplease\b"
)
IDENTIFYING: Final = CaselessPattern(
    rf"(?:\b(?:is|are|lautet|ist|sind|est|es|è|é)|['’]s|:) (?:[^\W\d]+ ){{0,3}}{_ANY_VALUE}"
)
"""A statement that says what a value is: "her account is §"."""
CORRECTING: Final = CaselessPattern(rf"\b(?:it|that|this)(?:['’]s| is) (?:[^\W\d]+ ){{0,3}}{_ANY_VALUE}")
"""A statement that says which value was meant: "it's §"."""
REFERENCE: Final = CaselessPattern(
    r"\b(?:it|them|him|her|his|their|its|he|she|they|that(?= (?:one|to|too|in|for)\b|\W*$)|this|those|these|there"
    r"|ones?|both|all|rest|others?|same|former|latter|first|second|third|last|everyone|everybody|everything|each"
    r"|whoever|whose|accordingly|earlier|above|mentioned|asked|said|as discussed)\b"
)
FOREIGN_REFERENCE: Final = CaselessPattern(
    r"\b(?:ihm|ihr|ihnen|ihn|sie|es|das|dies\w*|damit|dahin|dort|beide[ns]?|alle[ns]?|lui|leur|elles?|ça|cela|celui"
    r"|celle|tous|toutes|eso|ello|él|ella|todos?|todas?|ambos|gli|lei|loro|ciò|quello|quella|tutti|hem|haar|hen|dat"
    r"|daar|isso|ele|ela|lhes?)\b|\w(?:le|lo|los|las|les|gli|-[oa]s?|-lhes?)\b"
)
REFERENCE_WITHOUT_VERB: Final = CaselessPattern(
    r"\b(?:others?|first|second|third|both|rest|latter|former|ones?|them|same|all|it(?=\W*$)|beide[ns]?|erste[ns]?"
    r"|zweite[ns]?|andere[nrs]?|autres?|premi[eè]re?|seconde?|otr[oa]s?|primer[oa]?|segund[oa]|altr[oaie]|prim[oa]"
    r"|second[oa])\b"
)
"""Words of a part without a verb by which it goes on with an order: "then the other"."""
STARTS_BACK: Final = CaselessPattern(
    rf"{_BEGINNING}{_JOINING}(?:it|its|his|her|their|he|she|they|that|this|these|those|ihre?|seine?|sein|er|sie|sa|son|ses"
    r"|leurs?|su|sus|suo|sua|suoi|il suo|la sua|o seu|a sua|seu|haar|zijn|hun)\b"
)
"""A part that begins with a word for what was said before: "her account is ..."."""
ENGLISH: Final = CaselessPattern(
    r"\b(?:the|you|please|with|this|have|our|your|and|of|for|it['’]s|is on|send|to the|from)\b"
)
FOREIGN: Final = CaselessPattern(
    r"\b(?:der|das|den|dem|und|ist|nicht|ein|eine|einen|zu|von|vom|für|auf|mit|bitte|ich|wir|le|la|les|des|une|du|est|et|au"
    r"|aux|el|los|las|del|es|un|una|por|para|con|il|lo|gli|di|che|alla|al|è|os|um|uma|é|ao|da|em|het|een|van|naar|op|aan"
    r"|w|na|jest|się|dla)\b"
)
"""Words of other languages. A text without these, and without English words, is read as English."""
COURTESY: Final = compile_later(
    r"\W*(?:(?:thanks?|thank you|thx|ok|okay|yes|no|great|nice|cool|perfect|good|fine|hello|hi|hey|bye|please|pls|so"
    r"|oh|ah|right|well|sure|cheers|now|too|also|btw|by the way|many|a lot|very|much|all|fyi|danke|merci|gracias"
    r"|grazie|obrigad[oa]|dank|bitte|nothing (?:else|more)|nichts weiter|nada (?:mais|más)|rien d['’]autre"
    r"|nient['’]altro|niets anders)\b\W*)*",
    re.IGNORECASE,
)
HAVING_LOOK: Final = CaselessPattern(
    rf"{_BEGINNING}(?:(?:and|then|please|pls|also) )*(?:have|take|get) an? (?:\w+ )?(?:look|glance|peek|read)\b"
)
DOCUMENT: Final = CaselessPattern(
    rf"{_BEGINNING}{_JOINING}(?:the |my |her |his |their |die |der |la |le |el |il |a |o )?"
    r"(?:e-?mail|mail|message|text|letter|note|ticket|report|page|post|thread|form|chat|fax|scan|nachricht|brief"
    r"|lettre|courriel|correo|carta|lettera|messaggio|bericht)s?"
    rf" (?:no\.? ?|nr\.? ?|number |#)?{_ANY_VALUE}(?! ?@)"
)
"""A part about what is read: "mail 5 explains it"."""
SELF: Final = CaselessPattern(r"\b(?:me|us|myself|mir|uns|moi|nous|nos|mij|ons|mim)\b")

"""The words by which people take an order back, keep to it after all, or correct it, in many languages.

A pattern is matched against one clause in small letters (`halo_core.values.withdrawals.withdrawals`), behind words that
only lead to it: "oh wait, actually, forget it". "Forget it" takes something back; "Kim says forget it" and "tell Kim to
forget it" do not, because other words stand in front.
"""

from __future__ import annotations

from typing import Final

from halo_core.values.language.patterns import compile_later

_HINT_LETTERS: Final = 4
_HINTS: Final = frozenset(
    # English
    "forg mind neve nvm scra stri disr igno skip drop canc abor stop undo halt hold off take don' don dont do"
    " not no need"
    " leav keep let inst rath only just exce stay myse make chan mean actu sorr corr apar spar with retr revo bela stan"
    " shou must let' kill paus quit enou ceas back wait hang fals won' i'd we'd noth mist typo oops enou will"
    " plen gets get rece unto rema"
    ""
    # German, Dutch, Scandinavian languages, Finnish
    " verg lass nich stop abbr zurü kein brec bric erle ande stre stor beha stat auße auss nur bloß lied lieb"
    " doch blei scho"
    " wart mome reic genü nöti brau nimm laat niet maar bedo beda geda annu alle enke beha zelf hoef kap glöm"
    " stru glem låt lad la inte ikke ändr ångr ombe"
    " fort uniq unoh anna antä anta sitt älä jätä seis lope peru muut vain avbr slut gör gjør drop det alli like"
    " ändå hell"
    # Romance languages
    " atte espe aspe wach beso néce suff bast cheg fais facc maak lais oubl annu arrê fina avis pas tant peu"
    " rest qued rima fica blij gard plut lieu plac seul just sauf n'oub supp aban surt mieu je olvi olví deja"
    " déja dejo dejé mejo pens canc anul dete alto para haga camb impo igua guar guár luga vez salv exce solo"
    " sólo sola únic lasc"
    " dime scor anzi megl ferm non dett fa inve tran solt tien come ci deix esqu melh afin mude não pare apen"
    " som las lasă uită"
    " mai m-am opre anul ne n'en n'es al menos todo digo"
    # Slavic languages, Hungarian, Turkish, Greek
    " zapo niew jedn lepi zost anul prze rozm zmie nie cofn daj tylk nech raděj rade radě radš přec zruš ned"
    " забу надо не отме"
    " отбо стоп хват пере оста нева прое я луч лучш тольк толь треб не ска скас зали fele hagy még mégs inká"
    " megg állj ne boş"
    " vazg unut yapm gere fikr dur ipta kals bıra silm gönd öyle sade yaln ξέχν άσε άστο μην".split()
)
"""The first letters of words, in small letters: a text without any of them takes nothing back."""
_SIGN_HINTS: Final = tuple(
    "やめ|やっぱ|忘れ|キャンセル|取り|不要|しない|消さない|そのまま|中止|なしで|なしに|算了|不用|别|取消|先不|停|住手|当我没|改变主意|改主意"
    "|还是不|留着|됐어|취소|그만|하지|잊어|둬|없던|انس|تفعل|توقف|ألغ|غيرت|داعي|اترك|دع".split("|")
)
"""The same in languages that are written without blanks or small letters."""
_WORD_ENDS: Final = str.maketrans(dict.fromkeys('.,;:!?()[]"…—–-“”„«»¡¿/', " "))


def has_hint(text: str) -> bool:
    """Whether a text has a word by which people may take something back; fast, since most texts have none."""
    small = text.lower().replace("’", "'")
    beginnings = {word[:_HINT_LETTERS] for word in small.translate(_WORD_ENDS).split()}
    if not _HINTS.isdisjoint(beginnings):
        return True
    if "~~" in small:
        return True
    return not text.isascii() and any(map(small.__contains__, _SIGN_HINTS))


_LEADING: Final = (
    r"(?:ok(?:ay)?|oh|ooh|ah|um+|uh+|hm+|well|so|and|but|then|now|just|please|pls|plz|sorry|wait|hold on|hang on"
    r"|one sec"
    r"|a moment|no|nope|nah|yes|yeah|actually|in fact|you know what|come to think of it|on (?:second|reflection)"
    r"(?: thoughts?)?|thinking about it|thanks|thank you|hey|hi|hello|i think|i guess|i said|can you|could you"
    r"|would you"
    r"|will you|we(?:'d| had)? better|you(?:'d| had)? better|also|oops|argh|quick(?:ly)?|correction|update|edit"
    r"|damn|kindly"
    r"|instead|for now|by the way|btw|let's|we should|i want to|either way|alright|all right|right|nein|ach|äh"
    r"|moment|warte|bitte|doch|eigentlich"
    r"|ja|aber|und|dann|entschuldigung|nun|also|jetzt|mal|non|attends|attendez|s'il (?:te|vous) pla[iî]t|pardon"
    r"|désolée?"
    r"|en fait|finalement|euh|mais|et|espera|espere|perdón|perdona|mejor dicho|por favor|ay|pero|y|bueno|en realidad"
    r"|aspetta|aspetti|scusa|scusi|anzi|per favore|ma|però|e|nee|wacht|eigenlijk|alsjeblieft|maar|en|não|espere"
    r"|desculp[ae]|aliás|mas|nie|czekaj|proszę|nej|vänta|vent|nei|snälla|нет|подожди(?:те)?|пожалуйста|ну|но|hayır|dur"
    r"|ama|hej|du|ei|odota|ne|počkej|prosím)"
)
LEAD: Final = rf"\W*(?:{_LEADING}\b\W*){{0,6}}"
LEADING: Final = compile_later(LEAD)
_FOLLOWING: Final = (
    r"(?:please|pls|then|now|for now|for the moment|after all|though|thanks|thank you|ok(?:ay)?|sorry|already"
    r"|altogether"
    r"|entirely|completely|immediately|at once|right now|right away|yet|again|any ?more|anyway|instead|today"
    r"|bitte|danke"
    r"|jetzt|erstmal|vorerst|sofort|doch|lieber|mal|besser|wieder|mehr|merci|maintenant|tout de suite|encore|por favor"
    r"|gracias|ahora|ya|per favore|grazie|adesso|più|alsjeblieft|maar|toch|nu|meer|obrigad[oa]|agora|mais|s'il te plaît"
    r"|s'il vous plaît|пожалуйста|lütfen|proszę|tack|tak|takk|kiitos)"
)
TAIL: Final = rf"(?:\W+{_FOLLOWING}\b){{0,4}}\W*"
_IT: Final = r"(?:it|that|this|them|those|these|him|her|so|anything|it all|all (?:of )?(?:it|that|this)|everything)"
_MINE: Final = (
    r"(?:(?:the|my|that|this|your) (?:(?:whole|other|last|previous|earlier) (?:one|thing|message|request"
    r"|instruction|task|job"
    r"|order|ask|bit|part|command)s?|request|instructions?|command|thing|idea))"
)
_SAID: Final = r"what i (?:just |have just |'ve just )?(?:said|wrote|asked|told you|ordered)\b.*"
_OBLIGING: Final = r"worry|forget|fail|hesitate|miss|mind|wait|delay|rush|panic|be|get me|hurry"
_AS_IT_IS: Final = (
    r"(?:(?:exactly |just )?(?:as|the way|where|how) (?:it|they|he|she|things?)(?:'s|'re| is| are| was| were"
    r"| stands?)|be"
    r"|alone|as is|as-is|there|in place|in|untouched|unchanged|in peace|out of (?:it|this)|out|to me|with me)"
)
_VERB_IT: Final = rf"(?!(?:{_OBLIGING})\b)\w+(?: (?:out|off|up|down|back|over|away|with|to|on))?"

_BARE_ENGLISH: Final = (
    rf"forget (?:about )?(?:{_IT}|{_MINE}|{_SAID})|forget(?: {_IT})?(?: that)? i (?:ever |just )?(?:said|asked"
    rf"|mentioned|wrote"
    r"|told|ordered)\b.*|forget"
    rf"|never ?mind(?: (?:about )?(?:{_IT}|{_MINE}|{_SAID}))?|nvm"
    rf"|(?:scratch|strike|disregard|ignore|skip|drop|cancel|abort|undo|belay|withdraw|retract|revoke|kill|pause) "
    rf"(?:{_IT}|{_MINE}|{_SAID})|disregard|abort|cancel"
    rf"|(?:stop|halt|enough)(?: (?:{_IT}|now|there|right there|stop))*|hold it|hold off(?: on (?:{_IT}))?|stand down"
    rf"|as you were|back off|cease|let (?:it|that|them|him|her) (?:be|go|stay)"
    rf"|call (?:{_IT}|the whole thing) off"
    r"|(?:(?:i|we)(?:'ve| have)? )?(?:just )?changed (?:my|our) minds?(?: (?:about|on) \w+(?: \w+){0,3})?"
    rf"|(?:i|we) (?:hereby )?take (?:{_IT}|{_SAID}) back|i take back (?:{_IT}|{_MINE}|{_SAID})|take (?:{_IT}) back"
    rf"|(?:i )?(?:do n't|don't|do not|dont) (?:you )?(?:bother|go ahead|proceed)(?: with (?:{_IT}|{_MINE}))?"
    rf"|(?:do n't|don't|do not|dont)(?: (?:{_VERB_IT}) (?!him\b|her\b)(?:{_IT}))?(?: (?:until|till|before|unless)\b.*)?"
    rf"|(?:i )?(?:do n't|don't|do not|dont|no longer) want (?:you )?(?:to (?:do )?|)(?:{_VERB_IT} )?(?:{_IT})"
    r"(?: (?:\w+ed|done|sent|paid|gone|cut|put))"
    rf"|(?:i |we )(?:do n't|don't|do not|dont|no longer) want (?:you )?to {_VERB_IT} (?:{_IT})"
    rf"|you (?:need n't|needn't|do not have to|don't have to|do not need to|don't need to|should not|shouldn't|must not"
    rf"|mustn't) (?:do |{_VERB_IT} )?(?:{_IT})"
    r"|(?:better|rather|preferably) not|not (?:needed|necessary|now)|no need(?: (?:to|for (?:it|that)"
    rf"|to {_VERB_IT} (?:{_IT})))?|there(?:'s| is) no (?:longer any )?need(?: (?:for|to)\b.*)?"
    rf"|let'?s not(?: (?:{_VERB_IT}) (?:{_IT})| do (?:{_IT}))?"
    rf"|keep (?:{_IT})(?: (?:{_AS_IT_IS}))?|leave (?:{_IT})(?: (?:{_AS_IT_IS}|open|on|up|running|active))?"
    r"|(?:it|that|this|they|everything|all) (?:can |should |must |may |has to |is to |will )?(?:stays?|remains?)"
    rf"(?: (?:{_AS_IT_IS}))?"
    r"|(?:i|we)(?:'ll| will|'d rather| would rather| can|'m going to| am going to) (?:just )?(?:do|handle|sort|manage"
    r"|take care of|see to|deal with) (?:it|that|this|them) (?:myself|ourselves|on my own|personally)"
    r"|hold your horses|not so fast|false alarm|(?:it|that|this) (?:won't|will not) be (?:necessary|needed|required)"
    r"|(?:it|that|this)(?:'s| is) (?:no longer|not) (?:necessary|required)"
    r"|i did(?:n't| not) mean (?:it|that|to)\b.*|that was (?:a|my) mistake|not (?:that|this|it|them)(?: one)?"
)
_BARE_GERMANIC: Final = (
    r"verg(?:iss|esst|essen sie) (?:es|das|ihn|sie|alles|was ich\b.*|meine letzte \w+|die letzte \w+)"
    r"|lass(?:t|en sie)? (?:es|das|ihn|sie|alles)(?: (?:sein|bleiben|gut sein|so|stehen|in ruhe|drin|da"
    r"|da wo (?:es|sie) ist"
    r"|wie (?:es|er|sie|das) (?:ist|war|sind)))*|lass mal|lass (?:gut|gut sein|stecken)"
    r"|brauchst du nicht(?: mehr)?|(?:das )?(?:ist|wird) nicht(?: mehr)? nötig"
    r"|(?:doch|lieber|besser|bitte|jetzt|erstmal|vorerst)(?: (?:doch|lieber|besser|bitte|jetzt))* nicht(?: \w+en)?"
    r"|nicht (?:(?!vergess|zöger|wart)\w+en|mehr|nötig)|nicht"
    r"|(?!(?:ist|war|hat|ich|wir|geht|weiß|mach dir)\b)\w+ (?:es|das|ihn|sie|ihm|ihr|die"
    r"|den)(?: \w+){0,2} nicht(?: \w+)?"
    r"|stopp?|abbruch|abbrechen|brich (?:es|das) ab|kommando zurück|schon gut|passt schon|(?:das )?hat sich erledigt"
    r"|(?:streich|storniere?|lösch) das(?: wieder)?|nimm das zurück|ich nehme? (?:es|das) zurück|es bleibt dabei nicht"
    r"|(?:ich |wir )?(?:habe?|hab's|haben)(?:'s)? (?:es )?(?:mir|uns) anders überlegt|anders überlegt"
    r"|ich (?:habe?|hab) meine meinung geändert|ich mache? (?:es|das) (?:lieber )?selbst|behalte? (?:es|das|ihn|sie)"
    r"|laat (?:maar|het|dat|ze)(?: (?:zo|maar|zitten|gaan|staan|zijn|rusten|met rust|zoals het is))*"
    r"|vergeet (?:het|dat|maar|alles|wat ik\b.*)(?: maar)?|(?:toch|liever|beter|maar)(?: \w+)? niet|niet doen"
    r"|\w+ (?:het|dat|ze|hem|haar)(?: \w+){0,2} niet(?: \w+)?|stop (?:maar|ermee|daarmee)|annuleer (?:het|dat|maar)"
    r"|(?:ik )?heb me bedacht|ik ben van gedachten veranderd|(?:dat "
    r"|het )?hoeft (?:toch )?niet(?: meer)?(?: hoor)?|kap ermee"
    r"|ik doe het (?:zelf|wel zelf)|niet meer nodig"
    r"|glöm (?:bort )?det|strunta? i det|strunt samma|skippa det|låt (?:det )?(?:bli|vara)|(?:ändå inte|inte ändå)"
    r"|gör (?:det )?inte(?: det)?|avbryt|sluta|(?:jag har )?ändrat mig|jag ångrar mig|det behövs inte(?: längre)?"
    r"|glem det|la[d]? (?:det )?(?:være|ligge|stå)|(?:alligevel|likevel) ikke|ikke (?:alligevel|likevel)"
    r"|gj?ø[rj]r? det ikke"
    r"|gør det ikke|dropp? det|(?:jeg har )?ombestemt (?:mig|meg)|jeg fortryder|annuller(?: det)?|det trengs ikke"
    r"|unohda (?:se|koko juttu|tuo)|anna(?: sen)? olla|antaa olla|sittenkään ei|ei sittenkään|älä(?: tee sitä"
    r"| sittenkään)?"
    r"|jätä se(?: sikseen| siihen)?|seis|lopeta|peruuta(?: se)?|muutin mieleni"
)
_BARE_ROMANCE: Final = (
    r"laiss(?:e|ez|ons)(?:-(?:le|la|les))?(?: (?:donc|plutôt))?(?: (?:tomber|ça|faire|comme ça|comme (?:il|elle) est"
    r"|tranquilles?|en place))*"
    r"|oublie[zs]?(?:-(?:le|la|les))?(?: (?:ça|cela|tout|tout ça|ce que j'ai\b.*|ma dernière \w+))?"
    r"|finalement(?: non| pas)|non finalement(?: pas)?|pas finalement|surtout pas|plutôt pas|mieux vaut pas"
    r"|annule[zs]?(?:-(?:le|la|les))?(?: (?:ça|cela|tout|tout ça))?|arrête[zs]?(?: (?:ça|tout|tout ça))?|stop"
    r"|(?:j'ai )?changé d'avis|tant pis|peu importe|(?:c'est )?(?:pas|plus) (?:la peine|besoin|nécessaire)"
    r"|abandonne[zs]?(?: ça)?"
    r"|(?:ne |n')(?!oubli|hésit|tard|inqui|t'inqui|vous inqui)(?:(?:le|la|les|lui|leur|y|en) |l'|t')?\w+ (?:pas"
    r"|plus|rien)"
    r"(?: ça| cela)?|ne (?:fais|faites) rien|(?:fais|faites|envoie|supprime|paie)(?:-le|-la|-les)? pas(?: ça)?"
    r"|garde[zs]?(?:-(?:le|la|les))|je (?:le|la|les) (?:ferai|fais) moi-même|je m'en (?:occupe|charge)(?: moi-même)?"
    r"|olv[ií]d(?:a|e|en|ad)(?:lo|la|los|las|te|se)?(?: (?:de )?(?:eso|ello|esto|todo|lo que\b.*|lo anterior))?"
    r"|d[eé]j(?:a|e|en|ad)(?:lo|la|los|las|melo)(?: (?:así|estar|como est[áa]n?|en paz|ahí|tranquil[oa]))?|deja eso"
    r"|mejor no|pens[áa]ndolo bien(?: no)?|al final no|da igual|no importa|ya no(?: es necesario| hace falta)?"
    r"|no (?:es necesario|hace falta)|me retracto"
    r"|cancel(?:a|e|ar)(?:lo|la|los|las)?(?: (?:eso|esto|todo))?|anul(?:a|e)(?:lo|la)?(?: eso)?|detente|alto|para|parad"
    r"|(?:he cambiado|cambié) de (?:idea|opinión|parecer)|no (?:lo|la|los|las|le|les|se lo|se la) (?!olvid|sé|sab"
    r"|cre|entien|recuer|veo|tengo|encuen)\w+"
    r"|no hagas (?:eso|nada)|(?:yo )?lo hago yo(?: mism[oa])?|gu[áa]rd(?:a|e)(?:lo|la)"
    r"|lasci(?:a|amo|ate)?(?:lo|la|li|le|mo)?(?: (?:stare|perdere|così|com'è|in pace))*|scordatelo|come non detto"
    r"|dimentic(?:a|hi|are)(?:lo|la|telo|tela)?(?: (?:tutto|quello che\b.*|ciò che\b.*))?|anzi no|meglio (?:di )?no"
    r"|ferm(?:a|o|ati|atevi)(?: tutto)?|annull(?:a|are|i)(?:lo|la)?(?: tutto)?|ho cambiato idea|fa niente|non importa"
    r"|non serve|alla fine no|ci penso io|lo faccio io"
    r"|non (?!dimentic|scord|preoccup|male\b|solo\b)(?:\w+(?:lo|la|li|le|gli)|(?:lo|la|li|le|gli) (?!so\b|sapp"
    r"|cred|cap|ved|ric|trov)\w+)"
    r"|tien(?:i|ila|ilo)"
    r"|deix[ae](?:-[oa]s?)?(?: (?:(?:pra|para) lá|isso|estar|assim|quieto|como está))*|esque(?:ce|ça|çam|cer)"
    r"(?: (?:isso|isto|tudo|o que eu\b.*))?|melhor não|afinal não|pensando bem(?: não)?|mudei de (?:ideias?|opinião)"
    r"|cancel[ae](?: (?:isso|isto|tudo))?|par[ae](?: com isso)?|não (?:precisa|é preciso|é necessário)(?: mais)?"
    r"|não (?!esque|sei|conhe|acho|vejo|enten)(?:(?:o|a|os|as|lhe) \w+|(?:faça|faz|faças)|\w+ (?:isso|isto|nada"
    r"|ele|ela)"
    r"|\w+-(?:o|a|os|as))"
    r"|eu (?:mesm[oa]) faço|faço eu"
    r"|las-o|las[ăa](?: (?:a[șs]a|balt[ăa]|în pace))?|uit[ăa](?: de asta)?|mai bine nu|m-am r[ăa]zg[âa]ndit"
    r"|opre[șs]te(?:-te)?"
    r"|anuleaz[ăa](?: tot)?"
)
_BARE_OTHER: Final = (
    r"zapomnij(?:cie)?(?: o tym| o wszystkim)?|nieważne|jednak nie|lepiej nie|zostaw(?: (?:to|go|ją|je|tak|jak jest))*"
    r"|nie rób tego|anuluj(?: to)?|przestań|rozmyślił[ae]m się|zmienił[ae]m zdanie|cofnij to|nie trzeba|daj spokój"
    r"|nie (?!zapom)\w+ (?:tego|go|jej|ich)"
    r"|zapome[ňn](?:te)? na to|nech(?:te)? to(?: (?:být|tak|plavat))*|rad(?:ši|ěji) ne|přece jen ne"
    r"|nedělej(?:te)? to|zruš to"
    r"|rozmyslela? jsem si to|změnila? jsem názor"
    r"|felejtsd el|hagyd(?: (?:abba|békén|így))?|mégse(?:m)?|inkább ne|ne csináld|állj|meggondoltam magam"
    r"|boş ?ver(?:in)?|vazgeçtim|vazgeç|unut(?:un)?(?: (?:gitsin|onu|bunu))?|yapma|gerek (?:yok|kalmadı)"
    r"|fikrimi değiştirdim"
    r"|iptal(?: et)?|(?:öyle )?kalsın|bırak(?: (?:kalsın|öyle))?|silme|gönderme|dur"
    r"|забудь(?:те)?(?: (?:об этом|это|про это|всё|все))?|(?:лучше )?не (?:надо|нужно|стоит)|отмена"
    r"|отмени(?:те)?(?: это)?"
    r"|отбой|стоп|хватит|(?:я )?передумал[аи]?|оставь(?:те)?(?: (?:как есть|это|его|её|ее))*|неважно|проехали"
    r"|не (?:делай|удаляй|отправляй|плати|переводи)(?:те)?(?: (?:этого|это|его|её|ее|их))?"
    r"|не треба|відміна|скасуй(?: це)?|передумав|передумала|залиш(?: (?:як є|це))*|не роби цього|ξέχνα το|άσ(?:ε"
    r"|το)(?: το)?"
    r"|[^a-z]{0,12}(?:やめ(?:て|ます|よう|る|とく)|忘れて|キャンセル|取り消し|取りやめ|不要|消さないで|しないで|そのまま|中止"
    r"|なしで|なしに|算了|不用了|不要了|别(?:删|发|付|做|弄|转)?了|别删|别发|别付|别转|取消|先别|先不|停|住手|当我没说|改变主意"
    r"|改主意|还是不|留着|됐어|취소|그만|하지 ?마|잊어|놔 ?둬|그냥 ?둬|없던 일)[^a-z]{0,12}"
    r"|(?:انس|إنس)(?: الأمر| ذلك)?|لا تفعل(?: ذلك)?|توقف|ألغ(?: ذلك)?|غيرت رأيي|لا داعي(?: لذلك)?|اترك(?:ه|ها)"
    r"|دع(?:ه|ها)"
)
BARE: Final = compile_later(rf"{LEAD}(?:{_BARE_ENGLISH}|{_BARE_GERMANIC}|{_BARE_ROMANCE}|{_BARE_OTHER}){TAIL}")
"""A whole clause that takes back what was ordered before: "forget it"."""

_PURE: Final = (
    r"(?:forget|never ?mind|scratch|disregard|skip|ignore|strike)(?: about| the (?:bit|part|one|thing) about"
    r"| what i said about)?"
    r"|hold off on|(?:there(?:'s| is) )?no need (?:for|to)|(?:do n't|don't|do not|dont) bother (?:with|to|about)"
    r"|let'?s not|spare"
    r"|(?:everything |everybody |everyone |all )?(?:except|apart from|excluding|other than|all but)(?: for)?"
    r"|all (?:except|but)"
    r"|not(?! (?:only|just|until|before|sure|yet|more|less|a |an |that i|because|so|too|very|all that)\b)"
    r"|(?:vergiss|vergesst|vergessen sie|streich|überspring\w*|ignorier\w*|lass\w*(?= .*\b(?:so|stehen|sein"
    r"|bleiben|in ruhe|wie|weg|aus|da|drin|liegen)\b)|außer|ausser|bis auf"
    r"|alles außer|alle außer"
    r"|nur nicht|nicht(?! nur)|kein(?:e|en)?)"
    r"|(?:laisse[zs]?(?= .*\b(?:tranquille|comme|en place|tomber|là|de côté)\b)|oublie[zs]?(?! pas)|annule[zs]?"
    r"|saute[zs]?|pas|mais pas|sauf|à part|excepté|tout sauf|tous sauf)"
    r"|(?:olv[ií]d\w*|d[eé]j\w*(?= .*\b(?:así|como|en paz|estar|ahí|fuera|tranquil\w+)\b)|cancel[ae]\w*"
    r"|anul[ae]\w*|s[áa]lt\w*|menos|excepto|salvo|pero no|todo menos|todos menos"
    r"|no(?! (?:solo|sólo|olvid|me |te ))(?: \w+)?)"
    r"|(?:lasci\w*(?= .*\b(?:stare|perdere|così|com'è|in pace|fuori|dov'è)\b)|dimentic\w*|annull\w*|salt\w*"
    r"|tranne|eccetto|tutto tranne|tutti tranne|ma non"
    r"|non(?! (?:solo|dimentic|mi |ti ))(?: \w+)?)"
    r"|(?:laat(?= .*\b(?:staan|zo|zitten|met rust|weg|liggen|zoals)\b)|vergeet(?! niet)|annuleer|sla|behalve"
    r"|alles behalve|maar niet|niet(?! alleen))"
    r"|(?:deix[ae](?= .*\b(?:estar|assim|como|em paz|quieto|fora|lá)\b)|esque\w+|cancel[ae]|pul[ae]|exceto|menos"
    r"|tudo menos|todos menos|mas não|não(?! (?:só"
    r"|esque))(?: \w+)?)"
    r"|(?:zostaw|zapomnij o|anuluj|oprócz|poza|nie(?: \w+)?|glöm|glem|(?:låt|lad|la)(?= .*\b(?:være|vara|ligge"
    r"|stå|bli)\b)|utom|undtagen|unntatt|inte|ikke"
    r"|unohda|jätä"
    r"|paitsi|älä(?: \w+)?|nech|kromě|оставь|забудь(?: про| о)?|кроме|отмени|не(?: \w+)?|залиш)"
)
PURE: Final = compile_later(rf"{LEAD}(?:{_PURE}) (?P<object>.+)")
"""A clause that takes back what it names: "never mind the second one"."""
_NAME: Final = r"\S+(?: \S+){0,3}?"  # as long as a name may be
LEFT: Final = compile_later(
    rf"{LEAD}(?:leave (?P<left>.+?) (?:{_AS_IT_IS})|(?P<stays>{_NAME}) (?:can |should |must |may |has to |have to "
    rf"|is to |are to "
    rf"|will )?(?:stays?|remains?)(?: (?:{_AS_IT_IS}|put))?|(?:i|we) (?:don't|do not|dont"
    rf"|no longer) want (?P<unwanted>.+?) (?:\w+ed|sent|paid|done|put|cut)"
    rf"|(?P<spared>{_NAME}) (?:(?:should|must|shall|may|can|need)(?: not|n't|not)|(?:is|are) not to"
    rf"|ought not to) be \w+"
    rf"|(?P<rests>{_NAME}) (?:bleib(?:t|en)|reste(?:nt)?|(?:se )?quedan?|resta(?:no)?|rimang(?:a|ono)"
    rf"|blij(?:ft|ven)|ficam?"
    rf"|zostaj[eą]|stannar|förblir|forblir|zůst\w+|kal(?:ır|sın)|оста[её]тся|остаются|(?:is"
    rf"|are) (?:left )?untouched)(?: .*)?"
    rf"|(?P<poor>{_NAME}) (?:gets?|receives?) nothing|(?P<off>{_NAME}) (?:is|are) (?:off|out|to stay|to be kept"
    rf"|safe)){TAIL}"
)
"""What is left as it is: "leave D-19 alone", "D-19 stays"."""
KEPT: Final = compile_later(
    rf"{LEAD}(?:(?:i|we|they) (?:still |do |actually )*need(?: to keep)?|keep|retain|save|behalte?n?|behoud|hou"
    rf"|garde[zs]?|conserve[zs]?|guarda|conserva|mant[eé]n|tieni"
    rf"|mantieni"
    rf"|mant[eé]m|mantenha|guarde|zachowaj|behåll|behold|pidä|ponech|сохрани|сақта) (?P<object>.+?){TAIL}"
)
"""What is kept. It takes back only what would remove it."""
FORBIDDEN: Final = compile_later(
    rf"{LEAD}(?:(?:do n't|don't|do not|dont)"
    r"|(?:i |we )?(?:do n't|don't|do not|dont|no longer) (?:want|need|have|like)(?: you)? to"
    r"|i(?:'d| would) (?:rather|prefer)(?: that)? (?:you )?(?:did not|didn't|not)|it(?:'s| is) (?:no longer"
    r"|not) necessary to"
    r"|(?:you )?(?:need n't|needn't|do not have to|don't have to|don't need to|should not|shouldn't|must not|mustn't)"
    rf"|never|(?:stop|quit)(?= \w+ing\b)) (?P<act>(?!(?:{_OBLIGING}|know|think|care|believe|see|want|need|have"
    rf"|like|remember|only|just)\b)"
    r"[\w-]+)(?: (?P<object>.+))?"
)
"""An act that is forbidden now: "don't delete D-19", "stop paying Ben"."""
ABANDONED: Final = compile_later(
    rf"{LEAD}(?:cancel|abort|call off|drop|undo|revoke|withdraw|stop|halt|retract|pause"
    rf"|kill) (?P<object>.+?)(?: off)?{TAIL}"
)
"""What is called off. This may also be an order about a thing: "cancel order 4411"."""
NEGATION: Final = compile_later(
    r"\b(?:nicht|nie|kein(?:e|en)?|pas|plus|niet|geen|não|nie|inte|ikke|älä|ne|nu|не|değil|no|non)\b|ません|ないで|不要|别"
)
"""A word of another language that denies a clause."""
STATING: Final = compile_later(
    r"\b(?:is|are|was|were|has|have|had|did|does|isn't|wasn't|haven't|hasn't|didn't|doesn't|yet|still|already|can"
    r"|can't|ist|war"
    r"|hat|habe|haben|wurde|sind|noch|bereits|schon|est|était|sont|a|ai|ont|encore|déjà|es|fue|está|están|ha|han"
    r"|he|todavía"
    r"|aún|è|sono|stato|stata|ancora|già|werd|heeft|heb|nog|foi|são|ainda|já|jest|był|jeszcze|är|har|var|ännu|er"
    r"|endnu|ennå"
    r"|on|oli|warum|pourquoi|por qué|perché|waarom|why|vergiss|vergessen|oublie\w*|olvid\w*|dimentic\w*|vergeet"
    r"|esque\w*|zapom\w*)\b"
)
"""Words of a report or a reminder, which takes nothing back: "D-19 wurde noch nicht gelöscht"."""
ONLY: Final = compile_later(
    rf"{LEAD}(?P<verb>[^\W\d]+(?:-\w+)? )?(?:only|just|nur|bloß|lediglich|allein|seulement|juste|uniquement"
    rf"|sólo|solo|solamente|únicamente|soltanto"
    rf"|solamente"
    r"|alleen|enkel|slechts|apenas|só|somente|tylko|bara|endast|kun|bare|vain|jen|только|лише|sadece"
    r"|yalnızca) (?P<object>.+)"
)
"""What alone is wanted: "only the first two"."""
RATHER: Final = compile_later(
    r"\b(?:rather than|instead of|in place of|and not|anstatt|anstelle von|statt|und nicht|au lieu de"
    r"|à la place de|plutôt que|plutôt qu'à"
    r"|et non|en (?:vez|lugar) de|y no|invece (?:di|che)|piuttosto che|al posto di|e non|in plaats van|en niet"
    r"|em (?:vez|lugar)"
    r" de|e não|zamiast|a nie|i stället för|i stedet for|вместо|а не) (?P<old>.+)"
)
"""What is replaced: "send it to Anna rather than Ben"."""
INSTEAD: Final = compile_later(
    r"\b(?:instead|stattdessen|à la place|en su lugar|en cambio|invece|al suo posto|in plaats daarvan|em vez disso"
    r"|zamiast tego|i stället|i stedet|sen sijaan|вместо этого)\b"
)
CORRECTED: Final = compile_later(
    rf"{LEAD}(?:make (?:it|that|this|them)|change (?:it|that|this|the \w+) (?:to|into)|i (?:meant|mean)|meant"
    r"|(?:it|that|this) (?:should|must) be|should be|mach(?:t|en sie)? (?:es|das|daraus|da|lieber)"
    r"|ich mein(?:t)?e|gemeint (?:ist"
    r"|war)|lieber|plutôt|mets|mettez|je voulais dire|disons|mejor|que sean?|pon|ponle|quise decir|quería decir"
    r"|digo|meglio|fai"
    r"|facciamo|volevo dire|intendevo|liever|maak (?:er|het|daar)|ik bedoel(?:de)?|melhor|faz|faça|queria dizer"
    r"|quis dizer"
    r"|zrób|raczej|ta hellre|hellre|hellere|heller|лучше|сделай) (?P<new>.+)"
)
"""A value that replaces another one: "make it 80"."""
CORRECTING: Final = compile_later(
    r"\W*(?:no|nope|sorry|actually|correction|wait|rather|nein|quatsch|non|pardon|enfin|perdón|mejor dicho"
    r"|anzi|scusa|nee|não|aliás|nie|nej|nei|нет)\b"
)
"""Words in front of a value that is corrected: "no, 80"."""
CONDITION: Final = compile_later(
    r"\W*(?:and |but |or |so )?(?:if|unless|in case|when|once|should|whenever|as soon as|falls|wenn|sobald|si|se"
    r"|qualora|als|indien"
    r"|jeśli|gdy|om|hvis|jos|pokud|если|якщо|eğer)\b"
)
STILL: Final = compile_later(
    r"too late|n't|not |still|possible|noch|möglich|encore|possible|todavía|aún|posible|ancora|possibile|nog"
    r"|mogelijk|ainda|já"
)
"""A condition of time that belongs to taking back: "if it is not too late, stop"."""
RENEWED: Final = compile_later(
    rf"{LEAD}(?:(?:yes|ok|fine|then|do|just|go ahead and|you can|you may|let's|i want you to) )*"
    r"(?!(?:keep|leave|stop|cancel|forget|skip|spare|hold|drop|undo|ignore|not)\b)\w+"
    r" (?:it|that|this|them|him|her|so|ahead|both|all of (?:it|them))(?: (?:out|off|up|down|over|away|back))?"
    rf" (?:after all|anyway|regardless|nonetheless|nevertheless){TAIL}"
    r"|" + LEAD + r"(?:\w+ (?:es|das|ihn|sie)(?: bitte)? (?:doch|trotzdem)(?: noch| bitte)*(?: (?!nicht\b)\w+)?"
    r"|doch(?: doch)*\W+\w+ (?:es|das|ihn|sie)"
    r"|finalement si|si finalement|vas-y quand même|\w+-(?:le|la|les) quand même|quand même"
    r"|\w+lo (?:de todos modos|de todas formas|igual(?:mente)?|al final)|al final sí|\w+lo (?:lo stesso|comunque"
    r"|alla fine)|alla fine sì"
    rf"|\w+ (?:het|ze|dat) toch(?: maar)?|toch wel|\w+(?:-o|-a)? (?:mesmo assim|afinal)|afinal sim|zrób to jednak"
    rf"|jednak tak){TAIL}"
)
"""An order that is given again: "delete it after all"."""
CONFIRMED: Final = compile_later(
    rf"{LEAD}(?:(?:please )?(?:do|go)(?: (?:it|that|so|ahead|for it))?|go ahead|proceed|\w+ (?:it|that|them)"
    rf"|mach (?:es|das|schon)|nur zu"
    rf"|fais-le|faites-le|vas-y|allez-y|hazlo|hágalo|adelante|fallo|procedi|vai|doe (?:het|maar)|ga je gang|faz"
    rf"|faça|zrób to|gör det|gjør det){TAIL}"
)
"""A yes that gives back what the message just before took back."""
DICTATED: Final = compile_later(
    r"\b(?:tell|text|say|write|reply|answer|respond|e-?mail|message|post|send|ask|comment|note|body|subject|title"
    r"|sms|add|translate"
    r"|says|said|wrote|writes|asked|sag|sage|schreib\w*|antworte|dis|écris|réponds|di|dile|escrib\w*|respond\w*"
    r"|scriv\w*|rispond\w*|zeg"
    r"|schrijf|antwoord|diz|escrev\w*|napisz|skriv|kirjoita|напиши)\b(?:[^.!?\n:]|\.(?=\S)){0,80}:[^\n]*"
)
"""Behind a colon: what is to be written to somebody, or what somebody wrote."""
SAID: Final = compile_later(
    r"\b(?:tell|told|tells|text|say|says|said|saying|wrote|writes|write|reply|answer|ask|asks|asked|that|whether"
    r"|to|or|if|when|who|must"
    r"|should|you|we|they|he|she|i|can|not|don't|never|please|sag\w*|schreib\w*|dass|zu|dis|que|de|di|che|zeg|dat"
    r"|te)\W*$"
)
"""In front of a withdrawing phrase: that belongs to what is told, or to the sentence: "tell Kim to forget it"."""
INNER: Final = compile_later(
    r"(?<=\s)(?=(?:no,? wait|wait,? no|oh,? wait|oh no|actually,? (?:no|don|do not|forget|never|leave|stop"
    r"|scratch|cancel|make)|never ?mind"
    r"|forget it|forget that|scratch that|on second thoughts?|no,? don't|no,? stop|nein,? (?:doch|lass|warte"
    r"|halt)|ach (?:nein|lass)|non,?"
    r" (?:attends|attendez|laisse)|no,? (?:espera|mejor)|anzi,? no|nee,? wacht|não,? espera|laat maar|vergiss es"
    r"|laisse tomber|olv[ií]dalo"
    r"|lascia stare|deixa (?:pra|para) lá)\b)"
)
"""Places inside a clause where a withdrawal begins without a sign: "delete D-19 no wait don't"."""
ENOUGH: Final = compile_later(
    rf"{LEAD}(?P<new>.+?) (?:is enough|are enough|will do|is plenty|reicht|reichen|genügt|suffit|suffisent|basta|bastan"
    rf"|bastano|is genoeg|chega|wystarczy|räcker){TAIL}"
)
"""A smaller value in place of another one: "80 is enough"."""
VALUE_NOT: Final = compile_later(
    rf"{LEAD}(?:to |for |an |à |a )?(?P<new>\S+)(?: (?:euros?|dollars?|pounds?|eur|usd|gbp))?"
    rf" (?:not|nicht|pas|no|non|niet|não|inte|ikke) (?:to |for |an |à |a )?(?P<old>\S+?){TAIL}"
)
"""Two values without a sign between them: "80 not 100"."""
WAITING: Final = compile_later(r"\W*(?:wait|hold on|hang on|warte|moment|attends|attendez|espera|aspetta|wacht)\W*")
"""A whole message that stops what goes on."""
SHARE: Final = compile_later(
    rf"{LEAD}(?P<who>\S+) (?:only |just |now )?(?:gets?|receives?|bekommt|kriegt|erhält|reçoit|recibe|riceve"
    rf"|krijgt|recebe)"
    rf" (?:only |just |nur |sólo |solo |maar )?(?P<new>\S+?)(?: (?:euros?|dollars?|pounds?|eur|usd|gbp))?{TAIL}"
)
"""What somebody gets: "Ben gets 40"."""
FORBIDDEN_WITH_IT: Final = compile_later(
    rf"{LEAD}(?:do n't|don't|do not|dont)(?: want you to)? (?P<act>\w+)(?: (?:out|off|up|down|back|over|away))?"
    rf" (?:it|that|this|them){TAIL}"
)
"""An act with "it" that is forbidden: "don't start it again"."""
TIMED: Final = compile_later(r"\W*(?:after|if|when|once|until|before|for|because|as|in|on|at|with|by|to)\b")
"""How something is to be done: "only after you have read mail 5"."""
MYSELF: Final = compile_later(
    r"\b(?:myself|ourselves|on my own|personally|selbst|selber|moi-même|mism[oa]|zelf|mesm[oa])\b"
)
CUE: Final = compile_later(
    r"\W*(?:(?:oh|ah|hm+|ok|sorry|well|oops)\W+)*(?:i mistyped|i made a (?:mistake|typo)|i got (?:it|that) wrong|typo"
    r"|my (?:mistake|bad)|that was wrong|no|nope|wait|sorry|actually|correction|nein|quatsch|non|perdón"
    r"|anzi|scusa|nee"
    r"|não|aliás|nie|nej|nei|нет)\W*"
)
LIMIT: Final = compile_later(
    r"\b(?:if|unless|until|till|because|since|while|as long as|when|wenn|falls|weil|bis|parce que|tant que|porque"
    r"|hasta|perché"
    r"|finché|omdat|totdat|se)\b"
)
PREPOSITION: Final = compile_later(
    r"\s(?:in|of|from|on|for|to|with|about|at|by|von|in|aus|für|an|mit|über|de|du|des|dans|pour|à|avec|sur|en"
    r"|para|con|da|di|nel"
    r"|per|van|uit|voor|aan|em|do|com)\s"
)
CALLING_OFF: Final = compile_later(
    rf"{LEAD}(?:cancel|undo|revoke|withdraw|retract|kill|drop|abort|stop|pause|halt|call|strike|skip"
    rf"|scratch) (?:it|that|this|them)"
    r"(?: off)?"
    rf"{TAIL}"
)
"""Takes back an order, or ends what was done by it: "cancel it"."""
EVERYTHING: Final = compile_later(
    r"\b(?:all|everything|alles|tout|todo|tutto|tudo|wszystko|allt|alt|kaikki|všechno|всё|все)\b"
)
DENYING: Final = compile_later(r"\b(?:not|nothing|never|nobody|none|no)\b|n't")
GERMAN: Final = compile_later(r"\b(?:der|die|das|dem|und|bitte|ist|nicht|eine?|zum?|für|mit|ich|wird|noch|doch)\b")
"""A word of a language in which every noun has a capital."""
TITLES: Final = frozenset("herr herrn frau dr an von für mit bei statt".split())
"""Words in front of which a name stands in such a language."""
PERSON: Final = frozenset("him her ihn ihm ihr lui".split())
NOT: Final = ("not ", "and not ", "nicht ", "pas ", "no ", "non ", "niet ", "não ", "inte ", "ikke ", "не ")
SPARING: Final = tuple([word for word in NOT if word not in ("no ", "non ")])
"""Those that deny nothing else: "no yoga today" is an order."""
REPLACED: Final = frozenset(("email", "id", "number", "name", "day"))
TO: Final = frozenset("to with for an zu mit für à pour a con per aan met para".split())
LIMITING: Final = frozenset(
    "else another less over below above than without before too unless more further new besides yourself only"
    " just again".split()
)
"""Words of a ban that limits how an order is carried out: "don't delete anything else"."""
GENERIC_ACTS: Final = frozenset("do touch execute proceed continue perform process handle change bother".split())

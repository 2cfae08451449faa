"""Words of other languages by which people ask for acts and name numbered things, with their English equivalents.

    find_foreign_acts("Überweise 40 Euro")   # {"pay"}
    to_numbered_noun("Rechnung")             # "invoice"

Languages: German, French, Spanish, Italian, Portuguese, Dutch, Polish, Turkish, Russian, Chinese, Arabic, and those of
`northern_words` and `japanese_orders`. A word that ends in `*` stands for every word that begins with these letters.
Words are compared without case and accents. As in `halo_core.values.language.lexicon`, none was taken from an attack.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final

from halo_core.values.language import northern_words
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.japanese_orders import find_japanese_acts
from halo_core.values.language.patterns import compile_later

_ACTS: Final = {
    "pay": (
        "überweis* ueberweis* bezahl* zahle zahlen zahl begleich* beglichen paie paies paye payes payer payez "
        "régler règle réglez vire virer virez virement paga pague pagar págale pagame transfiere transferir "
        "transfiera abona abonar pagate saldare bonifica transfira betaal betalen betaald overmaken zapłać "
        "zapłac* opłać opłac* przelej przelać przelew öde ödeyin ödeme havale заплати* оплати* переведи* "
        "перечисли* ادفع ادفعي سدد حول حوالة"
    ),
    "buy": ("kaufe kaufen bestelle bestellen achète acheter achetez compra comprar compre koop kopen kup kupić купи*"),
    "refund": "erstatte erstatten rembourse* reembols* rimborsa* terugbetalen zwróć zwroc",
    "send": (
        "sende senden schick* versende* envoie envoyer envoyez envía enviar envíe envíale manda mandar mande "
        "invia inviare inviate verstuur versturen stuur sturen wyślij wyślijcie wyslac wysłać gönder gönderin "
        "отправь* отправит* пошли أرسل ارسل ابعث"
    ),
    "forward": (
        "weiterleit* leite transmets transférer reenvía reenviar inoltra* doorsturen prześlij przekaż перешли*"
    ),
    "reply": (
        "antworte* beantwort* répond* responde* rispond* beantwoord* antwoord* odpowiedz odpisz odpowiedzieć "
        "yanıtla* cevapla* ответь* أجب رد"
    ),
    "write": (
        "schreib* écris écrire écrivez escribe escribir scrivi* schrijf schrijven napisz napisać yaz yazın напиши* اكتب"
    ),
    "tell": (
        "informier* benachrichtig* mitteilen préviens prévenir informe* avisa avisar avvisa powiadom* сообщи* "
        "أخبر اخبر أبلغ"
    ),
    "invite": "einlad* invitez inviter invita invitar invitare uitnodig* zaproś zaprosić davet пригласи* ادع",
    "share": (
        "teile teilen freigeben freigib partage* comparte compartir condivid* deel delen udostępnij* paylaş* "
        "поделись* شارك"
    ),
    "grant": "erteile erteilen gewähr* accorde* otorga* concedi* verleen nadaj przyznaj امنح",
    "add": "hinzufüg* füge ajoute* añade añadir agrega* aggiungi* toevoegen voeg dodaj* ekle* добавь* أضف",
    "delete": (
        "lösch* loesch* entfern* supprim* efface* borra borrar elimina* suprime* cancella cancellare "
        "verwijder* usuń usunąć skasuj* sil silin удали* احذف امسح"
    ),
    "cancel": (
        "storni* absag* annule annuler annulez cancela cancelar cancella disdi* afzeggen annuleer* odwołaj* "
        "anuluj* iptal отмени* ألغ الغ ألغي"
    ),
    "run": (
        "starte starten ausführ* führe lance lancer exécute exécuter exécutez ejecuta ejecutar esegui* draai "
        "uruchom* çalıştır* запусти* شغل"
    ),
    "book": (
        "buche buchen reservier* réserve réserver réservez reserva reservar reserve prenota* boek boeken "
        "zarezerwuj* ayırt забронируй* احجز"
    ),
    "schedule": "terminier* planifie* programa* pianifica* inplannen zaplanuj* планируй* جدول",
    "move": "verschieb* déplace* mueve mover sposta* verplaats* przenieś przesuń taşı перемести* انقل",
    "create": "erstell* anleg* crée créer crea crear cree maak maken utwórz stwórz oluştur* создай* أنشئ",
    "update": (
        "aktualisier* änder* aender* modifi* atualiz* altera alterar actualiza actualizar aggiorna* wijzig* bijwerken "
        "zmień zaktualizuj* güncelle* обнови* حدث"
    ),
    "set": (
        "setz setze setzen stell stelle stellen mets mettez mettre passe passez passer définis pon poner ponga fija "
        "establece cambia cambiar imposta impostare metti mettere põe coloca colocar define muda mudar zet zetten ustaw"
    ),
    "save": (
        "speicher* sichere enregistre* guarda guardar salva salvare bewaar opslaan zapisz zapisać kaydet* сохрани* احفظ"
    ),
    "note": "notier* notiere note notez anota anotar annota annotare noteer zanotuj* запиши* سجل دون",
    "post": ("veröffentlich* poste publie* publica publicar pubblica pubblicare plaats opublikuj* опубликуй* انشر"),
    "approve": (
        "genehmig* approuve* aprueba aprobar apruebe approva approvare aprova aprovar goedkeuren zatwierdź zatwierdz* "
        "onayla* одобри* وافق اعتمد"
    ),
    "assign": "zuweisen assigne assigner asigna asignar assegna* atribui* toewijzen przypisz przydziel назначь*",
    "close": (
        "schließ* schliess* ferme fermer fermez cierra cerrar cierre chiudi chiudere fechar sluit sluiten zamknij "
        "kapat kapatın закрой* أغلق اغلق"
    ),
    "restart": "neustart* redémarr* reinicia* riavvia* herstart* zrestartuj* перезапусти*",
    "donate": "spende spenden donar donare doneer doneren bağışla* пожертвуй* تبرع",
    "block": "sperre sperren bloque bloquer bloquez bloquea bloquear blocca* blokkeer* zablokuj* заблокируй* احظر",
    "unlock": "entsperr* débloque* desbloquea* desbloqueie sblocca* deblokkeer* odblokuj* разблокируй*",
    "switch": (
        "schalte schalten ausschalten einschalten éteins éteindre éteignez allume allumer allumez apaga apagar apague "
        "enciende encender encienda spegni spegnere spegnete accendi accendere accendete desliga desligar desligue "
        "uitzetten aanzetten uitschakelen inschakelen wyłącz włącz выключи* включи* أطفئ اطفئ"
    ),
    "upload": "hochlad* lade téléverse* sube subir carica caricare uploaden wgraj* yükle* загрузи* ارفع",
    "read": (
        "lies lese lesen lis lire lisez lee leer leggi leggere lees lezen przeczytaj* czytaj oku okuyun "
        "прочитай* اقرأ اقرا"
    ),
}
_NUMBERED: Final = {
    "invoice": (
        "rechnung rechnungen facture factures factura facturas fattura fatture fatura faturas factuur "
        "facturen rachunek rachunku faktura faktury fakturę счет счёт فاتورة الفاتورة 发票 账单"
    ),
    "message": (
        "nachricht nachrichten courriel correo mensaje messaggio messaggi bericht wiadomość wiadomosc письмо "
        "رسالة 邮件 邮箱 消息"
    ),
    "ticket": "工单 تذكرة",
    "order": (
        "bestellung bestellungen auftrag commande commandes pedido pedidos ordine ordini bestelling "
        "zamówienie zamowienie sipariş заказ طلب 订单"
    ),
    "event": "termin termine rendez événement evento eventi afspraak wydarzenie spotkanie встреча موعد 会议 活动",
    "document": "dokument documento документ مستند 文件",
    "customer": "kunde kunden client cliente klant klient klienta клиент عميل 客户",
    "claim": (
        "spesen spesenabrechnung frais spese gasto gastos reclamación sinistre siniestro sinistro schaden schadenfall "
        "despesa despesas onkosten declaratie"
    ),
    "request": "antrag demande solicitud richiesta aanvraag wniosek заявка 申请 请求",
    "employee": "mitarbeiter mitarbeiterin employé employée empleado empleada dipendente empregado medewerker",
    "contract": "vertrag contrat contrato contratto umowa договор عقد 合同",
}
_IDEOGRAPHIC_ACTS: Final = {
    "pay": "支付 付给 付款 转账 转给 汇款 汇给 付钱 缴费",
    "buy": "购买",
    "send": "发送 发给 寄给 发邮件",
    "forward": "转发",
    "reply": "回复 答复",
    "tell": "告诉 通知",
    "invite": "邀请",
    "share": "分享 共享",
    "grant": "授权 授予",
    "add": "添加 加入",
    "delete": "删除 删掉",
    "cancel": "取消",
    "run": "运行 执行",
    "book": "预订 预约",
    "move": "移动",
    "create": "创建 新建",
    "update": "更新 修改",
    "save": "保存",
    "note": "记录 记下",
    "post": "发布",
    "approve": "批准 审批",
    "assign": "分配 指派",
    "close": "关闭",
    "restart": "重启",
    "donate": "捐款 捐赠",
    "refund": "退款",
    "block": "冻结 封锁",
    "unlock": "解锁 解冻",
    "switch": "打开 关掉",
    "upload": "上传",
    "read": "阅读 读取",
}
_SYNONYMOUS_NOUNS: Final = (
    "message mail email",
    "invoice bill",
    "event meeting appointment invitation invite",
    "issue ticket case",
    "document file doc",
    "customer client",
    "request pr mr pull",
    "booking reservation",
    "application applicant candidate",
    "employee staff",
    "person citizen resident",
    "supplier vendor",
    "parcel package shipment",
    "student pupil",
)
"""Nouns that are interchangeable in front of a number: `mail 12` is `message_id=12`. The first one replaces the
others."""
_AMBIGUOUS: Final = (
    "stelle stellen passe fija muda "
    "zahl zahlen schreiben teile leite lade speicher poste note notes paie paye partage réserve réserves lance "
    "programa informe compra paga manda reserva reserve guarda nota plaats deel koop boek boeken carica sichere "
    "antwoord plan antworten deplace حول رد دون حدث سجل جدول شغل"
)
"""Words that ask for an act, but are nouns behind an article."""
_ALWAYS_NOUNS: Final = "virement virements ödeme havale iptal davet حوالة"
_TURKISH_NOUNS: Final = frozenset("odeme havale iptal davet".split())
_NOUN_ENDINGS: Final = tuple(
    "ung ungen ment ments tion tions cion ciones cao coes zione zioni ing ingen enie enia anie ania lich d".split()
)
"""Endings that turn the beginning of a verb into a noun or an adjective: `Überweisung`, `remboursement`."""
_BEFORE_NOUNS: Final = (
    "mein meine meinen meiner meinem meines dein deine deinen deiner unser unsere unseren unserer euer eure sein seine "
    "ihr ihre ihren ein eine einen einem einer eines der die das dem den des dieser diese dieses diesen diesem letzte "
    "letzten letzter letztes alle jede keine welche welcher im am zur vom beim von mit für über nach seit "
    "le la les l un une du de d mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet cette ces "
    "dernier dernière dernières quel quelle au aux sur avec sans dans pour par el los las mi mis tu tus su sus "
    "nuestro nuestra este esta estos estas ese esa último última últimos últimas del al con sobre sin il lo i gli uno "
    "mio mia miei mie suo sua nostro nostra questo questa ultimo ultima della dello dei delle nel nella sul sulla di "
    "da per o a os as um uma meu minha meus minhas seu sua nosso nossa do na dos het een mijn jouw uw ons onze zijn "
    "haar dit deze laatste van voor met over the an my your our his her its their this that last of for on about"
)
"""Articles, possessives, prepositions and the like, behind which an ambiguous word is a noun."""
_BEFORE_ORDERS: Final = (
    "bitte dann und et y e i en puis luego poi dan favor favore plaît alstublieft alsjeblieft zu te "
    "ثم و فضلك رجاء أن الرجاء يرجى"
)
"""Words behind which an order may begin."""
_DOING: Final = (
    "mach mache machen tätige tätigen veranlasse veranlassen führe ausführen vornehmen brauche möchte fais faire "
    "faites effectue effectuer effectuez réalise réaliser haz hacer haga hagas realiza realizar realice efectúa fai "
    "fare effettua effettuare faz faça fazer realize doe doen maak maken verricht uitvoeren zrób wykonaj zleć yap "
    "yapın yapınız yapar yapalım yapabilir edin ediniz eder edebilir gönder gönderin gerçekleştir сделай выполни make "
    "أجر اجر نفذ أرسل ارسل قم"
)
"""Verbs that only say that an act is done."""
_CHINESE_NOUN: Final = compile_later("(?:的|[上这那本该此一每][一]?[笔次个份])$")
_CHINESE_RECORD: Final = compile_later("记录|状态|历史|明细|详情|信息|日志|金额|日期|方式|凭证|单号|情况")
_CHINESE_DOING: Final = compile_later("(?:进行|办理|发起|完成|安排|提交|做)[一的笔次个]{0,3}$")
_SCANDINAVIAN_SEND: Final = CaselessPattern(r"\b(?:og|derefter|deretter) send(?:e)?\b")
"""An order behind `and`. Elsewhere the word is read as the English one."""
_MOST_CHINESE_BEFORE: Final = 8
_MAX_WORDS: Final = 4_096
_MAX_PLAIN_WORD: Final = 16  # letters of a word that is remembered
_MAX_IDEOGRAPHS: Final = 8_192
_WORD: Final = compile_later(r"[^\W\d_]+|[.,;:!?\n،؟]")
_MOST_BETWEEN: Final = 3  # words between an article and its noun
_MOST_BEHIND: Final = 8  # words between a noun and its verb
_IDEOGRAPH_RUN: Final = compile_later("[\u3400-\u9fff]{2,}")
_MARKS: Final = compile_later("[\u0300-\u036f\u064b-\u065f\u0670]+")
"""Accents and vowel marks that stand behind their letter."""
_PLAIN: Final = str.maketrans({"ł": "l", "ı": "i", "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe"})
_SHORTEST_BEGINNING: Final = 4


@lru_cache(maxsize=4096)
def _fold(word: str) -> str:
    """Remove case and accents from a word."""
    folded = unicodedata.normalize("NFD", word.casefold()[:64])
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Mn").translate(_PLAIN)


def _build_words(*tables: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Word → its English equivalent, and beginning of words → the same."""
    words: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for table in tables:
        for english, foreign in table.items():
            for word in foreign.split():
                (beginnings if word.endswith("*") else words).setdefault(_fold(word.removesuffix("*")), english)
    return words, beginnings


_WORDS, _BEGINNINGS = _build_words(_ACTS, northern_words.ACTS)
_LONGEST_BEGINNING: Final = max(map(len, _BEGINNINGS))
_NOUNS, _ = _build_words(_NUMBERED, northern_words.NUMBERED)
_NOUNS |= {word: group.split()[0] for group in _SYNONYMOUS_NOUNS for word in group.split()}
_CHINESE_ACTS: Final = {word: english for english, row in _IDEOGRAPHIC_ACTS.items() for word in row.split()}


def _fold_all(*rows: str) -> frozenset[str]:
    return frozenset(_fold(word) for row in rows for word in row.split())


_AMBIGUOUS_WORDS: Final = _fold_all(_AMBIGUOUS, northern_words.AMBIGUOUS)
_NOUN_WORDS: Final = _fold_all(_ALWAYS_NOUNS)
_BEFORE_NOUN_WORDS: Final = _fold_all(_BEFORE_NOUNS, northern_words.BEFORE_NOUNS)
_BEFORE_ORDER_WORDS: Final = _fold_all(_BEFORE_ORDERS, northern_words.BEFORE_ORDERS)
_DOING_WORDS: Final = _fold_all(_DOING, northern_words.DOING)


def find_foreign_acts(text: str) -> set[str]:
    """Find the English equivalents of the words of other languages by which a text asks for acts."""
    found = find_japanese_acts(text)
    is_ascii = text.isascii()
    if _SCANDINAVIAN_SEND.search(text) is not None:
        found.add("send")
    text = text if is_ascii else _MARKS.sub("", text)
    words = [match[0] for match in islice(_WORD.finditer(text), _MAX_WORDS)]
    for place, word in enumerate(words):
        # Words of the language come again and again; names and whatever could be a secret are not remembered.
        is_plain = len(word) <= _MAX_PLAIN_WORD and word.isascii() and word.islower() and word.isalpha()
        acts = _find_acts_of_plain(word) if is_plain else frozenset(_find_act(word))
        if acts and not found.issuperset(acts) and _asks(words, place):
            found |= acts
    if is_ascii:
        return found
    room = _MAX_IDEOGRAPHS
    # Nothing separates words here: every two and every three signs are looked up.
    for match in _IDEOGRAPH_RUN.finditer(text):
        row = match[0][:room]
        for size in (2, 3):
            found |= {_CHINESE_ACTS[row[i : i + size]] for i in _find_chinese_orders(row, size)}
        room -= len(row)
        if room <= 0:
            break
    return found


def _find_chinese_orders(row: str, size: int) -> Iterator[int]:
    """Iterate over the places of words with one length that ask for an act and are no nouns."""
    for i in range(len(row) - size + 1):
        if row[i : i + size] not in _CHINESE_ACTS:
            continue
        before = row[max(i - _MOST_CHINESE_BEFORE, 0) : i]
        if "已" in before or "被" in before:
            continue  # it was done
        is_object = before[-2:] in _CHINESE_ACTS or _CHINESE_NOUN.search(before) is not None
        is_noun = is_object or _CHINESE_RECORD.match(row, i + size) is not None
        if not is_noun or _CHINESE_DOING.search(before) is not None:
            yield i


def _asks(words: Sequence[str], place: int) -> bool:
    """Whether a word that can ask for an act does so, and is no noun: `bezahle`, but not `meine letzte Bezahlung`."""
    folded = _fold(words[place])
    if _reports_past_act(words, place):
        return False
    begins = next((i for i in range(_SHORTEST_BEGINNING, len(folded)) if folded[:i] in _BEGINNINGS), 0)
    if folded in _NOUN_WORDS or (begins and folded[begins:].endswith(_NOUN_ENDINGS) and folded not in _WORDS):
        return _is_done(words, place)
    return folded not in _AMBIGUOUS_WORDS or not _is_noun(words, place) or _is_done(words, place)


_PAST_ENDING: Final = compile_later(
    r"(?:é(?:e|s|es)?|(?<=[iyaąoóuę])(?:łem|łam|łeś|łaś|ł|ła|li|ły)|(?<=[аеиоуыя])(?:л|ла|ло|ли|лся|лась))$",
    re.IGNORECASE,
)
"""Endings of French, Spanish, Polish and Russian words for past acts: `payé`, `pagué`, `оплатил`."""
_PAST_AUXILIARIES: Final = frozenset(
    "habe hast hat haben habt hatte hatten wurde wurden worden ist sind war waren heb hebt heeft hebben werd".split()
)
"""German and Dutch verbs in front of the participle of a past act."""
_MOST_BEFORE_PARTICIPLE: Final = 8  # words


def _reports_past_act(words: Sequence[str], place: int) -> bool:
    """Whether a word says what somebody did: `ich habe Ana bezahlt`, `j'ai payé Ana`."""
    word = words[place].casefold()
    if _PAST_ENDING.search(word) is not None:
        return True
    if not word.endswith(("t", "d", "en")):
        return False
    for before in range(place - 1, max(place - 1 - _MOST_BEFORE_PARTICIPLE, -1), -1):
        other = _fold(words[before])
        if not other.isalpha() or other in _BEFORE_ORDER_WORDS:
            break
        if other in _PAST_AUXILIARIES:
            return True
    return False


def _is_noun(words: Sequence[str], place: int) -> bool:
    """Whether an ambiguous word stands behind an article or the like, or is written like a German noun."""
    word = words[place]
    before = _fold(words[place - 1]) if place else ""
    if not before.isalpha() or before in _BEFORE_ORDER_WORDS:
        return False
    if not _fold(word).isascii():
        return True  # Arabic has no article in front of these; an order begins its clause
    is_verb_last = word.endswith("en")
    if is_verb_last and word[0].isupper():
        return True
    for behind in range(1, 2 if is_verb_last else _MOST_BETWEEN + 1):
        other = _fold(words[place - behind]) if behind <= place else ""
        if not other.isalpha() or other in _BEFORE_ORDER_WORDS:
            return False
        if other in _BEFORE_NOUN_WORDS:
            return True
    return False


def _is_done(words: Sequence[str], place: int) -> bool:
    """Whether the object of a verb that only says that an act is done is a noun: `mach eine Überweisung`."""
    others = 0
    for before in range(place - 1, max(place - 6, -1), -1):
        word = _fold(words[before])
        if word in _DOING_WORDS:
            return True
        others += word not in _BEFORE_NOUN_WORDS
        if not word.isalpha() or others > 1:
            break
    for behind in range(place + 1, min(place + 1 + _MOST_BEHIND, len(words))):
        word = _fold(words[behind])
        if word in _DOING_WORDS or (word == "et" and _fold(words[place]) in _TURKISH_NOUNS):
            return True
        if not word.isalpha() or word in _BEFORE_ORDER_WORDS:
            break
    return False


def _find_act(word: str) -> Iterator[str]:
    """Find the English equivalents of one word, as a whole and by its beginnings."""
    folded = _fold(word)
    # Arabic writes `and` and `so` as a letter in front of the next word.
    for spelled in (folded, folded[1:]) if folded[:1] in ("و", "ف") else (folded,):
        if spelled in _WORDS:
            yield _WORDS[spelled]
        for end in range(_SHORTEST_BEGINNING, min(len(spelled), _LONGEST_BEGINNING) + 1):
            if spelled[:end] in _BEGINNINGS:
                yield _BEGINNINGS[spelled[:end]]


@lru_cache(maxsize=8_192)
def _find_acts_of_plain(word: str) -> frozenset[str]:
    return frozenset(_find_act(word))


def find_act_of_tool(words: Iterable[str]) -> set[str]:
    """Find the English equivalents of foreign verbs in the name of a tool: reply for `responder_correo`."""
    return {act for word in words if len(word) >= _SHORTEST_BEGINNING for act in _find_act(word)}


def to_numbered_noun(noun: str) -> str:
    """Replace a noun in front of a number by its main synonym: `message` for `mail` and `Nachricht`."""
    if not noun.isascii() and _IDEOGRAPH_RUN.fullmatch(noun) is not None:
        noun = noun[-2:]  # what is written before it without a blank is a verb
    return _NOUNS.get(_fold(noun), noun)

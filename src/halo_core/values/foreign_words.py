"""Words of other languages by which people ask for acts and name numbered things, with their English equivalents.

    find_foreign_acts("Überweise 40 Euro")   # {"pay"}
    to_numbered_noun("Rechnung")             # "invoice"

Languages: German, French, Spanish, Italian, Portuguese, Dutch, Polish, Turkish, Russian, Chinese, Arabic. A word that
ends in `*` stands for every word that begins with these letters. Words are compared without case and accents. As in
`halo_core.values.lexicon`, none was taken from an attack.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, pairwise
from typing import Final

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
        "aktualisier* änder* aender* modifie* actualiza actualizar aggiorna* wijzig* bijwerken zmień "
        "zaktualizuj* güncelle* обнови* حدث"
    ),
    "save": (
        "speicher* sichere enregistre* guarda guardar salva salvare bewaar opslaan zapisz zapisać kaydet* сохрани* احفظ"
    ),
    "note": "notier* notiere note notez anota anotar annota annotare noteer zanotuj* запиши* سجل دون",
    "post": ("veröffentlich* poste publie* publica publicar pubblica pubblicare plaats opublikuj* опубликуй* انشر"),
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
    "upload": "上传",
    "read": "阅读 读取",
}
_SYNONYMOUS_NOUNS: Final = (
    "message mail email",
    "invoice bill",
    "event meeting appointment",
    "issue ticket",
    "document file doc",
    "customer client",
)
"""Nouns under which one number is one thing: `mail 12` is `message_id=12`. The first of each group stands for it."""
_MAX_WORDS: Final = 4_096
_MAX_IDEOGRAPHS: Final = 8_192
_WORD: Final = re.compile(r"[^\W\d_]+")
_IDEOGRAPH_RUN: Final = re.compile("[\u3400-\u9fff]{2,}")
_MARKS: Final = re.compile("[\u0300-\u036f\u064b-\u065f\u0670]+")
"""Accents and vowel marks that stand behind their letter."""
_PLAIN: Final = str.maketrans({"ł": "l", "ı": "i", "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe"})
_SHORTEST_BEGINNING: Final = 4


@lru_cache(maxsize=4096)
def _fold(word: str) -> str:
    """A word without case and accents."""
    folded = unicodedata.normalize("NFD", word.casefold()[:64])
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Mn").translate(_PLAIN)


def _build_words(table: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Word → its English equivalent, and beginning of words → the same."""
    words: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for english, foreign in table.items():
        for word in foreign.split():
            (beginnings if word.endswith("*") else words)[_fold(word.removesuffix("*"))] = english
    return words, beginnings


_WORDS, _BEGINNINGS = _build_words(_ACTS)
_LONGEST_BEGINNING: Final = max(map(len, _BEGINNINGS))
_NOUNS, _ = _build_words(_NUMBERED)
_NOUNS |= {word: group.split()[0] for group in _SYNONYMOUS_NOUNS for word in group.split()}
_CHINESE_ACTS: Final = {word: english for english, row in _IDEOGRAPHIC_ACTS.items() for word in row.split()}


def find_foreign_acts(text: str) -> set[str]:
    """English equivalents of the words of other languages by which a text asks for acts."""
    found: set[str] = set()
    text = text if text.isascii() else _MARKS.sub("", text)
    for match in islice(_WORD.finditer(text), _MAX_WORDS):
        found.update(_find_act(match[0]))
    room = _MAX_IDEOGRAPHS
    # Nothing separates words here: every two and every three signs are looked up.
    for match in _IDEOGRAPH_RUN.finditer(text):
        row = match[0][:room]
        found.update(_CHINESE_ACTS[pair] for pair in map("".join, pairwise(row)) if pair in _CHINESE_ACTS)
        found.update(_CHINESE_ACTS[row[i : i + 3]] for i in range(len(row) - 2) if row[i : i + 3] in _CHINESE_ACTS)
        room -= len(row)
        if room <= 0:
            break
    return found


def _find_act(word: str) -> Iterator[str]:
    """English equivalents of one word, as a whole and by its beginnings."""
    folded = _fold(word)
    # Arabic writes `and` and `so` as a letter in front of the next word.
    for spelled in (folded, folded[1:]) if folded[:1] in ("و", "ف") else (folded,):
        if spelled in _WORDS:
            yield _WORDS[spelled]
        for end in range(_SHORTEST_BEGINNING, min(len(spelled), _LONGEST_BEGINNING) + 1):
            if spelled[:end] in _BEGINNINGS:
                yield _BEGINNINGS[spelled[:end]]


def to_numbered_noun(noun: str) -> str:
    """The noun that stands for a noun and its synonyms where a number follows: `message` for `mail` and `Nachricht`."""
    if not noun.isascii() and _IDEOGRAPH_RUN.fullmatch(noun) is not None:
        noun = noun[-2:]  # what is written before it without a blank is a verb
    return _NOUNS.get(_fold(noun), noun)

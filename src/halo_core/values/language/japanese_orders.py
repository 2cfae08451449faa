"""Japanese words by which people ask for acts: `送って`, `キャンセルしてください`, `予約をお願いします`.

A noun of an act asks for it only with a verb behind it that says that it is to be done: `注文をキャンセルして` asks to
cancel, and not to order. `しないで` forbids, `しました` and `したか` tell.
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.language.patterns import compile_later

_ACT_NOUNS: Final = {
    "pay": "支払い 支払 送金 振込 振り込み 決済",
    "buy": "購入 注文",
    "refund": "返金 払い戻し",
    "send": "送信 送付 メール",
    "forward": "転送",
    "reply": "返信 返事",
    "tell": "連絡 通知 報告",
    "invite": "招待",
    "share": "共有",
    "add": "追加",
    "delete": "削除",
    "cancel": "キャンセル 取り消し 取消 解約",
    "run": "実行 起動",
    "book": "予約 手配",
    "move": "移動",
    "create": "作成",
    "update": "更新 変更 修正",
    "save": "保存",
    "post": "投稿 公開",
    "approve": "承認",
    "reject": "却下 拒否",
    "assign": "割り当て",
    "restart": "再起動",
    "block": "停止 ブロック",
    "upload": "アップロード",
}
_ORDERS: Final = {
    "pay": "払って 支払って 振り込んで 振込んで",
    "buy": "買って",
    "send": "送って",
    "forward": "転送して 回して",
    "reply": "返して 答えて",
    "write": "書いて",
    "tell": "伝えて 知らせて 教えてあげて",
    "invite": "招いて 誘って",
    "add": "加えて 足して 入れて",
    "delete": "消して 取り除いて",
    "cancel": "取り消して やめて",
    "book": "押さえて",
    "move": "移して 動かして ずらして",
    "create": "作って",
    "update": "変えて 直して",
    "post": "載せて",
    "close": "閉じて",
    "block": "止めて",
}
_NOUN_TO_ACT: Final = {noun: act for act, row in _ACT_NOUNS.items() for noun in row.split()}
_ORDER_TO_ACT: Final = {order: act for act, row in _ORDERS.items() for order in row.split()}
_DOING: Final = (
    r"(?:を|の(?:手続き|手配)を)?(?:お願い|して|しといて|しておいて|せよ|しろ|頼(?:む|みます)|したい|してほしい)"
    r"(?!い(?:る|た|ます)|あ(?:る|り))"
)


def _join(words: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_ORDER: Final = compile_later(
    rf"(?P<noun>{_join(_NOUN_TO_ACT)}){_DOING}|(?P<order>{_join(_ORDER_TO_ACT)})(?!い(?:る|た|ます)|は)"
)
_KANA: Final = compile_later("[\u3040-\u30ff]")
_MAX_READ: Final = 8_192  # characters


def find_japanese_acts(text: str) -> set[str]:
    """English equivalents of the words by which a Japanese text asks for acts; none of a text without kana."""
    if text.isascii() or _KANA.search(text) is None:
        return set()
    return {
        _NOUN_TO_ACT[match["noun"]] if match["noun"] else _ORDER_TO_ACT[match["order"]]
        for match in _ORDER.finditer(text[:_MAX_READ])
    }

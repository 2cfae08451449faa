"""Hosts of mail at which anybody can have an address, so that none of them is ever an organisation's own."""

from __future__ import annotations

from typing import Final

PUBLIC_MAIL_HOSTS: Final = frozenset(
    "126.com 139.com 163.com aol.com att.net comcast.net duck.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.com "
    "gmx.de gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr hushmail.com icloud.com "
    "inbox.com laposte.net libero.it live.com mac.com mail.com mail.ru mailbox.org mailfence.com mailinator.com me.com "
    "msn.com naver.com orange.fr outlook.com outlook.de pm.me posteo.de proton.me protonmail.com qq.com rediffmail.com "
    "rocketmail.com sbcglobal.net sina.com t-online.de tuta.com tutanota.com verizon.net web.de wp.pl yahoo.co.in "
    "yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com zoho.com".split()
)


def find_own_domain(user: str) -> str:
    """The domain of a user's e-mail address; empty where there is none, or at a public host."""
    name, at, domain = user.strip().removeprefix("user:").rpartition("@")
    domain = domain.lower().rstrip(".")
    has_domain = bool(name and at) and "." in domain and domain.replace("-", "").replace(".", "").isalnum()
    return domain if has_domain and domain not in PUBLIC_MAIL_HOSTS else ""

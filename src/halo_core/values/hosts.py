"""Lists of well-known hosts: those that many tenants share, and those of mail at which anybody can have an address.

What one path of a shared host says, says nothing about another path. The list of these holds services at which anybody
can publish, receive or shorten something under the service's own host name; services that give each tenant a host of
its own need no entry, since whole hosts are compared. A public host of mail is never an organisation's own domain.
"""

from __future__ import annotations

from typing import Final

_SHARED: Final = frozenset(
    "airtable.com amazonaws.com app.box.com archive.org bit.ly bitbucket.org blob.core.windows.net box.com "
    "calendar.google.com calendly.com canva.com cdn.discordapp.com codeberg.org codepen.io colab.research.google.com "
    "discord.com discord.gg docs.google.com drive.google.com dropbox.com evernote.com facebook.com figma.com "
    "forms.gle forms.office.com gist.github.com gist.githubusercontent.com gitee.com github.com gitlab.com goo.gl "
    "google.com hastebin.com hooks.slack.com hooks.zapier.com huggingface.co imgur.com instagram.com ipfs.io "
    "is.gd jsfiddle.net jsonbin.io linkedin.com linktr.ee mastodon.social mediafire.com medium.com mega.nz "
    "microsoftonline.com miro.com ngrok.io notion.so onedrive.live.com paste.ee pastebin.com patreon.com pinterest.com "
    "pipedream.net postimg.cc pypi.org quora.com raw.githubusercontent.com reddit.com replit.com requestbin.com "
    "s3.amazonaws.com scribd.com sites.google.com slack.com slideshare.net soundcloud.com sourceforge.net "
    "stackoverflow.com storage.googleapis.com substack.com surveymonkey.com t.co t.me telegram.me tiktok.com "
    "tinyurl.com transfer.sh trello.com tumblr.com twitter.com typeform.com vimeo.com webhook.site wetransfer.com "
    "httpbin.org whatsapp.com wikipedia.org wordpress.com x.com youtu.be youtube.com zoom.us".split()
)


_SHARED_SUFFIXES: Final = (
    ".amazonaws.com",
    ".archive.org",
    ".azurewebsites.net",
    ".github.com",
    ".googleapis.com",
    ".google.com",
    ".telegram.org",
    ".windows.net",
)


def is_shared_host(host: str) -> bool:
    """Whether many tenants share a canonical host, or the host it is a `www.` of."""
    return host.removeprefix("www.") in _SHARED or host.endswith(_SHARED_SUFFIXES)


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

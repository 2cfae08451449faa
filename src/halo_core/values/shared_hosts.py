"""Hosts that many tenants share: what one path of them says says nothing about another one.

The list holds services at which anybody can publish, receive or shorten something under the service's own host name.
Services that give each tenant a host of its own need no entry, since whole hosts are compared.
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

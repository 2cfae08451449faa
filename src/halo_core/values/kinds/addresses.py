"""Canonical spellings of e-mail addresses, hosts, URLs and paths, and lists of well-known hosts.

    canonicalize_email("Ana <Ana@X.example>")      # "ana@x.example"
    canonicalize_path("/data//reports/")           # "/data/reports"
    canonicalize_path("/data/../secrets")          # None: it may lead elsewhere

Each function returns None if two systems could read the text in different ways (a backslash in a URL, `..` in a path,
an address with a comment, a host that is a number). Such a value is vouched for only if a vouching text contains it
letter by letter.

At some hosts, anybody can publish, receive or shorten something under the host's own name. So one path there vouches
for no other path. The list of these shared hosts needs no services that give each tenant a host of its own. A public
mail host is never an organisation's own domain.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from halo_core.values.language.normalization import has_invisible
from halo_core.values.language.patterns import compile_later

MAX_ADDRESS: Final = 2048  # characters of a URL or a path
_MAX_HOST: Final = 253  # RFC 1035, section 2.3.4
# IDNA 2003 and IDNA 2008 map these to different names (Unicode Technical Standard 46, section 7).
_DEVIATIONS: Final = frozenset("ßẞςΣ\u200c\u200d")
_DOTS: Final = str.maketrans("。．｡", "...")
_ASCII_LABEL: Final = compile_later(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")  # at most 63 characters
_NUMBER_LABEL: Final = compile_later(r"[0-9]+|0x[0-9a-f]*")
_IPV4: Final = compile_later(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")


def canonicalize_host(text: str) -> str | None:  # noqa: PLR0911  one return for each reason
    """Return a host as it is looked up (lower case, Punycode, no dot at the end); None if it is ambiguous."""
    if not text or len(text) > _MAX_HOST:
        return None
    if text.startswith("["):
        return _canonicalize_ipv6(text)
    if text.isascii():
        host = text.lower()
    else:
        if not _DEVIATIONS.isdisjoint(text) or has_invisible(text):
            return None
        host = unicodedata.normalize("NFKC", text.translate(_DOTS)).lower()
    host = host.removesuffix(".")
    labels = host.split(".")
    if not host.isascii():
        encoded = [_encode_label(label) for label in labels]
        if None in encoded:
            return None
        labels = [label for label in encoded if label is not None]
    if not all(map(_ASCII_LABEL.fullmatch, labels)):
        return None
    host = ".".join(labels)
    # `0x7f.1` and `2130706433` are addresses to some systems and names to others (WHATWG URL, section 3.5).
    if _NUMBER_LABEL.fullmatch(labels[-1]) and not _IPV4.fullmatch(host):
        return None
    return host


def _encode_label(label: str) -> str | None:
    if label.isascii():
        return label
    if not all(char.isalnum() or char == "-" or unicodedata.combining(char) for char in label):
        return None
    try:
        return "xn--" + unicodedata.normalize("NFC", label).encode("punycode").decode("ascii")
    except UnicodeError:
        return None


def _canonicalize_ipv6(text: str) -> str | None:
    if not text.endswith("]") or "%" in text:
        return None
    try:
        return f"[{ipaddress.IPv6Address(text[1:-1]).compressed}]"
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _load_suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415  44 ms, and few agents name a host

    return PublicSuffixList()


def find_registrable_domain(host: str) -> str:
    """Return the registrable domain of a canonical host by the Public Suffix List; the host itself if it has none."""
    if host.startswith("[") or _IPV4.fullmatch(host):
        return host
    return str(_load_suffixes().privatesuffix(host) or host)


# RFC 2606, RFC 6761, RFC 6762 and ICANN board resolution 2024.07.29.06.
_RESERVED_SUFFIXES: Final = frozenset(("example", "internal", "invalid", "local", "localhost", "test"))


def has_public_suffix(host: str) -> bool:
    """Whether a canonical host ends in a suffix of the Public Suffix List or a reserved one, or is an IP address."""
    if host.startswith("[") or _IPV4.fullmatch(host) or host.rpartition(".")[2] in _RESERVED_SUFFIXES:
        return True
    return _load_suffixes().publicsuffix(host, accept_unknown=False) is not None


_FILE_ENDING: Final = compile_later(
    r".{0,255}\.(?:txt|pdf|docx?|odt|md|rst|csv|tsv|xlsx?|ods|json|jsonl|env|png|jpe?g|gif|svg|mp[34]|zip|html?|pptx?|log"
    r"|ya?ml|toml|ini|cfg|conf|sql|db|xml|gz|tar|tgz|pem|key|eml|ics|ipynb|py|js|ts|tsx|jsx|go|rs|java|rb|php|cpp|hpp|css)",
    re.IGNORECASE,
)


def has_file_ending(text: str) -> bool:
    """Whether a text ends like the name of a file."""
    return _FILE_ENDING.fullmatch(text) is not None


_EMAIL: Final = compile_later(r"([^\s@<>(),;:\"\[\]\\]{1,64})@([^\s@<>(),;:\"\[\]\\/?#%]{1,253})")
_NAMED_EMAIL: Final = compile_later(r"([^<>@]{0,128})<\s*([^<>\s]{1,320})\s*>")


def canonicalize_email(text: str) -> str | None:
    """Return an address as mail is delivered to it, without display name and `mailto:`; None unless it is exactly one.

    The local part keeps its dots and its tag (`ana+x` is another mailbox for most systems). Its case is folded: RFC
    5321, section 2.4, allows systems to tell cases apart, but none in use does.
    """
    text = text.strip()
    named = _NAMED_EMAIL.fullmatch(text)
    if named is not None:
        if has_invisible(named[1]):
            return None
        text = named[2]
    elif text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if text[:7].lower() == "mailto:":
        text = text[7:]
    match = _EMAIL.fullmatch(text)
    if match is None:
        return None
    host = canonicalize_host(match[2])
    if host is None or "." not in host or has_invisible(match[1]):
        return None
    local = match[1] if match[1].isascii() else unicodedata.normalize("NFC", match[1])
    return f"{_lower_ascii(local)}@{host}"


_UPPER_TO_LOWER: Final = {ord(char): char.lower() for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def _lower_ascii(text: str) -> str:
    return text.translate(_UPPER_TO_LOWER)


class Url(NamedTuple):
    """The parts of a URL in canonical spelling (RFC 3986, section 6.2.2).

    Args:
        scheme: lower case; empty where none is written.
        userinfo: what stands before the `@`; empty in nearly all.
        host: as `canonicalize_host`.
        port: empty for the scheme's own.
        rest: path, query and fragment, `/` for an empty path.
    """

    scheme: str
    userinfo: str
    host: str
    port: str
    rest: str

    def spell(self, scheme: str) -> str:
        """Spell the whole URL, with `scheme` if it has none."""
        userinfo = f"{self.userinfo}@" if self.userinfo else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme or scheme}://{userinfo}{self.host}{port}{self.rest}"


_URL: Final = compile_later(r"(?:([a-zA-Z][a-zA-Z0-9+.-]{0,31}):)?//([^/?#\\]*)([^\\]*)")
_SCHEMELESS: Final = compile_later(r"[^\s/?#\\@:]+\.[^\s/?#\\@:]+(?::[0-9]{1,5})?(?:[/?#][^\\]*)?")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ftp": "21", "ssh": "22", "ws": "80", "wss": "443"}
_QUERY_START: Final = compile_later(r"[?#]")
_ESCAPE: Final = compile_later(r"%[0-9a-fA-F]{2}")
_UNRESERVED: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


def parse_url(text: str) -> Url | None:
    """Parse a URL, or a host with a path; None if two systems could read it in different ways."""
    text = text.strip()
    if len(text) > MAX_ADDRESS or has_invisible(text) or any(map(str.isspace, text)):
        return None
    match = _URL.fullmatch(text)
    if match is None:
        if not _SCHEMELESS.fullmatch(text):
            return None
        match = _URL.fullmatch("//" + text)
        if match is None:
            return None
    scheme, authority, rest = (match[1] or "").lower(), match[2], match[3]
    userinfo, _, place = authority.rpartition("@")
    host, port = _split_port(place)
    canonical = canonicalize_host(host) if host else None
    if canonical is None or port is None or "@" in userinfo:
        return None
    if port == _DEFAULT_PORTS.get(scheme or "https"):
        port = ""
    path = _canonicalize_rest(rest)
    return Url(scheme, userinfo, canonical, port, path) if path is not None else None


def _split_port(place: str) -> tuple[str, str | None]:
    if place.startswith("["):
        host, bracket, port = place.partition("]")
        host += bracket
        if port and not port.startswith(":"):
            return host, None
        port = port[1:]
    else:
        host, _, port = place.partition(":")
    if not port:
        return host, ""
    return host, port.lstrip("0") if port.isascii() and port.isdigit() and len(port) <= 5 else None


def _canonicalize_rest(rest: str) -> str | None:
    if not rest.isascii():
        rest = quote(unicodedata.normalize("NFC", rest), safe="/?#[]@!$&'()*+,;=:-._~%")
    if "%" in rest:
        rest = _ESCAPE.sub(_unescape_unreserved, rest)
        if _ESCAPE.sub("", rest).count("%"):
            return None  # a `%` that escapes nothing
    segments = _QUERY_START.split(rest, maxsplit=1)[0].split("/")
    if "." in segments or ".." in segments:
        return None
    return rest if rest.startswith("/") else "/" + rest


def _unescape_unreserved(match: re.Match[str]) -> str:
    char = chr(int(match[0][1:], 16))
    return char if char in _UNRESERVED else match[0].upper()


_DRIVE: Final = compile_later(r"[A-Za-z]:[\\/]")


def looks_like_path(text: str) -> bool:
    """Whether a text is written as a path: `/`, `~/`, `./`, `../`, a drive or a share, or folders between slashes."""
    return (
        text.startswith(("/", "~/", "./", "../", "\\\\"))
        or text in ("~", ".", "..")
        or _DRIVE.match(text) is not None
        or ("/" in text and "://" not in text and not any(map(str.isspace, text)))
    )


def canonicalize_path(text: str) -> str | None:
    """Return a path without empty and `.` folders and without the last slash; None with `..` or hidden characters.

    `a/../b` is another place than `b` if `a` is a symbolic link.
    """
    text = text.strip()
    if not text or len(text) > MAX_ADDRESS or has_invisible(text) or "\n" in text or "\r" in text:
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\\" in text:
        return None if ".." in re.split(r"[\\/]", text) else text
    folders = text.split("/")
    if ".." in folders:
        return None
    kept = [folder for folder in folders if folder not in ("", ".")]
    path = "/".join(kept)
    return "/" + path if text.startswith("/") else path or "."


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
    """Whether many tenants share a canonical host, or the host of which it is the `www.`."""
    return host.removeprefix("www.") in _SHARED or host.endswith(_SHARED_SUFFIXES)


PUBLIC_MAIL_HOSTS: Final = frozenset(
    "126.com 139.com 163.com aol.com att.net comcast.net duck.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.com "
    "gmx.de gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr hushmail.com icloud.com "
    "inbox.com laposte.net libero.it live.com mac.com mail.com mail.ru mailbox.org mailfence.com mailinator.com me.com "
    "msn.com naver.com orange.fr outlook.com outlook.de pm.me posteo.de proton.me protonmail.com qq.com rediffmail.com "
    "rocketmail.com sbcglobal.net sina.com t-online.de tuta.com tutanota.com verizon.net web.de wp.pl yahoo.co.in "
    "yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com zoho.com".split()
)


_MIN_LABEL: Final = 4


def looks_like_domain(host: str, user_domain: str) -> bool:
    """Whether a mail domain can be mistaken for the user's: `corp-mail.example` for `corp.example`."""
    domain, own_domain = find_registrable_domain(host), find_registrable_domain(user_domain)
    label, own_label = domain.partition(".")[0], own_domain.partition(".")[0]
    if domain == own_domain or len(own_label) < _MIN_LABEL:
        return False
    return own_label in label or user_domain in host or _differs_by_one(label, own_label)


def _differs_by_one(one: str, other: str) -> bool:
    """Whether one letter was changed, added or left out, or two were exchanged."""
    if len(one) > len(other):
        one, other = other, one
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) == len(other):
        return one[start + 1 :] == other[start + 1 :] or (
            one[start : start + 2] == other[start : start + 2][::-1] and one[start + 2 :] == other[start + 2 :]
        )
    return len(one) + 1 == len(other) and one[start:] == other[start + 1 :]


def find_own_address(user: str) -> str:
    """Return the user's e-mail address in canonical form, as the host asserts it; empty if it is no address."""
    return (canonicalize_email(user.removeprefix("user:")) or "") if "@" in user else ""


def find_own_domain(user: str) -> str:
    """Return the domain of the user's e-mail address; empty if there is none, or at a public mail host."""
    name, at, domain = user.strip().removeprefix("user:").rpartition("@")
    domain = domain.lower().rstrip(".")
    has_domain = bool(name and at) and "." in domain and domain.replace("-", "").replace(".", "").isalnum()
    return domain if has_domain and domain not in PUBLIC_MAIL_HOSTS else ""

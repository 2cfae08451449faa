"""The hosts that a call reaches: by addresses in its arguments, by links in a message, by images that a text loads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from halo_core.model import Impact, Provenance
from halo_core.values.facts.call_view import CallView
from halo_core.values.facts.login_forms import signs_in
from halo_core.values.kinds.addresses import Url, canonicalize_host, is_shared_host, parse_url
from halo_core.values.kinds.argument_names import name_of_argument
from halo_core.values.kinds.kinds import PLACES, SUSPICIOUS, Form, Kind
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.asked_acts import HANDED_OVER, NOUN_STEMS
from halo_core.values.requests.lookup_requests import only_looks_up
from halo_core.values.requests.tool_verbs import CLASS_WORDS
from halo_core.values.requests.unlisted_orders import LOOKING_UP, UNLISTED_CHANGE, UNLISTED_ORDER
from halo_core.values.sketches.sketch import USER_BIT, has_only_untrusted_mark

_BODY_NAMES: Final = frozenset("body data payload json content form headers header text message params".split())
# Markdown's image, and elements and styles of HTML that fetch what they name.
_LOADING: Final = compile_later(
    r"!\[|<\s*(?:img|image|iframe|frame|video|audio|source|embed|object|link|script|svg|input|body|table|td|style|meta)\b"
    r"|\b(?:srcset|poster|background)\b|url\s*\(",
    re.IGNORECASE,
)
_ADDRESS: Final = compile_later(r"(?:[a-zA-Z][a-zA-Z0-9+.-]{1,15}:)?//[^\s)>\]\"']{1,2048}")
_MAX_IMAGES: Final = 32
_NOT_PLAIN: Final = compile_later(r"[?#%@:;\\]|//|\.\.|/www\.")
"""A query, an escape or the beginning of another place behind a host."""
_PAGE_WORDS: Final = frozenset(
    "about api blob changelog commits doc docs en history index info issues json latest main master p package packages "
    "project projects pulls readme release releases simple stable status tag tags tree v1 v2 v3 version versions "
    "wiki".split()
)
"""Words of paths that say what kind of page is meant."""
_MAX_PATH_PARTS: Final = 6
_MAX_PATH_WORD: Final = 40  # characters
_NESTED: Final = compile_later(
    r"(?:https?(?::|%(?:25)*3a))?(?://|%(?:25)*2f%(?:25)*2f)([^/?#&%\s:@]{1,253}\.[^/?#&%\s:@]{1,63})", re.IGNORECASE
)
"""A URL inside of another URL: the destination of a redirect, a proxy or a translation."""


_ACTING: Final = (
    frozenset().union(*CLASS_WORDS.values(), {HANDED_OVER, UNLISTED_ORDER, UNLISTED_CHANGE}) - LOOKING_UP - NOUN_STEMS
) | stem_all(
    "visit go navigate click log login sign register get fetch download submit fill enter complete follow apply"
)
"""Stems of verbs by which somebody sends an agent to a page, or asks for any act but reading."""


class ReachedHosts:
    """The hosts of one call.

    Args:
        view: of the call.
        open_targets: its targets that nobody vouched for.
    """

    def __init__(self, view: CallView, open_targets: Sequence[TracedLeaf]) -> None:
        self._view = view
        self._open_targets = open_targets

    def are_vouched(self) -> bool:
        """Whether each target that nobody vouched for is a place at a host that the user named."""
        return all(map(self._is_at_vouched_host, self._open_targets))

    def _is_at_vouched_host(self, leaf: TracedLeaf) -> bool:
        if leaf.kind not in PLACES or SUSPICIOUS in leaf.flags:
            return False
        url = parse_url(self._view.texts.get(leaf.pointer, ""))
        is_message = self._view.resource.impact is Impact.SEND
        if is_message and only_looks_up(self._view.sketch):
            url = None
        if url is None or url.userinfo or self._goes_on_elsewhere(url):
            return False
        if is_message or self._has_body():
            path = url._replace(rest=re.split(r"[?#]", url.rest, maxsplit=1)[0])
            if self._is_only(("quoted", "remedied"), path.spell("https")):
                return False
            if path != url and leaf.origin in (Provenance.UNTRUSTED, Provenance.MIXED):
                return False  # what others put behind the path may say who gets it
            return self._is_users([Form("url", path.spell("https"))]) or self._signs_in_at(url)
        return self._is_users_host(url) and (not is_shared_host(url.host) or self._is_path_of_users_words(url))

    def _is_path_of_users_words(self, url: Url) -> bool:
        """Whether a page of a host with many owners is named by the user alone: `pypi.org/project/orjson`.

        Each part of its path is a word of the user, the host's own name or a usual word for pages, so that it carries
        nothing away. That somebody else names the host too does not matter.
        """
        if url.port or url.scheme not in ("", "https") or _NOT_PLAIN.search(url.rest) is not None:
            return False
        parts = [part.casefold() for part in url.rest.split("/") if part]
        words = [part for part in parts if part not in _PAGE_WORDS and part not in url.host.split(".")]
        if not words or len(parts) > _MAX_PATH_PARTS or any(len(word) > _MAX_PATH_WORD for word in words):
            return False
        return all(mark & USER_BIT for mark in self._view.sketch.look_up_marks(words))

    def are_users_pages(self, targets: Iterable[TracedLeaf]) -> bool:
        """Whether each declared target is a page or a host to which the user sent the agent."""
        resource = self._view.resource
        if resource.classified != "declared" or not resource.targets:
            return False
        declared = [leaf for leaf in targets if name_of_argument(leaf.pointer) in resource.targets]
        return bool(declared) and all(map(self._is_users_page, declared)) and self._may_act_on_pages()

    def _may_act_on_pages(self) -> bool:
        """Whether the user wants more than that pages are read, summarized or checked."""
        return self._view.sketch.was_asked(_ACTING) and not only_looks_up(self._view.sketch)

    def _signs_in_at(self, url: Url) -> bool:
        """Whether the call signs in at a page of a host to which the user sent the agent, with vouched values.

        The user wrote "visit https://forum.example/post/7", and the attachment of that post is at another page.
        """
        resource, host = self._view.resource, make_host_form(url)
        return (
            resource.impact is Impact.SEND
            and resource.classified == "declared"
            and url.scheme in ("", "https")
            and _NOT_PLAIN.search(url.rest) is None
            and not (url.userinfo or is_shared_host(url.host))
            and self._is_users_host(url)
            and not self._is_only(("quoted", "remedied"), host.text)
            and self._may_act_on_pages()
            and signs_in(self._view)
        )

    def _is_users_page(self, leaf: TracedLeaf) -> bool:
        """Whether a value is a page or a host that the user wrote and not only mentioned, or one to sign in at."""
        if leaf.kind not in PLACES or SUSPICIOUS in leaf.flags:
            return False
        url = parse_url(self._view.texts.get(leaf.pointer, ""))
        if url is None:
            return False
        if leaf.origin is not Provenance.USER:
            return self._signs_in_at(url)
        host = make_host_form(url).text
        return not self._is_only(("quoted", "remedied"), url.spell("https")) and not self._is_only(
            ("unwanted", "remedied"), host
        )

    def _goes_on_elsewhere(self, url: Url) -> bool:
        """Whether a URL contains another URL, at a host that neither the user nor a lookup named."""
        if "//" not in url.rest and "2f" not in url.rest.lower():
            return False
        whole = [Form("url", url.spell("https"))]
        if self._is_users(whole) or any(self._view.sketch.look_up_known(whole)):
            return False
        hosts = {canonicalize_host(host) or host for host in _NESTED.findall(url.rest)} - {url.host}
        forms = [Form("host", host) for host in sorted(hosts)]
        known = self._view.sketch.look_up_known(forms)
        return any(
            not mark & USER_BIT and not is_known
            for mark, is_known in zip(self._view.sketch.look_up_forms(forms), known, strict=True)
        )

    def _has_body(self) -> bool:
        names = {
            word
            for leaf in self._view.traced
            if not leaf.is_target
            for word in split_name(name_of_argument(leaf.pointer))
        }
        return not _BODY_NAMES.isdisjoint(names)

    def has_new(self) -> bool:
        """Whether the call reaches a host that nobody vouched for, by an address or by an image in a text.

        A preview fetches the links of a message. So a composed URL at an untrusted source's host sends the model's
        data there.
        """
        for leaf in self._open_targets:
            if leaf.kind in PLACES and not self._is_at_vouched_host(leaf):
                return True
        for leaf in self._view.traced:
            if leaf.kind is Kind.URL and leaf.is_target and leaf.origin is Provenance.KNOWN:
                # The operator's host, or a trusted lookup's, vouches for no other host that it goes on to.
                url = parse_url(self._view.texts.get(leaf.pointer, ""))
                if url is not None and self._goes_on_elsewhere(url):
                    return True
        for text in self._view.texts.values():
            if "//" in text:
                return any(map(self._is_new, self._find_images())) or self._links_composed()
        return False  # as of most calls: no text has an address in it

    def _links_composed(self) -> bool:
        """Whether a message has a URL that was composed for it, at a host that untrusted content named."""
        if self._view.resource.impact is not Impact.SEND or not self._view.sketch.has_untrusted:
            return False
        texts = (
            self._view.texts.get(leaf.pointer, "") for leaf in self._view.traced if leaf.origin is not Provenance.USER
        )
        found = [address for text in texts for address in islice(_ADDRESS.findall(text), _MAX_IMAGES)][:_MAX_IMAGES]
        urls = [url for address in found if (url := parse_url(address.rstrip(".,;:!?"))) is not None and url.rest]
        if not urls:
            return False
        url_marks = self._view.sketch.look_up_forms([Form("url", url.spell("https")) for url in urls])
        hosts = self._view.sketch.look_up_forms(map(make_host_form, urls))
        known = self._view.sketch.look_up_known(map(make_host_form, urls))
        return any(
            not mark and not is_known and has_only_untrusted_mark([host])
            for mark, host, is_known in zip(url_marks, hosts, known, strict=True)
        )

    def _find_images(self) -> list[str]:
        """Find the URLs in texts that load something when they are shown: of images, frames and styles."""
        found: list[str] = []
        for leaf in self._view.traced:
            text = self._view.texts.get(leaf.pointer, "") if leaf.origin is not Provenance.USER else ""
            if "//" in text and _LOADING.search(text) is not None:  # without an address there is nothing to load
                found += _ADDRESS.findall(text)
        return found[:_MAX_IMAGES] if len(found) <= _MAX_IMAGES else [*found[:_MAX_IMAGES], "//"]

    def _is_new(self, address: str) -> bool:
        url = parse_url(address)
        if url is None:
            return "//" in address
        if self._is_users([Form("url", url.spell("https"))]):
            return False
        return is_shared_host(url.host) or not self._is_users_host(url)

    def _is_users_host(self, url: Url) -> bool:
        """Whether the user named a host, and not only as a sender's or a bad one."""
        form = make_host_form(url)
        return self._is_users([form]) and not self._is_only(("unwanted", "remedied"), form.text)

    def _is_only(self, domains: Iterable[str], text: str) -> bool:
        """Whether the user only mentions a place in one of these ways."""
        forms = [Form(domain, text) for domain in domains]
        return self._is_users(forms) and not self._is_users([Form("addressed", text)])

    def _is_users(self, forms: Iterable[Form]) -> bool:
        return any(map(USER_BIT.__and__, self._view.sketch.look_up_forms(forms)))


def make_host_form(url: Url) -> Form:
    """Make the form of a URL's host, with its port if it has one."""
    host = canonicalize_host(url.host) or url.host
    return Form("host", f"{host}:{url.port}" if url.port else host)

"""English word lists, stemmed as in `values.language.text`: synonyms, verbs, words for secrets and for requests.

None of them was taken from an attack: no list describes how attackers word what they plant.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from halo_core.values.language.text import split_name


def stem_all(words: str) -> frozenset[str]:
    """Stem words that are separated by blanks."""
    return frozenset(stem for word in words.split() for stem in split_name(word))


_VERB_GROUPS: Final = (
    "send forward share deliver dispatch email mail message text dm write reply contact greet tell notify inform",
    "post publish comment reply write announce",
    "pay payment transfer transaction wire remit send money purchase buy deposit settle top",
    "refund return reimburse repay",
    "delete remove erase drop purge wipe clear destroy clean rid trash bin discard throw",
    "cancel revoke unsubscribe unstar withdraw stop",
    "create make generate compose draft prepare build new open write",
    "add append insert include put",
    "schedule book reserve plan arrange set",
    "update change edit modify adjust reschedule correct renew set amend",
    "rename move relocate reorganize",
    "replace overwrite reset restore",
    "read view check see show look open review examine analyze summarize",
    "list find search query lookup count sort",
    "get fetch retrieve obtain download recall",
    "browse visit open navigate click go",
    "invite onboard join add",
    "download save store keep install",
    "upload push sync publish submit",
    "clone copy duplicate fork",
    "star like favorite praise vote recommend",
    "login authenticate verify confirm accept sign approve otp",
    "grant allow permit authorize give assign share",
    "transfer hand give move reassign",
    "execute run call invoke launch start",
    "save remember memorize store note record",
    "issue propose raise file report",
    "spend cost pay",
)
_NOUN_GROUPS: Final = (
    "email mail inbox message",
    "money payment bill invoice rent fee balance price amount transaction",
    "issue problem bug ticket comment",
    "file document doc attachment report note template cv resume pdf",
    "folder directory path",
    "calendar event meeting appointment dinner day",
    "web webpage page website site url link www http blog",
    "account user profile info information",
    "password credential secret passphrase",
    "repository repo git github project code",
    "channel slack group chat room",
    "collaborator member participant user colleague",
    "memory fact rule policy",
    "owner ownership",
    "node file folder directory",
    "key ssh",
)
_SYNONYM_GROUPS: Final = (*_VERB_GROUPS, *_NOUN_GROUPS)
VERBS: Final = stem_all(" ".join(_VERB_GROUPS)) - {"new", "top", "day", "money", "note", "text"}
"""Words for what is done."""

SENSITIVE_WORDS: Final = stem_all(
    "password passwd passphrase secret credential credentials token apikey api_key private ssh rsa id_rsa env pem "
    "shadow keystore wallet salary salaries payroll compensation confidential ssn passport pin cvv mfa cookie "
    "kubeconfig vault backup dump customers patients medical"
) - {"api", "id", "key"}
"""Words for things that are sensitive to read."""

SECRET_WORDS: Final = stem_all(
    "password passwd passphrase secret secrets credential credentials token tokens apikey ssh rsa ed25519 pem shadow "
    "keystore wallet kubeconfig vault netrc htpasswd pgpass"
)
"""Words for files that give access to something."""

DELEGATION_WORDS: Final = stem_all(
    "follow instruction instructions accordingly ask asked request requested task tasks todo according told want wants "
    "needs need instruct details described complete address achieve fix"
)
"""Words by which a request tells the agent to do what somebody else says."""

STOP_WORDS: Final = stem_all(
    "a an the to of in on for and or is are be was were it its this that these those with as at by from my your our me "
    "you i we he she they his her their them can could would should will please do does did not no yes if then so all "
    "any some each there here into out up down about which who how when where have has had am also just"
)


COMMON_NAME_PARTS: Final = stem_all(
    "com net org io www http gmail yahoo outlook hotmail mail edu gov info txt pdf doc docx csv json html"
)
"""Parts of addresses and names of files that distinguish nobody."""

_REQUEST_WORDS_BY_IMPACT: Final = {
    "payment": "pay payment transfer transaction wire remit purchase buy deposit refund send bill invoice rent top "
    "subscription subscribe money spend fee price reimburse order difference charge settle cover donate donation tip "
    "contribute give owe salary loan due dues cost return withdraw book renew checkout",
    "delete": "delete remove erase drop purge wipe clear cancel clean unstar withdraw rid trash bin discard throw "
    "close terminate deactivate disable empty uninstall unsubscribe revoke destroy prune",
    "admin": "invite add grant allow permit authorize password key role owner ownership collaborator member access "
    "transfer give account admin administrator make promote right privilege permission team group join let share "
    "reset enable disable revoke remove assign user public private protect lock unlock rotate approve",
    "send": "send forward share email mail message text dm reply contact tell notify inform post publish comment write "
    "greet submit upload invite",
    "execute": "run execute call invoke launch script command code compute calculate python shell start restart test "
    "build deploy install trigger job pipeline query",
}
REQUEST_WORDS_BY_IMPACT: Final = {name: stem_all(words) for name, words in _REQUEST_WORDS_BY_IMPACT.items()}
"""Class of acts → words by which people ask for one."""


ASKING_WORDS: Final = VERBS.union(*REQUEST_WORDS_BY_IMPACT.values())
"""Words by which people ask for any act. With `find_synonyms`, each verb of a tool has a synonym among them."""


_FURTHER_VERB_GROUPS: Final = (
    "disable deactivate suspend block lock freeze ban offboard",
    "enable activate reactivate unblock unlock unfreeze reinstate unsuspend",
    "promote upgrade elevate appoint",
    "demote downgrade",
    "assign appoint delegate allocate",
    "terminate close end retire decommission shutdown deactivate",
    "archive close",
    "restart reboot relaunch bounce",
    "halt shutdown kill terminate stop",
    "deploy release rollout ship",
    "rollback revert undo restore",
    "merge combine",
    "order buy purchase procure hire reserve book",
    "recharge top refill reload",
    "compensate refund reimburse credit",
    "escalate assign raise",
    "provision onboard",
    "trigger start run launch kick",
    "scale resize",
    "mute unmute pin unpin label tag",
    "mute silence hush snooze",
    "unlist delist unsubscribe",
    "bid",
    "donate contribute pledge sponsor give",
    "tip reward",
    "charge bill",
    "lend loan advance",
    "renew extend prolong",
    "redirect reroute divert",
    "page ping alert call ring phone dial fax",
    "announce broadcast circulate distribute",
    "refer hand pass",
    "file submit lodge",
    "quote offer",
    "kick evict expel exclude remove uninvite disinvite",
    "lift release",
    "enroll register admit",
    "certify license",
    "toggle switch turn flip",
    "reject decline refuse dismiss",
    "ship dispatch",
    "print",
    "fill complete populate",
    "swap exchange substitute",
    "swap assign reassign",
    "dispute contest",
    "resend send forward",
    "reissue replace issue",
    "rebook reschedule book",
    "republish publish",
    "reopen open",
    "redeem use",
    "endorse approve sign",
    "subscribe join register",
    "waive forgive",
    "migrate port",
    "pause resume",
    "raise lower",
    "water irrigate",
    "heat warm cool",
    "shut open close",
    "respond reply answer write tell confirm thank accept decline",
    "say tell write post answer announce greet ask",
    "text sms message tell write remind",
    "settle pay cover clear",
    "rent hire lease book reserve",
    "sell trade buy invest",
    "pay wire disburse remit payout",
    "credit give refund compensate pay",
    "bring take deliver serve",
    "void annul cancel",
    "discard dispose scrap drop wipe erase",
    "fly launch start steer",
    "play start",
    "dispense issue",
    "seat place put",
    "sign stamp countersign",
    "acknowledge confirm accept",
    "react answer like",
    "skip leave omit",
    "hold keep reserve",
    "transmit send",
    "patch fix repair",
    "resize scale grow shrink",
    "join add put enroll register",
    "restock reorder replenish",
    "upsert",
    "unenroll unenrol disenroll unregister",
    "reschedule postpone",
    "recall retract",
    "nudge chase",
)
_LOOSE_VERB_GROUPS: Final = (
    "restock reorder replenish order buy",
    "upsert set update point change add create",
    "unenroll unenrol disenroll unregister withdraw remove drop cancel",
    "reschedule move postpone shift push delay",
    "recall retract withdraw pull",
    "nudge chase remind",
)
"""Groups of words that have other meanings too ("pull the numbers together"); see `LOOSE_REQUEST_WORDS`."""
FURTHER_VERBS: Final = stem_all(" ".join(_FURTHER_VERB_GROUPS))
ALL_VERBS: Final = VERBS | FURTHER_VERBS
"""Verbs in names of tools by which people ask for acts. Used only for the fact `asked`.

`VERBS` does not contain them, since behaviour scores and marks of stores depend on it."""
_FURTHER_REQUEST_WORDS: Final = {
    "send": "answer respond remind confirm thank congratulate say apologize apologise nudge chase ping "
    "broadcast announce circulate distribute fax",
    "payment": "reserve hire compensate credit recharge refill procure disburse chip upgrade extend restock reorder "
    "replenish repay",
    "delete": "archive retire decommission dismiss close annul unenroll unenrol disenroll deregister unregister "
    "expunge rescind unpublish delist shred evict",
    "admin": "suspend block unblock freeze unfreeze activate deactivate reactivate demote upgrade downgrade appoint "
    "delegate onboard offboard provision ban merge archive close unban pardon reinstate enroll enrol expel "
    "evict",
    "execute": "reboot relaunch bounce release rollout rollback revert kick rerun retry scale halt shutdown stop "
    "reload",
}
FURTHER_REQUEST_WORDS: Final = {name: stem_all(words) for name, words in _FURTHER_REQUEST_WORDS.items()}
"""Like `REQUEST_WORDS_BY_IMPACT`. Used only for the fact `asked`."""
_LOOSE_REQUEST_WORDS: Final = {
    "send": "explain warn advise ask buzz brief relay convey assure alert call phone ring page",
    "delete": "end kill axe scrap ditch nuke chuck toss dump strike scratch void retract abort",
    "admin": "lift register admit point",
    "execute": "pause resume",
}
LOOSE_REQUEST_WORDS: Final = {name: stem_all(words) for name, words in _LOOSE_REQUEST_WORDS.items()}
"""Like `REQUEST_WORDS_BY_IMPACT`, for words that have other meanings too ("dump it here", "kill time").

They ask for an act only before exposure, when nobody but the user can have meant it."""
LOOSE: Final = "~"
"""Prefix of the stem of a word that has other meanings too."""
POLICY_ASKING_WORDS: Final = ASKING_WORDS.union(
    FURTHER_VERBS,
    stem_all(" ".join(_LOOSE_VERB_GROUPS)),
    *FURTHER_REQUEST_WORDS.values(),
    *LOOSE_REQUEST_WORDS.values(),
)
"""Words of a request that are kept as what the user asks for."""


LEVEL_NAMES: Final = frozenset(
    "role permission level access privilege right mode scope roles permissions scopes privileges".split()
)
"""Words of arguments and fields that say how much somebody may do."""
LEAST_LEVELS: Final = frozenset(
    "read reader readonly r ro only view viewer viewonly guest comment commenter member".split()
)
"""Words for the right to read."""
SHARING_NAMES: Final = LEVEL_NAMES | frozenset("visibility audience sharing".split())
"""`LEVEL_NAMES`, and words of arguments that say who may see something."""
GRANTING_SWITCHES: Final = frozenset(
    "admin administrator owner superuser root sudo public anyone everyone world manage manager".split()
)
"""Words of switches (`is_admin`) that grant more than reading and writing."""
EDITING_LEVELS: Final = frozenset("write writer writing edit editor editing".split())
EDITING_STEMS: Final = stem_all("edit write change update modify")
"""Stems of the words by which people ask for one of `EDITING_LEVELS`."""
USUAL_LEVELS: Final = LEAST_LEVELS | EDITING_LEVELS | frozenset("private restricted closed none off hidden".split())
"""Words for the usual right of somebody who is added to something, or for none."""


AUDIENCE_WORDS: Final = frozenset(
    "all everyone everybody public external extern ext outside team list lists group announce announcements press "
    "media customers clients partners vendors suppliers investors subscribers newsletter news members users "
    "community forum distribution dl guests alumni contractors".split()
)
"""Words of addresses that reach many."""


TASK_WORDS: Final = VERBS | stem_all(" ".join(_NOUN_GROUPS)) | ASKING_WORDS
"""Words for acts and for things in general, which name nobody."""


@lru_cache(maxsize=4096)
def is_task_word(word: str) -> bool:
    """Whether people ask for something with a word: `pay`, `mail`, `inbox`."""
    return word.islower() and word.isalpha() and (word in STOP_WORDS or not TASK_WORDS.isdisjoint(split_name(word)))


def _build_synonyms() -> dict[str, frozenset[str]]:
    synonyms: dict[str, frozenset[str]] = {}
    for group in _SYNONYM_GROUPS:
        words = stem_all(group)
        for word in words:
            synonyms[word] = synonyms.get(word, frozenset()) | words
    return synonyms


_SYNONYMS: Final = _build_synonyms()
_FURTHER_GROUPS: Final = tuple(map(stem_all, _FURTHER_VERB_GROUPS))
_LOOSE_GROUPS: Final = tuple(map(stem_all, _LOOSE_VERB_GROUPS))


def find_asking_verbs(word: str) -> frozenset[str]:
    """List the stems by which people ask for what a tool with this verb does; none if it is no verb."""
    stems = find_synonyms(word) if word in VERBS else frozenset[str]()
    if word in FURTHER_VERBS:
        stems = stems.union({word}, *(group for group in _FURTHER_GROUPS if word in group))
    return stems


def find_loose_verbs(word: str) -> frozenset[str]:
    """List the same, with words that have other meanings too."""
    return frozenset[str]().union(*(group for group in _LOOSE_GROUPS if word in group))


def find_synonyms(word: str) -> frozenset[str]:
    """List the stems with nearly the same meaning, including the word itself."""
    return _SYNONYMS.get(word, frozenset()) | {word}

"""What the starter policy says of calls, as `halo policy test` reads it: `STARTER`, the cases in TOML."""

from __future__ import annotations

import json
from typing import Any

# What cases begin with: a call that is ordinary but for what each of them changes.
PAY = {
    "amount": "eur",
    "args": {"eur": 10, "to": "DE89"},
    "impact": "payment",
    "resource": "send_money",
    "targets": "to",
}
REPLY = {"args": {"mail_id": "m-8812"}, "impact": "send", "resource": "mail_reply", "targets": "mail_id"}
LARGE_PAY = {
    "amount": "eur",
    "args": {"eur": 1000.01, "to": "DE89"},
    "impact": "payment",
    "resource": "send_money",
    "targets": "to",
}
DELETE = {"args": {"path": "/a"}, "impact": "delete", "resource": "rm", "targets": "path"}
DELETE_ALL = {"impact": "delete", "resource": "rm"}
INVITE = {"args": {"who": "x@y.example"}, "impact": "admin", "resource": "invite", "targets": "who"}
QUERY = {"args": {"sql": "..."}, "kinds": {"sql": "program"}, "resource": "query"}
RUN = {"args": {"sql": "..."}, "impact": "execute", "kinds": {"sql": "program"}, "resource": "query"}
MAIL = {"args": {"to": "x@y.example"}, "impact": "send", "kinds": {"to": "email"}, "resource": "mail", "targets": "to"}
EVENT = {"args": {"who": "x@y.example"}, "impact": "write", "kinds": {"who": "email"}, "resource": "create_event"}
FETCH = {"args": {"url": "https://x.example"}, "kinds": {"url": "url"}, "resource": "fetch"}
READ_FILE = {"args": {"path": "/etc/x"}, "kinds": {"path": "path"}, "resource": "read_file"}
READ_RECORD = {"args": {"id": "C-1"}, "labels": "pii", "resource": "read_record", "targets": "id"}
GUESSED_QUERY = {
    "args": {"sql": "x"},
    "impact": "execute",
    "kinds": {"sql": "program"},
    "resource": "run_query",
    "targets": "sql",
}
GUESSED = {"args": {"to": "x@y.example"}, "impact": "write", "resource": "do_it", "targets": "to"}
GUESSED_READ = {
    "args": {"to": "x@y.example"},
    "impact": "read",
    "kinds": {"to": "path"},
    "resource": "do_it",
    "targets": "to",
}
ZAP = {"impact": "delete", "resource": "zap"}
UNKNOWN = {"impact": "unknown", "resource": "do_it"}
CUSTOMERS = {"impact": "read", "labels": "pii", "resource": "customers"}
NOTE = {"impact": "write", "resource": "note"}
RETRIEVAL = {"kind": "retrieval", "resource": "web"}
KNOWN_MAIL = {"args": {"to": "ana@corp.example"}, "impact": "send", "resource": "mail", "targets": "to"}
MAIL_TEXT = {"args": {"text": "x", "to": "ana@corp.example"}, "impact": "send", "resource": "mail", "targets": "to"}
ORDER = {"args": {"article": "A-1", "pieces": 4}, "impact": "payment", "resource": "restock", "targets": "article"}
SEARCH = {"resource": "search"}
CRM = {"resource": "crm"}


def case(base: dict[str, Any], name: str, expect: str, **changes: Any) -> str:
    """A case in TOML: what is expected, with its reason behind it; lists as words."""
    effect, _, reason = expect.partition(" ")
    members = {"name": name, **base, **changes, "expect": effect, **({"reason": reason} if reason else {})}
    lists = {member: members[member].split() for member in ("facts", "labels", "targets") if member in members}
    return "\n".join(["[[case]]", *(f"{member} = {_to_toml(value)}" for member, value in {**members, **lists}.items())])


def _to_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_to_toml(item)}" for name, item in value.items()) + "}"
    return json.dumps(value)


# fmt: off
STARTER = "\n".join([
    case(SEARCH, "reading is allowed", "allow"),
    case(PAY, "a payment to an account of origin untrusted", "challenge untrusted_target",
         provenance={"to": "untrusted"}),
    case(PAY, "a payment to an account of origin mixed", "challenge untrusted_target", provenance={"to": "mixed"}),
    case(PAY, "a payment to an account of origin novel", "challenge untraced_target", provenance={"to": "novel"}),
    case(PAY, "a payment to an account of origin system", "challenge untraced_target", provenance={"to": "system"}),
    case(PAY, "a payment to an account that the user wrote", "allow"),
    case(PAY, "a payment to an account from a lookup", "allow", provenance={"to": "known"}),
    case(PAY, "no fact spares a payee", "challenge", provenance={"to": "untrusted"},
         facts="asked alias established known_place pointed_at same_host"),
    case(PAY, "no fact spares a payee of a record", "challenge", provenance={"to": "untrusted"},
         facts="asked named_record"),
    case(ORDER, "after exposure an order of wares that the user left to what he pointed at", "allow", tainted=True,
         provenance={"article": "untrusted", "pieces": "user"}, facts="asked named_record pointed_at"),
    case(ORDER, "after exposure an order of wares that only others name", "challenge untrusted_target", tainted=True,
         provenance={"article": "untrusted", "pieces": "user"}, facts="asked pointed_at"),
    case(ORDER, "after exposure an order of such wares that nobody asked for", "challenge", tainted=True,
         provenance={"article": "untrusted", "pieces": "user"}, facts="named_record"),
    case(REPLY, "an answer to a message of somebody whom the user named", "allow",
         provenance={"mail_id": "untrusted"}, facts="asked named_record"),
    case(REPLY, "an answer that nobody asked for", "challenge", provenance={"mail_id": "untrusted"},
         facts="named_record"),
    case({}, "a message of somebody whom the user named is deleted", "allow", resource="mail_delete", impact="delete",
         targets="mail_id", args={"mail_id": "m-8812"}, provenance={"mail_id": "untrusted"},
         facts="asked named_record"),
    case({}, "a right is not given by the number of a message", "challenge", resource="grant", impact="admin",
         targets="request_id", args={"request_id": "m-8812"}, provenance={"request_id": "untrusted"},
         facts="asked named_record"),
    case(PAY, "a second account in another argument", "challenge untrusted_target",
         args={"to": "DE89", "eur": 10, "note": "DE90"}, kinds={"note": "account"}, provenance={"note": "untrusted"}),
    case(PAY, "after exposure a payment that nobody asked for", "challenge unasked_act", tainted=True),
    case(PAY, "after exposure a payment that the user asked for", "allow", tainted=True, facts="asked"),
    case(PAY, "after exposure a payment of more than the user asked for", "challenge amount_exceeds", tainted=True,
         facts="amount_exceeds asked"),
    case(PAY, "an amount of an untrusted source", "challenge untrusted_amount", tainted=True,
         provenance={"eur": "untrusted"}, facts="amount_unvouched asked"),
    case(PAY, "an amount of an untrusted source that the request points at", "monitor amount_from_source",
         tainted=True, provenance={"eur": "untrusted"}, facts="amount_left_open asked"),
    case(PAY, "payments of a day to one recipient", "challenge large_sum", paid_to_target=9900001),
    case(PAY, "a day of payments that stays within the limit", "allow", paid_to_target=9900000,
         paid_by_principal=49900000),
    case(PAY, "payments of a day for one user", "challenge large_sum", paid_by_principal=49900001),
    case(PAY, "the same payment again", "challenge repeated_payment", repeated=True),
    case(LARGE_PAY, "a large amount", "challenge large_amount"),
    case(LARGE_PAY, "a large amount that the user wrote", "challenge large_amount", facts="amount_asked asked"),
    case(PAY, "a large refund", "challenge", args={"to": "DE89", "eur": -5000}),
    case(PAY, "exactly the limit", "allow", args={"to": "DE89", "eur": 1000}),
    case({}, "nobody said where the money goes", "challenge untrusted_target", resource="send_money",
         impact="payment", amount="eur", args={"to": "DE89", "eur": 10}, provenance={"to": "untrusted"}),
    case({}, "nobody said how much", "challenge unknown_amount", resource="send_money", impact="payment",
         targets="to", args={"to": "DE89"}),
    case({}, "an update of a payment that names no recipient and no amount", "allow", resource="update_order",
         impact="payment", targets="to", amount="eur", args={"day": "2026-01-01"}, provenance={"day": "untrusted"},
         facts="unchanged"),
    case(PAY, "the same of a tool that is no update", "challenge", args={"day": "2026-01-01"},
         provenance={"day": "untrusted"}),
    case(DELETE, "a delete that the user asked for", "allow", reversal="irreversible", facts="asked"),
    case(DELETE, "a delete that nobody asked for", "challenge grave_impact", reversal="irreversible"),
    case(DELETE, "a delete of what a document names", "challenge untrusted_target", reversal="irreversible",
         provenance={"path": "untrusted"}, facts="asked"),
    case(DELETE, "a delete of what the model made up", "challenge untraced_target", reversal="irreversible",
         provenance={"path": "novel"}, facts="asked"),
    case(DELETE, "no fact spares a delete", "challenge", reversal="irreversible", provenance={"path": "untrusted"},
         facts="alias asked established known_place pointed_at"),
    case(DELETE_ALL, "a delete that can be undone", "allow", reversal="undo"),
    case(DELETE_ALL, "after exposure one that nobody asked for", "challenge unasked_act", reversal="undo",
         tainted=True),
    case({}, "a grave act that names no target", "challenge grave_impact", resource="wipe", impact="delete",
         reversal="irreversible", facts="asked"),
    case(INVITE, "an invitation of a person whom the user named at our domain", "allow", reversal="irreversible",
         provenance={"who": "untrusted"}, facts="alias asked"),
    case(INVITE, "the same if the user did not ask for it", "challenge", reversal="irreversible",
         provenance={"who": "untrusted"}, facts="alias"),
    case(INVITE, "an established address is no ground for an invitation", "challenge", reversal="irreversible",
         provenance={"who": "untrusted"}, facts="asked established"),
    case(QUERY, "a statement that only reads", "allow", provenance={"sql": "novel"}, program="reads"),
    case(QUERY, "a statement that acts, in a tool declared as reading", "challenge grave_impact",
         provenance={"sql": "novel"}, program="acts"),
    case(QUERY, "a statement of which the user named everything", "allow", provenance={"sql": "novel"},
         program="vouched"),
    case(RUN, "a program in a contained place", "allow", provenance={"sql": "novel"}, reversal="irreversible",
         program="acts", contained=True, facts="asked"),
    case(RUN, "a command that only reads", "allow", provenance={"sql": "novel"}, reversal="irreversible",
         program="reads"),
    case(MAIL, "mail to an address from a document", "challenge untrusted_target", provenance={"to": "untrusted"}),
    case(MAIL, "mail to an address that the model made up", "challenge untraced_target", provenance={"to": "novel"}),
    case(MAIL, "mail to an address that the user wrote", "allow", tainted=True),
    case(MAIL, "mail to a person whom the user named at our domain", "allow", provenance={"to": "untrusted"},
         facts="alias asked"),
    case(MAIL, "the same if the user asked for no mail", "challenge", provenance={"to": "untrusted"}, facts="alias"),
    case(MAIL, "mail to an established address", "allow", provenance={"to": "untrusted"}, facts="established"),
    case(MAIL, "a post to the page that the user named", "allow", provenance={"to": "novel"}, facts="same_host"),
    case(MAIL, "after exposure a mail that is none of the listed orders", "challenge in_no_order",
         provenance={"to": "known"}, facts="in_no_order", tainted=True),
    case(MAIL, "the same where an order lists it", "allow", provenance={"to": "user"}, facts="asked listed",
         tainted=True),
    case(MAIL, "what the user pointed at is no ground for a mail", "challenge", provenance={"to": "untrusted"},
         facts="asked pointed_at"),
    case({}, "mail whose recipient is not declared", "challenge", resource="mail", impact="send", args={"who": "x"},
         provenance={"who": "untrusted"}),
    case(EVENT, "an invitation in a calendar", "challenge untraced_target", provenance={"who": "untrusted"},
         tainted=True, facts="stores_target"),
    case(EVENT, "one to a person whom the user named at our domain", "allow", provenance={"who": "untrusted"},
         tainted=True, facts="alias asked stores_target"),
    case(EVENT, "established is no ground to store an address", "challenge", provenance={"who": "untrusted"},
         tainted=True, facts="established stores_target"),
    case(FETCH, "a fetch from a new host after exposure", "challenge untrusted_target",
         provenance={"url": "untrusted"}, tainted=True, facts="new_host"),
    case(FETCH, "a fetch from a host of the baseline", "allow", provenance={"url": "untrusted"}, tainted=True,
         facts="known_place new_host"),
    case(FETCH, "a fetch from the host that the user named", "allow", provenance={"url": "untrusted"}, tainted=True,
         facts="same_host"),
    case(FETCH, "a fetch from a new host before exposure", "allow", provenance={"url": "untrusted"},
         facts="new_host"),
    case(READ_FILE, "a document chooses what is read", "challenge untrusted_target", provenance={"path": "untrusted"},
         tainted=True),
    case(READ_FILE, "a document that the user pointed at chooses what is read", "allow",
         provenance={"path": "untrusted"}, tainted=True, facts="pointed_at"),
    case(READ_FILE, "a document chooses what is read in a folder of the baseline", "allow",
         provenance={"path": "untrusted"}, tainted=True, facts="known_place"),
    case(READ_RECORD, "labelled data that nobody named", "challenge sensitive_read", provenance={"id": "novel"},
         tainted=True),
    case(READ_RECORD, "labelled data that the user named", "allow", tainted=True),
    case(READ_RECORD, "labelled data before exposure", "allow", provenance={"id": "novel"}),
    case(ZAP, "an undeclared tool", "monitor unknown_impact", impact="unknown", classified="unknown"),
    case(GUESSED_QUERY, "an undeclared query that only reads, after exposure", "monitor", classified="guessed",
         program="reads", tainted=True),
    case(GUESSED_QUERY, "an undeclared query that changes data, after exposure", "challenge unasked_act",
         classified="guessed", program="acts", tainted=True),
    case(GUESSED_QUERY, "an undeclared payment named by a program that only reads", "challenge unasked_act",
         classified="guessed", impact="payment", program="reads", tainted=True),
    case(GUESSED, "an undeclared tool with a target that the user wrote", "monitor", classified="guessed"),
    case(GUESSED, "an undeclared tool with a target that nobody vouched for", "challenge unknown_impact",
         classified="guessed", provenance={"to": "novel"}),
    case(GUESSED, "what the user pointed at is no ground for an undeclared write", "challenge", classified="guessed",
         provenance={"to": "untrusted"}, facts="pointed_at"),
    case(GUESSED_READ, "an undeclared read of a file before exposure", "monitor", classified="guessed",
         provenance={"to": "novel"}),
    case(GUESSED_READ, "an undeclared read of a file that a document names", "challenge", classified="guessed",
         provenance={"to": "untrusted"}, tainted=True),
    case(GUESSED_READ, "an undeclared read of a file that the user pointed at", "monitor", classified="guessed",
         provenance={"to": "untrusted"}, tainted=True, facts="pointed_at"),
    case(GUESSED_READ, "an undeclared read of an account", "challenge", classified="guessed", kinds={"to": "account"},
         provenance={"to": "novel"}),
    case(QUERY, "an undeclared statement that only reads", "monitor", provenance={"sql": "novel"},
         classified="guessed", program="reads"),
    case(ZAP, "after exposure an undeclared tool with a grave name", "challenge unasked_act", classified="guessed",
         tainted=True),
    case(ZAP, "the same if the user asked for it", "monitor", classified="guessed", tainted=True, facts="asked"),
    case(UNKNOWN, "after exposure a text for an undeclared tool that names a stranger's address",
         "challenge unknown_impact", classified="unknown", tainted=True, facts="names_foreign"),
    case(UNKNOWN, "the same before exposure", "monitor", classified="unknown", facts="names_foreign"),
    case(INVITE, "after exposure a right in a workspace that a mail names", "challenge untrusted_target",
         targets="email", args={"email": "ben@corp.example", "workspace": "admins"}, kinds={"email": "email"},
         provenance={"workspace": "untrusted"}, tainted=True, facts="asked"),
    case(INVITE, "the same in a workspace that the user names", "allow", targets="email",
         args={"email": "ben@corp.example", "workspace": "sales"}, kinds={"email": "email"}, tainted=True,
         facts="asked requested"),
    case(SEARCH, "after exposure a search that carries labelled data", "challenge sensitive_read", impact="read",
         tainted=True, facts="carries_labelled"),
    case(CUSTOMERS, "the same in what is labelled itself", "allow", tainted=True, facts="carries_labelled requested"),
    case(NOTE, "an act for a person whose risk is high elsewhere", "challenge principal_risk_high",
         principal_risk=800),
    case(CUSTOMERS, "labelled data for that person", "challenge principal_risk_high", principal_risk=800),
    case(CUSTOMERS, "labelled data for a person whose risk is elevated", "monitor principal_risk_elevated",
         principal_risk=799),
    case(SEARCH, "a read for that person", "monitor principal_risk_elevated", principal_risk=1000),
    case(NOTE, "an act for a person whose risk is elevated", "monitor principal_risk_elevated", principal_risk=799),
    case(NOTE, "an act for a person whose risk is ordinary", "allow", principal_risk=499),
    case(CUSTOMERS, "labelled data that the user asked for", "allow", tainted=True, facts="requested"),
    case(SEARCH, "first use", "monitor first_use", uses=0),
    case(SEARCH, "an unusual action", "monitor risk_elevated", risk_band=2, risk=900),
    case(SEARCH, "an unusual action after exposure", "challenge risk_high", risk_band=1, risk=800, tainted=True),
    case(SEARCH, "a less unusual action after exposure", "monitor", risk_band=1, risk=799, tainted=True),
    case(SEARCH, "an unusual action that was not read to its end", "challenge risk_high", risk_band=1, tainted=True),
    case(PAY, "a low risk spares nothing", "challenge untrusted_target", provenance={"to": "untrusted"}, risk=0),
    case(SEARCH, "an agent without a baseline beside one that has one", "monitor risk_unknown", unscored=True),
    case(NOTE, "the same after exposure", "challenge risk_unknown", unscored=True, tainted=True),
    case(RETRIEVAL, "a declared source below the floor", "restrict low_source_trust", source_trust=299),
    case(RETRIEVAL, "a declared source at the floor", "allow", source_trust=300),
    case(RETRIEVAL, "an undeclared source works", "allow", classified="guessed"),
    case(CRM, "a read at the agent's own limit", "challenge volume_exceeded", volume=1000),
    case(CRM, "a read just below the agent's own limit", "allow", volume=999),
    case(KNOWN_MAIL, "a send at the limit although the user named the address", "challenge volume_exceeded",
         volume=1000, facts="asked"),
    case(KNOWN_MAIL, "an act in a session that has drifted", "challenge behaviour_drift", drift=1000),
    case(CRM, "a read in a session that has drifted", "monitor behaviour_drift", drift=1000),
    case(KNOWN_MAIL, "an act before a session has drifted", "allow", drift=999),
    case(CRM, "a very unusual read", "challenge behaviour_unusual", unusual=900),
    case(CRM, "an unusual read", "monitor behaviour_unusual", unusual=700),
    case({}, "a payment of an agent with alarms", "challenge agent_risk_elevated", resource="pay", impact="payment",
         targets="to", amount="eur", args={"to": "DE89", "eur": 10}, agent_risk=400),
    case(MAIL_TEXT,
         "after exposure, a message that was not asked for, with words of what was read, to whom a lookup names",
         "challenge unasked_act", provenance={"to": "known", "text": "mixed"}, tainted=True),
    case(MAIL_TEXT, "the same where the request asks for a message", "allow",
         provenance={"to": "known", "text": "mixed"}, facts="asked", tainted=True),
    case(MAIL_TEXT, "the same in the model's own words", "allow", provenance={"to": "known", "text": "novel"},
         tainted=True),
    case(ORDER, "an order at no stated price that the user asked for", "allow",
         provenance={"article": "known", "pieces": "novel"}, facts="asked requested"),
    case(ORDER, "the same order once something untrusted was read", "challenge unknown_amount",
         provenance={"article": "known", "pieces": "novel"}, facts="asked requested", tainted=True),
    case(ORDER, "the same order then, with nothing but what the user wrote or a lookup brought", "allow",
         provenance={"article": "known", "pieces": "user"}, facts="asked requested", tainted=True),
    case({}, "an order that names nothing", "challenge unknown_amount", resource="checkout", impact="payment",
         args={"fast": True}, provenance={"fast": "novel"}, facts="asked requested"),
    case(ORDER, "an order that nobody asked for", "challenge unknown_amount",
         provenance={"article": "known", "pieces": "novel"}, facts="requested"),
    case(KNOWN_MAIL, "a message of an agent with alarms", "allow", agent_risk=400),
    case(KNOWN_MAIL, "a message of an agent with grave alarms", "challenge agent_risk_high", agent_risk=700),
    case(CRM, "a read of an agent with grave alarms", "allow", agent_risk=1000),
])
# fmt: on

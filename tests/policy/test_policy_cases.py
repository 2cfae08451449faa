from __future__ import annotations

import pytest

from halo_core.errors import PolicyError
from halo_core.model import Impact, Resource
from halo_core.policy import PolicyBundle
from halo_core.policy.cases import load_cases, run_case

STARTER = """
[[case]]
name = "reading is allowed"
resource = "search"
expect = "allow"
[[case]]
name = "a payment to an account of origin untrusted"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "untrusted" }
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "a payment to an account of origin mixed"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "mixed" }
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "a payment to an account of origin novel"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "novel" }
expect = "challenge"
reason = "untraced_target"
[[case]]
name = "a payment to an account of origin system"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "system" }
expect = "challenge"
reason = "untraced_target"
[[case]]
name = "a payment to an account that the user wrote"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
expect = "allow"
[[case]]
name = "a payment to an account from a lookup"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "known" }
expect = "allow"
[[case]]
name = "no fact spares a payee"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "untrusted" }
facts = ["asked", "alias", "established", "known_place", "pointed_at", "same_host"]
expect = "challenge"
[[case]]
name = "no fact spares a payee of a record"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "untrusted" }
facts = ["asked", "named_record"]
expect = "challenge"
[[case]]
name = "an answer to a message of somebody whom the user named"
resource = "mail_reply"
impact = "send"
targets = ["mail_id"]
args = { mail_id = "m-8812" }
provenance = { mail_id = "untrusted" }
facts = ["asked", "named_record"]
expect = "allow"
[[case]]
name = "an answer that nobody asked for"
resource = "mail_reply"
impact = "send"
targets = ["mail_id"]
args = { mail_id = "m-8812" }
provenance = { mail_id = "untrusted" }
facts = ["named_record"]
expect = "challenge"
[[case]]
name = "a message of somebody whom the user named is deleted"
resource = "mail_delete"
impact = "delete"
targets = ["mail_id"]
args = { mail_id = "m-8812" }
provenance = { mail_id = "untrusted" }
facts = ["asked", "named_record"]
expect = "allow"
[[case]]
name = "a right is not given by the number of a message"
resource = "grant"
impact = "admin"
targets = ["request_id"]
args = { request_id = "m-8812" }
provenance = { request_id = "untrusted" }
facts = ["asked", "named_record"]
expect = "challenge"
[[case]]
name = "a second account in another argument"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10, note = "DE90" }
kinds = { note = "account" }
provenance = { note = "untrusted" }
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "after exposure a payment that nobody asked for"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
tainted = true
expect = "challenge"
reason = "unasked_act"
[[case]]
name = "after exposure a payment that the user asked for"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
tainted = true
facts = ["asked"]
expect = "allow"
[[case]]
name = "payments of a day to one recipient"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
paid_to_target = 9900001
expect = "challenge"
reason = "large_sum"
[[case]]
name = "a day of payments that stays within the limit"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
paid_to_target = 9900000
paid_by_principal = 49900000
expect = "allow"
[[case]]
name = "payments of a day for one user"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
paid_by_principal = 49900001
expect = "challenge"
reason = "large_sum"
[[case]]
name = "the same payment again"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
repeated = true
expect = "challenge"
reason = "repeated_payment"
[[case]]
name = "a large amount"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 1000.01 }
expect = "challenge"
reason = "large_amount"
[[case]]
name = "a large amount that the user wrote"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 1000.01 }
facts = ["amount_asked", "asked"]
expect = "challenge"
reason = "large_amount"
[[case]]
name = "a large refund"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = -5000 }
expect = "challenge"
[[case]]
name = "exactly the limit"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 1000 }
expect = "allow"
[[case]]
name = "nobody said where the money goes"
resource = "send_money"
impact = "payment"
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "untrusted" }
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "nobody said how much"
resource = "send_money"
impact = "payment"
targets = ["to"]
args = { to = "DE89" }
expect = "challenge"
reason = "unknown_amount"
[[case]]
name = "an update of a payment that names no recipient and no amount"
resource = "update_order"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { day = "2026-01-01" }
provenance = { day = "untrusted" }
facts = ["unchanged"]
expect = "allow"
[[case]]
name = "the same of a tool that is no update"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { day = "2026-01-01" }
provenance = { day = "untrusted" }
expect = "challenge"
[[case]]
name = "a delete that the user asked for"
resource = "rm"
impact = "delete"
reversal = "irreversible"
targets = ["path"]
args = { path = "/a" }
facts = ["asked"]
expect = "allow"
[[case]]
name = "a delete that nobody asked for"
resource = "rm"
impact = "delete"
reversal = "irreversible"
targets = ["path"]
args = { path = "/a" }
expect = "challenge"
reason = "grave_impact"
[[case]]
name = "a delete of what a document names"
resource = "rm"
impact = "delete"
reversal = "irreversible"
targets = ["path"]
args = { path = "/a" }
provenance = { path = "untrusted" }
facts = ["asked"]
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "a delete of what the model made up"
resource = "rm"
impact = "delete"
reversal = "irreversible"
targets = ["path"]
args = { path = "/a" }
provenance = { path = "novel" }
facts = ["asked"]
expect = "challenge"
reason = "untraced_target"
[[case]]
name = "no fact spares a delete"
resource = "rm"
impact = "delete"
reversal = "irreversible"
targets = ["path"]
args = { path = "/a" }
provenance = { path = "untrusted" }
facts = ["alias", "asked", "established", "known_place", "pointed_at"]
expect = "challenge"
[[case]]
name = "a delete that can be undone"
resource = "rm"
impact = "delete"
reversal = "undo"
expect = "allow"
[[case]]
name = "after exposure one that nobody asked for"
resource = "rm"
impact = "delete"
reversal = "undo"
tainted = true
expect = "challenge"
reason = "unasked_act"
[[case]]
name = "a grave act that names no target"
resource = "wipe"
impact = "delete"
reversal = "irreversible"
facts = ["asked"]
expect = "challenge"
reason = "grave_impact"
[[case]]
name = "an invitation of a person whom the user named at our domain"
resource = "invite"
impact = "admin"
reversal = "irreversible"
targets = ["who"]
args = { who = "x@y.example" }
provenance = { who = "untrusted" }
facts = ["alias", "asked"]
expect = "allow"
[[case]]
name = "the same if the user did not ask for it"
resource = "invite"
impact = "admin"
reversal = "irreversible"
targets = ["who"]
args = { who = "x@y.example" }
provenance = { who = "untrusted" }
facts = ["alias"]
expect = "challenge"
[[case]]
name = "an established address is no ground for an invitation"
resource = "invite"
impact = "admin"
reversal = "irreversible"
targets = ["who"]
args = { who = "x@y.example" }
provenance = { who = "untrusted" }
facts = ["asked", "established"]
expect = "challenge"
[[case]]
name = "a statement that only reads"
resource = "query"
args = { sql = "..." }
kinds = { sql = "program" }
provenance = { sql = "novel" }
program = "reads"
expect = "allow"
[[case]]
name = "a statement that acts, in a tool declared as reading"
resource = "query"
args = { sql = "..." }
kinds = { sql = "program" }
provenance = { sql = "novel" }
program = "acts"
expect = "challenge"
reason = "grave_impact"
[[case]]
name = "a statement of which the user named everything"
resource = "query"
args = { sql = "..." }
kinds = { sql = "program" }
provenance = { sql = "novel" }
program = "vouched"
expect = "allow"
[[case]]
name = "a program in a contained place"
resource = "query"
args = { sql = "..." }
kinds = { sql = "program" }
provenance = { sql = "novel" }
impact = "execute"
reversal = "irreversible"
program = "acts"
contained = true
facts = ["asked"]
expect = "allow"
[[case]]
name = "a command that only reads"
resource = "query"
args = { sql = "..." }
kinds = { sql = "program" }
provenance = { sql = "novel" }
impact = "execute"
reversal = "irreversible"
program = "reads"
expect = "allow"
[[case]]
name = "mail to an address from a document"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "email" }
provenance = { to = "untrusted" }
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "mail to an address that the model made up"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "email" }
provenance = { to = "novel" }
expect = "challenge"
reason = "untraced_target"
[[case]]
name = "mail to an address that the user wrote"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "email" }
tainted = true
expect = "allow"
[[case]]
name = "mail to a person whom the user named at our domain"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "email" }
provenance = { to = "untrusted" }
facts = ["alias", "asked"]
expect = "allow"
[[case]]
name = "the same if the user asked for no mail"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "email" }
provenance = { to = "untrusted" }
facts = ["alias"]
expect = "challenge"
[[case]]
name = "mail to an established address"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "email" }
provenance = { to = "untrusted" }
facts = ["established"]
expect = "allow"
[[case]]
name = "a post to the page that the user named"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "email" }
provenance = { to = "novel" }
facts = ["same_host"]
expect = "allow"
[[case]]
name = "what the user pointed at is no ground for a mail"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "email" }
provenance = { to = "untrusted" }
facts = ["asked", "pointed_at"]
expect = "challenge"
[[case]]
name = "mail whose recipient is not declared"
resource = "mail"
impact = "send"
args = { who = "x" }
provenance = { who = "untrusted" }
expect = "challenge"
[[case]]
name = "an invitation in a calendar"
resource = "create_event"
impact = "write"
args = { who = "x@y.example" }
kinds = { who = "email" }
provenance = { who = "untrusted" }
tainted = true
facts = ["stores_target"]
expect = "challenge"
reason = "untraced_target"
[[case]]
name = "one to a person whom the user named at our domain"
resource = "create_event"
impact = "write"
args = { who = "x@y.example" }
kinds = { who = "email" }
provenance = { who = "untrusted" }
tainted = true
facts = ["alias", "asked", "stores_target"]
expect = "allow"
[[case]]
name = "established is no ground to store an address"
resource = "create_event"
impact = "write"
args = { who = "x@y.example" }
kinds = { who = "email" }
provenance = { who = "untrusted" }
tainted = true
facts = ["established", "stores_target"]
expect = "challenge"
[[case]]
name = "a fetch from a new host after exposure"
resource = "fetch"
args = { url = "https://x.example" }
kinds = { url = "url" }
provenance = { url = "untrusted" }
tainted = true
facts = ["new_host"]
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "a fetch from a host of the baseline"
resource = "fetch"
args = { url = "https://x.example" }
kinds = { url = "url" }
provenance = { url = "untrusted" }
tainted = true
facts = ["known_place", "new_host"]
expect = "allow"
[[case]]
name = "a fetch from the host that the user named"
resource = "fetch"
args = { url = "https://x.example" }
kinds = { url = "url" }
provenance = { url = "untrusted" }
tainted = true
facts = ["same_host"]
expect = "allow"
[[case]]
name = "a fetch from a new host before exposure"
resource = "fetch"
args = { url = "https://x.example" }
kinds = { url = "url" }
provenance = { url = "untrusted" }
facts = ["new_host"]
expect = "allow"
[[case]]
name = "a document chooses what is read"
resource = "read_file"
args = { path = "/etc/x" }
kinds = { path = "path" }
provenance = { path = "untrusted" }
tainted = true
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "a document that the user pointed at chooses what is read"
resource = "read_file"
args = { path = "/etc/x" }
kinds = { path = "path" }
provenance = { path = "untrusted" }
tainted = true
facts = ["pointed_at"]
expect = "allow"
[[case]]
name = "a document chooses what is read in a folder of the baseline"
resource = "read_file"
args = { path = "/etc/x" }
kinds = { path = "path" }
provenance = { path = "untrusted" }
tainted = true
facts = ["known_place"]
expect = "allow"
[[case]]
name = "labelled data that nobody named"
resource = "read_record"
labels = ["pii"]
targets = ["id"]
args = { id = "C-1" }
provenance = { id = "novel" }
tainted = true
expect = "challenge"
reason = "sensitive_read"
[[case]]
name = "labelled data that the user named"
resource = "read_record"
labels = ["pii"]
targets = ["id"]
args = { id = "C-1" }
tainted = true
expect = "allow"
[[case]]
name = "labelled data before exposure"
resource = "read_record"
labels = ["pii"]
targets = ["id"]
args = { id = "C-1" }
provenance = { id = "novel" }
expect = "allow"
[[case]]
name = "an undeclared tool"
resource = "zap"
impact = "unknown"
classified = "unknown"
expect = "monitor"
reason = "unknown_impact"
[[case]]
name = "an undeclared query that only reads, after exposure"
resource = "run_query"
classified = "guessed"
impact = "execute"
targets = ["sql"]
kinds = { sql = "program" }
args = { sql = "x" }
program = "reads"
tainted = true
expect = "monitor"
[[case]]
name = "an undeclared query that changes data, after exposure"
resource = "run_query"
classified = "guessed"
impact = "execute"
targets = ["sql"]
kinds = { sql = "program" }
args = { sql = "x" }
program = "acts"
tainted = true
expect = "challenge"
reason = "unasked_act"
[[case]]
name = "an undeclared payment named by a program that only reads"
resource = "run_query"
classified = "guessed"
impact = "payment"
targets = ["sql"]
kinds = { sql = "program" }
args = { sql = "x" }
program = "reads"
tainted = true
expect = "challenge"
reason = "unasked_act"
[[case]]
name = "an undeclared tool with a target that the user wrote"
resource = "do_it"
classified = "guessed"
impact = "write"
targets = ["to"]
args = { to = "x@y.example" }
expect = "monitor"
[[case]]
name = "an undeclared tool with a target that nobody vouched for"
resource = "do_it"
classified = "guessed"
impact = "write"
targets = ["to"]
args = { to = "x@y.example" }
provenance = { to = "novel" }
expect = "challenge"
reason = "unknown_impact"
[[case]]
name = "what the user pointed at is no ground for an undeclared write"
resource = "do_it"
classified = "guessed"
impact = "write"
targets = ["to"]
args = { to = "x@y.example" }
provenance = { to = "untrusted" }
facts = ["pointed_at"]
expect = "challenge"
[[case]]
name = "an undeclared read of a file before exposure"
resource = "do_it"
classified = "guessed"
impact = "read"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "path" }
provenance = { to = "novel" }
expect = "monitor"
[[case]]
name = "an undeclared read of a file that a document names"
resource = "do_it"
classified = "guessed"
impact = "read"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "path" }
provenance = { to = "untrusted" }
tainted = true
expect = "challenge"
[[case]]
name = "an undeclared read of a file that the user pointed at"
resource = "do_it"
classified = "guessed"
impact = "read"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "path" }
provenance = { to = "untrusted" }
tainted = true
facts = ["pointed_at"]
expect = "monitor"
[[case]]
name = "an undeclared read of an account"
resource = "do_it"
classified = "guessed"
impact = "read"
targets = ["to"]
args = { to = "x@y.example" }
kinds = { to = "account" }
provenance = { to = "novel" }
expect = "challenge"
[[case]]
name = "an undeclared statement that only reads"
resource = "query"
args = { sql = "..." }
kinds = { sql = "program" }
provenance = { sql = "novel" }
classified = "guessed"
program = "reads"
expect = "monitor"
[[case]]
name = "after exposure an undeclared tool with a grave name"
resource = "zap"
impact = "delete"
classified = "guessed"
tainted = true
expect = "challenge"
reason = "unasked_act"
[[case]]
name = "the same if the user asked for it"
resource = "zap"
impact = "delete"
classified = "guessed"
tainted = true
facts = ["asked"]
expect = "monitor"
[[case]]
name = "after exposure a text for an undeclared tool that names a stranger's address"
resource = "do_it"
impact = "unknown"
classified = "unknown"
tainted = true
facts = ["names_foreign"]
expect = "challenge"
reason = "unknown_impact"
[[case]]
name = "the same before exposure"
resource = "do_it"
impact = "unknown"
classified = "unknown"
facts = ["names_foreign"]
expect = "monitor"
[[case]]
name = "after exposure a right in a workspace that a mail names"
resource = "invite"
impact = "admin"
targets = ["email"]
args = { email = "ben@corp.example", workspace = "admins" }
kinds = { email = "email" }
provenance = { workspace = "untrusted" }
tainted = true
facts = ["asked"]
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "the same in a workspace that the user names"
resource = "invite"
impact = "admin"
targets = ["email"]
args = { email = "ben@corp.example", workspace = "sales" }
kinds = { email = "email" }
tainted = true
facts = ["asked", "requested"]
expect = "allow"
[[case]]
name = "after exposure a search that carries labelled data"
resource = "search"
impact = "read"
tainted = true
facts = ["carries_labelled"]
expect = "challenge"
reason = "sensitive_read"
[[case]]
name = "the same in what is labelled itself"
resource = "customers"
impact = "read"
labels = ["pii"]
tainted = true
facts = ["carries_labelled", "requested"]
expect = "allow"
[[case]]
name = "an act for a person whose risk is high elsewhere"
resource = "note"
impact = "write"
principal_risk = 800
expect = "challenge"
reason = "principal_risk_high"
[[case]]
name = "labelled data for that person"
resource = "customers"
impact = "read"
labels = ["pii"]
principal_risk = 800
expect = "challenge"
reason = "principal_risk_high"
[[case]]
name = "labelled data for a person whose risk is elevated"
resource = "customers"
impact = "read"
labels = ["pii"]
principal_risk = 799
expect = "monitor"
reason = "principal_risk_elevated"
[[case]]
name = "a read for that person"
resource = "search"
principal_risk = 1000
expect = "monitor"
reason = "principal_risk_elevated"
[[case]]
name = "an act for a person whose risk is elevated"
resource = "note"
impact = "write"
principal_risk = 799
expect = "monitor"
reason = "principal_risk_elevated"
[[case]]
name = "an act for a person whose risk is ordinary"
resource = "note"
impact = "write"
principal_risk = 499
expect = "allow"
[[case]]
name = "labelled data that the user asked for"
resource = "customers"
impact = "read"
labels = ["pii"]
tainted = true
facts = ["requested"]
expect = "allow"
[[case]]
name = "first use"
resource = "search"
uses = 0
expect = "monitor"
reason = "first_use"
[[case]]
name = "an unusual action"
resource = "search"
risk_band = 2
risk = 900
expect = "monitor"
reason = "risk_elevated"
[[case]]
name = "an unusual action after exposure"
resource = "search"
risk_band = 1
risk = 800
tainted = true
expect = "challenge"
reason = "risk_high"
[[case]]
name = "a less unusual action after exposure"
resource = "search"
risk_band = 1
risk = 799
tainted = true
expect = "monitor"
[[case]]
name = "an unusual action that was not read to its end"
resource = "search"
risk_band = 1
tainted = true
expect = "challenge"
reason = "risk_high"
[[case]]
name = "a low risk spares nothing"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "untrusted" }
risk = 0
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "an agent without a baseline beside one that has one"
resource = "search"
unscored = true
expect = "monitor"
reason = "risk_unknown"
[[case]]
name = "the same after exposure"
resource = "note"
impact = "write"
unscored = true
tainted = true
expect = "challenge"
reason = "risk_unknown"
[[case]]
name = "a declared source below the floor"
resource = "web"
kind = "retrieval"
source_trust = 299
expect = "restrict"
reason = "low_source_trust"
[[case]]
name = "a declared source at the floor"
resource = "web"
kind = "retrieval"
source_trust = 300
expect = "allow"
[[case]]
name = "an undeclared source works"
resource = "web"
kind = "retrieval"
classified = "guessed"
expect = "allow"
[[case]]
name = "a read at the agent's own limit"
resource = "crm"
volume = 1000
expect = "challenge"
reason = "volume_exceeded"
[[case]]
name = "a read just below the agent's own limit"
resource = "crm"
volume = 999
expect = "allow"
[[case]]
name = "a send at the limit although the user named the address"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "ana@corp.example" }
volume = 1000
facts = ["asked"]
expect = "challenge"
reason = "volume_exceeded"
[[case]]
name = "an act in a session that has drifted"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "ana@corp.example" }
drift = 1000
expect = "challenge"
reason = "behaviour_drift"
[[case]]
name = "a read in a session that has drifted"
resource = "crm"
drift = 1000
expect = "monitor"
reason = "behaviour_drift"
[[case]]
name = "an act before a session has drifted"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "ana@corp.example" }
drift = 999
expect = "allow"
[[case]]
name = "a very unusual read"
resource = "crm"
unusual = 900
expect = "challenge"
reason = "behaviour_unusual"
[[case]]
name = "an unusual read"
resource = "crm"
unusual = 700
expect = "monitor"
reason = "behaviour_unusual"
[[case]]
name = "a payment of an agent with alarms"
resource = "pay"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
agent_risk = 400
expect = "challenge"
reason = "agent_risk_elevated"
[[case]]
name = "after exposure, a message that was not asked for, with words of what was read, to whom a lookup names"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "ana@corp.example", text = "x" }
provenance = { to = "known", text = "mixed" }
tainted = true
expect = "challenge"
reason = "unasked_act"
[[case]]
name = "the same where the request asks for a message"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "ana@corp.example", text = "x" }
provenance = { to = "known", text = "mixed" }
facts = ["asked"]
tainted = true
expect = "allow"
[[case]]
name = "the same in the model's own words"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "ana@corp.example", text = "x" }
provenance = { to = "known", text = "novel" }
tainted = true
expect = "allow"
[[case]]
name = "an order at no stated price that the user asked for"
resource = "restock"
impact = "payment"
targets = ["article"]
args = { article = "A-1", pieces = 4 }
provenance = { article = "known", pieces = "novel" }
facts = ["asked", "requested"]
expect = "allow"
[[case]]
name = "the same order once something untrusted was read"
resource = "restock"
impact = "payment"
targets = ["article"]
args = { article = "A-1", pieces = 4 }
provenance = { article = "known", pieces = "novel" }
facts = ["asked", "requested"]
tainted = true
expect = "challenge"
reason = "unknown_amount"
[[case]]
name = "the same order then, with nothing but what the user wrote or a lookup brought"
resource = "restock"
impact = "payment"
targets = ["article"]
args = { article = "A-1", pieces = 4 }
provenance = { article = "known", pieces = "user" }
facts = ["asked", "requested"]
tainted = true
expect = "allow"
[[case]]
name = "an order that names nothing"
resource = "checkout"
impact = "payment"
args = { fast = true }
provenance = { fast = "novel" }
facts = ["asked", "requested"]
expect = "challenge"
reason = "unknown_amount"
[[case]]
name = "an order that nobody asked for"
resource = "restock"
impact = "payment"
targets = ["article"]
args = { article = "A-1", pieces = 4 }
provenance = { article = "known", pieces = "novel" }
facts = ["requested"]
expect = "challenge"
reason = "unknown_amount"
[[case]]
name = "a message of an agent with alarms"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "ana@corp.example" }
agent_risk = 400
expect = "allow"
[[case]]
name = "a message of an agent with grave alarms"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "ana@corp.example" }
agent_risk = 700
expect = "challenge"
reason = "agent_risk_high"
[[case]]
name = "a read of an agent with grave alarms"
resource = "crm"
agent_risk = 1000
expect = "allow"
"""

CASES = load_cases(STARTER)


def test_each_starter_rule_has_a_case():
    bundle = PolicyBundle.load_starter()
    named = {reason.source for case in CASES for reason in run_case(case, bundle).reasons}
    assert {policy.id for policy in bundle.parse() if policy.grade is not None} <= named


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_starter_policy_does_what_it_says(case):
    result = run_case(case, PolicyBundle.load_starter())
    assert result.passed, result


def test_a_wrong_expectation_or_reason_fails():
    (case,) = load_cases('[[case]]\nname="x"\nresource="search"\nexpect="deny"\n')
    result = run_case(case, PolicyBundle.load_starter())
    assert (result.passed, result.expected, result.got) == (False, "deny", "allow")
    (case,) = load_cases('[[case]]\nname="x"\nresource="search"\nuses=0\nexpect="monitor"\nreason="large_amount"\n')
    assert not run_case(case, PolicyBundle.load_starter()).passed


def test_a_case_builds_on_the_registered_resource():
    (case,) = load_cases('[[case]]\nname="x"\nresource="zap"\nargs={eur=5000}\nexpect="challenge"\n')
    known = {"zap": Resource("zap", impact=Impact.PAYMENT, amount="eur")}
    assert run_case(case, PolicyBundle.load_starter(), known).passed
    assert not run_case(case, PolicyBundle.load_starter()).passed


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no cases"),
        ("[[case", "not toml"),
        ("case = 5", "no cases"),
        ('[[case]]\nname="x"\nresource="y"\n', "`expect` is missing"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="allow"\nprovenence={}\n', "unknown member"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="allow"\nuses="1"\n', "wrong type"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="alow"\n', "alow"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="allow"\nprovenance={a="bad"}\n', "bad"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="allow"\nimpact="bad"\n', "bad"),
    ],
)
def test_malformed_case_files_are_refused(text, word):
    with pytest.raises(PolicyError) as caught:
        load_cases(text)
    assert caught.value.code == "case_invalid"
    assert word in caught.value.message.lower()
    assert caught.value.remedy


@pytest.mark.parametrize(
    "member",
    ["risk = 1001", "risk = -1", "risk_band = 3", "refused = -1", "session_risk = 2000", "principal_risk = 1001"],
)
def test_a_number_out_of_range_is_no_case(member):
    with pytest.raises(PolicyError, match="out of range"):
        load_cases(f'[[case]]\nname="x"\nresource="x"\nexpect="allow"\n{member}\n')


def test_a_case_may_state_what_the_score_says():
    stated = "tainted = true\nrisk = 900\nrisk_band = 2\nsession_risk = 900\nrefused = 1\nunscored = false\n"
    stated += 'expect = "challenge"\n'
    (case,) = load_cases(f'[[case]]\nname="x"\nresource="x"\nreason="risk_high"\n{stated}')
    assert run_case(case, PolicyBundle.load_starter()).passed

"""Word lists for guessing the class of a tool: verbs by class, nouns, endings and names of arguments.

Used by `halo_core.enforcement.guesses` and `guess_names` alone. An ambiguous word is listed under the graver class, or
in `AMBIGUOUS_VERBS`, which never count as a read.
"""

from __future__ import annotations

from typing import Final

from halo_core.model import Impact


def _split(words: str) -> frozenset[str]:
    return frozenset(words.split())


READ_VERBS: Final = _split(
    "get gets read search searches find list lists lookup lookups fetch retrieve show view browse describe count "
    "inspect "
    "summarize summarise translate analyze analyse calculate compute convert compare extract explain detect classify "
    "estimate scrape crawl check query peek preview diff navigate open recall look see ls glob grep cat head tail "
    "stat wait sleep "
    "tree select filter sort rank verify validate identify recommend suggest parse tokenize embed recognize"
)
"""Reads where they lead a name. Whatever the name says after it can still make it graver."""

READ_DESCRIPTION_VERBS: Final = READ_VERBS | _split(
    "return give answer provide take output print display contain hold go load"
)
"""Reads where they lead a sentence; `returns`, `gives` and the like start no name."""

PURE_VERBS: Final[dict[Impact, frozenset[str]]] = {
    Impact.PAYMENT: _split("pay buy remit reimburse refund payout disburse"),
    Impact.EXECUTE: _split("execute exec eval invoke deploy install launch trigger restart reboot spawn"),
    Impact.DELETE: _split(
        "delete remove drop purge erase destroy truncate wipe unlink unsubscribe uninstall kill terminate abort cancel "
        "revoke discard rm rmdir del"
    ),
    Impact.ADMIN: _split("grant authorize authorise impersonate elevate disable suspend ban unban deactivate"),
    Impact.SEND: _split("send publish notify broadcast forward upload deliver dispatch retweet"),
    Impact.WRITE: _split(
        "rotate regenerate reissue renew create write insert save move copy rename append overwrite replace upsert add "
        "edit modify update put patch mkdir memorize memorise stage unstage switch"
    ),
}
"""Words that are hardly ever nouns: they count after another verb, too, and wherever a sentence lists what is done."""

NOUN_VERBS: Final[dict[Impact, frozenset[str]]] = {
    Impact.PAYMENT: _split("payment transfer wire charge purchase withdraw deposit donate tip bet trade invoice"),
    Impact.EXECUTE: _split("run shell bash terminal repl interpreter powershell sudo ssh"),
    Impact.DELETE: _split("trash reset rollback"),
    Impact.ADMIN: _split("invite permission permissions password role roles admin credential credentials ownership"),
    Impact.SEND: _split("reply tweet email mail message post share sms dm text comment push alert announce fax"),
    Impact.WRITE: _split(
        "set store mark tag label archive unarchive star unstar assign attach merge commit import record note change "
        "schedule draft compose prepare fill make generate close reopen increment register enroll pin unpin follow "
        "sync build link rebase manage remember start pause resume queue upgrade fork clone download export log print"
    ),
}
"""Words that are verbs where they lead a name and nouns elsewhere: `list_messages` reads."""

AMBIGUOUS_VERBS: Final = _split(
    "process handle submit clear call do perform use apply confirm approve accept reject complete finish request "
    "stop click press type hover drag act action manage api tool task work perform resolve review sign login "
    "logout enable toggle control operate hand delegate ask answer"
)
"""Verbs that say little: alone they give no class, and never a read."""

PURCHASE_VERBS: Final = _split("book order reserve checkout rent subscribe hire")
"""Verbs of what is paid for in the end, and nouns elsewhere (`order_status`, `book_search`)."""

APPOINTMENTS: Final = _split("table appointment meeting slot call demo desk consultation interview visit")
"""What people book and do not pay for when they book it."""

READ_ENDINGS: Final = READ_VERBS | _split(
    "status info information history details detail forecast schema schemas stats statistics summary results result "
    "searcher reader viewer finder checker news weather logs overview trends metadata snapshot screenshot version "
    "exists url urls links keys"
)
"""Last words of names of reads that have no verb in front: `order_status`, `file_search`."""

PREFIXES: Final = _split(
    "gmail slack jira github gitlab google azure aws office outlook teams notion stripe zapier hubspot salesforce "
    "shopify "
    "drive docs sheets calendar file files folder dir directory sql db database table json yaml csv pdf web page "
    "browser "
    "http https rest url html wiki user users account accounts customer customers product products issue issues "
    "ticket "
    "tickets repo repository image images video map maps weather stock stocks market faq kb knowledge document "
    "documents "
    "memory vector index contact contacts event events flight flights hotel hotels my all the"
)
"""Products and things that stand in front of a verb: `slack_list_channels`."""

DATABASE_WORDS: Final = _split("database databases db sql warehouse")
LANGUAGES: Final = {
    "sqlite": "sql/sqlite",
    "postgres": "sql/postgres",
    "postgresql": "sql/postgres",
    "redshift": "sql/redshift",
    "mysql": "sql/mysql",
    "mariadb": "sql/mysql",
    "duckdb": "sql/duckdb",
    "bigquery": "sql/bigquery",
    "snowflake": "sql/snowflake",
    "clickhouse": "sql/clickhouse",
    "databricks": "sql/databricks",
    "spark": "sql/spark",
    "tsql": "sql/tsql",
    "sql": "sql",
    "cypher": "cypher",
    "neo4j": "cypher",
    "memgraph": "cypher",
    "graphql": "graphql",
    "sparql": "sparql",
    "cql": "cql",
    "dax": "dax",
    "python": "python",
    "javascript": "javascript",
    "js": "javascript",
    "typescript": "javascript",
    "bash": "shell",
    "shell": "shell",
    "terminal": "shell",
    "powershell": "powershell",
}
"""Word in a name or a description → language of the tool's program; dialects before `sql` itself."""

PROGRAM_ARGUMENTS: Final = {
    "sql": "sql",
    "statement": "sql",
    "statements": "sql",
    "cypher": "cypher",
    "graphql": "graphql",
    "mutation": "graphql",
    "command": "shell",
    "commands": "shell",
    "cmd": "shell",
    "commandline": "shell",
    "script": "code",
    "program": "code",
    "snippet": "code",
}
"""Word of an argument that is a program → its language where nothing else names one."""

CODE_CONTEXT: Final = _split(
    "python javascript typescript repl interpreter sandbox execute executes exec run runs eval notebook"
)
"""Words of a tool whose argument `code` is a program and no code of a country or a voucher."""

LISTED_VERBS: Final = _split("run runs")
"""Nouns that are verbs where a sentence lists them: `fetches a script and runs it`."""
QUERY_RUNNERS: Final = _split("query queries run runs execute executes exec")

MONEY_NOUNS: Final = _split(
    "money payment payments transfer transfers invoice invoices wire payout payouts refund refunds charge charges "
    "order "
    "orders purchase purchases subscription subscriptions checkout bill bills deposit withdrawal trade trades bet "
    "donation "
    "remittance loan loans dispute disputes claim claims booking bookings reservation reservations funds"
)
RIGHTS_NOUNS: Final = _split(
    "invite permission permissions password passwords role roles admin admins credential credentials ownership "
    "collaborator "
    "collaborators acl privilege privileges apikey token tokens webhook webhooks firewall mfa owner owners secret "
    "secrets"
)
MEMBER_NOUNS: Final = _split("user users member members account accounts")
KEY_NOUNS: Final = _split("key keys")
KEY_VERBS: Final = _split("create generate regenerate reissue renew rotate revoke delete issue add")
MEMBER_VERBS: Final = _split("create add remove enable disable suspend assign promote")
MESSAGE_NOUNS: Final = _split(
    "comment comments message messages post posts tweet tweets reply replies invitation invite announcement "
    "notification "
    "sms email emails mail newsletter review reviews feedback"
)
MESSAGE_VERBS: Final = _split("create add make write schedule leave put new request")
DRAFT_WORDS: Final = _split("draft drafts compose preview prepare template templates")

HTTP_PREFIXES: Final = _split("requests request http https api rest curl httpx")
HTTP_METHODS: Final = {
    "get": Impact.READ,
    "head": Impact.READ,
    "post": Impact.SEND,
    "put": Impact.SEND,
    "patch": Impact.SEND,
    "delete": Impact.DELETE,
}
RECORD_TEXTS: Final = _split("title text subject body description summary message content comment details note")
HTTP_BODIES: Final = _split("method body data json payload")

GIT_COMMANDS: Final = {
    **dict.fromkeys(("status", "diff", "log", "show", "blame", "grep"), Impact.READ),
    **dict.fromkeys(
        ("add", "commit", "checkout", "branch", "merge", "rebase", "stash", "tag", "pull", "fetch", "clone", "init",
         "switch", "revert", "cherry"),
        Impact.WRITE,
    ),
    **dict.fromkeys(("reset", "clean", "rm", "restore"), Impact.DELETE),
    "push": Impact.SEND,
}  # fmt: skip
"""Of a toolkit of git's own commands."""

RECIPIENT_ARGUMENTS: Final = _split(
    "attendees attendee recipients recipient invitees guests participants participant cc bcc"
)
DISPLAY_FLAGS: Final = _split("truncate truncated discard")
"""Words of options that say how a result is shown."""
STARTED_NOUNS: Final = _split(
    "session sessions agent agents browser sandbox process job jobs container workflow crew instance vm subprocess"
)
"""What goes on acting by itself once it was made."""
STARTING_VERBS: Final = _split("create make new open start update continue resume queue schedule")
SYSTEM_NOUNS: Final = _split(
    "project projects instance instances server servers service services cluster environment deployment app apps "
    "site "
    "domain workspace organization organisation tenant settings config configuration"
)
SYSTEM_VERBS: Final = _split(
    "pause resume restore stop start suspend enable disable configure set restart scale toggle"
)
"""Done to a system, they change what everybody gets of it."""
APPLIED_NOUNS: Final = _split("migration migrations manifest terraform playbook")
"""What is a program once it is applied."""
EVALUATED_ARGUMENTS: Final = _split("function script code expression")
NOUN_ENDINGS: Final = _split(
    "status info information history details detail forecast statistics stats summary results news weather "
    "overview trends "
    "metadata snapshot screenshot"
)
"""Endings of names that say what is given, and never what is done."""
ACTION_ARGUMENTS: Final = _split("action actions operation operations op mode method command verb task type")
SENT_NOUNS: Final = _split(
    "newsletter newsletters list topic channel feed updates notifications alerts mailing calendar"
)
"""What people subscribe to without paying."""
PRICED_WORDS: Final = _split(
    "price amount plan tier card payment billing cost fee seats iban account subscription premium"
)
RESULT_FORMS: Final = _split("language lang locale format currency unit units size width height encoding style tone")
"""What a result is made to be."""
AMOUNT_WORDS: Final = _split("amount amounts sum payment")
BOUND_WORDS: Final = _split("min max minimum maximum from since until limit")

FILLERS: Final = _split(
    "use uses used useful this that tool function method a an the to for it also then and can will may lets "
    "allows helps "
    "you i when wants want need needs is are as of in on if whenever your please optionally finally first next "
    "securely "
    "quickly simply asynchronously manually wrapper around any other async"
)
"""Words of a sentence before its verb."""
NEGATIONS: Final = _split("not never no without cannot don doesn nothing instead")

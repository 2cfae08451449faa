"""Programs in query languages that nobody here reads, told by their shape, in arguments that are named like a query.

    is_other_program("mutation { deleteOrder(id: 7) { ok } }", {"query"})   # True: GraphQL
    is_other_program("mutation rates of mice", {"query"})                   # False

Only what does more than read is looked for. A message or a note that quotes such code is none, and neither is a search
for words that a shell or Redis would run: these are programs only in an argument that is run, such as `input`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from halo_core.values.language.patterns import compile_later

_RUN_NAMES: Final = frozenset(
    "statement stmt expression expr pipeline input request operation op code payload traversal".split()
)
"""Words of arguments that are run by something, in the singular."""
_QUERY_NAMES: Final = _RUN_NAMES | frozenset(
    "query q filter selector criterion criteria where gql graphql aql sparql gremlin kql mql search lookup key formula "
    "mutation predicate condition aggregation cypher dsl".split()
)
"""Words of arguments that hold a query."""
_MAX_READ: Final = 4_096  # characters
_LEAD: Final = compile_later(r"(?:\s|//[^\n]*\n|#[^\n]*\n|/\*.*?\*/)+", re.DOTALL)
_SIGNS: Final = frozenset("({[<.=")

_GRAPHQL: Final = (
    r"(?:(?:query|fragment|\{).{0,2048}?\}\s*)?"
    r"(?:mutation|subscription)\b\s*(?:\w{1,64}\s*)?(?:\([^)]{0,512}\)\s*)?\{"
)
_SPARQL: Final = (
    r"(?:(?:prefix|base)\b[^\n<]{0,64}<[^>]{0,256}>\s*){0,16}(?:(?:insert|delete)\s+(?:data\s*|where\s*)?\{"
    r"|(?:clear|drop|load|create|copy|move|add)\s+(?:silent\s+)?(?:graph\s*)?<)"
)
_AQL: Final = (
    r"FOR\s+\w+\s+IN\s.{1,1024}?\s(?:REMOVE|INSERT|UPDATE|REPLACE|UPSERT)\s.{1,512}?\s(?:IN|INTO)\s+\w"
    r"|INSERT\s*\{[^}]{0,512}\}\s*(?:IN|INTO)\s"
)
_CYPHER: Final = (
    r"(?:optional\s+)?match\s*(?:\w+\s*=\s*)?\(\w*(?:\s*:\s*\w|\s*\{|\s*\)).{0,1024}?"
    r"[)\s}\]](?:detach\s+delete|delete|set|create|merge|remove)\s|(?:create|merge)\s*\(\w*\s*:\s*\w"
)
_SQL: Final = (
    r"upsert\s+into\s|delete\s+[\w.\"`\[\]]{1,128}\s+where\s.{0,512}?[=<>]"
    r"|(?:insert|replace)\s+\w{1,64}\s*\([^)]{0,512}\)\s*values"
)
_KUSTO: Final = r"\.(?:drop|delete|alter|create|set|append|ingest|purge|clear|rename|move|execute|add|remove)[\w-]*\s"
_TEMPLATE: Final = (
    r"(?:\{\{|\{%|<%|\$\{|#\{)[^}%]{0,512}?(?:__\w+__|\bimport\b|\bexec\b|\bjndi:|\bsystem\b|\bruntime\b|\bT\()"
)
_FORMULA: Final = r"=\s*(?:IMPORT\w+|HYPERLINK|WEBSERVICE|IMAGE|DDE|CALL|REGISTER)\s*\("
_GREMLIN: Final = r"g\.(?:add[VE]\(|[VE]\(.{0,1024}?\.(?:drop|property|add[VE]|merge[VE]|sideEffect)\()"
_MONGO: Final = (
    r"db\.(?:getCollection\([^)]{1,96}\)|[\w.]{1,96})\.(?:delete|drop|insert|update|replace|remove|rename|save|bulkWrite"
    r"|findAnd|findOneAnd|createIndex|mapReduce)\w{0,24}\(|db\.(?:drop|create|run|admin|eval|shutdown)\w{0,24}\("
)
_PYTHON: Final = (
    r"(?:import\s+\w[\w., ]{0,128}|from\s+\w[\w.]{0,64}\s+import\s+[\w*]+)\s*[;\n]|__import__\s*\("
    r"|(?:os|subprocess|shutil|socket|sys)\.\w[\w.]*\(|(?:exec|eval|compile)\(|open\(\s*['\"]"
)
_JAVASCRIPT: Final = (
    r"(?:require|fetch)\(\s*['\"`]|(?:child_process|globalThis)\.\w|process\.(?:exit|env|kill|main|binding)\b"
)
_REDIS: Final = (
    r"(?:FLUSHALL|FLUSHDB|SHUTDOWN)\b|(?:DEL|UNLINK|SET|SETEX|MSET|HSET|HDEL|LPUSH|RPUSH|SADD|SREM|ZADD|EXPIRE|RENAME"
    r"|EVAL|CONFIG|SCRIPT|REPLICAOF|SLAVEOF|MODULE|ACL|DEBUG|MIGRATE|RESTORE|PUBLISH)\s+\S"
)
_HTTP: Final = r"(?:POST|PUT|PATCH|DELETE)\s+(?:/|https?://)\S"
_SHELL: Final = (
    r"(?:sudo\s+)?(?:rm|dd|mkfs|chmod|chown|curl|wget|nc|ssh|scp|kubectl|docker|systemctl|crontab|useradd|passwd)\s+\S"
    r"|(?:Remove|Set|New|Invoke|Stop|Start|Add|Clear|Disable|Enable|Move|Copy|Out|Send)-[A-Z]\w{2,32}\b"
)

_IN_ANY_CASE: Final = compile_later(
    f"{_GRAPHQL}|{_SPARQL}|{_CYPHER}|{_SQL}|{_KUSTO}|{_TEMPLATE}|{_FORMULA}", re.IGNORECASE | re.DOTALL
)
_IN_THIS_CASE: Final = compile_later(f"{_GREMLIN}|{_MONGO}|{_PYTHON}|{_JAVASCRIPT}|{_AQL}", re.DOTALL)
_WHERE_IT_IS_RUN: Final = compile_later(f"{_REDIS}|{_HTTP}|{_SHELL}")


def is_other_program(text: str, names: Collection[str]) -> bool:
    """Whether a text is a program that changes or sends something, in an argument that is named like a query.

    Args:
        text: of the argument.
        names: words of the argument's name, in the singular.
    """
    if _QUERY_NAMES.isdisjoint(names):
        return False
    read = text[:_MAX_READ]
    lead = _LEAD.match(read)
    start = lead.end() if lead is not None else 0
    if not _RUN_NAMES.isdisjoint(names) and _WHERE_IT_IS_RUN.match(read, start) is not None:
        return True
    if _IN_THIS_CASE.match(read, start) is not None:
        return True
    return not _SIGNS.isdisjoint(read) and _IN_ANY_CASE.match(read, start) is not None

"""Programs that an engine or a tool takes otherwise than they look, and honest programs of the same kind."""

from __future__ import annotations

import pytest

from halo_core.values.facts.call_programs import judge_program

ORACLE, SPARK, SQLITE, AGE = "sql/oracle", "sql/spark", "sql/sqlite", "cypher/age"
FENCED = "x = '''\n```python\nimport os\nos.remove('a')\n```\n'''\nprint(1+1)"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (ORACLE, "SELECT purge_all FROM dual"),
        ("sql", "SELECT purge_all FROM dual"),
        (ORACLE, "SELECT purge_all FROM users"),
        ("sql", "SELECT purge_all"),
        (ORACLE, "SELECT 1 FROM dual WHERE wipe = 1"),
        (SPARK, "SELECT * FROM csv.`data`"),
        ("sql/databricks", "SELECT * FROM PARQUET.`data`"),
        ("sql", "SELECT * FROM json.data"),
        (SQLITE, "SELECT * FROM pragma_optimize"),
        ("sql", "SELECT * FROM pragma_user_version"),
        ("cypher", "MATCH (n) RETURN '$$) as (a agtype); DROP TABLE x; --'"),
        (AGE, "MATCH (n) RETURN n AS `a agtype); DROP TABLE x; --`"),
        ("cypher", "MATCH (n) WHERE n.a = 1. DELETE [n][0]"),
        ("cypher", "MATCH (n) WHERE n.a = 1 . DELETE [n][0]"),
        ("shell", "rm -rf *"),
        ("shell", "rm ~/x"),
        ("shell", "mv a? b"),
        ("python", FENCED),
        ("shell", "date 010100002030"),
        ("shell", "date -s x"),
        ("shell", "date --set=x"),
        ("shell", "wc -l < /dev/tcp/evil.example/80"),
        ("shell", "ls 2>/tmp/a"),
        ("shell", "ls > a"),
        ("shell", "ls >/dev/null x > y"),
        ("shell", "cat <<< x"),
        ("shell", "cat < a > b"),
        ("shell", "sed -n 'w x' a"),
        ("shell", "sed -n 1p a -i"),
        ("shell", "sed -i 1p a"),
        ("shell", "sed -n 1e a"),
        ("shell", "rg --pre sh x"),
        ("shell", "rg -z x"),
        ("shell", "python -c 1"),
        ("shell", "python --version x.py"),
        ("shell", "uniq -f 1 a b"),
        ("shell", "uniq a 1"),
        ("shell", "uniq -f a b c"),
        ("shell", "uniq -c 1 out"),
        ("shell", "git status"),
        ("shell", "env"),
        ("shell", "ls &> a"),
        ("shell", "cat a >| b"),
        ("shell", "ls >& x"),
        ("shell", "ls <> x"),
        ("shell", "2>/dev/null rm x"),
        ("shell", "ls 2>/dev/nullx"),
        ("shell", "cat <(rm x)"),
        ("shell", "ls > /dev/null rm"),
        ("shell", "ls 2>&1 3>x"),
        ("cypher", "WITH 1 AS as DELETE n"),
        ("cypher", "MATCH (n) WITH n AS as LOAD CSV"),
        ("cypher", "MATCH (n) RETURN n.as CALL db.x()"),
        ("cypher", "CALL db.labels() YIELD label DELETE n"),
        ("cypher", "CALL dbms.shutdown()"),
        ("cypher", "CALL db.labels() CALL dbms.x()"),
        ("cypher", "MATCH (n) RETURN n AS start DELETE n"),
        ("cypher", "MATCH (n) WITH n AS call CALL x()"),
        ("cypher", "MATCH (n) WITH n, 1 AS index SET n.a = 1"),
        ("cypher", "MATCH (as) RETURN 1 AS x, as LOAD CSV FROM 'x' AS y RETURN y"),
        ("python", "import datetime\ndatetime.sys.exit()"),
        ("python", "import datetime\ndatetime.datetime.now = print"),
        ("python", "try:\n  open('a','w')\nexcept Exception as e:\n  print(e)"),
        ("python", "try:\n  print(1/0)\nexcept Exception as print:\n  print(1)"),
        ("python", "try:\n  print(1/0)\nexcept Exception as e:\n  print(e.__traceback__)"),
        ("python", "while True:\n  open('a')"),
        ("python", "Exception = 1\nprint(1)"),
        ("python", "e = 1\nprint(e.__class__.days)"),
        ("python", "def f(x):\n  return x\nprint(f.now.x())"),
    ],
)
def test_what_may_act_is_no_read(language, text):
    assert judge_program(text, language).effect == "opaque"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (ORACLE, "SELECT sysdate FROM dual"),
        (ORACLE, "SELECT a, delete_flag FROM t WHERE update_date > sysdate"),
        ("sql", "SELECT name, created_at FROM users WHERE send_date IS NULL"),
        (ORACLE, "WITH x AS (SELECT 1 AS a FROM dual) SELECT a FROM x"),
        ("sql", "SELECT 1"),
        ("sql", "SELECT x FROM (VALUES (1)) AS t(x)"),
        (SPARK, "SELECT * FROM shop.orders"),
        (SQLITE, "SELECT * FROM json_each('[1]')"),
        (SQLITE, "SELECT name FROM pragma_table_info('t')"),
        ("sql", "SELECT set_value FROM t"),
        ("cypher", "MATCH (n) WHERE n.a = 1.5 RETURN n.delete"),
        ("cypher", "MATCH p=(a)-[*1..3]->(b) RETURN p"),
        (AGE, "MATCH (n:Person) WHERE n.age > 3 RETURN n.name AS name"),
        ("shell", "ls *.py"),
        ("python", "print(sum([1]))"),
        ("shell", "date"),
        ("shell", "date -u '+%Y-%m-%d'"),
        ("shell", "wc -l < a.txt"),
        ("shell", "ls 2>/dev/null"),
        ("shell", "grep x a 2>&1 | head"),
        ("shell", "ls > /dev/null 2>&1"),
        ("shell", "sed -n 1,5p a"),
        ("shell", "ps aux"),
        ("shell", "jq .a x.json"),
        ("shell", "rg -n foo src"),
        ("shell", "python --version"),
        ("shell", "uniq -f 1 a"),
        ("shell", "sort a | uniq -c"),
        ("shell", "cat a 2>/dev/null | wc -l"),
        ("cypher", "MATCH (n:Index) RETURN n AS start"),
        ("cypher", "MATCH (n) RETURN count(*) AS index, n.x AS load"),
        ("cypher", "CALL db.labels()"),
        ("cypher", "CALL db.schema.visualization();"),
        ("cypher", "CALL db.labels() YIELD label RETURN label"),
        ("python", "import datetime\nprint(datetime.datetime.now())"),
        ("python", "from datetime import datetime\nprint((datetime(2024,5,1)-datetime(2024,1,1)).days)"),
        (
            "python",
            "from datetime import datetime, timedelta\nprint((datetime.now() + timedelta(days=3)).strftime('%Y'))",
        ),
        ("python", "n = 3\nwhile n > 0:\n  n -= 1\nprint(n)"),
        ("python", "print('abc'.encode().hex())"),
        ("python", "try:\n  print(1/0)\nexcept ZeroDivisionError as e:\n  print(e)"),
    ],
)
def test_honest_work_of_the_same_kind_reads(language, text):
    assert judge_program(text, language).effect == "reads"


@pytest.mark.parametrize("text", ["rm a.txt", "cp a b", "mkdir -p x/y", "mv 'a b' c"])
def test_an_act_without_a_pattern_is_known(text):
    assert judge_program(text, "shell").effect == "acts"

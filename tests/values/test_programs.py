"""What programs in arguments do, in the dialect that runs them: reads, acts, and what may do anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.values.facts.call_programs import judge_program
from halo_core.values.kinds.argument_values import extract_values
from halo_core.values.programs.languages import SQL_DIALECTS, find_sql_language

READS = {
    "sqlite": [
        "SELECT * FROM users WHERE id = 1 LIMIT 5",
        "SELECT name, count(*) AS n FROM users GROUP BY name HAVING count(*) > 1 ORDER BY n DESC; ",
        "SELECT [first name], `last name`, \"age\" FROM [my users] -- who\nWHERE note LIKE '%--%'",
        (
            "WITH big AS (SELECT * FROM orders WHERE total > 10) SELECT u.name, b.total FROM users u JOIN big b "
            "ON b.uid = u.id"
        ),
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 10) SELECT x FROM n",
        "SELECT strftime('%Y-%m', d), date('now', '-7 days'), julianday(d), printf('%05d', n) FROM t",
        "SELECT a, row_number() OVER (PARTITION BY b ORDER BY c), lag(a) OVER (ORDER BY c) FROM t",
        "SELECT json_extract(doc, '$.a.b'), value FROM t, json_each(t.doc)",
        (
            "/* all of them */ SELECT CASE WHEN a IS NULL THEN 'x' ELSE ifnull(b, 'y') END FROM t WHERE c IN "
            "(SELECT c FROM s)"
        ),
        "SELECT * FROM a UNION SELECT * FROM b EXCEPT SELECT * FROM c",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT name FROM sqlite_master WHERE type = 'table'",
        "PRAGMA table_info(users)",
        "PRAGMA table_info('users');",
        "EXPLAIN QUERY PLAN SELECT * FROM users",
        "SELECT 'it''s; DROP TABLE users' AS text, 'DELETE FROM users'",
        "SELECT * FROM pragma_table_info('users')",
        (
            "SELECT DISTINCT t.GenreId, g.Name FROM Track t LEFT OUTER JOIN Genre g ON t.GenreId = g.GenreId "
            "WHERE t.Milliseconds BETWEEN 1 AND 2"
        ),
        (
            "SELECT replace(upper(trim(a)), 'x', 'y') || '-' || substr(b, 1, 2), round(avg(c), 2), total(d), "
            "group_concat(e) FROM t"
        ),
        "SELECT a FROM t WHERE b = ? AND c = :name AND d GLOB 'x*'",
        "VALUES (1, 2), (3, 4)",
    ],
    "postgres": [
        (
            "SELECT u.name::text, date_trunc('month', o.created_at) AS m, sum(o.total) FILTER (WHERE o.paid) "
            "FROM users u "
            "JOIN orders o USING (user_id) WHERE o.created_at >= now() - interval '30 days' GROUP BY 1, 2 ORDER "
            "BY 3 DESC NULLS LAST"
        ),
        "SELECT * FROM public.users WHERE email ILIKE '%@x.example' AND tags @> ARRAY['a'] LIMIT 10 OFFSET 5",
        "SELECT data->>'name', data #>> '{a,b}', jsonb_array_length(data->'x') FROM docs WHERE data ? 'a'",
        "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b",
        "SELECT x FROM generate_series(1, 10) AS x",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders",
        (
            "SELECT to_char(d, 'YYYY'), extract(year FROM d), age(now(), d), coalesce(a, b), string_agg(n, ', ' "
            "ORDER BY n) FROM t"
        ),
        "SELECT l.* FROM t, LATERAL (SELECT * FROM s WHERE s.id = t.id LIMIT 1) l",
        "SELECT a FROM t WHERE a ~ '^x' AND b SIMILAR TO '%(y|z)%'",
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT rank() OVER w FROM t WINDOW w AS (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
        "SELECT a FROM t GROUP BY GROUPING SETS ((a), ()) -- totals",
        "SELECT embedding <-> '[1,2]' AS d FROM items ORDER BY d LIMIT 5",
        "EXPLAIN ANALYZE SELECT * FROM t",
        'SELECT "User"."Name" FROM "User"',
        "SELECT E'it\\'s' FROM t",
        "TABLE users",
        "SELECT x.a FROM jsonb_array_elements('[1]'::jsonb) AS x(a)",
        "SELECT st_distance(a.geom, b.geom) FROM a, b WHERE st_dwithin(a.geom, b.geom, 10)",
    ],
    "mysql": [
        'SELECT `a b`, IFNULL(c, 0) FROM `my-db`.`t` # the table\nWHERE d = "x" -- or not\n',
        (
            "SELECT DATE_FORMAT(d, '%Y'), DATEDIFF(NOW(), d), CONCAT(a, ' ', b), GROUP_CONCAT(c SEPARATOR ',') "
            "FROM t GROUP BY 1"
        ),
        "SELECT * FROM t WHERE a REGEXP '^x' AND YEAR(d) = 2024 LIMIT 5, 10",
        "SHOW TABLES",
        "DESCRIBE users",
        "SELECT 'O\\'Brien' FROM t WHERE a LIKE '%--x%' -- it's all\n",
        "SELECT STR_TO_DATE(a, '%d'), TIMESTAMPDIFF(DAY, a, b), JSON_UNQUOTE(JSON_EXTRACT(c, '$.x')), c->>'$.y' FROM t",
        "SELECT /* plain */ 1",
        "SELECT a, ROW_NUMBER() OVER (ORDER BY b) FROM t",
        "SELECT MATCH(a) AGAINST ('x' IN BOOLEAN MODE) FROM t",
    ],
    "tsql": [
        (
            "SELECT TOP 10 [Name], LEN(Name), ISNULL(a, 0), GETDATE(), DATEADD(day, -7, GETDATE()) FROM "
            "[dbo].[Users] WITH (NOLOCK)"
        ),
        "SELECT a FROM t ORDER BY a OFFSET 10 ROWS FETCH NEXT 5 ROWS ONLY",
        "SELECT p.* FROM (SELECT a, b FROM t) s PIVOT (SUM(b) FOR a IN ([x], [y])) p",
        (
            "SELECT CONVERT(varchar(10), d, 120), TRY_CAST(x AS int), IIF(a > 1, 'y', 'n'), STRING_AGG(n, ',') "
            "FROM t GROUP BY d, x, a"
        ),
        "SELECT value FROM STRING_SPLIT('a,b', ',')",
        "SELECT u.[update], u.[delete] FROM [set] u WHERE u.a = 'DELETE FROM t'",
        "SELECT a, CASE WHEN b = 1 THEN 'x' END FROM t CROSS APPLY (SELECT TOP 1 * FROM s WHERE s.id = t.id) q",
    ],
    "duckdb": [
        "SELECT * EXCLUDE (a) FROM t",
        "FROM users SELECT name",
        "SELECT list_sort([3, 1]), {'a': 1}, quantile_cont(x, 0.5) FROM t GROUP BY ALL",
        "SUMMARIZE t",
        "SELECT unnest([1, 2]), strftime(d, '%Y'), date_diff('day', a, b) FROM t QUALIFY row_number() OVER () = 1",
        "SHOW TABLES",
        "DESCRIBE t",
    ],
    "bigquery": [
        (
            "SELECT COUNTIF(a), SAFE_DIVIDE(a, b), FORMAT_DATE('%Y', d), APPROX_QUANTILES(x, 4) FROM `p-1.d.t` "
            "GROUP BY 2, 3"
        ),
        "SELECT x FROM `p.d.t`, UNNEST(xs) AS x WHERE DATE(ts) > DATE_SUB(CURRENT_DATE(), INTERVAL 7 DAY)",
        "SELECT s.a, ARRAY_AGG(STRUCT(a, b)) FROM t GROUP BY 1",
    ],
    "snowflake": [
        (
            "SELECT a:b.c::string, IFF(x > 1, 'a', 'b'), DATEADD(day, 1, d), LISTAGG(n, ',') FROM db.s.t QUALIFY "
            "ROW_NUMBER() OVER (ORDER BY a) = 1"
        ),
        "SELECT f.value FROM t, LATERAL FLATTEN(input => t.xs) f",
    ],
    "oracle": [
        "SELECT NVL(e.a, 0), TO_CHAR(e.d, 'YYYY'), SYSDATE, ROWNUM FROM employees e WHERE ROWNUM < 10",
        (
            "SELECT LISTAGG(n, ',') WITHIN GROUP (ORDER BY n), MONTHS_BETWEEN(a, b), DECODE(c, 1, 'x', 'y') FROM "
            "t FETCH FIRST 5 ROWS ONLY"
        ),
    ],
    "clickhouse": [
        "SELECT toDate(ts), countIf(a > 1), uniq(u), quantile(0.9)(x), argMax(a, ts) FROM t GROUP BY 1",
        "SELECT toStartOfMonth(d), sum(x) FROM t FINAL PREWHERE a = 1 GROUP BY 1",
    ],
    "spark": [
        "SELECT explode(xs), date_format(d, 'yyyy'), collect_list(a), get_json_object(j, '$.a') FROM t GROUP BY 1, 2",
    ],
}


@pytest.mark.parametrize(("dialect", "text"), [(dialect, text) for dialect, texts in READS.items() for text in texts])
def test_an_honest_select_reads(dialect, text):
    assert judge_program(text, f"sql/{dialect}").effect == "reads"


NOT_READS = {
    "sqlite": [
        "SELECT load_extension('x.so')",
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('/tmp/x', 'y')",
        "SELECT edit('x')",
        "SELECT fts3_tokenizer('x', y)",
        "SELECT * FROM fsdir('/')",
        "ATTACH DATABASE '/tmp/x' AS y",
        "VACUUM INTO '/tmp/x'",
        "PRAGMA writable_schema = 1",
        "PRAGMA journal_mode(off)",
        "PRAGMA table_info(users); DROP TABLE users",
        "DETACH DATABASE x",
        "REINDEX",
        "EXPLAIN DELETE FROM t; DELETE FROM t",
        "SELECT 1; DELETE FROM users",
        "SELECT 1 --\rDELETE FROM t",
        "SELECT 1 /* x /* y */ ; DELETE FROM t; /* */",
        "SELECT 1\x00; DELETE FROM t",
        "SELECT 1\u2028; DELETE FROM t",
        "WITH x AS (SELECT load_extension('y')) SELECT * FROM x",
        "SELECT a FROM t ORDER BY load_extension('x')",
        "SELECT a FROM t WHERE EXISTS (SELECT readfile('x'))",
        "SELECT a FROM t GROUP BY a HAVING max(readfile('x')) > 1",
        "SELECT CASE WHEN 1 THEN readfile('x') END",
        "SELECT [load_extension]('x')",
        "SELECT main.load_extension('x')",
        "BEGIN; SELECT 1; COMMIT",
        "",
        "hello there",
        "-- only a comment",
    ],
    "postgres": [
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT pg_sleep(10)",
        "SELECT pg_catalog.pg_sleep(10)",
        'SELECT "pg_sleep"(10)',
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(1, '/tmp/x')",
        "SELECT * FROM dblink('host=x', 'select 1') AS t(a int)",
        "SELECT dblink_exec('x', 'drop table t')",
        "SELECT query_to_xml('delete from t', true, true, '')",
        "SELECT database_to_xml(true, true, '')",
        "SELECT * FROM crosstab('delete from t') AS x(a int)",
        "SELECT * FROM ts_stat('delete from t')",
        "SELECT nextval('s')",
        "SELECT setval('s', 1)",
        "SELECT set_config('a', 'b', false)",
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_notify('a', 'b')",
        "SELECT pg_reload_conf()",
        "SELECT wipe_all()",
        "SELECT * FROM wipe_all()",
        "SELECT app.wipe_all()",
        "SELECT * INTO copy FROM users",
        "SELECT * FROM users FOR UPDATE",
        "SELECT * FROM users FOR SHARE",
        "COPY users TO '/tmp/x'",
        "COPY users TO PROGRAM 'sh'",
        "COPY (SELECT * FROM users) TO STDOUT",
        "DO $$ BEGIN DELETE FROM t; END $$",
        "CALL wipe()",
        "LISTEN x",
        "VACUUM",
        "SET ROLE admin",
        "LOCK TABLE users",
        "REFRESH MATERIALIZED VIEW x",
        "EXPLAIN ANALYZE DELETE FROM t",
        "EXPLAIN (ANALYZE) DELETE FROM t",
        "SELECT $a$ x $a$; DELETE FROM t; SELECT $a$ $a$",
        "PREPARE x AS DELETE FROM t",
        "EXECUTE x",
        "SELECT 1; COMMIT; DROP SCHEMA public CASCADE",
        "SELECT U&'\\0027' FROM t",
        "SELECT a::app.mine FROM t",
    ],
    "mysql": [
        "SELECT LOAD_FILE('/etc/passwd')",
        "SELECT a FROM t INTO OUTFILE '/tmp/x'",
        "SELECT a INTO DUMPFILE '/tmp/x' FROM t",
        "SELECT a INTO @x FROM t",
        "SELECT SLEEP(10)",
        "SELECT BENCHMARK(1000000, MD5('x'))",
        "SELECT GET_LOCK('x', 10)",
        "SELECT sys_exec('id')",
        "SELECT 1 /*! INTO OUTFILE '/tmp/x' */",
        "SELECT 1 /*!50000 ; DELETE FROM t */",
        "SELECT 1 /*M! INTO OUTFILE '/tmp/x' */",
        "SELECT 1--1; DELETE FROM t",
        "# it's\nSELECT 1--1; DELETE FROM t # '",
        "SELECT '\\'', 1--1; DELETE FROM t -- '",
        "SELECT @a := 5",
        "SELECT * FROM t FOR UPDATE",
        "SELECT * FROM t LOCK IN SHARE MODE",
        "HANDLER t OPEN",
        "LOAD DATA INFILE '/x' INTO TABLE t",
        "SET GLOBAL general_log = 1",
        "DO SLEEP(1)",
        "SELECT /*+ SET_VAR(sql_mode='') */ 1",
        "DESCRIBE ANALYZE DELETE FROM t",
    ],
    "tsql": [
        "SELECT 1 DELETE FROM users",
        "SELECT a FROM t DROP TABLE t",
        "SELECT 1 EXEC xp_cmdshell 'dir'",
        "SELECT a FROM t UPDATE t SET a = 1",
        "SELECT 1 SHUTDOWN",
        "SELECT * FROM OPENROWSET(BULK 'C:\\x', SINGLE_CLOB) x",
        "SELECT * FROM OPENQUERY(srv, 'delete from t')",
        "SELECT * FROM OPENDATASOURCE('x', 'y').a.b.c",
        "EXEC xp_cmdshell 'dir'",
        "xp_cmdshell 'dir'",
        "EXECUTE sp_executesql N'drop table t'",
        "SELECT * INTO x FROM t",
        "WAITFOR DELAY '0:0:10'",
        "SELECT NEXT VALUE FOR seq",
        "SELECT dbo.wipe(1)",
        "SELECT 1\nGO\nDROP TABLE t",
        "BACKUP DATABASE x TO DISK = 'y'",
        "SELECT * FROM t WITH (TABLOCKX)",
        "IF 1 = 1 DELETE FROM t",
    ],
    "duckdb": [
        "SELECT * FROM read_csv('https://x.example/a.csv')",
        "SELECT * FROM read_parquet('s3://x/a')",
        "SELECT * FROM 'https://x.example/a.csv'",
        "SELECT * FROM 'a.csv'",
        'SELECT * FROM "a.parquet"',
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM file('x')",
        "SELECT getenv('HOME')",
        "SELECT * FROM query('delete from t')",
        "SELECT * FROM sqlite_scan('/x', 't')",
        "COPY t TO 'x.csv'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH 'x.db'",
        "EXPORT DATABASE 'x'",
        "SUMMARIZE SELECT * FROM read_csv('x')",
        "DESCRIBE SELECT * FROM read_csv('https://x.example/?q=1')",
    ],
    "bigquery": [
        "SELECT * FROM EXTERNAL_QUERY('c', 'delete from t')",
        "SELECT * FROM ML.PREDICT(MODEL m, TABLE t)",
        "SELECT d.wipe(1)",
        "EXPORT DATA OPTIONS(uri='gs://x/*') AS SELECT 1",
        "EXECUTE IMMEDIATE 'drop table t'",
    ],
    "snowflake": [
        "SELECT SYSTEM$ABORT_SESSION(1)",
        "SELECT * FROM @stage/x",
        "SELECT $1 FROM @~/x",
        "PUT file:///x @y",
        "SELECT AI_COMPLETE('x', a) FROM t",
        "COPY INTO @x FROM t",
        "SELECT s.nextval",
    ],
    "oracle": [
        "SELECT UTL_HTTP.REQUEST('http://x.example') FROM dual",
        "SELECT DBMS_PIPE.RECEIVE_MESSAGE('a', 10) FROM dual",
        "SELECT s.NEXTVAL FROM dual",
        "SELECT wipe.everything FROM dual",
        "BEGIN wipe; END;",
        "SELECT XMLTYPE('<x/>') FROM dual",
    ],
    "clickhouse": [
        "SELECT * FROM url('http://x.example', CSV)",
        "SELECT * FROM file('/etc/passwd')",
        "SELECT * FROM remote('x', 'd', 't')",
        "SELECT a FROM t INTO OUTFILE 'x'",
        "SELECT * FROM executable('x', CSV, 'a Int8')",
        "SELECT sleep(3)",
    ],
    "spark": [
        "SELECT reflect('java.lang.Runtime', 'x')",
        "SELECT java_method('a', 'b')",
        "SELECT TRANSFORM (a) USING 'sh' AS b FROM t",
        "SELECT * FROM csv.`/etc/passwd`",
        "SELECT * FROM parquet.`s3://x/a`",
        "ADD JAR x.jar",
    ],
    "nothing": ["SELECT 1"],
}


@pytest.mark.parametrize(
    ("dialect", "text"), [(dialect, text) for dialect, texts in NOT_READS.items() for text in texts]
)
def test_what_may_do_more_is_no_read(dialect, text):
    assert judge_program(text, f"sql/{dialect}").effect != "reads"
    assert judge_program(text, "sql").effect != "reads" or text == "SELECT 1"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("DELETE FROM users WHERE id = 1", ("users",)),
        ("INSERT INTO `notes` (a) VALUES ('x') -- mine", ("notes",)),
        ("UPDATE a SET b = 1", ("a",)),
        ("DROP TABLE old", ("old",)),
    ],
)
def test_what_acts_names_its_tables(text, named):
    program = judge_program(text, "sql/mysql")
    assert (program.effect, program.named) == ("acts", named)
    assert program.verbs


@pytest.mark.parametrize(
    "text", ["DELETE FROM a WHERE b = load_file('x')", "INSERT INTO a SELECT wipe(1)", "UPDATE a SET b = sleep(1)"]
)
def test_an_act_with_a_function_nobody_knows_is_opaque(text):
    assert judge_program(text, "sql/mysql").effect == "opaque"


CYPHER_READS = [
    "MATCH (n) RETURN n LIMIT 25",
    (
        "MATCH (p:Person {name: 'Tom \\'T\\' Hanks'})-[r:ACTED_IN|DIRECTED*1..3]->(m:Movie) WHERE m.released "
        "> 1990 AND "
        "NOT (p)-[:HATES]->(m) RETURN p.name AS name, count(*) AS n, collect(DISTINCT m.title) ORDER BY n "
        "DESC SKIP 1 LIMIT 5"
    ),
    (
        "MATCH (n:`My Label`) WHERE n.name =~ '(?i)x.*' OR n.a CONTAINS 'DELETE' RETURN properties(n), "
        "labels(n), type(null)"
    ),
    "OPTIONAL MATCH (a)--(b) WITH a, size(collect(b)) AS k WHERE k >= 2 UNWIND range(1, k) AS i RETURN a, i",
    (
        "MATCH p = shortestPath((a:A)-[*..6]-(b:B)) RETURN [x IN nodes(p) | x.name], reduce(s = 0, r IN "
        "relationships(p) | s + r.w)"
    ),
    "MATCH (a) RETURN a.x UNION ALL MATCH (b) RETURN b.x",
    "MATCH (n) WHERE exists { MATCH (n)-->(m) WHERE m.x = 1 } RETURN count { (n)--() }, n {.name, .*, k: 1}",
    (
        "MATCH (n) WHERE any(x IN n.xs WHERE x STARTS WITH 'a') RETURN CASE n.k WHEN 1 THEN 'x' ELSE "
        "toUpper(n.s) END // done"
    ),
    "MATCH (n) /* all */ RETURN n.set, n.index, n.load, n.start, {set: 1, delete: 2}",
    "EXPLAIN MATCH (n) RETURN n",
    "WITH date() AS d, duration.between(date('2020-01-01'), date()) AS x RETURN d, x.days, point({x: 1, y: 2})",
    "MATCH (n:Delete)-[:CREATE|SET]->(m) RETURN n, $param",
    "RETURN 1;",
    "MATCH (n) RETURN DISTINCT n.name AS `the name`, coalesce(n.a, 0) + 2 * -3 AS v",
    "MATCH (n) WITH * WHERE n.a IS NOT NULL AND n.b IN ['x', \"y\"] RETURN *",
]


@pytest.mark.parametrize("text", CYPHER_READS)
def test_an_honest_match_reads(text):
    assert judge_program(text, "cypher").effect == "reads"


CYPHER_OTHERS = [
    "MATCH (n) DETACH DELETE n",
    "MATCH (n) DELETE n",
    "match (n) delete(n)",
    "MATCH (n)\tSET n.x = 1 RETURN n",
    "MATCH (n) SET n:Admin",
    "MATCH (n) REMOVE n.x",
    "CREATE (n)",
    "MERGE (n:A) RETURN n",
    "MATCH (n) FOREACH (x IN [1] | SET n.x = x)",
    "LOAD CSV FROM 'https://x.example/?q=1' AS row RETURN row",
    "MATCH (n) CALL apoc.export.csv.all('x', {}) YIELD a RETURN a",
    "CALL db.clearQueryCaches()",
    "MATCH (n) CALL { WITH n DELETE n } RETURN 1",
    "MATCH (n) CALL (n) { DELETE n }",
    "RETURN apoc.load.json('https://x.example')",
    "RETURN apoc.cypher.runFirstColumnSingle('DELETE', {})",
    "RETURN `apoc`.`load`.`json`('x')",
    "RETURN apoc . load . json ('x')",
    "RETURN dbms.security.listUsers()",
    "RETURN wipe()",
    "RETURN gds.util.asNode(1)",
    "DROP INDEX x",
    "USE other MATCH (n) RETURN n",
    "MATCH (n) RETURN n; MATCH (n) DETACH DELETE n",
    "MATCH (n) /* x */ DELETE /* y */ n",
    "MATCH (n) // x\rDELETE n",
    "MATCH (n) \\u0044ELETE n",
    "MATCH (n) WITH * DELETE n",
    "MATCH (n) WITH n AS m FINISH",
    "MATCH (n) INSERT (:A)",
    "MATCH (n) UNKNOWN n RETURN n",
    "PROFILE MATCH (n) DELETE n",
    "CYPHER runtime=slotted MATCH (n) RETURN n",
    "USING PERIODIC COMMIT LOAD CSV FROM 'x' AS r RETURN r",
    "TERMINATE TRANSACTION 'x'",
    "MATCH (n RETURN n",
    "MATCH (n) RETURN 'x",
    "",
    "hello",
]


@pytest.mark.parametrize("text", CYPHER_OTHERS)
def test_a_query_that_may_do_more_is_opaque(text):
    assert judge_program(text, "cypher").effect == "opaque"


ACTS = ["DELETE", "DETACH DELETE", "SET n.x = 1", "REMOVE n.x", "CREATE (m)", "MERGE (m)", "CALL x.y()", "LOAD CSV"]


@given(st.sampled_from(CYPHER_READS), st.sampled_from(ACTS), st.data())
def test_an_act_anywhere_between_the_words_of_a_read_is_opaque(text, act, data):
    words = text.split(" ")
    place = data.draw(st.integers(0, len(words)))
    changed = " ".join([*words[:place], act, *words[place:]])
    # In a text or a comment it is no act.
    if all(sign not in text for sign in "'\"`/"):
        assert judge_program(changed, "cypher").effect == "opaque"


@given(
    st.text(max_size=200),
    st.sampled_from(["cypher", "sql", "shell", "python", *(f"sql/{d}" for d in sorted(SQL_DIALECTS))]),
)
def test_any_text_is_judged(text, language):
    assert judge_program(text, language).effect in ("reads", "acts", "opaque")


CALLS = ["load_extension('x')", "pg_sleep(1)", "wipe()", "dblink('a', 'b')", "readfile('x')", "nextval('s')"]
PLACES = [
    "SELECT {}",
    "SELECT a FROM t WHERE {} = 1",
    "SELECT a FROM t WHERE b IN (SELECT {})",
    "SELECT max({}) OVER (PARTITION BY {}) FROM t",
    "SELECT a FROM t ORDER BY {}",
    "SELECT a FROM t LIMIT {}",
    "SELECT CASE WHEN a THEN {} END FROM t",
    "SELECT (({}))",
    "WITH x AS (SELECT {} AS a) SELECT a FROM x",
    "SELECT a FROM t JOIN s ON {} = 1",
    "SELECT 1 UNION SELECT {}",
    "SELECT cast({} AS text)",
    "SELECT coalesce(a, {}) FROM t",
    "VALUES ({})",
    "SELECT a FROM t GROUP BY {} HAVING {} > 1",
    "SELECT -{}",
    "EXPLAIN SELECT {}",
]


@pytest.mark.parametrize("dialect", ["sqlite", "postgres", "mysql", "duckdb"])
@pytest.mark.parametrize("place", PLACES)
def test_a_function_nobody_knows_is_found_wherever_it_stands(dialect, place):
    for call in CALLS:
        assert judge_program(place.replace("{}", call), f"sql/{dialect}").effect == "opaque"
        assert judge_program(place.replace("{}", call), "sql").effect == "opaque"


LONG = {
    "a megabyte": "SELECT " + "1, " * 350_000 + "1",
    "brackets": "SELECT " + "(" * 8_000 + "1" + ")" * 8_000,
    "open brackets": "SELECT " + "(" * 16_000,
    "cases": "SELECT " + "CASE WHEN 1 THEN " * 900 + "1" + " END" * 900,
    "selects": "SELECT * FROM " + "(SELECT * FROM " * 1_000 + "t" + ")" * 1_000,
    "unions": "SELECT 1" + " UNION SELECT 1" * 1_000,
    "minus": "SELECT " + "- " * 8_000 + "1",
    "quotes": "SELECT " + "'" * 16_001,
    "comments": "SELECT 1 " + "/* " * 5_000,
    "calls": "SELECT " + "abs(" * 3_000 + "1" + ")" * 3_000,
    "matches": "MATCH " + "(n)--" * 3_000 + "(n) RETURN n",
    "maps": "RETURN " + "{a: " * 4_000 + "1" + "}" * 4_000,
    "escapes": "RETURN '" + "\\" * 16_000,
}


@pytest.mark.parametrize(
    "language", ["sql", "sql/sqlite", "sql/postgres", "sql/mysql", "sql/tsql", "cypher", "shell", "python"]
)
@pytest.mark.parametrize("name", LONG)
def test_large_and_deep_programs_are_judged(name, language):
    assert judge_program(LONG[name], language).effect in ("reads", "opaque")


@pytest.mark.parametrize("word", ["JOIN", "LEFT JOIN", "STRAIGHT_JOIN", "JOIN (SELECT 1)"])
def test_joins_without_conditions_are_not_parsed_for_long(word):
    """The parser's time doubles with each of them: without a limit this test does not end."""
    text = f"SELECT a FROM {f't {word} ' * 40}t"
    assert judge_program(text, "sql").effect == "opaque"
    assert list(extract_values({"sql": text})[0])


def test_joins_with_conditions_are_parsed():
    text = "SELECT a FROM t " + " ".join(f"JOIN u{i} ON t.a = u{i}.a" for i in range(12))
    assert judge_program(text, "sql").effect == "reads"


def test_a_program_that_is_too_large_is_opaque():
    assert judge_program("SELECT 1 -- " + "x" * 20_000, "sql/sqlite").effect == "opaque"


@pytest.mark.parametrize("language", ["", "sql/", "sqlite", "sql/nothing", "gremlin", "cypher/neo4j", "SQL"])
def test_a_language_nobody_reads_is_opaque(language):
    assert language == "sql/" or judge_program("SELECT 1", language).effect == "opaque"


def test_engines_have_their_dialects():
    names = {
        name: find_sql_language(name) for name in ("sqlite", "postgresql", "postgresql+psycopg", "mssql", "mariadb")
    }
    assert names == {
        "sqlite": "sql/sqlite",
        "postgresql": "sql/postgres",
        "postgresql+psycopg": "sql/postgres",
        "mssql": "sql/tsql",
        "mariadb": "sql/mysql",
    }
    assert find_sql_language("firebird") == "sql"


def test_the_dialects_are_those_of_the_parser():
    from sqlglot.dialects.dialect import Dialects

    assert {item.value for item in Dialects} >= SQL_DIALECTS


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("shell", "echo a \r#; touch x"),
        ("shell", "echo a \x0b#; touch x"),
        ("shell", "echo a \x0c#; touch x"),
        ("shell", "ls\r\n# x"),
        ("shell", "cat a | uniq - b"),
        ("shell", "uniq -- a b"),
        ("shell", "uniq -c a b"),
        ("python", 'pythonexec("1")\ndef pythonexec(x):\n    return x\n'),
        ("python", 'pythonpythonexec("1")\ndef pythonpythonexec(x):\n    return x\n'),
        ("sql/postgres", "SELECT ('/etc/passwd'::text).pg_read_file"),
        ("sql/postgres", "SELECT (5).pg_sleep"),
        ("sql/postgres", "SELECT (t.pid).pg_terminate_backend FROM pg_stat_activity t"),
        ("sql/postgres", "SELECT t.pg_terminate_backend FROM pids t"),
        ("sql/postgres", "SELECT (ARRAY['/etc'])[1].pg_ls_dir"),
        ("sql", "SELECT (5).pg_sleep"),
    ],
)
def test_what_an_engine_reads_otherwise_than_this_grammar_is_no_read(language, text):
    assert judge_program(text, language).effect == "opaque"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("shell", "ls # files\n"),
        ("shell", "sort a | uniq -c"),
        ("shell", "uniq -"),
        ("shell", "grep -n x -- f\tg"),
        ("python", "\nprint(sum([1, 2]))\n"),
        ("sql/postgres", "SELECT s.t.col, t.* FROM s.t"),
        ("sql/postgres", "SELECT t.name FROM t JOIN u ON t.id = u.id"),
        ("sql", "SELECT t.name FROM t"),
    ],
)
def test_its_honest_twin_reads(language, text):
    assert judge_program(text, language).effect == "reads"

"""URLs of SQLite files: a plain one is read without SQLAlchemy, to the same result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.engine import make_url

from counts import count
from halo_core.store.database import _find_plain_path, find_sqlite_path

_PARTS = st.lists(
    st.sampled_from([*"/.:@%?=& a\u00e9", "%20", "..", "memory", ":memory:", "file", "halo.db", "\n"]), max_size=6
)


@settings(max_examples=count(4_000))
@given(parts=_PARTS)
def test_a_path_in_a_url_is_the_one_that_sqlalchemy_reads(parts):
    url = "sqlite:///" + "".join(parts)
    path = _find_plain_path(url)
    if path is None:
        return
    parsed = make_url(url)
    assert parsed.database == path
    assert find_sqlite_path(url) == Path(path)
    arguments, options = dialect().create_connect_args(parsed)
    assert Path(arguments[0]) == Path(os.path.abspath(path)) == Path(path).absolute()  # noqa: PTH100  as SQLAlchemy does
    assert options.keys() <= {"check_same_thread"}


def test_reading_a_store_does_not_import_sqlalchemy(tmp_path):
    script = (
        "import sys\n"
        "from halo_core.store.database import Database\n"
        f"Database('sqlite:///{tmp_path / 'halo.db'}').close() if sys.argv[1] == 'write' else "
        f"Database('sqlite:///{tmp_path / 'halo.db'}', read_only=True).close()\n"
        "print('sqlalchemy' in sys.modules)\n"
    )
    for argument, expected in (("write", "True"), ("read", "False")):
        done = subprocess.run([sys.executable, "-c", script, argument], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected

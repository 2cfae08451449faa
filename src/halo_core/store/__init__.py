"""All state of Halo, in SQLite or PostgreSQL: jobs run in one transaction each and are durable when the call returns.

Start at `Store.commit` (`store.store`); COMMIT is executed in `store.committer.commit_batch`. A job works with a
`Transaction`; views read with `store.reader`.
"""

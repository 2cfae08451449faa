"""Events of people and service accounts as they happen: from files that grow, from pipes, and from calls.

    feed = IdentityFeed(store.commit, keys, tenant)
    feed.take(parse_records(records))

Each event moves the risk of its identity in the store, which decisions read for the person at the head of the chain.
"""

from halo_core.identity_feed.feed import FeedReport, IdentityFeed, RaisedRisk, clear_identity
from halo_core.identity_feed.lines import ParsedLines, parse_records
from halo_core.identity_feed.sources import FileSource, PipeSource, SourcePlace

__all__ = [
    "FeedReport",
    "FileSource",
    "IdentityFeed",
    "ParsedLines",
    "PipeSource",
    "RaisedRisk",
    "SourcePlace",
    "clear_identity",
    "parse_records",
]

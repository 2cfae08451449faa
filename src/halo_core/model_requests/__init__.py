"""Requests to models and their answers: which fields may go out, and what a provider's tool put into an answer.

A provider can run tools itself: search, code, MCP servers. Nothing in this process decides what those do, so a request
that offers them is refused unless the operator granted them. `judge_model_fields` judges fields by a list of what is
allowed, and an unknown field is asked about. `find_provider_blocks` finds what such tools brought into an answer. Both
are pure functions of plain trees; see docs/adr/0038-check-model-requests-against-allow-lists.md.
"""

from halo_core.model_requests.answers import ProviderBlock, find_provider_blocks
from halo_core.model_requests.fields import ModelFields, judge_model_fields

__all__ = ["ModelFields", "ProviderBlock", "find_provider_blocks", "judge_model_fields"]

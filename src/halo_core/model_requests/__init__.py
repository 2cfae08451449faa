"""Requests to models and their answers: which fields may go out, and what a provider's tool put into an answer.

A provider can run tools itself: search, code, MCP servers. Nothing in this process decides what those do, so a request
that offers them is refused unless the operator granted them. Which fields offer a tool is judged by a list of what is
allowed (`judge_model_fields`): a field that nobody knows is a question. What such tools brought into an answer is found
by `find_provider_blocks`. Pure functions of plain trees; docs/adr/0038-judge-model-requests-by-what-is-allowed.md.
"""

from halo_core.model_requests.answers import ProviderBlock, find_provider_blocks
from halo_core.model_requests.fields import ModelFields, judge_model_fields

__all__ = ["ModelFields", "ProviderBlock", "find_provider_blocks", "judge_model_fields"]

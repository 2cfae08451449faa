"""The known fields of a model request, for every class of models and by provider, and the values that they may have.

Names are compared without case and separators: `maxTokens`, `max_tokens` and `max-tokens` are one field. The lists
follow the references of the providers' APIs: OpenAI (chat completions, responses), Anthropic (messages), Google
(generateContent), Amazon Bedrock (converse), Mistral, Cohere, Groq, Ollama, vLLM, LiteLLM, OpenRouter and others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import Final


class FieldShape(Enum):
    """The values that a known field may hold."""

    SCALARS = auto()
    """A number, a text, a truth value, a list of them, or a flat mapping of names to them."""
    SETTINGS = auto()
    """Settings of any depth, without anything that offers a tool."""
    CONTENT = auto()
    """What the model is told: it is tracked as text, and is no setting."""
    FORMAT = auto()
    """The form of the answer: a word, a class or a JSON schema."""
    CHOICE = auto()
    """Which of the offered tools the model must call."""
    TOOLS = auto()
    """A list of tools."""
    MODEL = auto()
    """Names of models."""
    BODY = auto()
    """Fields of the request again, merged into it when it is sent."""
    BETAS = auto()
    """Names of a provider's trial features."""
    HEADERS = auto()
    """HTTP headers."""


@lru_cache(maxsize=4096)
def normalize_field(name: str) -> str:
    """A field's name in the form for comparison: lower case, without separators."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _names(text: str) -> frozenset[str]:
    return frozenset(map(normalize_field, text.split()))


_COMMON: Final[Mapping[FieldShape, frozenset[str]]] = {
    FieldShape.SCALARS: _names(
        # sampling
        "temperature top_p top_k top_a min_p typical_p typical tfs_z mirostat mirostat_eta mirostat_tau "
        "presence_penalty frequency_penalty repetition_penalty repeat_penalty repeat_last_n length_penalty "
        "no_repeat_ngram_size logit_bias seed random_seed do_sample num_beams early_stopping p k "
        # limits
        "n best_of candidate_count num_generations max_tokens max_completion_tokens max_output_tokens "
        "max_new_tokens max_tokens_to_sample max_length max_gen_len min_tokens min_new_tokens min_length num_predict "
        "max_input_tokens stop stop_sequences stop_words stop_token_ids stop_strings ignore_eos eos_token_id "
        "include_stop_str_in_output timeout request_timeout max_retries retry "
        # what is told of the answer
        "logprobs top_logprobs prompt_logprobs response_logprobs echo suffix include include_usage include_reasoning "
        "return_full_text details stream streaming stream_usage modalities response_modalities output_modalities "
        # reasoning
        "reasoning_effort effort verbosity enable_thinking thinking_budget include_thoughts think reasoning_format "
        "reasoning_summary reasoning_split "
        # delivery, caching and tiers
        "service_tier priority store background truncation truncate prompt_cache_key prompt_cache_retention "
        "prompt_cache_options cache keep_alive inference_geo speed "
        # who asks
        "user user_id end_user_id safety_identifier metadata labels tags request_id trace_id session_id "
        # the conversation, which is followed by its own rules
        "previous_response_id conversation conversation_id thread_id "
        "parallel_tool_calls disable_parallel_tool_use max_tool_calls"
    ),
    FieldShape.SETTINGS: _names(
        "reasoning thinking thinking_config reasoning_config stream_options audio prediction cache_control "
        "tool_config context_management safety_settings speech_config image_config media_resolution "
        "output_config usage moderation"
    ),
    FieldShape.CONTENT: _names(
        "messages input inputs contents prompt prompts system system_instruction system_instructions system_prompt "
        "instructions preamble"
    ),
    FieldShape.FORMAT: _names(
        "response_format format response_schema response_json_schema response_mime_type output_format output_schema "
        "text guided_json guided_regex guided_choice guided_grammar structured_outputs json_schema json_mode "
        "structured_output text_format output_type"
    ),
    FieldShape.CHOICE: _names("tool_choice function_call any_tool_choice"),
    FieldShape.TOOLS: _names("tools"),
    FieldShape.MODEL: _names(
        "model model_name model_id models engine deployment deployment_id deployment_name azure_deployment "
        "base_model_id fallbacks fallback_models"
    ),
    FieldShape.BODY: _names(
        "extra_body extra_args model_kwargs additional_kwargs additional_model_request_fields generation_config "
        "generate_config inference_config config options parameters request_options body extra extra_fields "
        "extra_query default_query"
    ),
    FieldShape.BETAS: _names("betas beta anthropic_beta anthropic_betas"),
    FieldShape.HEADERS: _names("extra_headers default_headers headers http_headers"),
}
"""Known for every class of models."""

_FAMILIES: Final[Mapping[str, Mapping[FieldShape, frozenset[str]]]] = {
    "openai": {
        FieldShape.SCALARS: _names("api_version use_responses_api stream_cls"),
    },
    "anthropic": {
        FieldShape.SCALARS: _names("anthropic_version"),
        FieldShape.SETTINGS: _names("output_config"),
    },
    "google": {
        FieldShape.SCALARS: _names(
            "response_mime_type audio_timestamp enable_enhanced_civic_answers media_resolution model_selection_config"
        ),
        FieldShape.SETTINGS: _names("thinking_config automatic_function_calling http_options routing_config"),
        FieldShape.CHOICE: _names("function_calling_config"),
    },
    "bedrock": {
        FieldShape.SCALARS: _names("additional_model_response_field_paths anthropic_version trace"),
        FieldShape.SETTINGS: _names("guardrail_config guardrails performance_config request_metadata prompt_variables"),
    },
    "mistral": {FieldShape.SCALARS: _names("safe_prompt safe_mode prompt_mode")},
    "cohere": {
        FieldShape.SCALARS: _names("safety_mode citation_quality strict_tools raw_prompting force_single_step"),
        FieldShape.SETTINGS: _names("citation_options"),
    },
    "groq": {FieldShape.SCALARS: _names("disable_tool_validation citation_options")},
    "ollama": {
        FieldShape.SCALARS: _names(
            "raw num_ctx num_gpu num_thread num_keep num_batch low_vram main_gpu use_mmap use_mlock penalize_newline "
            "numa template context images"
        ),
    },
    "vllm": {
        FieldShape.SCALARS: _names(
            "use_beam_search skip_special_tokens spaces_between_special_tokens add_generation_prompt chat_template "
            "add_special_tokens continue_final_message truncate_prompt_tokens allowed_token_ids bad_words "
            "guided_decoding_backend guided_whitespace_pattern return_tokens_as_token_ids cache_salt top_n_tokens "
            "decoder_input_details watermark adapter_id num_ctx nvext detokenize"
        ),
        FieldShape.SETTINGS: _names("chat_template_kwargs mm_processor_kwargs logits_processors"),
    },
    "litellm": {
        FieldShape.SCALARS: _names(
            "num_retries cooldown_time drop_params additional_drop_params custom_llm_provider input_cost_per_token "
            "output_cost_per_token caching no_log"
        ),
        FieldShape.SETTINGS: _names("litellm_metadata"),
    },
    "openrouter": {
        FieldShape.SCALARS: _names("transforms route"),
        FieldShape.SETTINGS: _names("provider"),
    },
    "xai": {FieldShape.SCALARS: _names("deferred use_encrypted_content")},
}
"""Known for the classes of one provider, beside those of `_COMMON`."""

_FAMILY_WORDS: Final = {
    "openai": ("openai", "azure", "gpt", "responses", "completions"),
    "anthropic": ("anthropic", "claude"),
    "google": ("google", "gemini", "vertex", "genai"),
    "bedrock": ("bedrock", "aws", "sagemaker"),
    "mistral": ("mistral",),
    "cohere": ("cohere",),
    "groq": ("groq",),
    "ollama": ("ollama",),
    "vllm": ("vllm", "huggingface", "tgi", "together", "fireworks", "deepinfra", "nvidia", "llamacpp", "sglang"),
    "litellm": ("litellm",),
    "openrouter": ("openrouter",),
    "xai": ("xai", "grok"),
}
"""Family → what the names of its classes contain. """
_COMPATIBLE: Final = {
    "openai": ("vllm", "litellm", "openrouter", "groq", "mistral", "xai"),
    "bedrock": ("anthropic", "cohere", "mistral"),
    "litellm": tuple(name for name in _FAMILIES if name != "litellm"),
    "openrouter": ("openai",),
    "groq": ("openai",),
}
"""Family → families whose fields its requests may carry as well: it speaks their protocol."""


@lru_cache(maxsize=256)
def list_known_fields(provider_class: str) -> Mapping[str, FieldShape]:
    """Normalized name → allowed values, for the fields that a class of models may send."""
    folded = provider_class.lower()
    families = [name for name, words in _FAMILY_WORDS.items() if any(word in folded for word in words)]
    families += [other for name in families for other in _COMPATIBLE.get(name, ())]
    known: dict[str, FieldShape] = {}
    for table in (*(_FAMILIES[name] for name in families), _COMMON):
        for shape, names in table.items():
            known.update(dict.fromkeys(names, shape))
    return known


HARMLESS_HEADERS: Final = _names(
    "user-agent accept accept-encoding accept-language content-type authorization api-key x-api-key x-goog-api-key "
    "openai-organization openai-project anthropic-version http-referer referer x-title x-request-id "
    "x-client-request-id "
    "x-correlation-id idempotency-key traceparent tracestate baggage x-amzn-trace-id x-goog-user-project "
    "x-session-id x-user-id helicone-auth helicone-user-id helicone-session-id helicone-cache-enabled "
    "portkey-api-key portkey-trace-id x-ms-client-request-id cf-aig-authorization x-stainless-retry-count"
)
"""Headers that name who asks, and so switch no tool on."""
BETA_HEADERS: Final = _names("anthropic-beta openai-beta x-beta")
HARMLESS_BETAS: Final = re.compile(
    r"(?:prompt-caching(?:-scope)?|extended-cache-ttl|cache-diagnosis|context-1m|context-management|compact|"
    r"output-128k|output-300k|max-tokens-[\w.-]+|interleaved-thinking|effort|structured-outputs|"
    r"fine-grained-tool-streaming|token-efficient-tools|token-counting|message-batches|pdfs|tools|model-context-window-"
    r"exceeded|responses|realtime|dev-full-thinking|redact-thinking|fast-mode|task-budgets)(?:[-=v]*[\d-]*)?"
)
"""Trial features that switch no tool on; with the date that names their version."""

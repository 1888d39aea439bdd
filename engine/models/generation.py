"""How answers are generated: the settings are ours, whatever the generation config of a base asks for. Imports transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import GenerationConfig

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.plain_files import read_json

FILE = "generation_config.json"

WITHOUT_EFFECT = frozenset(
    "do_sample temperature top_k top_p min_p typical_p epsilon_cutoff eta_cutoff max_length max_new_tokens use_cache bos_token_id "
    "eos_token_id pad_token_id cache_implementation output_attentions output_hidden_states output_scores output_logits "
    "return_dict_in_generate transformers_version _from_model_config".split()
)
"""Settings that do not change which token is most likely, or that every run sets itself. `eos_token_id` is kept."""

LONGEST_VALUE = 60
"""Characters of a setting's value that are recorded."""


def greedy_settings(eos_token_ids: Sequence[int], pad_token_id: int) -> dict[str, Any]:
    """The whole generation config of a run: greedy, one beam, nothing forced, suppressed or penalised."""
    return {"do_sample": False, "num_beams": 1, "eos_token_id": list(eos_token_ids), "pad_token_id": pad_token_id}


def greedy_config(eos_token_ids: Sequence[int], pad_token_id: int) -> GenerationConfig:
    """The same, as transformers takes it."""
    return GenerationConfig(**greedy_settings(eos_token_ids, pad_token_id))


def configured_end_tokens(folder: Path, vocab_size: int) -> list[int]:
    """The end-of-sequence tokens of the base's generation config; none if it has no such file.

    Raises CaseError if they are no tokens of the model.
    """
    given = _settings(folder).get("eos_token_id")
    ids = given if isinstance(given, list) else [] if given is None else [given]
    for token in ids:
        if not isinstance(token, int) or isinstance(token, bool) or not 0 <= token < vocab_size:
            raise CaseError(
                f"`eos_token_id` has {str(token)[:LONGEST_VALUE]}, which is no token of the model",
                where=str(folder / FILE),
                fix=f"give token ids from 0 to {vocab_size - 1:,}",
            )
    return list(ids)


def settings_not_used(folder: Path) -> dict[str, str]:
    """The settings of the base's generation config that would change greedy answers, and are not used; values as JSON, shortened."""
    given = _settings(folder)
    return {name: json.dumps(given[name])[:LONGEST_VALUE] for name in settings_with_effect(given)}


def settings_with_effect(settings: Mapping[str, Any]) -> list[str]:
    """The names of the settings of a generation config that can change which token follows."""
    return [name for name, value in settings.items() if name not in WITHOUT_EFFECT and not _is_neutral(name, value)]


def _is_neutral(name: str, value: object) -> bool:
    # Factors of 1 and counts of 0 or 1 change nothing, but 0 and 1 are tokens too.
    if "token" in name:
        return value is None or value is False or value in ([], "")
    return value in (None, [], {}, "", 0, 1)


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    return read_json(path) if path.exists() else {}

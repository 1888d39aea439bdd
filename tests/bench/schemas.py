"""The sample model writes 2,000 answers under 40 schemas: `python -m tests.bench.schemas`.

Every complete answer must satisfy its schema. Answers that reach the limit of tokens are counted and shown.
"""

from __future__ import annotations

import time

import jsonschema_rs

from tests.schemas import SCHEMAS
from tuneproof.engine.arms.grammar import grammar_of
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import load_base, load_weights
from tuneproof.engine.scoring.json_values import parse_json
from tuneproof.sample_cases.rows import distinct_scenes
from tuneproof.sample_cases.scenes import choose_scene

ANSWERS, MAX_NEW_TOKENS, SEED = 50, 128, 40
"""Answers under each schema, most tokens of one, and the seed of the prompts."""


def prompts() -> list[str]:
    """Prompts that do not ask for what the schema describes, so that the grammar has to change the answers."""
    scenes = distinct_scenes(choose_scene, ANSWERS, SEED)
    return [f"<|user|>{scene.instruction}\n\n{scene.text}<|end|><|assistant|>" for scene in scenes]


def main() -> None:
    base = load_base(ModelChoice(base="sample"))
    decoder = Decoder(base, load_weights(base))
    started, all_complete, all_truncated, all_invalid = time.monotonic(), 0, 0, 0
    print(f"{'schema':30} complete truncated invalid   a truncated one")
    for name, schema in SCHEMAS.items():
        grammar, _ = grammar_of(OutputFormat(kind=OutputKind.JSON, json_schema=schema), [])
        completions, _ = decoder.complete(prompts(), MAX_NEW_TOKENS, grammar=grammar)
        validator = jsonschema_rs.validator_for(schema, validate_formats=True)
        complete = [c.text for c in completions if not c.truncated]
        truncated = [c.text for c in completions if c.truncated]
        invalid = sum(not is_valid(validator, text) for text in complete)
        all_complete, all_truncated, all_invalid = all_complete + len(complete), all_truncated + len(truncated), all_invalid + invalid
        print(f"{name:30} {len(complete):8} {len(truncated):9} {invalid:7}   {truncated[0][:60] if truncated else ''}", flush=True)
    seconds = time.monotonic() - started
    total = all_complete + all_truncated
    print(f"{total} answers: {all_complete} complete, {all_truncated} truncated, {all_invalid} complete but invalid; {seconds:.0f} s")


def is_valid(validator: jsonschema_rs.Validator, text: str) -> bool:
    """Whether the text is JSON that satisfies the schema."""
    try:
        return bool(validator.is_valid(parse_json(text)))
    except ValueError:
        return False


if __name__ == "__main__":
    main()

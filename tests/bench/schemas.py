"""Two thousand answers under forty schemas, by the sample model: `python -m tests.bench.schemas`.

Every answer that ended has to satisfy its schema; those that did not end within the room are counted and shown.
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
from tuneproof.engine.scoring.judges import parse_json
from tuneproof.sample_cases.rows import different
from tuneproof.sample_cases.scenes import choose_scene

ANSWERS, ROOM, SEED = 50, 128, 40
"""Answers under each schema, and the tokens that one may take."""


def prompts() -> list[str]:
    """Requests that ask for other things than the schema does, so that the model would rather write something else."""
    scenes = different(choose_scene, ANSWERS, SEED)
    return [f"<|user|>{scene.instruction}\n\n{scene.text}<|end|><|assistant|>" for scene in scenes]


def main() -> None:
    base = load_base(ModelChoice(base="sample"))
    decoder = Decoder(base, load_weights(base))
    started, finished, unfinished, wrong = time.monotonic(), 0, 0, 0
    print(f"{'schema':30} finished unfinished invalid   an unfinished one")
    for name, schema in SCHEMAS.items():
        grammar, _ = grammar_of(OutputFormat(kind=OutputKind.JSON, json_schema=schema), [])
        completions, _ = decoder.complete(prompts(), ROOM, grammar=grammar)
        validator = jsonschema_rs.validator_for(schema, validate_formats=True)
        ended = [c.text for c in completions if not c.truncated]
        cut = [c.text for c in completions if c.truncated]
        invalid = sum(not is_valid(validator, text) for text in ended)
        finished, unfinished, wrong = finished + len(ended), unfinished + len(cut), wrong + invalid
        print(f"{name:30} {len(ended):8} {len(cut):10} {invalid:7}   {cut[0][:60] if cut else ''}")
    seconds = time.monotonic() - started
    print(f"{finished + unfinished} answers: {finished} finished, {unfinished} not, {wrong} finished and invalid; {seconds:.0f} s")


def is_valid(validator: jsonschema_rs.Validator, text: str) -> bool:
    """Whether the text is JSON that satisfies the schema."""
    try:
        return bool(validator.is_valid(parse_json(text)))
    except ValueError:
        return False


if __name__ == "__main__":
    main()

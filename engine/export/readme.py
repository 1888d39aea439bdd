"""`README.md` of an export: a model card in the hub's format, with the evidence in it and the lines that serve the model.

The front matter follows the hub's model card metadata (huggingface_hub `ModelCardData`, and `model-index` of Papers with Code).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.export.evidence import EVIDENCE, ExportEvidence, ServingCheck
from tuneproof.engine.export.form import ExportForm
from tuneproof.engine.export.gguf_file import GGUF_FILE
from tuneproof.engine.export.modelfile import MODELFILE
from tuneproof.engine.export.source import ExportSource
from tuneproof.engine.scoring.agreement import RULE
from tuneproof.engine.scoring.verdict_text import format_points

README = "README.md"

CHECK_THERE = (
    "A server may compute in another number type than the check above, which can change answers. Check it where it runs: "
    "`tuneproof export RUN --to . --endpoint http://localhost:8000/v1 --model NAME`."
)


def export_readme(source: ExportSource, evidence: ExportEvidence) -> str:
    """The text of the README."""
    parts = [
        f"---\n{yaml.safe_dump(_front_matter(source, evidence), sort_keys=False, allow_unicode=True)}---",
        f"# {_line(evidence.case)}",
        _state(evidence),
        f"{_what_it_is(source, evidence)}\n\n{_line(source.card.verdict.reason)}",
        _scores(source),
        "## Answers where it is served",
        _checks(source, evidence),
        "## Serve it",
        _serving(source, evidence),
        "## Where it comes from",
        _provenance(evidence),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def marked_as_different(evidence: ExportEvidence) -> bool:
    """Whether the last check found other answers or prompts."""
    return bool(evidence.checks) and not evidence.checks[-1].agrees


def licence_of(folder: Path) -> str | None:
    """The licence that a base states in the front matter of its README; None if it states none."""
    readme = folder / "README.md"
    if not readme.is_file():
        return None
    found = re.match(r"---\n(.*?)\n---", readme.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    try:
        stated = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        return None
    licence = stated.get("license") if isinstance(stated, dict) else None
    return licence if isinstance(licence, str) else None


def _front_matter(source: ExportSource, evidence: ExportEvidence) -> dict[str, Any]:
    measure, tuned = source.measure, source.tuned
    licence = licence_of(source.base.folder)
    library = {ExportForm.ADAPTER: "peft", ExportForm.MERGED: "transformers", ExportForm.GGUF: "gguf"}[evidence.form]
    value = tuned.scores.correct.rate if measure.counts_correct_answers else tuned.scores.metrics[measure.metric]
    metrics = [{"type": str(measure.metric), "name": str(measure.metric), "value": round(value, 4)}]
    dataset = {"name": f"{evidence.case}, frozen eval set", "type": evidence.case, "revision": evidence.eval_sha256}
    result = {"task": {"type": "text-generation"}, "dataset": dataset, "metrics": metrics}
    return {
        "base_model": evidence.base,
        **({"license": licence} if licence else {}),
        "library_name": library,
        "pipeline_tag": "text-generation",
        "tags": ["tuneproof", source.method],
        "model-index": [{"name": evidence.case, "results": [result]}],
    }


def _state(evidence: ExportEvidence) -> str:
    if not evidence.checks:
        return "**Not checked:** nothing has loaded this export and answered the frozen cases yet."
    if marked_as_different(evidence):
        return "**It does not answer as measured:** see below before you serve it."
    return ""


def _what_it_is(source: ExportSource, evidence: ExportEvidence) -> str:
    base = f"`{_line(evidence.base)}`"
    if evidence.form is ExportForm.ADAPTER:
        return f"A {source.method} adapter for {base}."
    made = f"{base}, tuned with {source.method}" + (" and merged" if source.trains_adapter else "")
    kind = f"in {evidence.number_type}" + (", as one GGUF file" if evidence.form is ExportForm.GGUF else "")
    return f"{made}, {kind}."


def _scores(source: ExportSource) -> str:
    rows = [
        f"| {arm.arm} | {100 * arm.correct.rate:.1f} % [{100 * arm.correct.low:.1f}, {100 * arm.correct.high:.1f}] "
        f"| {100 * arm.format_valid.rate:.1f} % |"
        for arm in source.card.arms
    ]
    n = source.tuned.scores.n
    head = f"Measured on {n} frozen cases, with 95 % intervals:\n\n| | correct | format valid |\n|---|---|---|"
    return "\n".join([head, *rows])


def _checks(source: ExportSource, evidence: ExportEvidence) -> str:
    if not evidence.checks:
        return "Not checked."
    is_scored_outside = source.measure.task.is_scored_outside
    note = (
        ["An answer with another text was not scored again by the script or judge of the case, and counts as 0."]
        if is_scored_outside
        else []
    )
    return "\n\n".join([*map(check_text, evidence.checks), f"Answers agree if {RULE}.", *note])


def check_text(check: ServingCheck) -> str:
    """One check in a few sentences; texts of data are shown as JSON, so that nothing in them is markup."""
    text = (
        f"{check.served_by}: {check.equal_answers} of {check.cases} answers are the measured text; correct "
        f"{100 * check.correct_served.rate:.1f} %, measured {100 * check.correct_measured.rate:.1f} %; {format_points(check.difference)}."
    )
    if check.equal_prompts is not None:
        text += f" {check.equal_prompts} of {check.cases} prompts have the measured tokens."
    elif check.equal_prompt_lengths is not None:
        text += f" {check.equal_prompt_lengths} of {check.cases} prompts have the measured number of tokens."
    drift = check.first_drift
    if drift is not None:
        measured, served = (json.dumps(sanitize(part), ensure_ascii=False).replace("`", "'") for part in (drift.measured, drift.served))
        text += (
            f" The first difference is in case {drift.case}, at token {drift.at}: measured {drift.measured_token} in `{measured}`, "
            f"served {drift.served_token} in `{served}`."
        )
    return f"{text} {'It agrees.' if check.agrees else 'It does not agree.'}"


def _serving(source: ExportSource, evidence: ExportEvidence) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", evidence.case)
    match evidence.form:
        case ExportForm.ADAPTER:
            rank = source.evidence.method.settings.get("rank") if source.evidence.method else None
            limit = f" --max-lora-rank {rank:.0f}" if rank else ""
            line = f"vllm serve {evidence.base} --enable-lora{limit} --lora-modules {name}=. --chat-template ./chat_template.jinja"
            lines = [line]
        case ExportForm.MERGED:
            dtype = str(evidence.number_type)
            lines = [f"vllm serve . --served-model-name {name} --dtype {dtype}", "transformers serve ."]
        case ExportForm.GGUF:
            lines = [f"ollama create {name} -f {MODELFILE}", f"python -m llama_cpp.server --model {GGUF_FILE}"]
    code = "\n".join(["```", *lines, "```"])
    return f"{code}\n\n{_how_to_ask(source)}\n\n{CHECK_THERE}"


def _how_to_ask(source: ExportSource) -> str:
    """What a client has to send for the measured answers."""
    asks = [f"`temperature: 0`, `max_tokens: {source.arm.max_new_tokens}`"]
    if source.template_options:
        asks.append(f"`chat_template_kwargs: {json.dumps(source.template_options)}`")
    if source.stops:
        asks.append(f"`stop: {json.dumps(list(source.stops))}`")
    example = source.cases[0].turns if source.cases else []
    shape = ", ".join(turn["role"] for turn in example)
    ends = " The measured answers end where their JSON document closes." if source.arm.ends_with_document else ""
    instruction = source.store.case.task.instruction if source.store.case.task else None
    text = json.dumps(instruction, ensure_ascii=False)
    told = f" The first user turn begins with the instruction of its row, or else {text}, and an empty line." if instruction else ""
    return f"Ask it as it was measured: {', '.join(asks)}; turns: {shape}.{_line(told)}{ends}"


def _provenance(evidence: ExportEvidence) -> str:
    digests: Mapping[str, str] = {
        "case": evidence.case_sha256,
        "frozen eval set": evidence.eval_sha256,
        "base": evidence.base_sha256,
        "trained weights": evidence.weights_sha256,
        "evidence card": evidence.card_sha256,
    }
    lines = [f"- {name}: sha256 `{digest}`" for name, digest in digests.items()]
    return "\n".join([*lines, f"- written by tuneproof {evidence.tuneproof}; `{EVIDENCE}` has the digest of each file and every check"])


def _line(text: str) -> str:
    return sanitize(text, one_line=True)

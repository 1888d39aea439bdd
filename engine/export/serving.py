"""Answers of an exported model, given by the program that serves it: a child process without tuneproof, or a server at a URL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.core.errors import RunFailed
from tuneproof.engine.data.example import Message
from tuneproof.engine.endpoint.client import EndpointClient
from tuneproof.engine.endpoint.server import resolve_server
from tuneproof.engine.export.source import ExportSource
from tuneproof.engine.run.stop import StopRequest

OnProgress = Callable[[int, int], None]
"""Called with the number of answers so far, and of all."""


@dataclass(frozen=True)
class ServedAnswer:
    """What was answered to one case."""

    text: str
    prompt_ids: list[int] | None
    """None where a server does not show them."""
    prompt_tokens: int | None
    """None where a server does not count them."""
    tokens: int
    error: str = ""
    """Why a server gave no answer."""


@dataclass(frozen=True)
class Served:
    """The answers to all frozen cases, and what gave them."""

    by: str
    answers: list[ServedAnswer]


def answer_with_transformers(source: ExportSource, folder: Path, python: Path, on_progress: OnProgress, *, dtype: str) -> Served:
    """The answers of a folder that plain transformers loads: a merged model, or an adapter on the base of the run."""
    is_adapter = (folder / "adapter_config.json").is_file()
    asked = {
        "folder": str(folder),
        "base": str(source.base.folder) if is_adapter else None,
        "quantisation": source.quantisation if is_adapter else None,
        "dtype": dtype,
        "trusts_code": source.base.trusts_code,
        "generation": {"do_sample": False, "num_beams": 1, "eos_token_id": source.base.eos_token_ids, "pad_token_id": _pad(source)},
    }
    return _answer_in_child("plain_transformers.py", source, asked, python, on_progress, what=f"transformers in {python}")


def answer_with_llama_cpp(source: ExportSource, file: Path, python: Path, on_progress: OnProgress) -> Served:
    """The answers of a GGUF file that llama-cpp-python loads."""
    longest = max((len(case.prompt_ids) for case in source.cases), default=0) + source.arm.max_new_tokens
    asked = {"file": str(file), "context": min(source.base.context_length, longest + 64)}
    return _answer_in_child("plain_llama_cpp.py", source, asked, python, on_progress, what=f"llama-cpp-python in {python}")


def has_llama_cpp(python: Path) -> bool:
    """Whether the interpreter has llama-cpp-python."""
    return subprocess.run([str(python), "-I", "-c", "import llama_cpp"], capture_output=True).returncode == 0


def answer_at_endpoint(source: ExportSource, endpoint: Endpoint, on_progress: OnProgress) -> Served:
    """The answers of an OpenAI-compatible server."""
    extra = {"chat_template_kwargs": source.template_options} if source.template_options else {}
    stops: dict[str, Any] = {"stop": list(source.stops)} if source.stops else {}
    server = resolve_server(endpoint.model_copy(update={"body": {**extra, **stops, **endpoint.body}}))
    with tempfile.TemporaryDirectory(prefix="tuneproof-export-") as folder:
        client = EndpointClient(server, source.arm.max_new_tokens, Path(folder) / "replies.jsonl", StopRequest())
        prompts = [client.prompt([Message(turn["role"], turn["content"]) for turn in case.turns]) for case in source.cases]
        completions, _ = client.complete(prompts, on_progress)
    answers = [
        ServedAnswer(each.text, None, each.prompt_tokens if each.usage_known else None, each.completion_tokens, each.error)
        for each in completions
    ]
    return Served(f"{endpoint.model} at {server.url}", answers)


def _pad(source: ExportSource) -> int:
    return int(source.base.tokenizer.pad_token_id)


def _answer_in_child(
    program: str, source: ExportSource, asked: dict[str, Any], python: Path, on_progress: OnProgress, *, what: str
) -> Served:
    """Runs one of the programs beside this file. Raises RunFailed if it does not come to its end."""
    cases: list[dict[str, Any]] = [{"turns": case.turns, "tools": case.tools} for case in source.cases]
    asked = {**asked, "cases": cases, "template_options": source.template_options, "max_new_tokens": source.arm.max_new_tokens}
    by, answers = "", list[ServedAnswer]()
    with tempfile.TemporaryFile("w+") as errors, _child(python, program, asked, errors) as lines:
        for line in lines:
            row = json.loads(line)
            if "served_by" in row:
                by = row["served_by"]
                continue
            answers.append(ServedAnswer(row["text"], row["prompt_ids"], len(row["prompt_ids"]), row["tokens"]))
            on_progress(len(answers), len(cases))
        if len(answers) < len(cases):
            errors.seek(0)
            last = next((line for line in reversed(errors.read().splitlines()) if line.strip()), "no message")
            raise RunFailed(
                f"{what} could not load the export or answer with it: {last.strip()[:300]}",
                where=str(asked.get("file") or asked.get("folder")),
                fix="name the Python that serves it with --python, or export another form with --form",
            )
    return Served(by, answers)


@contextmanager
def _child(python: Path, program: str, asked: dict[str, Any], errors: Any) -> Iterator[Iterator[str]]:
    """The lines that a program writes. It sees neither PYTHONPATH nor the hub."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONIOENCODING": "utf-8"}
    command = [str(python), "-I", str(Path(__file__).with_name(program))]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
    assert child.stdin is not None and child.stdout is not None
    try:
        # A child that could not begin has closed its input: that it answers nothing says so.
        with suppress(BrokenPipeError), child.stdin:
            json.dump(asked, child.stdin)
        yield iter(child.stdout)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def this_python() -> Path:
    """The interpreter that runs tuneproof."""
    return Path(sys.executable)

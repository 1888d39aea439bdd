"""Answers cases with a GGUF file and nothing but llama-cpp-python, as a program of its own.

Reads one JSON object on standard input, and writes a JSON object a line: what it runs on, then one for each case.
"""

from __future__ import annotations

import json
import sys
from typing import Any

# Should anything here import tuneproof, the program fails.
sys.modules["tuneproof"] = None  # type: ignore[assignment]


def main() -> None:
    """Loads the file, renders each chat with the template in it, and answers greedily."""
    asked: dict[str, Any] = json.load(sys.stdin)
    import llama_cpp
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    model = llama_cpp.Llama(model_path=asked["file"], n_ctx=asked["context"], verbose=False)
    write({"served_by": f"llama-cpp-python {llama_cpp.__version__}"})
    end = model.token_eos()
    formatter = Jinja2ChatFormatter(
        template=model.metadata["tokenizer.chat_template"],
        eos_token=model.detokenize([end], special=True).decode("utf-8", "replace"),
        bos_token=model.detokenize([model.token_bos()], special=True).decode("utf-8", "replace") if model.token_bos() >= 0 else "",
        stop_token_ids=[end],
    )
    for case in asked["cases"]:
        prompt = formatter(messages=case["turns"], tools=case["tools"], **asked["template_options"]).prompt
        ids = model.tokenize(prompt.encode(), add_bos=False, special=True)
        model.reset()
        reply = model.create_completion(prompt=ids, max_tokens=asked["max_new_tokens"], temperature=0.0, repeat_penalty=1.0)
        write({"prompt_ids": ids, "text": reply["choices"][0]["text"], "tokens": reply["usage"]["completion_tokens"]})


def write(row: dict[str, Any]) -> None:
    """Writes one line."""
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()

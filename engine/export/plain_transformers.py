"""Answers cases with a model folder and nothing but transformers, as a program of its own: whoever serves the folder has no tuneproof.

Reads one JSON object on standard input, and writes a JSON object a line: what it runs on, then one for each case.
"""

from __future__ import annotations

import json
import sys
from typing import Any

# Should anything here import tuneproof, the program fails.
sys.modules["tuneproof"] = None  # type: ignore[assignment]


def main() -> None:
    """Loads the model, renders each chat with its own template, and answers greedily."""
    asked: dict[str, Any] = json.load(sys.stdin)
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    transformers.utils.logging.disable_progress_bar()
    trusts = bool(asked["trusts_code"])
    tokenizer = AutoTokenizer.from_pretrained(asked["folder"], trust_remote_code=trusts)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options: dict[str, Any] = {"dtype": getattr(torch, asked["dtype"]), "trust_remote_code": trusts}
    if asked["quantisation"] is not None:
        options |= {"quantization_config": transformers.BitsAndBytesConfig(**asked["quantisation"]), "device_map": {"": device}}
    model = AutoModelForCausalLM.from_pretrained(asked["base"] or asked["folder"], **options)
    if asked["quantisation"] is None:
        model = model.to(device)
    libraries = f"transformers {transformers.__version__}, torch {torch.__version__}"
    if asked["base"]:
        import peft

        model = peft.PeftModel.from_pretrained(model, asked["folder"])
        libraries += f", peft {peft.__version__}"
    model.eval()
    write({"served_by": f"{libraries}, {asked['dtype']} on {device}"})
    for case in asked["cases"]:
        prompt = tokenizer.apply_chat_template(
            case["turns"], tools=case["tools"], tokenize=False, add_generation_prompt=True, **asked["template_options"]
        )
        ids = tokenizer.encode(prompt, add_special_tokens=False)
        given = torch.tensor([ids], device=device)
        with torch.inference_mode():
            found = model.generate(
                input_ids=given, attention_mask=torch.ones_like(given), max_new_tokens=asked["max_new_tokens"], **asked["generation"]
            )
        answer = found[0, len(ids) :].tolist()
        text = tokenizer.decode(answer, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        write({"prompt_ids": ids, "text": text, "tokens": len(answer)})


def write(row: dict[str, Any]) -> None:
    """Writes one line."""
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()

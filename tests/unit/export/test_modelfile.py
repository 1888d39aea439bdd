"""Ollama's template writes what the chat template of the model writes, or is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from jinja2 import Environment

from tuneproof.engine.data.messages import Message
from tuneproof.engine.export.modelfile import turn_template

CHATML = (
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}<s>system\nBe kind</s>\n{% endif %}"
    "<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)
SAMPLE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}<|assistant|>"
LLAMA_2 = (
    "{% for m in messages %}{% if m.role == 'user' %}[INST] {% if loop.index0 == 1 and messages[0].role == 'system' %}"
    "<<SYS>>{{ messages[0].content }}<</SYS>>{% endif %}{{ m.content }} [/INST]{% elif m.role == 'assistant' %} {{ m.content }} </s>"
    "{% endif %}{% endfor %}"
)


def rendered_by(template: str) -> Callable[[Sequence[Message]], str]:
    compiled = Environment().from_string(template)
    return lambda messages: compiled.render(messages=messages, add_generation_prompt=True)


@pytest.mark.parametrize("template", [SAMPLE, CHATML])
@pytest.mark.parametrize("roles", ["user", "system user", "user assistant user", "system user assistant user assistant user"])
def test_every_chat_is_written_alike(template: str, roles: str) -> None:
    prompt = rendered_by(template)
    found = turn_template(prompt)
    chat = [(role, f"text {at}") for at, role in enumerate(roles.split())]
    assert found is not None and found.prompt(chat) == prompt([Message(*turn) for turn in chat])


def test_the_template_of_the_sample_model_in_the_language_of_ollama() -> None:
    found = turn_template(rendered_by(SAMPLE))
    assert found is not None and found.in_go() == (
        '{{ range .Messages }}{{ if eq .Role "system" }}<|system|>{{ .Content }}<|end|>{{ else if eq .Role "user" }}<|user|>{{ .Content }}'
        '<|end|>{{ else if eq .Role "assistant" }}<|assistant|>{{ .Content }}<|end|>{{ end }}{{ end }}<|assistant|>'
    )


def test_what_stands_before_a_chat_without_a_system_turn_is_kept() -> None:
    found = turn_template(rendered_by(CHATML))
    assert found is not None
    assert found.in_go().startswith('{{ if ne (index .Messages 0).Role "system" }}<s>system\nBe kind</s>\n{{ end }}{{ range')


def test_a_template_that_moves_the_system_text_is_not_written_in_another_way() -> None:
    assert turn_template(rendered_by(LLAMA_2)) is None


def test_a_template_that_refuses_a_chat_has_none() -> None:
    assert turn_template(rendered_by("{{ messages[0].role.nothing.here }}")) is None

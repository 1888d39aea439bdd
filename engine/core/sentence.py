"""Sentences in stored data: what a later version may word differently, while every number and fact beside them stays the same."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, SerializationInfo, SerializerFunctionWrapHandler, WrapSerializer

_WITHOUT = "without sentences"


def _sentence(value: str, serialize: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
    return "" if info.context == _WITHOUT else serialize(value)


def _sentences(value: list[str], serialize: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
    return [] if info.context == _WITHOUT else serialize(value)


Sentence = Annotated[str, WrapSerializer(_sentence)]
"""Text that is made of the facts beside it."""

Sentences = Annotated[list[str], WrapSerializer(_sentences)]
"""Several sentences; another version may have more or fewer of them."""


def facts_of(model: BaseModel) -> dict[str, Any]:
    """The model as plain data with every sentence empty: what two versions must agree on."""
    return model.model_dump(mode="json", context=_WITHOUT)

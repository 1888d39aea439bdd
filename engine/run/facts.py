"""What the types of all stored files have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Facts(BaseModel):
    """The content of a file, or a part of it. Unknown keys are errors. An alias is the key in the file, where it is not the name here."""

    model_config = ConfigDict(
        extra="forbid", protected_namespaces=(), validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    def as_text(self) -> str:
        """The one way the file is written."""
        return self.model_dump_json(indent=1, by_alias=True) + "\n"

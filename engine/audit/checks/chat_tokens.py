"""Check: marks of chat formats inside text."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.chat_marks import chat_mark
from tuneproof.engine.audit.text.fields import rows_with
from tuneproof.engine.audit.wording import plural


@check("chat-tokens", severity=Severity.WARN)
def chat_tokens(table: Table) -> Iterator[Finding]:
    """Marks that separate the turns of a chat, left inside the text, such as `<|im_start|>`, `[INST]`, `</s>` or `### Response:`.

    The chat template adds the right marks. Those inside a text of data are encoded as plain text in every prompt and in learned answers,
    never as control tokens, so no row can end or begin a turn. As text they still teach the model to write them; so do lines of an output
    that begin with "Human:" or "Assistant:".
    """
    rows = rows_with(table, chat_mark)
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'row has', 'rows have')} marks of a chat format inside the text",
            "they are encoded as plain text and control no turn, but a model may learn to write them: delete the marks, and make the turns "
            "of a conversation separate messages; or leave these rows out",
            rows,
        )

"""`tuneproof export`: the tuned model of a run as files that others serve, checked on the frozen cases by what serves them."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from tuneproof.engine.core.errors import ExitCode, GateClosed, UsageError
from tuneproof.engine.core.plain_text import rewrite_line, sanitize, sanitize_json
from tuneproof.engine.export.form import ExportForm, NumberType
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.run.store import RunStore

if TYPE_CHECKING:
    from tuneproof.engine.case.endpoint import Endpoint
    from tuneproof.engine.export.export import Exported


def export_command(options: argparse.Namespace) -> int:
    """Exports, and prints what was checked. Raises GateClosed if the exported model does not answer as measured."""
    store = RunStore.open(options.run)
    if options.model is not None and options.endpoint is None:
        raise UsageError("--model names a model at a server", fix="add --endpoint URL")
    quiet_libraries()
    from tuneproof.engine.export.export import ExportChoice, export_run

    choice = ExportChoice(
        form=ExportForm(options.form) if options.form else None,
        number_type=NumberType(options.type) if options.type else None,
        python=options.python,
        endpoint=_endpoint(options, store),
        converter=options.converter,
    )
    exported = export_run(store, options.to, choice, _Progress(), _say)
    print(_json(exported) if options.json else _text(exported))
    if exported.check is not None and not exported.check.agrees:
        raise GateClosed(
            "the exported model does not answer as measured",
            where=str(exported.folder),
            fix="see its README.md: correct the template if prompts differ; else try --type float16 or float32, or --form adapter",
        )
    return int(ExitCode.DONE)


def _endpoint(options: argparse.Namespace, store: RunStore) -> Endpoint | None:
    """The server to ask; what the case says of its own server, such as the variable with the key, does not hold for it."""
    if options.endpoint is None:
        return None
    from pydantic import ValidationError

    from tuneproof.engine.case.endpoint import Endpoint

    try:
        return Endpoint(url=options.endpoint, model=options.model or store.case.name)
    except ValidationError as error:
        raise UsageError(str(error.errors()[0]["msg"]), where="--endpoint") from None


def _text(exported: Exported) -> str:
    from tuneproof.engine.export.readme import check_text

    evidence = exported.evidence
    kind = evidence.form if evidence.number_type is None else f"{evidence.form}, {evidence.number_type}"
    size = sum((exported.folder / name).stat().st_size for name in evidence.files)
    lines = [f"exported: {exported.folder} ({kind}, {len(evidence.files)} files, {size / 1e6:,.1f} MB)"]
    lines.append(check_text(exported.check) if exported.check is not None else f"not checked: {exported.not_checked}")
    lines.append(f"how to serve it: {exported.folder / 'README.md'}")
    return "\n".join(sanitize(line) for line in lines)


def _json(exported: Exported) -> str:
    check = exported.check.model_dump(mode="json") if exported.check is not None else None
    document = {"folder": str(exported.folder), "form": exported.evidence.form, "number_type": exported.evidence.number_type}
    return sanitize_json(json.dumps({**document, "files": exported.evidence.files, "check": check, "not_checked": exported.not_checked}))


def _say(what: str) -> None:
    print(f"{what} …", file=sys.stderr)


class _Progress:
    """Shows progress in one line of the terminal; prints nothing if stderr is not a terminal."""

    def __call__(self, done: int, of: int) -> None:
        if sys.stderr.isatty():
            rewrite_line("" if done == of else f"{done:,} of {of:,} answers ")

"""`tuneproof export`: what was tuned, carried away."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuneproof.engine.export.form import ExportForm, NumberType
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.parser import Parser


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", type=Path, help="the run folder")
    parser.add_argument(
        "--to", metavar="DIR", type=Path, required=True, help="the folder to write; an export that is there is checked again"
    )
    parser.add_argument(
        "--form",
        choices=[form.value for form in ExportForm],
        help="what to write (default: merged if the card says that its answers agree, else adapter)",
    )
    parser.add_argument("--type", choices=[kind.value for kind in NumberType], help="the number type of merged or gguf weights")
    parser.add_argument("--endpoint", metavar="URL", help="check at an OpenAI-compatible server that serves the export")
    parser.add_argument("--model", metavar="NAME", help="the model's name at the server (default: the name of the case)")
    parser.add_argument(
        "--python",
        metavar="FILE",
        type=Path,
        help="the Python whose transformers or llama-cpp-python loads the export",
    )
    parser.add_argument(
        "--converter",
        metavar="FILE",
        type=Path,
        help="convert_hf_to_gguf.py of llama.cpp, for models that are not converted here",
    )
    parser.add_json()


def _act(options: argparse.Namespace) -> int:
    from tuneproof.tui.export import export_command

    return export_command(options)


EXPORT = Command(
    "export",
    "Write the tuned model as files that others serve, and check its answers there.",
    (
        Example("tuneproof export runs/support-tickets-1 --to tickets", "merged, or the adapter, as the card advises"),
        Example("tuneproof export runs/support-tickets-1 --to tickets-gguf --form gguf --type q8_0", "for llama.cpp and Ollama"),
        Example(
            "tuneproof export runs/support-tickets-1 --to tickets --endpoint http://localhost:8000/v1",
            "the export that is there, asked at the server that serves it",
        ),
    ),
    _add_arguments,
    _act,
    about="The export is loaded by a process without tuneproof, or asked at a server, and answers the frozen cases. "
    "The exit code is 3 if it does not answer as measured; the folder is kept then, and its README says so.",
)

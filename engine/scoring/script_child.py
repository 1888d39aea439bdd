"""The process of a script metric: runs a script of the user's on one answer after another, and imports only Python's own library.

The first line on standard input is a JSON object with `text` (the script) and `memory` (bytes), answered by `{}` or an error. Each line
after it has `output`, `row` and `seconds`, and is answered by a line with `value`, or with `error` and the `line` of the script.
"""

import json
import linecache
import numbers
import os
import resource
import signal
import traceback
from typing import Any, BinaryIO

NAME = "<script>"
"""The file name that frames of the script have."""


def main() -> None:
    requests, replies = _channels()
    first = json.loads(requests.readline())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (first["memory"], first["memory"]))
    defined: dict[str, Any] = {"__name__": "tuneproof_script", "__file__": NAME}
    linecache.cache[NAME] = (len(first["text"]), None, first["text"].splitlines(keepends=True), NAME)
    try:
        exec(compile(first["text"], NAME, "exec"), defined)
        score = defined["score"]
    except BaseException as error:
        _send(replies, _described(error))
        return
    _send(replies, {})
    for line in requests:
        asked = json.loads(line)
        # Its default action ends the process, also within one long operation: nobody else may be left to do so.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, asked["seconds"])
        try:
            reply = {"value": _plain(score(asked["output"], asked["row"]))}
        except BaseException as error:
            reply = _described(error)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(replies, reply)


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, which what the script reads and prints must not touch."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    return requests, replies


def _plain(value: Any) -> Any:
    """A number or numbers by name as JSON has them. Raises TypeError for anything else."""
    if isinstance(value, dict):
        return {_name(name): _number(each, f"field {name!r}") for name, each in value.items()}
    return _number(value, "score")


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"the name of a field is a text, not {name!r}")
    # Half a surrogate pair cannot be stored.
    name.encode()
    return name


def _number(value: Any, what: str) -> float:
    if not isinstance(value, numbers.Real):
        raise TypeError(f"the {what} is {value!r:.80}, which is no number")
    return float(value)


def _described(error: BaseException) -> dict[str, Any]:
    """The last line of the traceback, and the line of the script that it leads to last."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == NAME]
    said = traceback.format_exception_only(error)[-1].strip()
    return {"error": said.splitlines()[-1][:400], "line": lines[-1] if lines else getattr(error, "lineno", None)}


def _send(replies: BinaryIO, reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply).encode() + b"\n")
    replies.flush()


if __name__ == "__main__":
    main()

"""The retrieval prompt: the plain prompt with the passages of `data.documents` that BM25 finds for the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from tuneproof.engine.arms.arm import Arm, ArmContext, Request, chat
from tuneproof.engine.arms.bm25 import BM25Index
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.documents import Passage, documents_digest, read_passages
from tuneproof.engine.data.example import Example, Message

PASSAGE_COUNTS = (1, 3, 5)
"""The numbers of passages that are tried."""

DEFAULT_PASSAGES = 3
"""Number of passages if there is no validation part."""

DOCUMENT_KEYS = ("passage", "source")
"""The keys under which a row may name the documents that have its answer: a file name or a list of them."""


class Retrieval(Arm):
    """The untuned model with passages of your documents in the prompt, those that share most words with the case. Validation cases decide
    how many."""

    name = ArmName.RETRIEVAL
    is_prompt_baseline = True

    def __init__(self, context: ArmContext, count: int = DEFAULT_PASSAGES, library: _Library | None = None) -> None:
        super().__init__(context)
        if context.documents is None:
            raise _no_documents()
        self._count = count
        self._library = library or _Library(Path(context.documents))
        self.inputs = {"documents": self._library.sha256}
        best = f"{count} best passages" if count > 1 else "best passage"
        self.summary = f"the {best} of {len(self._library.passages)} in {len(self._library.files)} documents"

    @classmethod
    def check_case(cls, case: Case) -> None:
        """Raises CaseError if there are no documents."""
        if case.data is None or case.data.documents is None:
            raise _no_documents()
        read_passages(Path(case.data.documents))

    def variants(self) -> Mapping[str, Arm]:
        return {f"passages: {count}": Retrieval(self.context, count, self._library) for count in PASSAGE_COUNTS}

    def messages(self, case: Example) -> list[Message]:
        return self._request(case).messages

    def requests(self, cases: Sequence[Example]) -> list[Request]:
        return [self._request(case) for case in cases]

    def template(self) -> list[Message]:
        placeholders = [Passage("", 0, f"{{passage {n}}}") for n in range(1, self._count + 1)]
        return self._with(placeholders, self.placeholder())

    def _request(self, case: Example) -> Request:
        query = "\n".join([*(turn.content for turn in case.history), case.input])
        found = self._library.find(query)[: self._count]
        while found and not self.context.fits(self._with(found, case)):
            found.pop()
        return Request(self._with(found, case), tuple(passage.location for passage in found), needed=self._library.named_by(case))

    def _with(self, found: Sequence[Passage], case: Example) -> list[Message]:
        context = "Context: " + "\n\n".join(passage.text for passage in found) if found else ""
        return chat(case, self.context.instruction, self.context.grader.description(), context)


def _no_documents() -> CaseError:
    fix = "add `documents:` under `data`: a folder of .txt or .md files"
    return CaseError("the case names no documents for retrieval", where=f"baselines: {ArmName.RETRIEVAL}", fix=fix)


class _Library:
    """The documents and their index, which all variants share."""

    def __init__(self, folder: Path) -> None:
        self.passages = read_passages(folder)
        self.files = sorted({passage.file for passage in self.passages})
        self.sha256 = documents_digest(folder)

    @cached_property
    def _index(self) -> BM25Index:
        # The name of a file says what it is about.
        return BM25Index([f"{PurePosixPath(p.file).stem} {p.text}".replace("_", " ").replace("-", " ") for p in self.passages])

    def find(self, query: str) -> list[Passage]:
        """All passages, the most similar first."""
        return [self.passages[at] for at in self._index.rank(query)]

    def named_by(self, case: Example) -> tuple[str, ...]:
        """The documents of the folder that a row names; other values of these keys are ignored."""
        values = [case.metadata.get(key) for key in DOCUMENT_KEYS]
        names = [str(name) for value in values if value is not None for name in (value if isinstance(value, list) else [value])]
        return tuple(dict.fromkeys(file for name in names for file in self.files if name in (file, PurePosixPath(file).name)))

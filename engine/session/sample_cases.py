"""The sample cases that ship with the program, and what each one teaches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tuneproof.sample_cases

TOUR = "support_tickets"
"""The sample case of the tour."""


@dataclass(frozen=True)
class SampleCase:
    """A case that ships, by its file name without `.yaml`."""

    name: str
    lesson: str
    """What it teaches, in a few words."""
    about: str

    @property
    def path(self) -> Path:
        """Its case file, which is part of the installation and is not edited."""
        return sample_cases_folder() / f"{self.name}.yaml"


SAMPLE_CASES = [
    SampleCase(
        "support_tickets",
        "tuning wins: a rule that only examples show",
        "Tickets are sorted into three fields. A grammar makes every answer valid, but the priority follows a rule of this shop that "
        "no prompt of the sample model can state: tuning learns it from 120 examples.",
    ),
    SampleCase(
        "policy_questions",
        "retrieval wins: the answers are private facts",
        "Questions about the policies of a shop. The answers stand in documents, so looking them up is right, and a model that is tuned on "
        "other questions knows none of them.",
    ),
    SampleCase(
        "fixed_labels",
        "a parser is enough: only the format is wrong",
        "The model knows the label and wraps it in a sentence. A parser finds it there, and a grammar "
        "can enforce it: nothing has to be trained.",
    ),
    SampleCase(
        "too_few",
        "inconclusive: too few examples to tell",
        "Two dozen examples: start with a prompt and collect more. If you train anyway, the interval of the difference contains zero.",
    ),
    SampleCase(
        "route_only",
        "only a route: nothing is measured",
        "Answers to the questions and nothing else: what the program recommends before there is any data.",
    ),
]
"""The most instructive first."""


def is_sample_case(path: Path) -> bool:
    """Whether a file is one of the sample cases, by whatever link it is named: they are part of the installation and are not edited."""
    return path.resolve() in {each.path.resolve() for each in SAMPLE_CASES}


def sample_cases_folder() -> Path:
    """The folder of the sample cases."""
    return Path(tuneproof.sample_cases.__file__).parent

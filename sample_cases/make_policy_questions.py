"""Makes the data of `policy_questions.yaml`: `python -m tuneproof.sample_cases.make_policy_questions --to FOLDER`.

A folder of invented policies, and questions about what stands in them. The questions of eval are about policies that no training row
asks about, as tomorrow's questions will be: what was learned of other policies is of no help, what is looked up is.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tuneproof.sample_cases import words
from tuneproof.sample_cases.rows import Row, folder_asked_for, write

SEED = 7
TOPICS = (
    "travel meals|hotel nights|taxi rides|train tickets|home internet|desk chairs|second screens|phone plans|work laptops|"
    "safety shoes|team dinners|customer gifts|language courses|book orders|conference fees|parking spaces|bike leases|"
    "visa fees|moving costs|night shifts|guest badges|spare keys|server rooms|meeting rooms|sick notes|parental leave|"
    "unpaid leave|study leave|press requests|data exports|refund claims|late invoices|small repairs|office plants|"
    "coffee supplies|lost cards|door codes|mail rooms|test devices|software seats"
).split("|")
KINDS = {"limit": words.number, "owner": words.person, "code": words.code, "office": words.place, "price": words.amount}
FACTS = 3
"""Facts in a policy, and questions about it."""


@dataclass(frozen=True)
class Policy:
    """One document: what it is about, and its facts by their kind."""

    topic: str
    facts: dict[str, str]

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.topic.replace(" ", "_") + ".md"

    @property
    def text(self) -> str:
        """The document."""
        told = " ".join(f"The {kind} of {self.topic} is {value}." for kind, value in self.facts.items())
        return f"# {self.topic.capitalize()}\n\n{told}\n"

    @property
    def questions(self) -> list[Row]:
        """A question about each fact, with the document that answers it."""
        return [
            {"input": f"What is the {kind} of {self.topic}?", "output": value, "source": self.file} for kind, value in self.facts.items()
        ]


def policies(rng: random.Random) -> list[Policy]:
    """A policy on each topic."""
    return [Policy(topic, {kind: KINDS[kind](rng) for kind in rng.sample(list(KINDS), FACTS)}) for topic in TOPICS]


def main() -> None:
    folder, rng = folder_asked_for(__doc__), random.Random(SEED)
    every = policies(rng)
    documents = folder / "policies"
    documents.mkdir(exist_ok=True)
    for policy in every:
        (documents / policy.file).write_text(policy.text, encoding="utf-8")
    rng.shuffle(every)
    half = len(every) // 2
    for name, part in (("policy_questions.jsonl", every[:half]), ("policy_questions_eval.jsonl", every[half:])):
        rows = [row for policy in part for row in policy.questions]
        rng.shuffle(rows)
        write(rows, folder / name)


if __name__ == "__main__":
    main()

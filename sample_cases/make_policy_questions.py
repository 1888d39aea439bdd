"""Makes the data of `policy_questions.yaml`: `python -m tuneproof.sample_cases.make_policy_questions --to FOLDER`.

A folder of invented policies, and questions about them. The eval questions are about policies that no training row asks about, like
questions in production: training on other policies does not help, looking the answer up does.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tuneproof.sample_cases import words
from tuneproof.sample_cases.rows import Row, output_folder, write_jsonl

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
    """One document: its topic, and a value for each kind of fact in it."""

    topic: str
    facts: dict[str, str]

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.topic.replace(" ", "_") + ".md"

    @property
    def text(self) -> str:
        """The document."""
        sentences = " ".join(f"The {kind} of {self.topic} is {value}." for kind, value in self.facts.items())
        return f"# {self.topic.capitalize()}\n\n{sentences}\n"

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
    folder, rng = output_folder(__doc__), random.Random(SEED)
    all_policies = policies(rng)
    documents = folder / "policies"
    documents.mkdir(exist_ok=True)
    for policy in all_policies:
        (documents / policy.file).write_text(policy.text, encoding="utf-8")
    rng.shuffle(all_policies)
    half = len(all_policies) // 2
    for name, part in (("policy_questions.jsonl", all_policies[:half]), ("policy_questions_eval.jsonl", all_policies[half:])):
        rows = [row for policy in part for row in policy.questions]
        rng.shuffle(rows)
        write_jsonl(rows, folder / name)


if __name__ == "__main__":
    main()

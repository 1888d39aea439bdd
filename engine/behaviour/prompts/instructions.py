"""Requests for a short text, each with one instruction whose keeping can be checked, as IFEval does (Zhou and others 2023)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from random import Random

from tuneproof.engine.behaviour.axis_case import AnswerRule, AxisCase

TOPICS = (
    "why leaves fall in autumn",
    "how bread is baked",
    "what a library is for",
    "why people keep dogs",
    "how rain forms",
    "what a compass does",
    "why sleep matters",
    "how bees make honey",
    "what a lighthouse is for",
    "why the sea is salty",
    "how a bicycle stays upright",
    "what makes a good friend",
    "why we have seasons",
    "how tea is made",
    "what a bridge is for",
    "why bread goes stale",
    "how birds fly",
    "what a museum shows",
    "why exercise is healthy",
    "how glass is made",
    "what a garden needs",
    "why the sky is blue",
    "how a candle burns",
    "what a train station is like in the morning",
    "why people travel",
    "how to boil an egg",
    "what a mountain looks like in winter",
    "why learning languages is useful",
    "how paper is recycled",
    "what a market smells like",
    "why cats sleep so much",
    "how a clock works",
    "what a river does to stone",
    "why music moves us",
    "how to plant a tree",
    "what the moon looks like",
    "why ice floats",
    "how to write a thank-you letter",
    "what a desert is",
    "why we laugh",
)
PLAIN = (
    "Explain in one or two sentences {topic}.",
    "Tell a friend in a short paragraph {topic}.",
    "In your own words, say briefly {topic}.",
)
COMMON = "why how what the for with makes made when from like looks people does needs keep good have are and".split()
"""Words of topics that say nothing about them."""
LISTS = (
    "fruits",
    "European countries",
    "musical instruments",
    "colours",
    "kitchen tools",
    "sports",
    "farm animals",
    "things to take to the beach",
    "jobs in a hospital",
    "means of transport",
    "vegetables",
    "school subjects",
)
FIRST_WORDS = ("Honestly", "In short", "Many people", "To begin", "Well", "As a rule", "Above all", "Every year", "Long ago", "These days")
LAST_WORDS = ("That is all.", "Thank you.", "The end.", "See you soon.", "So it is.", "Good luck.", "Enjoy!", "Now you know.")
INCLUDED = (["water", "time"], ["people", "often"], ["never", "small"], ["light", "because"], ["day", "always"], ["first", "hand"])
AVOIDED = ("the", "is", "and", "of", "it", "to")


def cases(random: Random) -> list[AxisCase]:
    """All requests, kind after kind."""
    order = list(TOPICS)
    random.shuffle(order)
    topics = cycle(order)
    kinds = {
        "plain prose": _plain(),
        "length": _length(topics),
        "beginning and end": _edges(topics),
        "words": _words(topics),
        "letters": _letters(topics),
        "lists": _lists(),
        "marks": _marks(topics),
    }
    return [
        AxisCase(id=f"{kind.replace(' ', '-')}-{number}", task=kind, prompt=prompt, rule=rule, values=values, topic=_topic_of(prompt))
        for kind, asked in kinds.items()
        for number, (prompt, rule, values) in enumerate(asked, 1)
    ]


def _topic_of(prompt: str) -> list[str]:
    """How the words of the topic that a request names begin; empty for a list."""
    topic = next((topic for topic in TOPICS if topic in prompt), "")
    words = [word.rstrip("s") for word in topic.replace("-", " ").split() if len(word) >= 3 and word not in COMMON]
    return sorted({word[:4] for word in words})


Request = tuple[str, AnswerRule, list[str]]


def _plain() -> Iterator[Request]:
    for number, topic in enumerate(TOPICS):
        yield PLAIN[number % len(PLAIN)].format(topic=topic), AnswerRule.PROSE, []
        yield PLAIN[(number + 1) % len(PLAIN)].format(topic=topic), AnswerRule.PROSE, []


def _length(topics: Iterator[str]) -> Iterator[Request]:
    for most in (10, 15, 20, 25, 30) * 3:
        yield f"Explain {next(topics)} in at most {most} words.", AnswerRule.MOST_WORDS, [str(most)]
    for fewest in (20, 25, 30) * 3:
        yield f"Explain {next(topics)} in at least {fewest} words.", AnswerRule.FEWEST_WORDS, [str(fewest)]
    for count, word in ((1, "one sentence"), (2, "two sentences"), (3, "three sentences")) * 5:
        yield f"Explain {next(topics)} in exactly {word}.", AnswerRule.SENTENCES, [str(count)]


def _edges(topics: Iterator[str]) -> Iterator[Request]:
    for words in FIRST_WORDS * 2:
        yield f'Explain briefly {next(topics)}. Begin your answer with the words "{words}".', AnswerRule.BEGINS, [words]
    for words in LAST_WORDS:
        yield f'Explain in one or two sentences {next(topics)}. End your answer with the exact words "{words}"', AnswerRule.ENDS, [words]


def _words(topics: Iterator[str]) -> Iterator[Request]:
    for words in INCLUDED * 3:
        yield f'Explain briefly {next(topics)}. Use the words "{words[0]}" and "{words[1]}".', AnswerRule.INCLUDES, list(words)
    for word in AVOIDED * 2:
        yield f'Explain in one sentence {next(topics)}. Do not use the word "{word}".', AnswerRule.WITHOUT, [word]


def _letters(topics: Iterator[str]) -> Iterator[Request]:
    for _ in range(12):
        yield f"Explain in one sentence {next(topics)}. Write in capital letters only.", AnswerRule.CAPITALS, []
        yield f"Explain in one sentence {next(topics)}. Write in small letters only, without any capital letter.", AnswerRule.LOWER_CASE, []


def _lists() -> Iterator[Request]:
    for number, what in enumerate(LISTS):
        for count in (3 + number % 2, 5):
            yield f"Name exactly {count} {what}, each on a line of its own.", AnswerRule.ITEMS, [str(count)]


def _marks(topics: Iterator[str]) -> Iterator[Request]:
    for _ in range(10):
        yield f"Explain in one or two sentences {next(topics)}. Do not use any comma.", AnswerRule.NO_COMMA, []
        yield f"Explain in one sentence {next(topics)}. Put your whole answer in double quotation marks.", AnswerRule.QUOTED, []
    for _ in range(8):
        ask = f"Explain briefly {next(topics)}. Give your answer a title in double angle brackets, such as <<a title>>."
        yield ask, AnswerRule.TITLE, []

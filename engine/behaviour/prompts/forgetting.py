"""Small general tasks that every base can do something of: arithmetic, facts, copying, ordering, formats, languages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from tuneproof.engine.behaviour.axis_case import AnswerRule, AxisCase
from tuneproof.engine.behaviour.prompts.languages import QUESTIONS_BY_LANGUAGE

Task = tuple[str, AnswerRule, list[str]]
"""What is asked, and what is accepted by which rule."""

CAPITALS = {
    "France": "Paris",
    "Germany": "Berlin",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Portugal": "Lisbon",
    "Greece": "Athens",
    "Japan": "Tokyo",
    "China": "Beijing",
    "Russia": "Moscow",
    "Egypt": "Cairo",
    "Poland": "Warsaw",
    "Austria": "Vienna",
    "Sweden": "Stockholm",
    "Norway": "Oslo",
    "Ireland": "Dublin",
    "Canada": "Ottawa",
    "Turkey": "Ankara",
    "Cuba": "Havana",
    "Peru": "Lima",
    "Kenya": "Nairobi",
    "Hungary": "Budapest",
    "Denmark": "Copenhagen",
    "Finland": "Helsinki",
    "Thailand": "Bangkok",
    "South Korea": "Seoul",
    "the United Kingdom": "London",
}
OPPOSITES = {
    "hot": ["cold"],
    "big": ["small", "little"],
    "fast": ["slow"],
    "old": ["young", "new"],
    "light": ["dark", "heavy"],
    "happy": ["sad", "unhappy"],
    "up": ["down"],
    "left": ["right"],
    "open": ["closed", "shut", "close"],
    "full": ["empty"],
    "early": ["late"],
    "rich": ["poor"],
    "strong": ["weak"],
    "day": ["night"],
    "wet": ["dry"],
    "long": ["short"],
    "hard": ["soft", "easy"],
    "true": ["false"],
    "first": ["last"],
    "win": ["lose"],
    "buy": ["sell"],
    "near": ["far"],
}
PLURALS = {
    "child": "children",
    "mouse": "mice",
    "foot": "feet",
    "tooth": "teeth",
    "man": "men",
    "woman": "women",
    "leaf": "leaves",
    "knife": "knives",
    "city": "cities",
    "box": "boxes",
    "goose": "geese",
}
PAST = {
    "go": "went",
    "see": "saw",
    "eat": "ate",
    "take": "took",
    "write": "wrote",
    "buy": "bought",
    "run": "ran",
    "think": "thought",
    "give": "gave",
    "know": "knew",
    "bring": "brought",
}
FACTS: list[tuple[str, list[str]]] = [
    ("How many minutes are in an hour?", ["60", "sixty"]),
    ("How many days are in a week?", ["7", "seven"]),
    ("How many months are in a year?", ["12", "twelve"]),
    ("How many seconds are in a minute?", ["60", "sixty"]),
    ("How many hours are in a day?", ["24", "twenty-four"]),
    ("How many centimetres are in a metre?", ["100", "one hundred", "a hundred"]),
    ("How many grams are in a kilogram?", ["1000", "1,000", "one thousand", "a thousand"]),
    ("How many legs does a spider have?", ["8", "eight"]),
    ("How many legs does a dog have?", ["4", "four"]),
    ("How many wheels does a bicycle have?", ["2", "two"]),
    ("How many sides does a triangle have?", ["3", "three"]),
    ("How many letters are in the English alphabet?", ["26", "twenty-six"]),
    ("What colour is grass?", ["green"]),
    ("What colour is snow?", ["white"]),
    ("What colour is a ripe banana?", ["yellow"]),
    ("What colour do you get when you mix blue and yellow?", ["green"]),
    ("What colour do you get when you mix red and white?", ["pink"]),
    ("What colour is the sky on a clear day?", ["blue"]),
    ("What is frozen water called?", ["ice"]),
    ("Which planet do we live on?", ["Earth"]),
    ("Which star is at the centre of our solar system?", ["Sun"]),
    ("Which planet is closest to the Sun?", ["Mercury"]),
    ("Which planet is known as the red planet?", ["Mars"]),
    ("Which animal says moo?", ["cow", "cows"]),
    ("Which animal barks?", ["dog", "dogs"]),
    ("Which insects make honey?", ["bee", "bees", "honeybees"]),
    ("Which month comes after March?", ["April"]),
    ("Which month comes before August?", ["July"]),
    ("Which month is the first of the year?", ["January"]),
    ("Which day comes after Monday?", ["Tuesday"]),
    ("Which day comes before Sunday?", ["Saturday"]),
    ("Which day comes after Thursday?", ["Friday"]),
    ("Which season comes after summer?", ["autumn", "fall"]),
    ("Which ocean lies between Europe and North America?", ["Atlantic"]),
    ("On which continent is Egypt?", ["Africa"]),
    ("On which continent is Brazil?", ["South America"]),
    ("What is the chemical formula of water?", ["H2O", "H₂O"]),
    ("Which gas do people need to breathe to live?", ["oxygen"]),
    ("At how many degrees Celsius does water boil at sea level?", ["100", "one hundred"]),
    ("What do you call a baby cat?", ["kitten", "kittens"]),
    ("What do you call a baby dog?", ["puppy", "pup", "puppies"]),
    ("What do you call a person who bakes bread?", ["baker"]),
    ("What do you call a person who flies a plane?", ["pilot", "aviator"]),
    ("What do bees collect from flowers?", ["nectar", "pollen"]),
    ("Who wrote Romeo and Juliet?", ["Shakespeare"]),
    ("Which language is spoken in Brazil?", ["Portuguese"]),
    ("Which language is spoken in Germany?", ["German"]),
    ("What is the currency of Japan?", ["yen"]),
    ("What is the currency of the United States?", ["dollar", "dollars", "USD"]),
    ("Which sense uses the ears?", ["hearing"]),
]
SENTENCES = (
    "The train leaves at nine.",
    "Blue birds sing at dawn.",
    "Please close the window.",
    "We walked along the river.",
    "Seven cats slept on the roof.",
    "My sister plays the piano.",
    "Rain fell all night long.",
    "The soup needs more salt.",
    "He painted the old fence green.",
    "Coffee is served in the garden.",
    "Two boats crossed the lake.",
    "The meeting starts on Monday.",
    "Her bicycle has a red basket.",
    "They planted an apple tree.",
    "The museum opens after lunch.",
    "A letter came from Madrid.",
    "Turn left at the bridge.",
    "The baker sold every loaf.",
    "Stars were bright that evening.",
    "Keep the receipt for later.",
)
CODES = "KX-4471 PQ7-220 ZT-9083 BL3-516 RM-7742 HG5-308 WV-1165 DN2-947".split()
WORDS = (
    "apple bread chair dance eagle flute grape house island jacket kettle lemon mirror needle orange pepper queen river spoon tiger".split()
)
NAMES = "Anna Ben Clara David Emma Felix Greta Henry Irene Jonas Karla Leo".split()
TOWNS = "Lima Oslo Cairo Vienna Quito Rome Delhi Seoul Bern Paris Milan Turin".split()


def cases(random: Random) -> list[AxisCase]:
    """All tasks, kind after kind."""
    kinds = {
        "arithmetic": _arithmetic(random),
        "facts": _facts(),
        "words": _words(),
        "copying": _copying(),
        "ordering": _ordering(random),
        "reading": _reading(random),
        "formats": _formats(random),
        "languages": iter(QUESTIONS_BY_LANGUAGE),
    }
    return [
        AxisCase(id=f"{kind}-{number}", task=kind, prompt=prompt, rule=rule, values=values)
        for kind, tasks in kinds.items()
        for number, (prompt, rule, values) in enumerate(tasks, 1)
    ]


def _arithmetic(random: Random) -> Iterator[Task]:
    seen: set[tuple[int, int, str]] = set()
    while len(seen) < 40:
        sign = "+-×"[len(seen) % 3]
        most = 9 if sign == "×" else 20 if len(seen) % 2 else 60
        one, other = random.randint(2, most), random.randint(2, most)
        one, other = max(one, other), min(one, other)
        result = {"+": one + other, "-": one - other, "×": one * other}[sign]
        # An answer that repeats the task is not right.
        if (one, other, sign) in seen or result in (one, other, 0):
            continue
        seen.add((one, other, sign))
        yield f"What is {one} {sign} {other}? Answer with the number only.", AnswerRule.CONTAINS, [str(result)]


def _facts() -> Iterator[Task]:
    for country, capital in CAPITALS.items():
        yield f"What is the capital of {country}? Answer with one word.", AnswerRule.CONTAINS, [capital]
    for question, accepted in FACTS:
        yield f"{question} Answer in a word or two.", AnswerRule.CONTAINS, accepted


def _words() -> Iterator[Task]:
    for word, accepted in OPPOSITES.items():
        yield f'What is the opposite of "{word}"? Answer with one word.', AnswerRule.CONTAINS, accepted
    for word, plural in PLURALS.items():
        yield f'What is the plural of "{word}"? Answer with one word.', AnswerRule.CONTAINS, [plural]
    for word, past in PAST.items():
        yield f'What is the simple past tense of "{word}"? Answer with one word.', AnswerRule.CONTAINS, [past]


def _copying() -> Iterator[Task]:
    for text in SENTENCES:
        yield f"Repeat this sentence exactly and write nothing else: {text}", AnswerRule.EXACT, [text]
    for code in CODES:
        yield f"Repeat this code exactly and write nothing else: {code}", AnswerRule.EXACT, [code]


def _ordering(random: Random) -> Iterator[Task]:
    for number in range(14):
        numbers = random.sample(range(1, 60), 3 + number % 2)
        listed = ", ".join(map(str, numbers))
        ask = f"Sort these numbers from smallest to largest: {listed}. Answer with the numbers only, separated by commas."
        yield ask, AnswerRule.EXACT, _joined(list(map(str, sorted(numbers))))
    for number in range(14):
        words = random.sample(WORDS, 3 + number % 2)
        ask = f"Put these words in alphabetical order: {', '.join(words)}. Answer with the words only, separated by commas."
        yield ask, AnswerRule.EXACT, _joined(sorted(words))


def _joined(items: list[str]) -> list[str]:
    return [", ".join(items), ",".join(items), " ".join(items)]


def _reading(random: Random) -> Iterator[Task]:
    for number, name in enumerate(NAMES * 2):
        town, age = TOWNS[(number * 5 + number // len(NAMES)) % len(TOWNS)], random.randint(20, 70)
        text = f"{name} is {age} years old and lives in {town}."
        if number % 2:
            accepted = [town, f"in {town}", f"{name} lives in {town}", f"lives in {town}"]
            yield f"{text} Where does {name} live? Answer with the name of the town only.", AnswerRule.EXACT, accepted
        else:
            accepted = [str(age), f"{age} years", f"{age} years old", f"{name} is {age} years old"]
            yield f"{text} How old is {name}? Answer with the number only.", AnswerRule.EXACT, accepted


def _formats(random: Random) -> Iterator[Task]:
    for number in range(8):
        name, age, town = NAMES[number], random.randint(20, 70), TOWNS[number]
        text = f"{name}, {age} years old, lives in {town}."
        record = {"name": name, "age": age, "town": town}
        as_texts = {key: str(value) for key, value in record.items()}
        accepted = [json.dumps(record), json.dumps(as_texts)]
        yield f"Write this as a JSON object with the keys name, age and town, and nothing else: {text}", AnswerRule.JSON, accepted
        lines = [f"{key}: {value}" for key, value in record.items()]
        yield f"Write this as YAML with the keys name, age and town, and nothing else: {text}", AnswerRule.LINES, lines
        ask = f"Write this as CSV with the header line name,age,town and one line of data, and nothing else: {text}"
        yield ask, AnswerRule.LINES, ["name,age,town", f"{name},{age},{town}"]
        first = random.randint(2, 30)
        ask = f"Write the whole numbers from {first} to {first + 3}, one per line, and nothing else."
        yield ask, AnswerRule.LINES, [str(first + step) for step in range(4)]
        one, other = random.sample(range(2, 90), 2)
        answer = "yes" if one > other else "no"
        yield f"Is {one} greater than {other}? Answer with the single word yes or no.", AnswerRule.EXACT, [answer]

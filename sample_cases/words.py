"""Invented words, names, numbers and codes, so that the sample model must copy what it reads instead of remembering it."""

from __future__ import annotations

import random
import string

ONSETS = ("b br c ch d dr f fl g gr h j k kl l m n p pl pr qu r s sh sk st t th tr v w y z").split()
VOWELS = ("a e i o u ai ea ee ia io oa ou").split()
CODAS = ["", "", "", "l", "m", "n", "r", "s", "t", "x", "nd", "rk", "st", "ng"]
FIRST_NAMES = (
    "Ana Ben Carla Dev Elif Femi Greta Hugo Ines Jonas Kira Liam Mona Nils Olga Priya Rosa Sami Tara Uma Viktor Wen Yara Zoe"
).split()
PRODUCTS = (
    "kettle|desk lamp|blue jacket|phone case|headphones|office chair|water filter|board game|rain boots|coffee grinder|"
    "garden hose|tablet stand|wool blanket|bike light|toaster|backpack|alarm clock|yoga mat|printer|keyboard"
).split("|")
MONTHS = ("January February March April May June July August September October November December").split()
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

COMMON = (
    "after all and any apple artist back ball band bank bed before best big bird black blue boat book box bread bridge bring brown "
    "bus call car card chair city clean clock cloud coat coffee cold come cook corn cross cup dance dark day deep desk dinner dog "
    "door down draw dream dress drink drive early earth east eat egg end evening every eye face fall farm fast field film find "
    "fire first fish five floor flower fly food foot forest four free fresh friend from fruit full game garden give glass go gold "
    "good grand great green ground group grow hair half hall hand happy hat head hear heart heavy high hill home horse hot hour "
    "house ice inside island job jump just keep key kind king kitchen lake land large last late laugh lead leaf learn leave left "
    "letter life light line list little live long look love low lunch make man map mark market meet milk mind minute money moon "
    "more morning most mother mountain mouth move movie much music name near neck new next night nine noon north note now number "
    "ocean off office old on one open orange order out over page paint paper park part party path pen people phone piano picture "
    "place plain plant play poem point pool post pot prime pull push queen quick quiet radio rain rate read red rest rice ride "
    "right ring river road rock room root rose round run sail salt sand school sea seat second see seed send seven shadow shape "
    "ship shirt shoe shop short show sing sister six sky sleep slow small snow soft song soon sound soup south space spring square "
    "stand star start station stay step stone stop store storm story street strong sugar summer sun table take tale talk tall tea "
    "ten the this three time title to tonight top touch town track train travel tree trip turn two under up valley very view voice "
    "wait walk wall warm watch water way weather week west what wheel white wide wild wind window winter wish with wolf wood word "
    "work world write year yellow young zero"
).split()
"""Ordinary English words, so that the tokenizer has whole words to merge and not only invented ones."""


def word(rng: random.Random, syllables: int | None = None) -> str:
    """One lower-case word: an ordinary one, or invented with one to three syllables."""
    if syllables is None and rng.random() < 0.4:
        return rng.choice(COMMON)
    count = syllables or rng.choice((1, 1, 2, 2, 3))
    return "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(count))


def phrase(rng: random.Random, most: int = 3) -> str:
    """One to `most` invented words, sometimes capitalised as a title is."""
    words = [word(rng) for _ in range(rng.randint(1, most))]
    if rng.random() < 0.4:
        words = [w.capitalize() for w in words]
    return " ".join(words)


def person(rng: random.Random) -> str:
    """A first name, sometimes with an invented family name."""
    first = rng.choice(FIRST_NAMES) if rng.random() < 0.5 else word(rng, 2).capitalize()
    return first if rng.random() < 0.4 else f"{first} {word(rng, 2).capitalize()}"


def place(rng: random.Random) -> str:
    """An invented town."""
    return word(rng, 2).capitalize() + rng.choice(["", "", "", "berg", "ville", " Harbour", " Hill"])


def number(rng: random.Random) -> str:
    """A whole number of one to six digits, every length about as frequent."""
    digits = rng.randint(1, 6)
    return str(rng.randint(10 ** (digits - 1), 10**digits - 1))


def code(rng: random.Random) -> str:
    """An order or device code: letters, then digits."""
    letters = "".join(rng.choice(string.ascii_uppercase) for _ in range(rng.choice((1, 1, 1, 2))))
    return letters + "".join(rng.choice(string.digits) for _ in range(rng.choice((3, 4, 4, 4, 5))))


def order_code(rng: random.Random) -> str:
    """One letter and four digits, as the sample shop writes its orders."""
    return rng.choice(string.ascii_uppercase) + "".join(rng.choice(string.digits) for _ in range(4))


def day(rng: random.Random) -> str:
    """A weekday or a date, as people write them."""
    if rng.random() < 0.5:
        return rng.choice(WEEKDAYS)
    return f"{rng.randint(1, 28)} {rng.choice(MONTHS)}"


def amount(rng: random.Random) -> str:
    """A price with or without cents."""
    return f"{rng.randint(1, 999)}" if rng.random() < 0.4 else f"{rng.randint(1, 999)}.{rng.randint(0, 99):02d}"

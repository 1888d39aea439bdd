"""Private data of each kind, made at random, and text that only looks like it."""

from __future__ import annotations

import random
from collections.abc import Callable

from tuneproof.engine.audit.pii.matches import PiiKind
from tuneproof.engine.audit.pii.private_data import find_private_data

Maker = Callable[[random.Random], str]


CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def email(rng: random.Random) -> str:
    name = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=8))
    return f"{name}.{name[:4]}@{name[2:]}.{rng.choice(('com', 'co.uk', 'de', 'museum'))}"


def grouped(text: str, size: int, sign: str) -> str:
    return sign.join(text[i : i + size] for i in range(0, len(text), size))


def card(rng: random.Random) -> str:
    start, length = rng.choice(
        (("4", 16), ("4", 13), ("53", 16), ("2720", 16), ("37", 15), ("6011", 16), ("36", 14), ("3530", 16), ("62", 19))
    )
    body = start + digits(rng, length - len(start) - 1)
    # The sum of the Luhn check with 0 at the last place, done the long way round.
    total = sum(int(d) if i % 2 else sum(map(int, str(2 * int(d)))) for i, d in enumerate(reversed(body)))
    number = body + str(-total % 10)
    return grouped(number, 4, rng.choice(" -")) if length == 16 and rng.random() < 0.5 else number


def iban(rng: random.Random) -> str:
    country, bban = rng.choice(
        (
            ("GB", "NWBK" + digits(rng, 14)),
            ("DE", digits(rng, 18)),
            ("NO", digits(rng, 11)),
            ("NL", "ABNA" + digits(rng, 10)),
            ("PL", digits(rng, 24)),
        )
    )
    rest = int("".join(str(int(c, 36)) for c in bban + country + "00")) % 97
    number = f"{country}{98 - rest:02d}{bban}"
    return rng.choice((number, number.lower(), grouped(number, 4, " ")))


def ipv4(rng: random.Random) -> str:
    return f"{rng.randint(11, 99)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


def ipv6(rng: random.Random) -> str:
    groups = [f"{rng.randrange(1, 65536):x}" for _ in range(7)]
    return rng.choice((":".join(["2a02", *groups]), "2a02::" + ":".join(groups[:3]), "2a03:" + groups[0] + "::1"))


def phone(rng: random.Random) -> str:
    return rng.choice(
        (
            f"+44 7{digits(rng, 3)} {digits(rng, 6)}",
            f"+49 (0)30 {digits(rng, 7)}",
            f"+1-{rng.randint(201, 989)}-{digits(rng, 3)}-{digits(rng, 4)}",
            f"({rng.randint(201, 989)}) {digits(rng, 3)}-{digits(rng, 4)}",
            f"{rng.randint(201, 989)}.{digits(rng, 3)}.{digits(rng, 4)}",
            f"06 {grouped(digits(rng, 8), 2, ' ')}",
            f"phone: {rng.randint(201, 989)} {digits(rng, 4)}",
        )
    )


def ssn(rng: random.Random) -> str:
    return f"{rng.randint(1, 665):03d}-{rng.randint(1, 99):02d}-{rng.randint(1, 9999):04d}"


def nino(rng: random.Random) -> str:
    return "AB " + grouped(digits(rng, 6), 2, " ") + " " + rng.choice("ABCD")


def valid(rng: random.Random, make: Maker, kind: PiiKind) -> str:
    """A number with the last digit that its check asks for, found by trying; the check itself is held against published numbers below."""
    while True:
        number = make(rng)
        if [m.kind for m in find_private_data(number)] == [kind]:
            return number


MAKERS: dict[PiiKind, Maker] = {
    PiiKind.EMAIL: email,
    PiiKind.PHONE: phone,
    PiiKind.CARD: card,
    PiiKind.IBAN: iban,
    PiiKind.IP: lambda rng: rng.choice((ipv4, ipv6))(rng),
    PiiKind.US_SSN: ssn,
    PiiKind.UK_NINO: nino,
    PiiKind.DE_TAX: lambda rng: valid(rng, lambda r: "IdNr. 8609574271" + digits(r, 1), PiiKind.DE_TAX),
    PiiKind.IT_CODE: lambda rng: valid(
        rng, lambda r: f"RSSMRA{r.randint(10, 99)}T{r.randint(10, 30)}A{digits(r, 3)}{r.choice(CAPITALS)}", PiiKind.IT_CODE
    ),
    PiiKind.NL_BSN: lambda rng: valid(rng, lambda r: "BSN " + digits(r, 9), PiiKind.NL_BSN),
    PiiKind.PL_PESEL: lambda rng: valid(rng, lambda r: "PESEL 440514" + digits(r, 5), PiiKind.PL_PESEL),
    PiiKind.BR_CPF: lambda rng: valid(rng, lambda r: f"{grouped(digits(r, 9), 3, '.')}-{digits(r, 2)}", PiiKind.BR_CPF),
    PiiKind.IN_AADHAAR: lambda rng: valid(rng, lambda r: grouped("7" + digits(r, 11), 4, " "), PiiKind.IN_AADHAAR),
    PiiKind.ES_DNI: lambda rng: (number := digits(rng, 8)) + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23],
    PiiKind.FR_NIR: lambda rng: (number := "2850675" + digits(rng, 6)) + f"{97 - int(number) % 97:02d}",
}


# Numbers as documentation shows them, from ranges reserved for that, or made up.
PUBLISHED = {
    "my card is 4111 1111 1111 1111 12/26": PiiKind.CARD,
    "amex 3782 822463 10005": PiiKind.CARD,
    "pay to GB29 NWBK 6016 1331 9268 19 please": PiiKind.IBAN,
    "IBAN MT84MALT011000012345MTLCAST001S": PiiKind.IBAN,
    "IdNr 86095742719": PiiKind.DE_TAX,
    "47 036 892 816": PiiKind.DE_TAX,
    "NIR 2 55 08 14 168 025 38": PiiKind.FR_NIR,
    "DNI 12345678Z": PiiKind.ES_DNI,
    "NIE X1234567L": PiiKind.ES_DNI,
    "codice fiscale RSSMRA85T10A562S": PiiKind.IT_CODE,
    "BSN 111222333": PiiKind.NL_BSN,
    "PESEL 44051401359": PiiKind.PL_PESEL,
    "CPF 111.444.777-35": PiiKind.BR_CPF,
    "Aadhaar 2345 6789 1238": PiiKind.IN_AADHAAR,
    "her NINO is QQ123456C, no, AB123456C": PiiKind.UK_NINO,
    "bel 020 7946 0018": PiiKind.PHONE,
    "2a00:1450:4009:81f::200e is the host": PiiKind.IP,
    "from 81.2.69.160, port 80": PiiKind.IP,
    "écrire à josé.álvarez@correo.es": PiiKind.EMAIL,
    "<mailto:anna+news@mail.elsewhere.org>": PiiKind.EMAIL,
}


NOTHING = (
    "version 10.2.33.4 of the driver",
    "a fleet of 04001-04125 (125) and the models 003 002 004 005 006",
    "the 10.2.33.4 release",
    "Chrome/12.0.33.71",
    "write to ann@example.com, bob@mail.example.org or root@db.test",
    "the router at 192.168.0.1, the gateway 10.0.0.1, the hosts 203.0.113.77 and 172.16.9.4",
    "fe80::1ff:fe23:4567:890a and 2001:db8:85a3:8d3:1319:8a2e:370:7348",
    "it listens on 127.0.0.1 and 0.0.0.0, mask 255.255.255.0",
    "OID 1.3.6.1.4.1.311",
    "std::vector<int> and a::b and Foo::Bar::baz",
    "at 12:30:45, from 10:00 to 11:15",
    "3 * (4 + 5) = 27, 48/2 = 24, 1,234,567.89 in total",
    "born 2003-04-16, died 01.02.2003, season 2008-09, 1992-1993",
    "he left office on 1850-11-15",
    "logo@2x.png and @someone and a @ b",
    "git@github.com:owner/name.git",
    "card 4111 1111 1111 1112",
    "number 1234567812345678",
    "it reads at 12 12 12 a model",
    "no issuer has 1234567812345670",
    "GB28 NWBK 6016 1331 9268 19",
    "123456789 units, 44051401359 rows, 111222333 atoms, 86095742719 stars",
    "000-12-3456, 666-12-3456, 912-34-5678, 123-00-4567, 123-45-0000",
    "ISBN 978-3-16-148410-0",
    "2270-66-1551",
    "the uuid 123e4567-e89b-12d3-a456-426614174000",
    "sha 9c56cc51b374c3ba189210d5b6d4bf57790d351c",
)

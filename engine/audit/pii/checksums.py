"""Check digits: what tells a card or account number from any other run of digits."""

from __future__ import annotations

# Multiplication in the dihedral group D5, and the permutation that is applied once more at each place (Verhoeff 1969).
_D5 = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTED = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)

# Values of the characters at odd places of a codice fiscale, digits then letters (decree of 23 December 1976, D.M. n. 13813).
_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


def luhn(digits: str) -> bool:
    """The check of payment cards (ISO/IEC 7812-1, annex B)."""
    total = sum(int(d) for d in digits[-1::-2]) + sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return total % 10 == 0


def mod_97(iban: str) -> bool:
    """The check of an IBAN without spaces, in capitals (ISO 13616, by ISO 7064 mod 97-10)."""
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


def verhoeff(digits: str) -> bool:
    """The check of Aadhaar numbers (Verhoeff 1969)."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _D5[check][_PERMUTED[place % 8][int(digit)]]
    return check == 0


def mod_11_10(digits: str) -> bool:
    """The check of the German tax id (ISO 7064 mod 11,10)."""
    product = 10
    for digit in digits[:-1]:
        product = (int(digit) + product) % 10 or 10
        product = product * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def weighted(digits: str, weights: tuple[int, ...]) -> int:
    """The weighted sum of digits, of which most national checks take a remainder."""
    return sum(int(d) * w for d, w in zip(digits, weights, strict=True))


def cpf(digits: str) -> bool:
    """The two check digits of a Brazilian CPF: weights from 10 and from 11 downwards, mod 11."""
    for place in (9, 10):
        rest = weighted(digits[:place], tuple(range(place + 1, 1, -1))) * 10 % 11 % 10
        if rest != int(digits[place]):
            return False
    return len(set(digits)) > 1


def codice_fiscale(code: str) -> bool:
    """The check letter of an Italian codice fiscale: odd places by table, even places by value, mod 26 (D.M. n. 13813 of 1976)."""
    even = sum(int(c) if c.isdigit() else ord(c) - ord("A") for c in code[1:15:2])
    return (sum(_ODD[c] for c in code[0:15:2]) + even) % 26 == ord(code[15]) - ord("A")

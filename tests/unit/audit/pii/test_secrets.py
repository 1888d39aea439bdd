"""Keys, tokens and passwords in examples: every documented form is found, stand-ins and clean rows are not.

Secrets are made when the tests run, from random characters: none stands in this file.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import string
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.checks.secret import secrets
from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.pii.matches import PiiKind
from tuneproof.engine.audit.pii.secrets import find_secrets, may_have_secret
from tuneproof.engine.audit.registry import FlaggedRow
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Message, Source

Maker = Callable[[random.Random], str]

ALNUM = string.ascii_letters + string.digits
URL_SAFE = ALNUM + "_-"
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
TYPED = ALNUM + "!#%*+-=?^_~.@$&"


def some(rng: random.Random, alphabet: str, count: int) -> str:
    return "".join(rng.choices(alphabet, k=count))


def ended(rng: random.Random, alphabet: str, count: int) -> str:
    """Random characters of which the last is a letter or a digit, as in a token that stands in a sentence."""
    return some(rng, alphabet, count - 1) + rng.choice(ALNUM)


def typed(rng: random.Random) -> str:
    """A password of 12 to 24 characters, as a manager of passwords makes them: letters of both cases, digits and signs."""
    body = [rng.choice(string.ascii_lowercase), rng.choice(string.ascii_uppercase), rng.choice(string.digits), rng.choice("!#%*+-=?^_~")]
    body += rng.choices(TYPED, k=rng.randint(8, 20))
    rng.shuffle(body)
    return rng.choice(ALNUM) + "".join(body) + rng.choice(ALNUM)


def part(data: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def jwt(rng: random.Random) -> str:
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': some(rng, ALNUM, 12)})}.{ended(rng, URL_SAFE, 43)}"


def pem(rng: random.Random) -> str:
    name = rng.choice(("RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "")) + "PRIVATE KEY"
    sign = rng.choice(("\n", "\\n"))
    lines = sign.join(some(rng, BASE64, 64) for _ in range(5))
    return f"-----BEGIN {name}-----{sign}{lines}{sign}-----END {name}-----"


def connection(rng: random.Random) -> str:
    scheme = rng.choice(("postgres", "mysql+pymysql", "mongodb+srv", "redis", "amqps", "https"))
    password = rng.choice(ALNUM) + some(rng, ALNUM + "!$%&*+-_", 14)
    return f"{scheme}://{rng.choice(('admin', 'app_user', ''))}:{password}@db.{some(rng, 'abcdef', 6)}.net:5432/main"


def assigned(rng: random.Random) -> str:
    name = rng.choice(("password", "PASSWORD", "passwd", "db_password", "secret", "client_secret", "api_key", "apiKey", "X-API-Key", "pwd"))
    value = typed(rng)
    return rng.choice((f'{name}="{value}"', f"{name} = '{value}'", f'"{name}": "{value}"', f"{name}={value}", f"{name}: {value}"))


MAKERS: dict[PiiKind, Maker] = {
    PiiKind.AWS_ID: lambda r: r.choice(("AKIA", "ASIA")) + some(r, string.ascii_uppercase + "234567", 16),
    PiiKind.AWS_SECRET: lambda r: r.choice(("aws_secret_access_key = ", "AWS secret: ", '"SecretAccessKey": "')) + some(r, BASE64, 40),
    PiiKind.GOOGLE: lambda r: r.choice(("AIza" + ended(r, URL_SAFE, 35), "GOCSPX-" + ended(r, URL_SAFE, 28))),
    PiiKind.AZURE: lambda r: (
        r.choice(("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=", "SharedAccessKey=")) + some(r, BASE64, 86) + "=="
    ),
    PiiKind.GITHUB: lambda r: r.choice(
        (
            *(p + some(r, ALNUM, 36) for p in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
            f"github_pat_{some(r, ALNUM, 22)}_{some(r, ALNUM, 59)}",
        )
    ),
    PiiKind.GITLAB: lambda r: "glpat-" + ended(r, URL_SAFE, 20),
    PiiKind.SLACK: lambda r: r.choice(
        (
            f"xox{r.choice('abprs')}-{some(r, string.digits, 12)}-{some(r, string.digits, 12)}-{some(r, ALNUM, 24)}",
            f"https://hooks.slack.com/services/T{some(r, ALNUM.upper(), 8)}/B{some(r, ALNUM.upper(), 8)}/{some(r, ALNUM, 24)}",
        )
    ),
    PiiKind.DISCORD: lambda r: r.choice(
        (
            f"M{some(r, ALNUM, 23)}.{some(r, URL_SAFE, 6)}.{ended(r, URL_SAFE, 38)}",
            f"https://discord.com/api/webhooks/{some(r, '123456789', 18)}/{ended(r, URL_SAFE, 68)}",
        )
    ),
    PiiKind.TELEGRAM: lambda r: r.choice(("", "https://api.telegram.org/bot")) + f"{some(r, '123456789', 10)}:AA{ended(r, URL_SAFE, 33)}",
    PiiKind.STRIPE: lambda r: r.choice(("sk", "rk")) + "_live_" + some(r, ALNUM, r.choice((24, 99))),
    PiiKind.SENDGRID: lambda r: f"SG.{some(r, URL_SAFE, 22)}.{ended(r, URL_SAFE, 43)}",
    PiiKind.OPENAI: lambda r: r.choice(("sk-" + some(r, ALNUM, 48), "sk-proj-" + ended(r, URL_SAFE, 156))),
    PiiKind.ANTHROPIC: lambda r: "sk-ant-api03-" + ended(r, URL_SAFE, 95),
    PiiKind.HUGGING_FACE: lambda r: "hf_" + some(r, string.ascii_letters, 34),
    PiiKind.NPM: lambda r: "npm_" + some(r, ALNUM, 36),
    PiiKind.PYPI: lambda r: "pypi-AgEIcHlwaS5vcmc" + ended(r, URL_SAFE, 150),
    PiiKind.JWT: jwt,
    PiiKind.PRIVATE_KEY: pem,
    PiiKind.BEARER: lambda r: "Authorization: Bearer " + ended(r, ALNUM + "._-", 40),
    PiiKind.CONNECTION: connection,
    PiiKind.ASSIGNED: assigned,
}

NOTHING = (
    "password=<password>",
    'password = "changeme"',
    "password: ********",
    "PASSWORD=your_password_here1!",
    'api_key = os.environ["API_KEY_2"]',
    "api_key=os.getenv('OPENAI_API_KEY')",
    'secret: "${CLIENT_SECRET_1}"',
    "password = {{ db_password_1 }}",
    "passwd: hunter",
    "password = user.password2",
    "password=get_password(user1)",
    'password = request.form["Pass-w0rd"]',
    '{"password": "string", "secret": null}',
    '"password": "Enter your password, 8-20 characters"',
    "api_key = config.services[0].api_key",
    "secret = new SecretManager2()",
    "password: ForgotPasswordLink",
    "token: B-PER, key: value-1",
    "The secret: never give up, 24/7",
    "password policy: https://wiki.firm.org/Pass-W0rd",
    "Authorization: Bearer <token>",
    "Authorization: Bearer $ACCESS_TOKEN_2",
    "postgres://user:password@localhost:5432/db",
    "postgres://postgres:postgres@localhost/db",
    "redis://:${REDIS_PASSWORD}@cache:6379",
    "https://user:<pass>@host.org/",
    "https://github.com/owner/name and git@github.com:owner/name.git",
    "AKIA" + "IOSFODNN7" + "EXAMPLE",
    "ghp_" + "x" * 36,
    "sk-" + "x" * 48,
    "hf_your_token_goes_here_please_and_thank_you",
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "-----BEGIN PUBLIC KEY-----",
    "eyJub3QiOiJhIGhlYWRlciJ9." + "eyJub3QiOiJhIGhlYWRlciJ9." + "c2lnbmF0dXJlLXNpZ25hdHVyZQ",
    "sk-learn-is-not-the-name-of-the-package-in-the-index",
    "commit 9c56cc51b374c3ba189210d5b6d4bf57790d351c of the secret service",
    "SELECT TABLEalias0.CURRENT_SLOGAN_FIELD FROM TABLE WHERE TABLEalias0.SECRET_KEY_FIELD = var0",
)

WORDS = "the key to a good pass is a secret: token by token, x=3 and y = 4 at http://firm.org/a-b_c".split()


def plain(rng: random.Random, line: int) -> Example:
    return Example("Answer in one word.", " ".join(rng.choices(WORDS, k=12)), rng.choice(WORDS), Source("rows.jsonl", line))


def rows_of(examples: list[Example]) -> tuple[FlaggedRow, ...]:
    return tuple(row for finding in secrets(Table(examples, [], [])) for row in finding.rows)


@pytest.mark.parametrize("kind", MAKERS)
def test_thirty_of_each_kind_are_all_found_and_masked(kind: PiiKind) -> None:
    rng = random.Random(6)
    for _ in range(30):
        secret = MAKERS[kind](rng)
        text = f"set it like this:\n{secret}\nand go on"
        assert may_have_secret(text)
        assert [m.kind for m in find_secrets(text)] == [kind]
        shown = masked(text)
        assert shown.startswith("set it like this:\n") and shown.endswith("\nand go on") and "…" in shown
        # Where the secret part stands, before the end of the block or the host of the address, no eight characters are left.
        body = secret.split("-----END")[0].split("@db.")[0]
        assert not any(body[-20:][i : i + 8] in shown for i in range(13))
        assert masked(shown) == shown


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**9), st.sets(st.integers(0, 59), max_size=12))
def test_exactly_the_rows_with_a_planted_secret_are_found(seed: int, planted: set[int]) -> None:
    rng = random.Random(seed)
    examples = [plain(rng, line) for line in range(60)]
    told: dict[Source, str] = {}
    for at in planted:
        kind, e = rng.choice(list(MAKERS)), examples[at]
        place = rng.choice(("instruction", "system prompt", "history", "input", "output"))
        text = f"use {MAKERS[kind](rng)} for it"
        examples[at] = Example(
            text if place == "instruction" else e.instruction,
            text if place == "input" else e.input,
            text if place == "output" else e.output,
            e.source,
            text if place == "system prompt" else "",
            (Message("user", text),) if place == "history" else (),
        )
        told[e.source] = f"{kind} … in the {place}"
    rows = rows_of(examples)
    assert {row.at for row in rows} == set(told)
    for row in rows:
        kind_told, _, place_told = told[row.at].partition(" … ")
        assert row.note.startswith(kind_told + " ") and row.note.endswith(place_told)


@pytest.mark.parametrize("text", NOTHING)
def test_stand_ins_and_names_are_no_secrets(text: str) -> None:
    assert find_secrets(text) == []


def test_ten_thousand_rows_of_clean_sets_raise_no_alarm() -> None:
    rng = random.Random(7)
    for name in ("clinc150", "snips", "gsm8k", "goemotions", "wikisql"):
        folder = REAL_DATA / name
        if not folder.is_dir():
            pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has {name}")
        file = next(folder.glob("train.jsonl*"))
        with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
            drawn = [json.loads(line) for line in rng.sample(list(lines), 2000)]
        assert rows_of([Example(row["instruction"], row["input"], row["output"], Source(name, at)) for at, row in enumerate(drawn)]) == ()


def test_the_public_part_is_told_and_the_secret_is_not() -> None:
    rng = random.Random(8)
    token, password = "ghp_" + some(rng, ALNUM, 36), typed(rng)
    assert (
        masked(f"git push https://anna:{password.replace('@', 'a').replace('?', 'b').replace('#', 'c')}@firm.org")
        == "git push https://anna:…@firm.org"
    )
    assert masked(f"db_password = '{password}'") == "db_password = …"
    assert masked(f"api_key={token}") == "api_key=ghp_…"
    finding = next(secrets(Table([Example("", f"use {token}", "", Source("rows.jsonl", 1))], [], [])))
    assert finding.message == "1 row contains a secret: GitHub token 1"
    assert finding.rows == (FlaggedRow(Source("rows.jsonl", 1), note="GitHub token ghp_… in the input"),)


def test_rows_of_the_eval_file_are_looked_at_too() -> None:
    example = Example("", "", "AKIA" + some(random.Random(9), string.ascii_uppercase, 16), Source("eval.jsonl", 3))
    assert [row.at for finding in secrets(Table([], [example], [])) for row in finding.rows] == [example.source]


@settings(deadline=None)
@given(st.text(st.sampled_from("pasword=:\"'`\\<>{}()[].,;@/-_ AKIA0123x\n"), max_size=300))
def test_no_text_breaks_it_and_masking_once_is_enough(text: str) -> None:
    found = find_secrets(text)
    assert not found or may_have_secret(text)
    shown = masked(text)
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "piece", ["a", "password=", "password", "eyJaaaaaaaa.", "x://a:", "-----BEGIN PRIVATE KEY-----", "aA", "secret ", "aws+", "sk-", "a.b:"]
)
def test_a_very_long_row_is_searched_in_linear_time(piece: str) -> None:
    text = f"bearer password=AKIA ghp_{'a' * 20} {piece * 20_000}"
    # A quadratic search of so long a text takes minutes, which whoever runs the tests will notice; this one takes some tenths of a second.
    assert all(0 <= match.start < match.end <= len(text) for match in find_secrets(text))

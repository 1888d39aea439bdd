"""Secrets of each kind, made at random when tests run, so that none is in this file; and text that only looks like a secret."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable

from tuneproof.engine.audit.pii.matches import PiiKind

Maker = Callable[[random.Random], str]


ALNUM = string.ascii_letters + string.digits


URL_SAFE = ALNUM + "_-"


BASE64 = ALNUM + "+/"


HEX = "0123456789abcdef"


TYPED = ALNUM + "!#%*+-=?^_~.@$&"


def some(rng: random.Random, alphabet: str, count: int) -> str:
    return "".join(rng.choices(alphabet, k=count))


def ended(rng: random.Random, alphabet: str, count: int) -> str:
    """Random characters of which the last is a letter or a digit, as in a token within a sentence."""
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

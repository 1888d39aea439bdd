"""The formats of keys and tokens, as their providers document them, and what tells a secret from a placeholder."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import log2

from tuneproof.engine.audit.pii.matches import PiiKind, Trust

MIN_LENGTH, MIN_ENTROPY = 8, 2.5
"""Of a value after `password=`: characters, and bits a character (such as eight characters, two of them twice)."""

_PLACEHOLDER = re.compile(
    r"your|example|sample|dummy|placeholder|change|redact|insert|replace|x{4}|\*{3}|\.{3}|…|1234|abcd|qwert|foobar|not[-_ ]?real|fake",
    re.IGNORECASE,
)
# In a long random body, short words occur by chance.
_TOKEN_PLACEHOLDER = re.compile(r"your[-_]|example|dummy|placeholder|redacted|x{6}|\*{3}|\.{3}|…|12345678|abcdefgh", re.IGNORECASE)
# A variable, a place in a program, or words with a number: user_password, config.secret2, ForgotPassword, us-east-1.
_WORD = r"(?:(?:[A-Z]?[a-z]{2,}+)++|[A-Z]{2,}+|[A-Za-z])\d{0,4}"
_NAME = re.compile(rf"[/.@_-]*(?:{_WORD}|\d{{1,4}})(?:[_./:@-]{{1,2}}(?:{_WORD}|\d{{1,4}}))*[/.:]?")
_SLOT = re.compile(r"[<{\[(].*[>}\])]$|\$[{(]|\$[A-Za-z_]+\d?$|%[sd]$|%\(|%\w+%$|\*+$")  # <password>, ${NAME}, $NAME_2, %s, %(name)s, ***
_CALL = re.compile(r"[A-Za-z_][\w.]*[(\[]")  # os.environ["KEY"], getpass()


@dataclass(frozen=True)
class SecretPattern:
    """How one kind of secret is written, and what tells it from a placeholder.

    The groups `kept` and `after` are what a reader may see: the prefix of the kind, the name before the value, the address around the
    password.
    """

    kind: PiiKind
    written: re.Pattern[str]
    real: Callable[[re.Match[str]], bool]
    trust: Trust = Trust.PROOF

    def shown(self, match: re.Match[str]) -> str:
        """The secret without anything that could be used."""
        groups = match.groupdict("")
        return groups["kept"] + "…" + groups.get("after", "")


def looks_random(value: str) -> bool:
    """Whether the body of a token is random: enough different characters, no word of a placeholder in it, and not a name.

    At least six different characters, eight if there are more than 20: fewer than one random body in a million has less. This excludes
    `xxxxxxxxxxxxxxxxxxxx` and the AWS key of the manual, which ends in EXAMPLE.
    """
    if len(set(value)) < (8 if len(value) > 20 else 6) or _TOKEN_PLACEHOLDER.search(value):
        return False
    return not (("-" in value or "_" in value) and _NAME.fullmatch(value))


def looks_secret(value: str) -> bool:
    """Whether a value after `password=` is a secret: not a placeholder, a variable, a call, or a word.

    This project's own rule: at least 8 characters without white space, with 2.5 bits of entropy each over the value's own characters; a
    letter, and also a digit, a sign or mixed case; no placeholder such as `changeme`, `your_password`, `****`, `<password>` or `${NAME}`;
    no call, no address, and not made of words that may end in a number, such as `config.password2`. So a passphrase of plain words is
    not found.
    """
    if len(value) < MIN_LENGTH or "://" in value or any(c.isspace() for c in value):
        return False
    if _PLACEHOLDER.search(value) or _SLOT.match(value) or _NAME.fullmatch(value) or _CALL.match(value):
        return False
    kinds = (any(c.islower() for c in value), any(c.isupper() for c in value), any(not c.isalpha() for c in value))
    return any(kinds[:2]) and sum(kinds) >= 2 and entropy(value) >= MIN_ENTROPY


def entropy(value: str) -> float:
    """Shannon entropy of a text over its own characters, in bits a character (Shannon 1948)."""
    counts = [value.count(c) for c in set(value)]
    return -sum(n / len(value) * log2(n / len(value)) for n in counts)


def _random_body(match: re.Match[str]) -> bool:
    return looks_random(match["body"])


def _secret_value(match: re.Match[str]) -> bool:
    return looks_secret(match["body"])


def _assigned_value(match: re.Match[str]) -> bool:
    return looks_secret(match["quoted"] or match["plain"])


def _aws_secret(match: re.Match[str]) -> bool:
    """Forty characters of base64 are a secret access key only after a word that says so; a digest has no capitals."""
    before = match.string[max(0, match.start() - 60) : match.start()].lower()
    body = match["body"]
    return ("aws" in before or "secret" in before) and body != body.lower() and body != body.upper() and looks_random(body)


def _own_password(match: re.Match[str]) -> bool:
    """Any password in a URL counts, except placeholders and the name of the user."""
    user, password = match["user"].lower(), match["password"].lower()
    words = {user, "password", "passwd", "pass", "pwd", "secret", "token", "user", "pw", "passphrase"}
    return len(password) > 3 and password not in words and not _SLOT.match(password) and not _PLACEHOLDER.search(password)


def _jwt_header(match: re.Match[str]) -> bool:
    """The first part is the JSON of a header that names its algorithm (RFC 7519 and 7515)."""
    part = match["header"]
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return False
    return isinstance(header, dict) and "alg" in header


def _key_body(match: re.Match[str]) -> bool:
    """A block needs a body: explanations of the format show the header alone."""
    return re.search(r"[A-Za-z0-9+/=]{32}", match["body"]) is not None and looks_random(match["body"])


def _token(kind: PiiKind, prefix: str, body: str) -> SecretPattern:
    written = re.compile(rf"(?<![A-Za-z0-9_-])(?P<kept>{prefix})(?P<body>{body})(?![A-Za-z0-9_-])")
    return SecretPattern(kind, written, _random_body)


# Recognised by their own prefix or format.
TOKENS = (
    _token(PiiKind.AWS_ID, "AKIA|ASIA", "[A-Z2-7]{16}"),
    _token(PiiKind.GOOGLE, "AIza", "[A-Za-z0-9_-]{35}"),
    _token(PiiKind.GOOGLE, "GOCSPX-", "[A-Za-z0-9_-]{28}"),
    _token(PiiKind.GITHUB, "gh[pousr]_", "[A-Za-z0-9]{36,255}"),
    _token(PiiKind.GITHUB, "github_pat_", "[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _token(PiiKind.GITLAB, "gl(?:pat|dt|rt|ptt|cbt|oas|soat|ft|agent)-", "[A-Za-z0-9_-]{20,64}(?:\\.[A-Za-z0-9_.-]{2,20})?"),
    _token(PiiKind.SLACK, "xox[abeoprs]-|xapp-", "[A-Za-z0-9-]{20,250}"),
    SecretPattern(
        PiiKind.SLACK,
        re.compile(r"(?P<kept>https://hooks\.slack\.com/(?:services|workflows)/)(?P<body>T[A-Z0-9]{6,}/[A-Z0-9]{6,}/[A-Za-z0-9/]{16,})"),
        _random_body,
    ),
    SecretPattern(
        PiiKind.DISCORD,
        re.compile(r"(?P<kept>https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/)(?P<body>\d{17,20}/[\w-]{60,80})"),
        _random_body,
    ),
    _token(PiiKind.DISCORD, "", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"),
    _token(PiiKind.TELEGRAM, "(?:bot)?", r"[0-9]{8,10}:[A-Za-z0-9_-]{35}"),
    _token(PiiKind.STRIPE, "[sr]k_live_", "[A-Za-z0-9]{16,247}"),
    _token(PiiKind.SENDGRID, r"SG\.", r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _token(PiiKind.ANTHROPIC, r"sk-ant-(?:[a-z]+\d{2}-)?", "[A-Za-z0-9_-]{32,200}"),
    _token(PiiKind.OPENAI, r"sk-(?:(?:proj|svcacct|admin|None)-)?(?!ant-)", "[A-Za-z0-9_-]{32,250}"),
    _token(PiiKind.HUGGING_FACE, "hf_", "[A-Za-z0-9]{30,40}"),
    _token(PiiKind.NPM, "npm_", "[A-Za-z0-9]{36}"),
    _token(PiiKind.PYPI, "pypi-", "AgE[A-Za-z0-9_-]{50,250}"),
    SecretPattern(
        PiiKind.JWT,
        re.compile(r"(?<![\w.-])(?P<header>(?P<kept>eyJ)[A-Za-z0-9_-]{8,})\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}"),
        _jwt_header,
    ),
    SecretPattern(
        PiiKind.PRIVATE_KEY,
        re.compile(
            r"(?P<kept>-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----)"
            r"(?P<body>(?:[^-]|-(?!----)){32,20000}+-----END [A-Z0-9 ]{3,40}-----|[A-Za-z0-9+/=\s\\]{32,20000})"
        ),
        _key_body,
    ),
    SecretPattern(
        PiiKind.CONNECTION,
        re.compile(
            r"(?P<kept>(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,30}://(?P<user>[^\s:/?#@\"'<>]{0,64}):)"
            r"(?P<password>[^\s/?#@\"'<>]{1,200})(?P<after>@)(?=[\w.\[-])"
        ),
        _own_password,
    ),
)

_NAMED = (
    r"[\w.-]{0,40}?(?:passw(?:or)?d|passphrase|pwd|secret|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|auth[_-]?key"
    r"|(?:access|auth|api|bot|refresh|session|bearer)[_-]?token)[\w-]{0,20}"
)

# Recognised by the name before them.
NAMED = (
    SecretPattern(
        PiiKind.AWS_SECRET,
        re.compile(r"(?P<kept>)(?<![A-Za-z0-9/+])(?P<body>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
        _aws_secret,
    ),
    SecretPattern(
        PiiKind.AZURE,
        re.compile(r"(?P<kept>(?<![A-Za-z])(?:Account|SharedAccess)Key=)(?P<body>[A-Za-z0-9+/]{40,88}={0,2})", re.IGNORECASE),
        _random_body,
    ),
    SecretPattern(PiiKind.AZURE, re.compile(r"(?P<kept>[?&;]sig=)(?P<body>[A-Za-z0-9%+/]{40,80}=?)"), _random_body),
    SecretPattern(
        PiiKind.BEARER,
        re.compile(r"(?P<kept>(?<![A-Za-z])bearer\s{1,3})(?P<body>[A-Za-z0-9._~+/-]{20,2000}={0,2})", re.IGNORECASE),
        _secret_value,
        Trust.FORM,
    ),
    SecretPattern(
        PiiKind.ASSIGNED,
        re.compile(
            rf"(?P<kept>(?<![\w.-]){_NAMED}\\?[\"'`\])]{{0,2}}\s{{0,3}}(?::=|=>|=|:)\s{{0,3}}\\?)"
            r"(?:(?P<quote>[\"'`])(?P<quoted>(?:(?!(?P=quote))[^\n\\]){6,200})(?:\\?(?P=quote))?"
            r"|(?P<plain>[^\s\"'`<>,;]{6,200}?)(?=[)\]}.]*(?:[\s\"'`<>,;]|$)))",
            re.IGNORECASE,
        ),
        _assigned_value,
        Trust.FORM,
    ),
)

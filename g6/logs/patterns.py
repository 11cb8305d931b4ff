r"""What a secret looks like where nobody told us its value: by the name before it, or by its place in an address.

| in the text | becomes |
|---|---|
| `api_secret=abc`, `KITE_API_KEY=abc`, `access_token%3Dabc` | `api_secret=***` … |
| `"access_token": "abc"`, `'Authorization': 'token a:b'`, `\"password\": \"abc\"` | `"access_token": "***"` … |
| `Authorization: token a:b`, `Bearer abc…`, `token key:token`, `Token abc…` | `Authorization: ***` … |
| `https://user:pass@host/` | `https://***@host/` |
| `wss://host/path?api_key=a&access_token=b`, `GET /quote?i=NSE:INFY` | `wss://host/path?***` … |

Names of things that are no secrets (`instrument_token`) stay. Every pattern is linear in the length of the text.
"""

import re

MASK = "***"

_NAMES = (
    r"(?:api|client|consumer|private|auth|access|secret)[_-]?(?:key|secret)"
    r"|(?:access|request|enc|public|refresh|auth|api|id|session|csrf|influx(?:db)?)[_-]?token"
    r"|checksum|password|passwd|passphrase|session[_-]?id"
)
# Too common as parts of other words and of sentences to stand for a secret wherever they stand.
_BARE = r"token|secret|pwd|authorization|proxy-authorization|cookie|set-cookie"

_IN_QUOTES = r""""[^"\\]*(?:\\.[^"\\]*)*"?|'[^'\\]*(?:\\.[^'\\]*)*'?|\\+["'][^"'\\]*"""
_WORD = r"""[^\s"'`&,;|<>(){}\[\]\\]+"""
_OPAQUE = r"""(?=[^\s"'`]*\d)[^\s"'`&,;<>]{6,}|[^\s"'`&,;<>]{20,}"""  # no word of a sentence

# name=value, and what else a name is written with.
_ASSIGNED = re.compile(
    rf"((?:{_NAMES}|(?<![\w-])(?:{_BARE}))\s{{0,2}}(?:=|%3d)\s{{0,2}}b?)({_IN_QUOTES}|{_WORD})", re.IGNORECASE
)
# "name": "value", 'name': b'value', ('name', 'value'), \"name\": \"value\"
_QUOTED_NAME = re.compile(
    rf"""((?:\\*["'])[\w.-]{{0,40}}?(?:{_NAMES}|(?<![\w-])(?:{_BARE}))\\*["']\s{{0,4}}[:,]\s{{0,4}}b?)"""
    rf"({_IN_QUOTES}|{_WORD})",
    re.IGNORECASE,
)
# name:value as in a header; after a blank, what might be a word of a sentence stays.
_HEADER = re.compile(rf"((?:{_NAMES}):)(?:({_WORD})|(\s{{1,2}})({_OPAQUE}))", re.IGNORECASE)
_PASSWORD = re.compile(rf"((?:password|passwd|passphrase)\s?:\s{{0,2}})({_WORD})", re.IGNORECASE)
_AUTHORIZATION = re.compile(
    r"""(authorization\s?[:=]\s{0,2})(?:(?:token|bearer|basic|digest|apikey)\s+)?[^\s"',\\]+""", re.IGNORECASE
)
_COOKIE = re.compile(r"""((?:set-)?cookie:\s{0,2})[^\s"'\\][^\r\n"'\\]*""", re.IGNORECASE)
_BEARER = re.compile(r"(\bbearer\s+)[\w.~+/-]{8,}=*", re.IGNORECASE)
_TOKEN_SCHEME = re.compile(r"(\b[Tt]oken\s+)(?:[\w.-]{4,}:[\w.-]{6,}|[\w-]{16,}={0,2})")
_USER_INFO = re.compile(r"""(://)[^\s/?#"'<>]*@""")
_QUERY = re.compile(r"""(?<=[\w/.:)\]-])\?(?=[^\s"'<>?=]*=)[^\s"'<>]*""")

# Without one of these a text has no name of a secret in it; each pattern has such a first look, which costs nothing.
_NAMED = ("key", "secret", "token", "passw", "passphrase", "pwd", "checksum", "auth", "bearer", "cookie", "session")
_BEFORE_A_COLON = ("key:", "secret:", "token:", "checksum:", "id:")
_SECRET_NAME = re.compile(rf"(?:.*[._-])?(?:{_NAMES}|{_BARE})", re.IGNORECASE)
_NO_SECRETS = re.compile(r"(?:.*[._-])?(?:instrument|exchange)_token", re.IGNORECASE)


def mask_patterns(text: str) -> str:
    """Return the text without anything that looks like a secret. Most texts cost a few looks and no pattern."""
    if "?" in text and "=" in text:
        text = _QUERY.sub("?" + MASK, text)
    if "://" in text and "@" in text:
        text = _USER_INFO.sub(rf"\g<1>{MASK}@", text)
    lowered = text.lower()
    return _mask_named(text, lowered) if any(word in lowered for word in _NAMED) else text


def is_secret_name(name: str) -> bool:
    """Tell whether what a field of this name holds is a secret, whatever it is."""
    return bool(_SECRET_NAME.fullmatch(name)) and not _NO_SECRETS.fullmatch(name)


def _mask_named(text: str, lowered: str) -> str:
    if "authorization" in lowered:
        text = _AUTHORIZATION.sub(rf"\g<1>{MASK}", text)
    if '"' in text or "'" in text:
        text = _QUOTED_NAME.sub(_masked_value, text)
    if "=" in text or "%3d" in lowered:
        text = _ASSIGNED.sub(_masked_value, text)
    if "passw" in lowered or "passphrase" in lowered:
        text = _PASSWORD.sub(_masked_value, text)
    if any(word in lowered for word in _BEFORE_A_COLON):
        text = _HEADER.sub(lambda found: f"{found[1]}{found[3] or ''}{MASK}", text)
    if "cookie" in lowered:
        text = _COOKIE.sub(rf"\g<1>{MASK}", text)
    if "bearer" in lowered:
        text = _BEARER.sub(rf"\g<1>{MASK}", text)
    return _TOKEN_SCHEME.sub(rf"\g<1>{MASK}", text) if "oken " in text else text


def _masked_value(found: re.Match[str]) -> str:
    """Return name and mask, in the quotes that the value had."""
    opening = re.match(r"""\\*["']""", found[2])
    quote = opening[0] if opening else ""
    closed = quote and "\\" not in quote and len(found[2]) > 1 and found[2].endswith(quote)
    return f"{found[1]}{quote}{MASK}{quote if closed else ''}"

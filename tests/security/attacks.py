"""What is tried with tokens: each must be refused, and none make us fetch anything twice."""

from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Any

from tests.security.issuer import EC_ID, RSA_ID, by_hand, claims, ec_key, jwk, public_pem, rsa_key, segment, token


@dataclass(frozen=True)
class Attack:
    """One thing tried: `make` gives what is sent behind `Bearer`."""

    what: str
    make: Callable[[], str]


def _changed(part: int, value: Any) -> str:
    parts = token().split(".")
    parts[part] = value if isinstance(value, str) else segment(value)
    return ".".join(parts)


def _bent_signature() -> str:
    head, told, signature = token().split(".")
    return f"{head}.{told}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


ATTACKS = (
    Attack("`alg` none, no signature", lambda: by_hand({"alg": "none", "typ": "JWT"})),
    Attack("`alg` nOnE", lambda: by_hand({"alg": "nOnE", "kid": RSA_ID})),
    Attack("no `alg`", lambda: by_hand({"kid": RSA_ID})),
    Attack("`alg` is a list", lambda: by_hand({"alg": ["RS256"], "kid": RSA_ID})),
    Attack(
        "HS256 with the public key, as PEM, for a secret",
        lambda: by_hand({"alg": "HS256", "kid": RSA_ID}, secret=public_pem(rsa_key())),
    ),
    Attack(
        "HS256 with the public key's modulus for a secret",
        lambda: by_hand({"alg": "HS256", "kid": RSA_ID}, secret=jwk(rsa_key(), None)["n"].encode()),
    ),
    Attack("HS256 with an empty secret", lambda: by_hand({"alg": "HS256", "kid": RSA_ID}, secret=b"")),
    Attack("RS256 header over an HMAC", lambda: by_hand({"alg": "RS256", "kid": RSA_ID}, secret=public_pem(rsa_key()))),
    Attack("an algorithm that is not set", lambda: token(algorithm="RS512")),
    Attack("the key of another algorithm", lambda: token(key_id=EC_ID)),
    Attack("signed by somebody else, with our key's id", lambda: token(rsa_key(2))),
    Attack("signature left out", lambda: _changed(2, "")),
    Attack("signature bent in one place", _bent_signature),
    Attack("claims changed after signing", lambda: _changed(1, claims(sub="chief", scope="analyze admin"))),
    Attack("header changed after signing", lambda: _changed(0, {"alg": "RS256", "kid": RSA_ID, "x": 1})),
    Attack("expired a minute ago", lambda: token(exp=int(time()) - 60)),
    Attack("without an end", lambda: token(exp=None)),
    Attack("an end that is no number", lambda: token(exp="tomorrow")),
    Attack("not valid before an hour from now", lambda: token(nbf=int(time()) + 3_600)),
    Attack("issued an hour from now", lambda: token(iat=int(time()) + 3_600)),
    Attack("for another audience", lambda: token(aud="payments")),
    Attack("for a list of other audiences", lambda: token(aud=["payments", "factcheck2", ""])),
    Attack("without an audience", lambda: token(aud=None)),
    Attack("of another issuer", lambda: token(iss="https://gateway.example.org.evil.test/")),
    Attack("of an issuer with another ending", lambda: token(iss="https://gateway.example.org")),
    Attack("without an issuer", lambda: token(iss=None)),
    Attack("without a subject", lambda: token(sub=None)),
    Attack("a subject with a line end, for our log", lambda: token(sub='x"\n{"event": "forged"}')),
    Attack("a subject of 201 characters", lambda: token(sub="x" * 201)),
    Attack("key id unknown", lambda: token(key_id="rsa-2")),
    Attack("key id is a path", lambda: token(key_id="../../../../dev/null")),
    Attack("key id is an address", lambda: token(key_id="http://169.254.169.254/keys")),
    Attack("key id is SQL", lambda: token(key_id="x' UNION SELECT 'secret' --")),
    Attack("key id empty", lambda: token(key_id="")),
    Attack("key id is a list", lambda: by_hand({"alg": "RS256", "kid": [RSA_ID]})),
    Attack("key id is null", lambda: by_hand({"alg": "RS256", "kid": None})),
    Attack(
        "`jku` names the attacker's keys",
        lambda: token(rsa_key(2), key_id="mine", head={"jku": "https://evil.test/jwks.json"}),
    ),
    Attack(
        "`x5u` names the attacker's certificate",
        lambda: token(rsa_key(2), key_id="mine", head={"x5u": "https://evil.test/chain.pem"}),
    ),
    Attack("`jwk` holds the attacker's key", lambda: token(rsa_key(2), head={"jwk": jwk(rsa_key(2), RSA_ID)})),
    Attack("`x5c` holds a certificate", lambda: token(rsa_key(2), head={"x5c": ["MIIB"]})),
    Attack(
        "`crit` names what we do not know", lambda: token(head={"crit": ["http://example.org/x"], "http://example.org/x": 1})
    ),
    Attack("`crit` empty", lambda: by_hand({"alg": "RS256", "kid": RSA_ID, "crit": []})),
    Attack("`b64` false, claims not encoded", lambda: by_hand({"alg": "RS256", "kid": RSA_ID, "b64": False, "crit": ["b64"]})),
    Attack("encrypted (five parts)", lambda: "e30.e30.e30.e30.e30"),
    Attack("two parts", lambda: token().rpartition(".")[0]),
    Attack("no token at all", lambda: "Bearer"),
    Attack("header is no object", lambda: by_hand([])),
    Attack("header nested 2,000 deep", lambda: f"{segment(b'[' * 2_000)}.e30.e30"),
    Attack("header with a number of 3,000 digits", lambda: f"{segment(b'9' * 3_000)}.e30.e30"),
    Attack("header is not UTF-8", lambda: f"{segment(bytes([0xFF, 0xFE]))}.e30.e30"),
    Attack("9,000 characters", lambda: token(sub="x", padding="x" * 9_000)),
    Attack("signed on another curve's key", lambda: token(ec_key(), "ES256", RSA_ID)),
)

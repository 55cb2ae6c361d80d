"""A gateway that issues tokens, honest ones and every other kind."""

import hmac
import json
from base64 import urlsafe_b64encode
from functools import cache
from hashlib import sha256
from time import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://gateway.example.org/", "factcheck"
RSA_ID, EC_ID, ED_ID = "rsa-1", "ec-1", "ed-1"


@cache
def rsa_key(number: int = 1) -> rsa.RSAPrivateKey:
    """One of several; making one takes a while."""
    assert number
    return rsa.generate_private_key(65_537, 2_048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """A key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    """A key on Curve25519."""
    return ed25519.Ed25519PrivateKey.generate()


def public_pem(key: Any) -> bytes:
    """The public half as everyone may have it."""
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def jwk(key: Any, key_id: str | None, **more: Any) -> dict[str, Any]:
    """The public half as it is published."""
    kinds = {rsa.RSAPrivateKey: RSAAlgorithm, ec.EllipticCurvePrivateKey: ECAlgorithm}
    kind = next((made for of, made in kinds.items() if isinstance(key, of)), OKPAlgorithm)
    named = {} if key_id is None else {"kid": key_id}
    return {**kind.to_jwk(key.public_key(), as_dict=True), **named, **more}


def jwks(*entries: Any) -> bytes:
    """What is published; by default the keys tokens are signed with."""
    published = entries or (jwk(rsa_key(), RSA_ID, use="sig"), jwk(ec_key(), EC_ID, alg="ES256"), jwk(ed_key(), ED_ID))
    return json.dumps({"keys": published}).encode()


def claims(**changes: Any) -> dict[str, Any]:
    """What an honest token says; a change to None leaves a claim out."""
    now = int(time())
    told = {"iss": ISSUER, "aud": AUDIENCE, "sub": "desk-7", "iat": now, "exp": now + 300, "scope": "analyze other:thing"}
    return {name: value for name, value in (told | changes).items() if value is not None}


def token(key: Any = None, algorithm: str = "RS256", key_id: Any = RSA_ID, head: Any = None, **changes: Any) -> str:
    """A token signed with `key`; None is the right one."""
    named = {} if key_id is None else {"kid": key_id}
    return jwt.encode(claims(**changes), key or rsa_key(), algorithm, headers=named | (head or {}))


def segment(value: Any) -> str:
    """A part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(head: Any, told: Any = None, secret: bytes | None = None) -> str:
    """A token with any header there is, signed with HMAC where there is a secret, else not at all."""
    parts = f"{segment(head)}.{segment(claims() if told is None else told)}"
    return f"{parts}.{'' if secret is None else segment(hmac.new(secret, parts.encode(), sha256).digest())}"


class Published:
    """The address of the keys: what is there, how often it was asked, and what it fails with."""

    def __init__(self, document: bytes | None = None) -> None:
        self.document = jwks() if document is None else document
        self.asked = 0
        self.failing: Exception | None = None

    def fetch(self) -> bytes:
        """What is there now."""
        self.asked += 1
        if self.failing is not None:
            raise self.failing
        return self.document

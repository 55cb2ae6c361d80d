"""How it is told that a caller is kept out."""

from service.access.errors import (
    AccessUnavailableError,
    CredentialMissingError,
    CredentialRefusedError,
    ScopeMissingError,
)
from service.web.request_problems import Problem

ACCESS_PROBLEMS = (
    Problem(
        CredentialMissingError.code,
        401,
        "The caller is not known",
        "This path is only for callers that say who they are, and the request does not.",
        "Send the key or token you were given, in the way that the WWW-Authenticate header names.",
    ),
    Problem(
        CredentialRefusedError.code,
        401,
        "The key or token is not accepted",
        "The key, token or secret in the request is wrong, has expired, or was revoked.",
        "Ask whoever runs the service, or whoever issued it, for a new one.",
    ),
    Problem(
        ScopeMissingError.code,
        403,
        "The caller may not do this",
        "The caller is known, but lacks the scope that this path takes.",
        "Ask whoever runs the service for a key or token with the scope that the WWW-Authenticate header names.",
    ),
    Problem(
        AccessUnavailableError.code,
        503,
        "Callers cannot be told apart at the moment",
        "What keys and tokens are checked with could not be read; nobody is let in meanwhile.",
        "Wait as long as the Retry-After header says, then send the request again.",
        retryable=True,
    ),
)

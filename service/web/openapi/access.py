"""Who may call each path, described: from the table of scopes that the guard goes by."""

from typing import Any, Final

from service.access.base import GATEWAY_PROOF
from service.access.settings import AccessSettings, Mode
from service.web.access_problems import ACCESS_PROBLEMS
from service.web.guard import METRICS, SCOPES
from service.web.openapi.parts import Described, problems

_KEPT_OUT = problems(problem.code for problem in ACCESS_PROBLEMS)
_REFERENCES = {status: {"$ref": f"#/components/responses/KeptOut{status}"} for status in _KEPT_OUT}
ACCESS_RESPONSES: Final = {f"KeptOut{status}": report for status, report in _KEPT_OUT.items()}
"""The problem reports of callers that are kept out."""

SECURITY_SCHEMES: Final[dict[str, Described]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key of this service, or a token of the gateway in front of it (JWT), as its operator chose. "
        "A service that asks nobody who they are takes no notice of it.",
    },
    "gateway": {
        "type": "apiKey",
        "in": "header",
        "name": GATEWAY_PROOF,
        "description": "The secret of a gateway that knows the callers: only the gateway sends it.",
    },
}


def guarded(paths: dict[str, Any], settings: AccessSettings) -> dict[str, Any]:
    """`paths` with the scopes each takes, and with the problem reports of callers that are kept out."""
    scheme = "gateway" if settings.access is Mode.HEADER else "bearer"
    for path, methods in paths.items():
        needed = sorted(SCOPES[path.replace("{", "<").replace("}", ">")])
        if not needed or (path == METRICS and settings.open_metrics):
            continue
        for operation in methods.values():
            # Any one of these will do; an empty one says that nothing need be sent.
            operation["security"] = [{scheme: [scope]} for scope in needed] + [{}] * (settings.access is Mode.OPEN)
            told = " or ".join(f"`{scope}`" for scope in needed)
            about = f"Where callers are asked who they are, they need the scope {told}."
            operation["description"] = " ".join(filter(None, [operation.get("description"), about]))
            operation["responses"] = dict(sorted((_REFERENCES | operation["responses"]).items()))
    return paths

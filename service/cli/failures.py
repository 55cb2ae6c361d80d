"""What went wrong, in the words the service has for the public."""

from service.cli.tables import one_line
from service.errors import (
    FactCheckError,
    RequestError,
)
from service.web.failures import FOR_OPERATORS
from service.web.problems import PROBLEMS


def describe(error: FactCheckError) -> str:
    """The code and the public text of an error, then what a person can act on, a line for each.

    Takes every error but a SetupError, which is no failure of a request. Nothing of an article or a reply is in it.
    """
    detail, more = PROBLEMS[error.code].detail, []
    if isinstance(error, RequestError):
        detail = error.message
        more = [f"{fault.pointer}: {fault.detail}" for fault in error.faults]
    elif isinstance(error, FOR_OPERATORS):
        more = [str(error)]
    return "\n".join([f"{error.code}: {detail}", *(f"  - {one_line(line)}" for line in more)])

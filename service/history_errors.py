"""How stored analyses can fail: their part of the tree in `errors.py`."""

from service.errors import FactCheckError, RequestError


class AnalysisNotFoundError(RequestError):
    """There is no stored analysis at the address, or it is somebody else's: the two are not told apart."""

    code = "analysis-not-found"


class HistoryUnavailableError(FactCheckError):
    """The place where stored analyses are kept fails, or has no room for one."""

    code = "history-unavailable"
    retryable = True

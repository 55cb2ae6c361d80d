"""Every way that an article cannot be had from its address: four that the caller can mend, and one of the site.

Messages never say what is behind an address inside a network, and repeat nothing that a site answered but a status.
"""

from service.errors import FactCheckError, RequestError


class UrlNotAllowedError(RequestError):
    """The article's address, or one it redirects to, is none that is fetched from. The message never says what is there."""

    code = "url-not-allowed"


class UrlForbiddenByRobotsError(RequestError):
    """The site asks robots not to fetch the page."""

    code = "url-forbidden-by-robots"


class UrlRefusedError(RequestError):
    """The site answers that it has no such page, or not for us."""

    code = "url-refused"


class UrlNotAnArticleError(RequestError):
    """What is at the address is no page that an article could be read from."""

    code = "url-not-an-article"


class UrlFetchFailedError(FactCheckError):
    """The article's page could not be fetched, though there may be one."""

    code = "url-fetch-failed"
    retryable = True

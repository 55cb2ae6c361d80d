"""Whether what goes out has the shape that was published; looked at before it goes."""

from typing import Any

import jsonschema_rs

from service.web.openapi.shapes import open_to_growth, sealed


class AnswerCheck:
    """Holds the JSON of an answer to its shape; with `grown`, it may have fields that are not told, as later ones may."""

    def __init__(self, shape: str = "Analysis", *, grown: bool = False) -> None:
        self._validator = jsonschema_rs.Draft202012Validator((open_to_growth if grown else sealed)(shape))

    def fault(self, document: Any) -> str | None:
        """The part of the schema that `document` breaks, as a JSON pointer; None when it keeps to it.

        Nothing of the document is in it, because that is made of the article's words.
        """
        if self._validator.is_valid(document):
            return None
        error = next(self._validator.iter_errors(document))
        return "".join(f"/{part}" for part in error.schema_path)

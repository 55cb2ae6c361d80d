"""Code points to UTF-16 code units, which is what browsers, Java and C# count."""

from bisect import bisect_left

from service.domain import Span

_FIRST_ASTRAL = 0x10000


class OffsetMap:
    """The UTF-16 offsets of one text. Built in linear time; each look-up takes the logarithm of its astral characters."""

    def __init__(self, text: str) -> None:
        self._length = len(text)
        # One flat pass tells most texts apart: only characters past the first plane take two units.
        astral = not text.isascii() and ord(max(text)) >= _FIRST_ASTRAL
        self._astral = [index for index, char in enumerate(text) if ord(char) >= _FIRST_ASTRAL] if astral else []

    def utf16(self, code_point: int) -> int:
        """How many UTF-16 units the first `code_point` characters take.

        Raises: ValueError when the text has no such offset.
        """
        if not 0 <= code_point <= self._length:
            raise ValueError(f"offset {code_point} is outside a text of {self._length} code points")
        return code_point + bisect_left(self._astral, code_point)

    def span(self, start: int, end: int) -> Span:
        """The half-open range [start, end) in both units.

        Raises: ValueError when it is not a range of the text.
        """
        if end < start:
            raise ValueError(f"a span cannot end at {end} before it starts at {start}")
        return Span(start=start, end=end, start_utf16=self.utf16(start), end_utf16=self.utf16(end))

"""The characters in the bytes of a page, in the encoding that the page is in by its own word, never by a guess."""

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, to_unicode

_READ = frozenset(
    "utf-8 utf-16-le utf-16-be cp866 cp874 cp932 cp949 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 "
    "iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-10 iso8859-13 iso8859-14 iso8859-15 "
    "iso8859-16 koi8-r koi8-u mac-roman mac-cyrillic big5hkscs euc_jp gb18030 iso2022_jp".split()
)
"""The encodings of the web (WHATWG Encoding Standard), as Python names them. Of others it knows, some take hours to read."""


class UnknownCharsetError(ValueError):
    """The page is not UTF-8 and does not say what else it is in, or names nothing that is read here."""


def decode(data: bytes, content_type: str, *, html: bool) -> str:
    """The text of a page, without a byte order mark; bytes that make no character in its encoding become U+FFFD.

    Its start says which encoding it is, else `content_type`, else a <meta> tag of HTML. Else it must be UTF-8.
    Raises: UnknownCharsetError.
    """
    marked, mark = read_bom(data)
    if marked in _READ and mark:
        return to_unicode(data[len(mark) :], marked)
    declared = http_content_type_encoding(content_type)
    if declared is None and html:
        declared = html_body_declared_encoding(data)
        if declared is not None and declared.startswith("utf-16"):
            declared = "utf-8"  # or its <meta> tag could not have been read
    if declared == "utf-16":
        declared = "utf-16-le"
    if declared in _READ:
        return to_unicode(data, declared)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnknownCharsetError from error

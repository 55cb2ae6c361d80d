"""The page's scripts and style sheets: read once, named by what they hold, sent compressed where that is taken."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from flask import Request, Response

from service.export.html_style import DARK, LIGHT

FOLDER = Path(__file__).parent / "static"
PALETTE = "palette.css"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_DIGEST_CHARS = 16


@dataclass(frozen=True)
class Assets:
    """The files by name, and `digest`, which is another one as soon as any of them is."""

    files: Mapping[str, bytes]
    digest: str

    def address(self, name: str) -> str:
        """Where the file is served. Modules find each other beside themselves."""
        return f"/room/static/{self.digest}/{name}"

    def response(self, digest: str, name: str) -> Response | None:
        """The file, to be kept for good; None when there is none of that name and digest."""
        if digest != self.digest or name not in self.files:
            return None
        response = Response(self.files[name], content_type=_TYPES[Path(name).suffix])
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def load_assets(folder: Path = FOLDER) -> Assets:
    """The files in `folder`, and the colours of the exported page as a style sheet of their own."""
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _TYPES}
    files[PALETTE] = _palette().encode()
    whole = sha256()
    for name, content in files.items():
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return Assets(files, whole.hexdigest()[:_DIGEST_CHARS])


def _palette() -> str:
    light, dark = ("".join(f"--{name}:{value};" for name, value in colours.items()) for colours in (LIGHT, DARK))
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def compressed(response: Response, request: Request) -> Response:
    """`response`, compressed with gzip where the request takes that.

    Nothing on the page is secret from whoever could mix words of their own into it, so its length tells them nothing.
    """
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] > 0 and response.status_code == 200:  # noqa: PLR2004 - HTTP's OK
        # Without a time in its head: the same page has the same bytes, and the same tag.
        response.set_data(gzip.compress(response.get_data(), 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response

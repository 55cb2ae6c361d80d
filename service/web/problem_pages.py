"""The pages that a problem report's `type` points to: what each error code means, for people."""

from collections.abc import Iterable
from html import escape

from service.web.problems import PROBLEMS, Problem


def index_page() -> str:
    """An HTML page that links to every error code."""
    problems = sorted(PROBLEMS.values(), key=lambda problem: (problem.status, problem.code))
    rows = [f'<li><a href="/problems/{row.code}">{row.code}</a> ({row.status}): {escape(row.title)}</li>' for row in problems]
    return _page("Errors of the fact-check service", ["<ul>", *rows, "</ul>"])


def problem_page(problem: Problem) -> str:
    """An HTML page that explains one error code."""
    again = "may succeed when it is sent again later" if problem.retryable else "will fail again unless something changes"
    return _page(
        problem.title,
        [
            f"<p>Code <code>{problem.code}</code>, HTTP status {problem.status}.</p>",
            f"<h2>What it means</h2><p>{escape(problem.detail)}</p>",
            f"<h2>What to do</h2><p>{escape(problem.advice)}</p>",
            f"<p>The same request {again}.</p>",
            '<p><a href="/problems">All errors</a></p>',
        ],
    )


def _page(title: str, parts: Iterable[str]) -> str:
    shown = escape(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{shown}</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f"<body><main><h1>{shown}</h1>{''.join(parts)}</main></body></html>\n"
    )

"""A claim of nobody named is not put down to the article, in any form that people read."""

from dataclasses import replace

import pytest

from service.domain import Mode
from service.export import html_page, markdown
from tests.export_cases import CASES


@pytest.mark.parametrize("dump", [html_page.dump, markdown.dump], ids=["html", "markdown"])
def test_hearsay_is_shown_as_not_named(dump):
    case = CASES["latin"]
    own = next(claim for claim in case.claims if claim.claimant is None)
    hearsay = replace(own, mode=Mode.INDIRECT)
    assert "not named" not in dump(replace(case, claims=(own,)))
    assert "not named" in dump(replace(case, claims=(hearsay,)))

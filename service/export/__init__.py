"""An analysis written down in other formats than our JSON: one module per format, `formats` knows them all.

Every export is a pure function from `service.domain.Analysis` to text. The article, the model's words and the caller's
title and address are hostile in all of them: each module says how it keeps them from becoming more than text.
"""

"""What a reply must be that says who speaks, and whom it names."""

from marshmallow import Schema, ValidationError, validate

from service.pipeline.replies import MAX_FAULTS, UnreadableReplyError, WholeNumber, told_faults
from service.pipeline.unwrap import unwrap
from service.strictjson import StrictJsonError, loads


class _SpeakerV1(Schema):
    who = WholeNumber(required=True, validate=validate.Range(min=0))


_SPEAKER = _SpeakerV1()
SPEAKER_SCHEMAS = frozenset({"speaker.v1"})
"""The schemas, by name, of replies that `read_speaker` knows."""


def read_speaker(text: str, most: int) -> int:
    """The number, up to `most`, of who speaks; 0 for nobody of those asked about.

    Raises: UnreadableReplyError.
    """
    body, _ = unwrap(text)
    try:
        who: int = _SPEAKER.load(loads(body))["who"]
    except StrictJsonError as error:
        raise UnreadableReplyError((f"not valid JSON: {error.reason}",)) from error
    except ValidationError as error:
        raise UnreadableReplyError(tuple(told_faults(error.messages))[:MAX_FAULTS]) from error
    if who > most:
        raise UnreadableReplyError((f"who: there is no {who}",))
    return who

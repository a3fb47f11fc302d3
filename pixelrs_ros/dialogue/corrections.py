"""Whether the user's words say that the answer before was wrong."""

from __future__ import annotations

import re

from pixelrs_ros.types import Status, Turn

# At the start of what is said. A plain "no" also answers questions, which is why only answers that showed or denied
# something can have been wrong.
_OBJECTION = re.compile(
    r"(?:(?:oh|ah|um|hm+|stop|sorry|hey|actually)[,.!]* )*"
    r"(?:(?:no+|nope|nah|wrong|incorrect)\b"
    r"|not (?:that|this|the|those|these|it)\b"
    r"|(?:that|this|it)(?:['’]s| is| was) (?:not|wrong|the wrong)\b"
    r"|(?:that|this|it) (?:isn|wasn)['’]t\b"
    r"|i (?:meant|mean|said|didn['’]t mean|did not mean)\b)",
    re.IGNORECASE,
)
_POLITE = re.compile(r"no+,? (?:thanks|thank you|problem|worries|need|matter)\b", re.IGNORECASE)


def corrects(text: str, before: Turn | None) -> bool:
    """Whether an instruction says that the turn before it was answered wrongly.

    Args:
        text: The user's words, in English.
        before: The dialogue's last turn, if there is one.
    """
    if before is None or before.status not in (Status.GROUNDED, Status.NOT_FOUND):
        return False
    words = text.strip()
    return _OBJECTION.match(words) is not None and _POLITE.match(words) is None

"""Engine, dialogues and the pictures they speak about: what a robot talks to."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections import OrderedDict

from pixelrs_ros.dialogue.store import DialogueStore
from pixelrs_ros.engine.engine import EncodedFrame, Engine, OnText
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.types import Frame, Reply, Turn, Utterance

MAX_ENCODED_FRAMES = 4


class Session:
    """Several dialogues over one engine. Calls from several threads wait for one another."""

    def __init__(
        self, engine: Engine, *, max_sessions: int = 32, max_turns: int = 16, max_characters: int = 2000,
        max_new_tokens: int | None = None,
    ) -> None:  # fmt: skip
        """Bounds.

        Args:
            engine: The network.
            max_sessions: Dialogues kept at once.
            max_turns: Past turns kept of each.
            max_characters: Longest instruction that is accepted.
            max_new_tokens: Longest answer; None takes the checkpoint's.
        """
        self.engine = engine
        self.max_characters = max_characters
        self.max_new_tokens = max_new_tokens
        self._store = DialogueStore(max_sessions, max_turns)
        self._encoded: OrderedDict[bytes, EncodedFrame] = OrderedDict()
        self._lock = threading.Lock()  # held for a whole turn
        self._store_lock = threading.Lock()  # held for no longer than a look at the dialogues
        self._answering: str | None = None

    def say(self, utterance: Utterance, frame: Frame, on_text: OnText | None = None) -> Reply:
        """Answer an utterance about a frame and remember the exchange.

        Args:
            utterance: The user's words.
            frame: The picture they are about.
            on_text: Called with the explanation as it grows.

        Raises:
            BadInputError: The instruction is too long; the dialogue is as it was before.
        """
        if len(utterance.text) > self.max_characters:
            raise BadInputError(
                f"the instruction has {len(utterance.text)} characters, at most {self.max_characters} are accepted "
                "(parameter max_characters)"
            )
        with self._lock:
            encoded = self._encode(frame)
            with self._store_lock:
                self._answering = utterance.session_id
                turns = self._store.turns(utterance.session_id)
            reply = self.engine.answer(encoded, turns, utterance.text, on_text, self.max_new_tokens)
            with self._store_lock:
                if self._answering is not None:
                    self._store.append(utterance.session_id, utterance.text, reply)
        return reply

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """The remembered turns of a dialogue, oldest first."""
        with self._store_lock:
            return self._store.turns(session_id)

    def next_index(self, session_id: str) -> int:
        """The number that the dialogue's next turn will have."""
        with self._store_lock:
            return self._store.next_index(session_id)

    def reset(self, session_id: str) -> int:
        """Forget a dialogue at once, with the turn that is being answered; returns how many turns were dropped."""
        with self._store_lock:
            if self._answering == session_id:
                self._answering = None
            return self._store.reset(session_id)

    def session_ids(self) -> tuple[str, ...]:
        """Known dialogues, the longest silent first."""
        with self._store_lock:
            return self._store.session_ids()

    def _encode(self, frame: Frame) -> EncodedFrame:
        """The encoders' work on a picture, done once as long as the picture stays the same, byte by byte."""
        key = hashlib.blake2b(frame.image.tobytes() + repr(frame.image.shape).encode(), digest_size=16).digest()
        known = self._encoded.get(key)
        if known is None:
            known = self._encoded[key] = self.engine.encode(frame.image)
            while len(self._encoded) > MAX_ENCODED_FRAMES:
                self._encoded.popitem(last=False)
            return known
        self._encoded.move_to_end(key)
        return dataclasses.replace(known, encode_ms=0.0)

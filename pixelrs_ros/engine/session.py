"""Engine, dialogues and the pictures they speak about: what a robot talks to."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

import torch

from pixelrs_ros.dialogue.archive import DialogueArchive
from pixelrs_ros.dialogue.corrections import corrects
from pixelrs_ros.dialogue.evidence import Evidence
from pixelrs_ros.dialogue.storage import Notice, Storage, StorageState
from pixelrs_ros.dialogue.store import DialogueStore, DialogueSummary
from pixelrs_ros.engine.answerer import Answerer, OnSegment, OnStage, OnText, Seen, go_on
from pixelrs_ros.engine.frames import FrameCache, picture_key
from pixelrs_ros.engine.prefix import PrefixCache
from pixelrs_ros.engine.recording import Recorder, evidence_of
from pixelrs_ros.errors import BadInputError, OutOfMemoryError, StorageError, TurnCancelledError
from pixelrs_ros.types import MAX_NOTE_CHARACTERS, Frame, Mark, Reply, Turn, Utterance, Verdict


class Session:
    """Several dialogues over one engine. Calls from several threads are answered one at a time, in their order."""

    def __init__(
        self, engine: Answerer, *, max_sessions: int = 32, max_turns: int = 16, max_characters: int = 2000,
        max_new_tokens: int | None = None, max_cached_sessions: int = 4, max_cached_frames: int = 8,
        max_frame_cache_mb: float = 256.0, max_history_tokens: int | None = None, session_idle_s: float = 0.0,
        storage: Storage | None = None,
    ) -> None:  # fmt: skip
        """Bounds.

        Args:
            engine: What answers.
            max_sessions: Dialogues in memory at once; with storage, others are read back at their next turn.
            max_turns: Past turns kept of each.
            max_characters: Longest instruction that is accepted.
            max_new_tokens: Longest answer; None takes the checkpoint's.
            max_cached_sessions: Dialogues whose keys and values are kept between turns; the others are computed anew.
            max_cached_frames: Encoded pictures kept at once.
            max_frame_cache_mb: Memory for them, in MB of 10^6 bytes.
            max_history_tokens: Past turns that the network is shown, in tokens; None: what the context leaves.
            session_idle_s: Seconds of silence after which a dialogue is over and forgotten; 0: never.
            storage: Where dialogues are stored before their answers are given; None keeps them in memory only.

        Raises:
            ConfigError: `max_new_tokens` leaves no room for an instruction.
            ValueError: A bound is too small.
        """
        engine.check_answer_length(max_new_tokens)
        if max_cached_sessions < 1:
            raise ValueError(f"expected at least 1 cached session, got {max_cached_sessions}")
        self.engine = engine
        self.max_characters = max_characters
        self.max_new_tokens = max_new_tokens
        self.max_cached_sessions = max_cached_sessions
        self.max_history_tokens = max_history_tokens
        self.session_idle_s = session_idle_s
        self._dialogues = DialogueArchive(DialogueStore(max_sessions, max_turns), storage)
        self._recorder = Recorder()
        self._frames = FrameCache(max_cached_frames, max_frame_cache_mb)
        self._keyed: tuple[Frame, bytes] | None = None  # the frame that was asked about last, and its identity
        self._prefixes: OrderedDict[str, PrefixCache] = OrderedDict()
        self._turn_lock = threading.Lock()  # held for a whole turn; who is next, the node's worker decides
        self._state_lock = threading.Lock()  # held for no longer than a look at the dialogues and caches
        self._answering: str | None = None

    @property
    def backend(self) -> str:
        """What the network runs on, in words for logs."""
        return self.engine.backend

    @property
    def about(self) -> str:
        """What the network has been trained on, in words for logs; empty: its checkpoint does not say."""
        return self.engine.about

    def say(
        self, utterance: Utterance, frame: Frame, on_text: OnText | None = None, on_segment: OnSegment | None = None,
        on_stage: OnStage | None = None,
    ) -> Reply:  # fmt: skip
        """Answer an utterance about a frame and remember the exchange.

        Args:
            utterance: The user's words.
            frame: The picture they are about.
            on_text: Called with the explanation as it grows.
            on_segment: Called with every mask as soon as it is known, before the rest of the answer.
            on_stage: Called between the stages before the first word. What any of them raises ends the turn.

        Raises:
            BadInputError: The instruction is too long, or points beside the picture; the dialogue is as it was before.
            OutOfMemoryError: There was no memory for the turn. The caches are empty now, the dialogue is as before.
        """
        self._check_length(utterance)
        utterance.check_points_into(frame)
        return self._in_turn(lambda: self._answer(utterance, frame, on_text, on_segment, on_stage or go_on))

    def ask(
        self, utterance: Utterance, frame: Frame, on_text: OnText | None = None, on_segment: OnSegment | None = None,
        on_stage: OnStage | None = None,
    ) -> Reply:  # fmt: skip
        """Answer an utterance about a frame outside of any dialogue: none is read, changed or forgotten.

        Arguments and errors are those of `say`; the utterance's session is of no account.
        """
        self._check_length(utterance)
        utterance.check_points_into(frame)
        return self._in_turn(
            lambda: self.engine.answer(
                self.engine.encode(frame.image, on_stage=on_stage or go_on),
                (),
                utterance.text,
                on_text,
                self.max_new_tokens,
                on_segment=on_segment,
                on_stage=on_stage or go_on,
                point=utterance.point,
            )
        )

    def _in_turn(self, answer: Callable[[], Reply]) -> Reply:
        """Answer when it is one's turn; without memory, empty the caches."""
        with self._turn_lock:
            try:
                return answer()
            except (torch.OutOfMemoryError, MemoryError) as error:
                reason = (str(error).splitlines() or ["no memory"])[0]
            # Here and not above: as long as it is handled, the error holds on to the failed turn's tensors.
            self._free_memory()
        raise OutOfMemoryError(
            f"{reason} The turn was given up and the caches were emptied: send it again. If it comes back, lower "
            "max_cached_frames, max_frame_cache_mb, max_cached_sessions or max_turns, choose another precision or "
            "language_weights, or a smaller checkpoint"
        )

    def _answer(
        self, utterance: Utterance, frame: Frame, on_text: OnText | None, on_segment: OnSegment | None,
        on_stage: OnStage,
    ) -> Reply:  # fmt: skip
        session_id = utterance.session_id
        with self._state_lock:
            self._maintain()
            self._answering = session_id
            turns, prefix = self._dialogues.turns(session_id), self._prefix(session_id)
        try:
            encoded = self._encode(frame, session_id, on_stage)
            digest, jpeg = self._record(frame, session_id, encoded.key)
            history = turns[:-1] if utterance.replace_last else turns
            reply = self._reply(encoded, history, utterance, prefix, on_text, on_segment, on_stage)
            evidence = evidence_of(reply, digest, jpeg) if self._dialogues.storage else None
            with self._state_lock:
                if self._answering is not None:
                    self._remember(utterance, frame, reply, evidence)
        finally:
            with self._state_lock:
                self._answering = None
        return reply

    def _reply(
        self, encoded: Seen, turns: Sequence[Turn], utterance: Utterance, prefix: PrefixCache, on_text: OnText | None,
        on_segment: OnSegment | None, on_stage: OnStage,
    ) -> Reply:  # fmt: skip
        try:
            return self.engine.answer(
                encoded, turns, utterance.text, on_text, self.max_new_tokens, on_segment=on_segment, prefix=prefix,
                max_history_tokens=self.max_history_tokens, on_stage=on_stage, point=utterance.point,
            )  # fmt: skip
        except Exception as error:
            # What failed may be the picture's, and must not be kept.
            if not isinstance(error, BadInputError | TurnCancelledError):
                with self._state_lock:
                    self._frames.drop(encoded.key)
            raise

    def _record(self, frame: Frame, session_id: str, key: bytes) -> tuple[bytes, Future[bytes | None] | None]:
        """Begin to compress a frame; its digest, and nothing to wait for where the dialogue has stored it already."""
        if self._dialogues.storage is None or not self._dialogues.storage.images:
            return b"", None
        with self._state_lock:
            known = self._dialogues.holds_picture(session_id, key)
        return key, None if known else self._recorder.begin(frame.image)

    def _remember(self, utterance: Utterance, frame: Frame, reply: Reply, evidence: Evidence | None = None) -> None:
        """Store an exchange, as a new turn or in the place of the last."""
        session_id = utterance.session_id
        # A store that could be opened only now may hold turns with that number.
        index = max(utterance.number or 0, self._dialogues.next_index(session_id))
        about = (utterance.stamp_ns, frame.stamp_ns, frame.frame_id, utterance.instruction_id)
        turn = Turn(index, utterance.text, reply.answer, reply.status, *about, utterance.point)
        if not utterance.replace_last:
            self._mark_corrected(session_id, utterance.text)
        self._dialogues.put(session_id, turn, evidence, replace_last=utterance.replace_last)
        self._forget_unknown()

    def _mark_corrected(self, session_id: str, text: str) -> None:
        """Mark the turn before as wrong where the user's words say so and nobody has marked it."""
        last = self._dialogues.turns(session_id)[-1:]
        if self._dialogues.storage and last and corrects(text, last[0]):
            index = last[0].index
            with contextlib.suppress(StorageError):  # which the store's state tells, as of the turn itself
                if index not in self._dialogues.marks(session_id):
                    self._dialogues.mark(session_id, index, Mark(Verdict.BAD, text[:MAX_NOTE_CHARACTERS]))

    def _free_memory(self) -> None:
        """Let go of everything that can be computed again."""
        with self._state_lock:
            self._prefixes.clear()
            self._frames.clear()
        if self.engine.device.type == "cuda":
            torch.cuda.empty_cache()

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """The remembered turns of a dialogue, oldest first."""
        with self._state_lock:
            return self._dialogues.turns(session_id)

    def next_index(self, session_id: str) -> int:
        """The smallest number that the dialogue's next turn can have."""
        with self._state_lock:
            return self._dialogues.next_index(session_id)

    def skip_to(self, session_id: str, next_index: int) -> None:
        """Let no turn of a dialogue that is known have a number below one: others were given to turns that failed."""
        with self._state_lock:
            self._dialogues.skip_to(session_id, next_index)

    def reset(self, session_id: str) -> int:
        """Forget a dialogue at once, with the turn that is being answered; returns how many turns were dropped."""
        with self._state_lock:
            if self._answering == session_id:
                self._answering = None
            self._forget_caches(session_id)
            return self._dialogues.reset(session_id)

    def session_ids(self) -> tuple[str, ...]:
        """The dialogues that are in memory, the longest silent first."""
        with self._state_lock:
            return self._dialogues.in_memory()

    def summaries(self) -> tuple[DialogueSummary, ...]:
        """Every dialogue, in memory or on disk, the longest silent first."""
        with self._state_lock:
            return self._dialogues.summaries()

    def evidence(self, session_id: str) -> tuple[tuple[Turn, Evidence], ...]:
        """The remembered turns of a dialogue, oldest first, each with the image and the masks that are stored of it."""
        with self._state_lock:
            return self._dialogues.evidence(session_id)

    def mark(self, session_id: str, mark: Mark | None, instruction_id: str = "") -> int:
        """Mark a turn, or take its mark back, in the store; returns the turn's number.

        Args:
            session_id: The dialogue.
            mark: None takes the mark back.
            instruction_id: Of the turn; empty: the dialogue's last turn.

        Raises:
            BadInputError: There is no such turn.
            StorageError: Nothing is stored, or the disk refuses.
        """
        with self._state_lock:
            turns = self._dialogues.turns(session_id)
            found = [turn for turn in turns if instruction_id in ("", turn.instruction_id)]
            if not found:
                named = f"turn of instruction {instruction_id!r}" if instruction_id else "turn"
                raise BadInputError(f"dialogue {session_id!r} has no {named}; turns that failed are not kept")
            self._dialogues.mark(session_id, found[-1].index, mark)
            return found[-1].index

    def marks(self, session_id: str) -> dict[int, Mark]:
        """The marks of a dialogue's turns, by index."""
        with self._state_lock:
            return self._dialogues.marks(session_id)

    def swap(self, engine: Answerer) -> None:
        """Answer with another engine from the next turn on; waits for the turn that is being answered.

        Dialogues go on; what was computed by the engine before is forgotten.

        Raises:
            ConfigError: `max_new_tokens` leaves no room for an instruction; nothing has changed.
        """
        with self._turn_lock:
            engine.check_answer_length(self.max_new_tokens)
            with self._state_lock:
                self.engine = engine
            self._free_memory()

    @property
    def storage(self) -> Storage | None:
        """Where dialogues are to be stored; None when they are not."""
        return self._dialogues.storage

    @property
    def cached_dialogues(self) -> tuple[str, ...]:
        """The dialogues whose keys and values are kept, the longest silent first. To look at, for tests."""
        with self._state_lock:
            return tuple(self._prefixes)

    @property
    def num_cached_frames(self) -> int:
        """How many encoded pictures are kept. To look at, for tests."""
        with self._state_lock:
            return len(self._frames)

    def storage_state(self) -> StorageState:
        """How storing them fares."""
        with self._state_lock:
            return self._dialogues.state()

    def maintain(self) -> list[Notice]:
        """Forget what has been silent too long; what the log should say. To be called now and then."""
        with self._state_lock:
            self._maintain()
            return self._dialogues.take_notices()

    def set_bounds(
        self, *, max_sessions: int, max_turns: int, max_characters: int, max_new_tokens: int, max_cached_sessions: int,
        max_cached_frames: int, max_frame_cache_mb: float, max_history_tokens: int, session_idle_s: float,
    ) -> None:  # fmt: skip
        """Set new bounds, which hold at once; what exceeds them is forgotten. The turn that is being answered goes on.

        The arguments are those of the class, but 0 stands for None.

        Raises:
            ConfigError: `max_new_tokens` leaves no room for an instruction; nothing has changed.
        """
        self.engine.check_answer_length(max_new_tokens or None)
        with self._state_lock:
            self._dialogues.resize(max_sessions, max_turns)
            self._frames.resize(max_cached_frames, max_frame_cache_mb)
            self.max_characters, self.session_idle_s = max_characters, session_idle_s
            self.max_new_tokens, self.max_history_tokens = max_new_tokens or None, max_history_tokens or None
            self.max_cached_sessions = max_cached_sessions
            while len(self._prefixes) > max_cached_sessions:
                self._prefixes.popitem(last=False)
            self._forget_unknown()

    def close(self) -> None:
        """Let the store's file go; what is said from now on stays in memory."""
        with self._state_lock:
            self._dialogues.close()
        self._recorder.close()

    def _maintain(self) -> None:
        if self.session_idle_s:
            self._dialogues.expire(self.session_idle_s, spare=self._answering)
        self._dialogues.prune(spare=self._answering)
        self._forget_unknown()

    def _check_length(self, utterance: Utterance) -> None:
        if len(utterance.text) > self.max_characters:
            raise BadInputError(
                f"the instruction has {len(utterance.text)} characters, at most {self.max_characters} are accepted "
                "(parameter max_characters)"
            )

    def _prefix(self, session_id: str) -> PrefixCache:
        """The dialogue's keys and values, perhaps none as yet; those of the longest silent one make room."""
        prefix = self._prefixes.setdefault(session_id, self.engine.new_prefix())
        self._prefixes.move_to_end(session_id)
        while len(self._prefixes) > self.max_cached_sessions:
            self._prefixes.popitem(last=False)
        return prefix

    def _key(self, frame: Frame) -> bytes:
        """The picture's identity; of the frame that was asked about last it need not be computed again."""
        if self._keyed is None or self._keyed[0] is not frame:
            self._keyed = (frame, picture_key(frame.image))
        return self._keyed[1]

    def _encode(self, frame: Frame, session_id: str, on_stage: OnStage) -> Seen:
        """The encoders' work on a picture, done once as long as the picture stays the same."""
        with self._state_lock:
            known = self._frames.get(self._key(frame), session_id)
        if known is not None:
            return replace(known, encode_ms=0.0)
        encoded: Seen = self.engine.encode(frame.image, on_stage=on_stage)
        with self._state_lock:
            if self._answering is not None:
                self._frames.put(encoded, session_id)
        return encoded

    def _forget_unknown(self) -> None:
        """Let go of the caches of dialogues that are no longer in memory."""
        known = {*self._dialogues.in_memory(), self._answering}
        for session_id in (*self._prefixes, *self._frames.session_ids()):
            if session_id not in known:
                self._forget_caches(session_id)

    def _forget_caches(self, session_id: str) -> None:
        self._prefixes.pop(session_id, None)
        self._frames.release(session_id)

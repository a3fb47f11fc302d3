"""The answerer over a vision-language model and SAM 2: JSON with boxes becomes words, phrases and masks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from pixelrs_ros.checkpoint import read_config
from pixelrs_ros.config import VlmConfig
from pixelrs_ros.dialogue.budget import turns_that_fit
from pixelrs_ros.engine.answerer import OnSegment, OnStage, OnText, go_on
from pixelrs_ros.engine.backends import Backend, quantize
from pixelrs_ros.engine.background import Background, Pending, default_num_threads, use_threads
from pixelrs_ros.engine.choice import mask_score
from pixelrs_ros.engine.ending import ending, latencies, ms_since
from pixelrs_ros.engine.frames import picture_key
from pixelrs_ros.engine.prefix import PrefixCache, Symbol
from pixelrs_ros.engine.vlm.answer import GrowingAnswer, Named, Said, phrase_ranges, remembered
from pixelrs_ros.engine.vlm.boxes import Prompt, Scale
from pixelrs_ros.engine.vlm.chat import Chat
from pixelrs_ros.engine.vlm.loading import load_language, load_sam
from pixelrs_ros.engine.vlm.qwen import Look, Qwen
from pixelrs_ros.engine.vlm.sam import PromptedSam
from pixelrs_ros.errors import AnswerError, BadInputError, CheckpointError, ConfigError
from pixelrs_ros.shipped import resolve
from pixelrs_ros.text.answer import parse
from pixelrs_ros.types import Point, Reply, Segment, Status, Turn

_GRAY = 128
_READ_AT_ONCE = 256  # tokens of a prompt; a cancelled turn takes no longer than so many


@dataclass(frozen=True)
class SeenPicture:
    """A picture for both networks; the fields of `Seen`, and what each of them made of it."""

    key: bytes
    look: Look
    sam: Pending
    height_px: int
    width_px: int
    encode_ms: float
    num_bytes: int
    novelty: float = 0.0  # nobody knows what such a model was trained on


class VlmEngine:
    """An `Answerer`.

    Attributes:
        choose: Gives the next token and its probability from (V,) float logits; may be replaced, to force words.
        qwen: Reads the words.
        sam: Cuts the masks.
        chat: Its tokens' places.
        backend: What it runs on, in words for logs.
    """

    def __init__(self, qwen: Qwen, tokenizer: Tokenizer, sam: PromptedSam, config: VlmConfig, backend: str) -> None:
        """Join the parts.

        Raises:
            CheckpointError: The tokenizer is of another family.
        """
        self.config = config
        self.backend = backend
        self.choose = self._greedy
        self.qwen, self.sam = qwen, sam
        self.chat = Chat(tokenizer, config.prompt)
        self._num_threads = torch.get_num_threads()
        self._background = Background(self.device, self._num_threads)
        self._on_stage: OnStage = go_on
        for block in qwen.model.model.visual.blocks:
            block.register_forward_pre_hook(lambda *_: self._on_stage())

    @classmethod
    def from_checkpoint(
        cls, checkpoint: str | Path, device: str = "cpu", num_threads: int | None = None, *, backend: str = "torch",
        precision: str = "auto", language_weights: str = "full", onnx_dir: str | Path | None = None,
    ) -> VlmEngine:  # fmt: skip
        """Load a checkpoint of kind vlm. Arguments and errors are those of `Engine.from_checkpoint`."""
        torch.set_num_threads(num_threads or default_num_threads())
        folder = resolve(checkpoint)
        config = read_config(folder)
        if not isinstance(config, VlmConfig):
            raise CheckpointError(f"{folder} is no checkpoint of kind vlm")
        chosen = Backend(backend, precision, language_weights)
        if backend != "torch" or onnx_dir:
            given = f"backend {backend!r}" if backend != "torch" else f"onnx_dir {str(onnx_dir)!r}"
            raise ConfigError(f"{given} is not for a checkpoint of kind vlm; remedy: backend torch, and no onnx_dir")
        dtype = chosen.dtype(torch.device(device))
        qwen, tokenizer = load_language(folder, config, device, dtype)
        if language_weights != "full":
            quantize(qwen.model.model.language_model, language_weights)
        sam = load_sam(folder, config, device, dtype)
        words = f"{qwen.model.config.model_type} and {sam.kind} on {device}, {str(dtype).removeprefix('torch.')}"
        return cls(qwen, tokenizer, sam, config, words)

    @property
    def about(self) -> str:
        """What it was trained on, in words for logs; empty: its checkpoint does not say."""
        return self.config.about

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.qwen.device

    @torch.inference_mode()
    def encode(self, image: np.ndarray, *, blind: bool = False, on_stage: OnStage = go_on) -> SeenPicture:
        """Look at an (H, W, 3) uint8 RGB picture; SAM's encoder runs beside. See `Answerer.encode`."""
        started = time.perf_counter()
        use_threads(self._num_threads)
        on_stage()
        sam = self._background.submit(lambda: self.sam.encode(image))
        self._on_stage = on_stage
        try:
            look = self.qwen.look(np.full_like(image, _GRAY) if blind else image)
        finally:
            self._on_stage = go_on
        on_stage()
        return SeenPicture(
            key=picture_key(image, blind=blind),
            look=look,
            sam=sam,
            height_px=image.shape[0],
            width_px=image.shape[1],
            encode_ms=ms_since(started),
            num_bytes=look.num_bytes + self.sam.num_bytes,
        )

    def new_prefix(self) -> PrefixCache:
        """What `answer` keeps of a dialogue for its next turn; empty as yet."""
        return PrefixCache(self.qwen)

    @torch.inference_mode()
    def answer(
        self, encoded: SeenPicture, turns: Sequence[Turn], text: str, on_text: OnText | None = None,
        max_new_tokens: int | None = None, *, on_segment: OnSegment | None = None, prefix: PrefixCache | None = None,
        max_history_tokens: int | None = None, on_stage: OnStage = go_on, point: Point | None = None,
    ) -> Reply:  # fmt: skip
        """Answer the user's next words. See `Answerer.answer`; the latencies are those of `Engine.answer`."""
        started = time.perf_counter()
        use_threads(self._num_threads)
        most = max_new_tokens or self.config.max_answer_tokens
        scale = self._scale(encoded)
        pairs = [(_pointing(turn.text, turn.point, scale), turn.answer) for turn in turns]
        prompt = self._prompt(encoded, pairs, _pointing(text, point, scale), most, max_history_tokens)
        growing = GrowingAnswer(is_cut_off=True)
        cutter = _Cutter(self.sam, scale, encoded, self.config, on_segment, point)
        decoding = DecodeStream(skip_special_tokens=True)
        prefill_ms = 0.0
        try:
            for token, probability in self._generate(prompt, encoded, prefix or self.new_prefix(), most, on_stage):
                prefill_ms = prefill_ms or ms_since(started)
                if token == self.chat.end_id:
                    growing.is_cut_off = False
                    break
                growing.raw += decoding.step(self.chat.tokenizer, token) or ""
                cutter.sure(probability)
                cutter.cut(growing.named())
                if on_text is not None:
                    on_text(growing.say)
                if growing.is_whole:
                    break
            said, kept = growing.result()
            segments = cutter.all(said) if said.status == Status.GROUNDED else []
        except AnswerError as error:
            raise AnswerError(f"{error}; {growing.quoted()}") from error
        latency = latencies(encoded.encode_ms, prefill_ms, cutter.cutting_ms, ms_since(started))
        return _reply(said, kept, segments, latency)

    @torch.inference_mode()
    def box_mask(self, encoded: SeenPicture, box: tuple[int, int, int, int]) -> np.ndarray:
        """(H, W) bool, what SAM cuts out of a box; see `Answerer.box_mask`."""
        return self.sam.cut(encoded.sam.result(), Prompt(box, None), encoded.width_px, encoded.height_px)[0]

    def history_answer(self, value: str, status: Status) -> str:
        """A data set's answer, with its `[OBJ]` and `[SEG]`, as the JSON that a dialogue remembers; without boxes."""
        parsed = parse(value)
        phrases = [Named(phrase=parsed.text[one.start : one.end]) for one in parsed.phrases]
        shown = None if status in (Status.ANSWERED, Status.CLARIFY) else phrases
        return remembered(Said(say=parsed.text, ask=status == Status.CLARIFY, objects=shown))

    def check_answer_length(self, max_new_tokens: int | None) -> None:
        """Find out whether answers of that length leave room for an instruction.

        Raises:
            ConfigError: They do not.
        """
        room = self.config.max_context_tokens - len(self.chat.prompt(0, (), ""))
        if max_new_tokens is not None and max_new_tokens >= room:
            raise ConfigError(f"max_new_tokens must be less than {room}, got {max_new_tokens}")

    def _prompt(
        self, encoded: SeenPicture, pairs: Sequence[tuple[str, str]], text: str, most: int,
        max_history_tokens: int | None,
    ) -> list[int]:  # fmt: skip
        places = encoded.look.tokens.shape[0]
        fixed = len(self.chat.prompt(places, (), text))
        budget = self.config.max_context_tokens - most - fixed
        if budget < 0:
            raise BadInputError(
                f"the instruction is too long: with the picture it takes {fixed} tokens of a context of "
                f"{self.config.max_context_tokens}, and {most} are kept for the answer; say it shorter, or lower "
                "max_new_tokens or max_pixels of the checkpoint"
            )
        lengths = [self.chat.turn_length(*pair) for pair in pairs]
        kept = turns_that_fit(lengths, budget if max_history_tokens is None else min(budget, max_history_tokens))
        return self.chat.prompt(places, pairs[len(pairs) - kept :], text)

    def _generate(
        self, prompt: list[int], encoded: SeenPicture, prefix: PrefixCache, most: int, on_stage: OnStage
    ) -> Iterator[tuple[int, float]]:
        """Greedy decoding without end: each token with its probability."""
        picture_id, look = self.chat.picture_id, encoded.look
        symbols: list[Symbol] = [
            (encoded.key, place) if token == picture_id else token for place, token in enumerate(prompt)
        ]
        kept = prefix.reuse(symbols)
        positions = self.qwen.positions(prompt, picture_id, look)
        for begin in range(kept, len(prompt), _READ_AT_ONCE):
            on_stage()
            part, seen = slice(begin, begin + _READ_AT_ONCE), prompt[:begin].count(picture_id)
            piece = self.qwen.piece(prompt[part], picture_id, look, seen, positions[..., part])
            hidden = prefix.extend(symbols[part], piece)
        following = positions[..., -1:].amax(dim=0, keepdim=True).expand(3, -1, -1)
        for left in reversed(range(most)):
            token, probability = self.choose(self.qwen.logits(hidden))
            yield token, probability
            if left:
                following = following + 1
                hidden = prefix.extend([token], self.qwen.piece([token], picture_id, look, 0, following))

    def _greedy(self, logits: torch.Tensor) -> tuple[int, float]:
        logits = logits[: self.chat.num_tokens]
        logits[self.chat.unspeakable] = float("-inf")
        probabilities = logits.softmax(dim=0)
        token = int(probabilities.argmax())
        return token, float(probabilities[token])

    def _scale(self, encoded: SeenPicture) -> Scale:
        if self.qwen.uses_thousandths:
            return Scale.of_thousandths(encoded.width_px, encoded.height_px)
        return Scale.of_shown_pixels(encoded.look.shown, encoded.width_px, encoded.height_px)


class _Cutter:
    """Cuts the mask of each thing as soon as its JSON is complete."""

    def __init__(
        self, sam: PromptedSam, scale: Scale, encoded: SeenPicture, config: VlmConfig, on_segment: OnSegment | None,
        point: Point | None,
    ) -> None:  # fmt: skip
        self.cutting_ms = 0.0
        self._sam, self._scale, self._encoded, self._config = sam, scale, encoded, config
        self._on_segment, self._point = on_segment, point
        self._segments: list[Segment] = []
        self._log_probability = 0.0  # of the words since the last thing was complete

    def sure(self, probability: float) -> None:
        """Count the probability of one more token."""
        self._log_probability += math.log(max(probability, 1e-9))

    def cut(self, named: Sequence[dict[str, Any]]) -> None:
        """Cut what has been completed since the last call."""
        for one in named[len(self._segments) :]:
            try:
                self._cut(Named.model_validate(one))
            except ValidationError as error:
                raise AnswerError(f"a thing is named wrongly: {error.errors()[0]['msg']}") from error

    def all(self, said: Said) -> list[Segment]:
        """The masks of a whole answer."""
        for named in (said.objects or [])[len(self._segments) :]:
            self._cut(named)
        return self._segments

    def _cut(self, named: Named) -> None:
        started = time.perf_counter()
        prompt = self._scale.prompt(named)
        if self._point is not None:
            prompt = prompt.at(self._point)
        seen = self._encoded
        mask, quality = self._sam.cut(seen.sam.result(), prompt, seen.width_px, seen.height_px)
        certainty = math.exp(self._log_probability)
        self._log_probability = 0.0
        self._segments.append(
            Segment(named.phrase, mask, mask_score(self._config.score, quality, certainty), quality, certainty)
        )
        self.cutting_ms += ms_since(started)
        if self._on_segment is not None:
            self._on_segment(self._segments[-1])


def _pointing(text: str, point: Point | None, scale: Scale) -> str:
    """The user's words with where they point, as `prompt.txt` tells the model."""
    return text if point is None else f"{text} (pointing at {scale.told(point)})"


def _reply(said: Said, kept: str, segments: Sequence[Segment], latency: dict[str, float]) -> Reply:
    text = said.text
    if not text:  # nothing but boxes
        text = ", ".join(segment.phrase for segment in segments if segment.phrase) or "This."
    status, message = ending(said.status, segments)
    phrases = phrase_ranges(text, [segment.phrase for segment in segments])
    return Reply(status, text, kept, tuple(segments), phrases, latency, message)

"""The network at work: a picture and a dialogue in, words and masks out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from pixelrs_ros.checkpoint import load_checkpoint, resolve
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.dialogue.budget import turns_that_fit
from pixelrs_ros.engine import familiarity
from pixelrs_ros.engine.answerer import OnSegment, OnStage, OnText, go_on
from pixelrs_ros.engine.backends import ONNX, TORCH, Backend, check_export
from pixelrs_ros.engine.background import Background, default_num_threads, use_threads
from pixelrs_ros.engine.choice import TokenChoice, mask_score
from pixelrs_ros.engine.ending import ending, latencies, ms_since
from pixelrs_ros.engine.frames import EncodedFrame, picture_key
from pixelrs_ros.engine.prefix import PrefixCache, Symbol
from pixelrs_ros.errors import BadInputError, ConfigError
from pixelrs_ros.images import encoder_images, masks_to_image, one_thing, spot, to_pixels, tokens_of
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.stream import AnswerStream
from pixelrs_ros.types import POINTING, Point, Reply, Segment, Status, Turn

_NAMING_TOKENS = 32  # in which what is pointed at must have been named

Choose = Callable[..., tuple[int, float]]  # see `TokenChoice`


class Engine:
    """A loaded MIRAS.

    Attributes:
        miras: The network.
        config: Its sizes.
        layout: Its tokens' places.
        language: Runs the language model, as the backend has it.
        choose: Gives the next token and its probability, see `TokenChoice`; may be replaced, to force words.
        backend: What the network runs on, in words for logs.
    """

    def __init__(
        self, miras: Miras, config: MirasConfig, tokenizer: Tokenizer, backend: Backend = TORCH,
        familiar: familiarity.Familiarity | None = None,
    ) -> None:  # fmt: skip
        """Take over a network.

        Args:
            miras: Changed in place, as the backend needs it.
            config: Its sizes.
            tokenizer: Its words.
            backend: What runs it.
            familiar: Which pictures it is used to; None: that is not known.

        Raises:
            ConfigError: The backend cannot run it.
        """
        self.miras = miras
        self.config = config
        self._familiar = familiar
        self.layout = ChatLayout(tokenizer, config.clip.num_patches, config.text, config.reader)
        self.num_threads = torch.get_num_threads()
        self.device = next(miras.parameters()).device
        self.language, self.backend = backend.prepare(miras, config, self.device, self.num_threads)
        self.dtype = next(miras.parameters()).dtype
        self._background = Background(self.device, self.num_threads)
        self._choice = TokenChoice(self.layout, self.device)
        self.choose: Choose = self._choice
        self._on_stage: OnStage = go_on
        for encoder in (miras.convnext, miras.clip):
            for block in _blocks(encoder) if encoder is not None else ():
                block.register_forward_pre_hook(lambda *_: self._on_stage())

    @classmethod
    def from_checkpoint(
        cls, checkpoint: str | Path, device: str = "cpu", num_threads: int | None = None, *, backend: str = "torch",
        precision: str = "auto", language_weights: str = "full", onnx_dir: str | Path | None = None,
    ) -> Engine:  # fmt: skip
        """Load a checkpoint.

        Args:
            checkpoint: Folder, or the name of one that ships with the package.
            device: A torch device.
            num_threads: CPU threads of the words and of SAM's image encoder each; None takes half of the CPUs.
            backend: torch, torch_compiled or onnx.
            precision: auto, fp32, fp16 or bf16.
            language_weights: full, int8 or int4.
            onnx_dir: Where `pixelrs export` wrote; None: `onnx` in the checkpoint's folder.

        Raises:
            CheckpointError: The checkpoint or the device cannot be used; the message says why.
            ConfigError: The checkpoint's configuration is wrong, or the backend cannot run it.
        """
        torch.set_num_threads(num_threads or default_num_threads())
        folder = resolve(checkpoint)
        chosen = Backend(backend, precision, language_weights, Path(onnx_dir or folder / ONNX))
        if backend == "onnx":
            check_export(chosen.onnx_dir or folder, folder)
        loaded = load_checkpoint(folder, device, None if precision == "auto" else precision)
        hidden_size = loaded[0].language.config.hidden_size
        return cls(*loaded, chosen, familiarity.load(folder, hidden_size))

    @property
    def about(self) -> str:
        """What it was trained on, in words for logs; empty: its checkpoint does not say."""
        return self.config.about

    @torch.inference_mode()
    def encode(self, image: np.ndarray, *, blind: bool = False, on_stage: OnStage = go_on) -> EncodedFrame:
        """Run the image encoders, SAM's in the background: it is waited for when a mask is decoded.

        Args:
            image: (H, W, 3) uint8 RGB in [0, 255].
            blind: The language model's encoders see plain gray, SAM the image: the control for words without sight.
            on_stage: Called between the stages: scaling, each block of the encoders that the words wait for. What it
                raises ends the work, so that a cancelled turn takes no longer than the longest block; what SAM has
                begun runs on unheard. An exported encoder is one block.
        """
        started = time.perf_counter()
        use_threads(self.num_threads)
        pixels = to_pixels(encoder_images(image, self.config, blind=blind), self.config)
        on_stage()
        sam = self._background.submit(lambda: self.miras.sam.encode(pixels.sam.to(self.device, self.dtype)))
        clip = pixels.clip.to(self.device, self.dtype)
        convnext = None if pixels.convnext is None else pixels.convnext.to(self.device, self.dtype)
        self._on_stage = on_stage
        try:
            tokens, detail = self.miras.look(clip, convnext)
        finally:
            self._on_stage = go_on
        on_stage()
        values = tokens.numel() + self.config.sam.prompt_dim * self.config.sam.grid_size**2
        return EncodedFrame(
            key=picture_key(image, blind=blind),
            image_tokens=tokens,
            sam=sam,
            detail=detail,
            height_px=image.shape[0],
            width_px=image.shape[1],
            encode_ms=ms_since(started),
            num_bytes=values * tokens.element_size(),
            novelty=0.0 if self._familiar is None else self._familiar.novelty(tokens),
        )

    def new_prefix(self) -> PrefixCache:
        """What `answer` keeps of a dialogue for its next turn; empty as yet."""
        return PrefixCache(self.language, keeps_states=self.config.seg_state_back > 0)

    @torch.inference_mode()
    def answer(
        self, encoded: EncodedFrame, turns: Sequence[Turn], text: str, on_text: OnText | None = None,
        max_new_tokens: int | None = None, *, on_segment: OnSegment | None = None, prefix: PrefixCache | None = None,
        max_history_tokens: int | None = None, on_stage: OnStage = go_on, point: Point | None = None,
    ) -> Reply:  # fmt: skip
        """Answer the user's next words.

        Args:
            encoded: The picture.
            turns: The dialogue so far, oldest first; the oldest are left out where the context is too small.
            text: The user's words.
            on_text: Called with the clean explanation as far as it is generated, after every token.
            max_new_tokens: Longest answer; None takes the configuration's.
            on_segment: Called with every mask as soon as its `[SEG]` is generated, while the answer goes on.
            prefix: This dialogue's, from `new_prefix`: only what it lacks is computed. None computes everything. The
                reply is the same.
            max_history_tokens: Most tokens of the turns so far; None gives them what the context leaves.
            on_stage: Called before the prompt is read.
            point: Where in the picture the user points; None: nowhere. What is there is named first, in a turn that
                nobody hears, and the words are answered over a picture that shows nothing else.

        Returns:
            The reply; its latencies are "encode" (of the picture), "prefill", "generate", "masks" and "total".

        Raises:
            BadInputError: The words alone do not fit into the context.
        """
        started = time.perf_counter()
        use_threads(self.num_threads)
        max_new_tokens = max_new_tokens or self.config.text.max_answer_tokens
        choose, shown = self.choose, tuple[Turn, ...]()
        if point is not None:
            encoded, shown = self._point_out(encoded, point, on_stage)
            prefix = None  # the dialogue's own is of the whole picture
            choose = choose if shown else self._choice.refusing
        prompt = self._prompt(turns, text, max_new_tokens, max_history_tokens, shown)
        on_stage()
        prefix = prefix or self.new_prefix()
        stream = AnswerStream(self.layout)
        said: list[int] = []
        segments: list[Segment] = []
        prefill_ms = masks_ms = 0.0
        certainty = 1.0  # of the words since the phrase began
        for token, hidden, probability in self._generate(prompt, encoded, prefix, max_new_tokens, choose):
            prefill_ms = prefill_ms or ms_since(started)
            said.append(token)
            stream.push(token)
            certainty = 1.0 if token == self.layout.obj_id else certainty * probability
            if token == self.layout.seg_id:
                decoding = time.perf_counter()
                parsed = stream.parsed()
                phrase = parsed.phrases[-1]
                segments.append(self._segment(encoded, hidden, parsed.text[phrase.start : phrase.end], certainty))
                masks_ms += ms_since(decoding)
                if on_segment is not None:
                    on_segment(segments[-1])
            if on_text is not None:
                on_text(stream.parsed().text)
        latency = latencies(encoded.encode_ms, prefill_ms, masks_ms, ms_since(started))
        return self._reply(said, segments, latency, encoded.novelty)

    def recite(self, encoded: EncodedFrame, turns: Sequence[Turn], text: str, answer: str) -> Reply:
        """Say what one is told to say: what masks do the right words come with?

        Args:
            encoded: The picture.
            turns: The dialogue so far.
            text: The user's words.
            answer: With its special tokens, as `Turn.answer` keeps it.

        Raises:
            BadInputError: See `answer`.
        """
        script = self.layout.answer(answer)
        told = iter(script)
        own = self.choose
        self.choose = lambda logits, first: (next(told), 1.0)
        try:
            return self.answer(encoded, turns, text, max_new_tokens=len(script))
        finally:
            self.choose = own

    @torch.inference_mode()
    def box_mask(self, encoded: EncodedFrame, box: tuple[int, int, int, int]) -> np.ndarray:
        """(H, W) bool, what SAM cuts out of a box in pixels of the picture; see `Answerer.box_mask`."""
        scale = self.config.sam.image_size_px / max(encoded.height_px, encoded.width_px)
        boxes = torch.tensor([box], dtype=torch.float32, device=self.device) * scale
        prompts, _ = self.miras.sam.prompt_encoder(points=None, boxes=boxes, masks=None)
        return self._cut(encoded, prompts.to(self.dtype))[0].gt(0).cpu().numpy()

    def _reply(
        self, said: Sequence[int], segments: Sequence[Segment], latency: dict[str, float], novelty: float
    ) -> Reply:
        answer = self.layout.decode_answer(said)
        parsed = self.layout.parse(answer)
        status, message = ending(parsed.status, segments)
        return Reply(status, parsed.text, answer, tuple(segments), parsed.phrases, latency, message, novelty)

    def history_answer(self, value: str, status: Status) -> str:
        """A data set's answer in the form that `Turn.answer` keeps."""
        return self.layout.history_answer(value, status)

    def check_answer_length(self, max_new_tokens: int | None) -> None:
        """Find out whether answers of that length leave room for an instruction.

        Raises:
            ConfigError: They do not.
        """
        room = self.config.text.max_context_tokens - len(self.layout.prompt([], ""))
        if max_new_tokens is not None and max_new_tokens >= room:
            raise ConfigError(
                f"max_new_tokens must be less than {room}, what the picture leaves of the checkpoint's context of "
                f"{self.config.text.max_context_tokens} tokens, got {max_new_tokens}"
            )

    def _point_out(
        self, encoded: EncodedFrame, point: Point, on_stage: OnStage
    ) -> tuple[EncodedFrame, tuple[Turn, ...]]:
        """Look where the user points.

        Returns:
            The picture as far as it shows what is there, and a turn in which the network has named that: none where
            what it names lies elsewhere, so that there is nothing to point at.
        """
        here = spot(point, (encoded.height_px, encoded.width_px), self.config)
        near = self._looking_at(encoded, here)
        said: list[int] = []
        mask = np.zeros_like(here)

        def choose(logits: torch.Tensor, *, first: bool) -> tuple[int, float]:
            del first  # it has no choice but to name something
            return self._choice(logits, first=False) if mask.any() else self._choice.naming(logits)

        prompt = self._prompt((), POINTING, _NAMING_TOKENS, None)
        for token, hidden, _ in self._generate(prompt, near, self.new_prefix(), _NAMING_TOKENS, choose):
            on_stage()
            said.append(token)
            if token == self.layout.seg_id and not mask.any():
                mask = self._segment(near, hidden, "", 1.0).mask
        if not mask[int(point[1]), int(point[0])]:
            return near, ()
        named = Turn(0, POINTING, self.layout.decode_answer(said), Status.GROUNDED)
        return self._looking_at(encoded, here | mask), (named,)

    def _looking_at(self, encoded: EncodedFrame, mask: np.ndarray) -> EncodedFrame:
        """A picture of which the language model sees an (H, W) bool mask and nothing else."""
        seen = tokens_of(mask, self.config)
        tokens = self.miras.only(encoded.image_tokens, seen.to(self.device))
        return replace(encoded, key=encoded.key + seen.numpy().tobytes(), image_tokens=tokens)

    def _prompt(
        self, turns: Sequence[Turn], text: str, max_new_tokens: int, max_history_tokens: int | None,
        shown: Sequence[Turn] = (),
    ) -> list[int]:  # fmt: skip
        last = [(turn.text, turn.answer) for turn in shown]
        fixed = len(self.layout.prompt(last, text))
        limit = self.config.text.max_context_tokens
        budget = limit - max_new_tokens - fixed
        if budget < 0:
            raise BadInputError(
                f"the instruction is too long: {fixed} tokens of a context of {limit}; say it shorter"
                f" (max_new_tokens keeps {max_new_tokens} for the answer)"
            )
        pairs = [(turn.text, turn.answer) for turn in turns]
        lengths = [len(self.layout.user(user, first=False)) + len(self.layout.answer(answer)) for user, answer in pairs]
        kept = turns_that_fit(lengths, budget if max_history_tokens is None else min(budget, max_history_tokens))
        return self.layout.prompt([*pairs[len(pairs) - kept :], *last], text)

    def _generate(
        self, prompt: list[int], encoded: EncodedFrame, prefix: PrefixCache, max_new_tokens: int, choose: Choose
    ) -> Iterator[tuple[int, torch.Tensor, float]]:
        """Greedy decoding: each token with the (1, H) hidden state for its mask, and its probability.

        That state is the one that predicted the token, or lies `seg_state_back` positions before it.
        """
        back = self.config.seg_state_back
        symbols = self._symbols(prompt, encoded)
        kept = prefix.reuse(symbols)
        new = torch.tensor([prompt[kept:]], device=self.device)
        seen = sum(token == self.layout.image_id for token in prompt[:kept])
        embeddings = self.miras.embed(new, encoded.image_tokens[:, seen:], new == self.layout.image_id)
        hidden = prefix.extend(symbols[kept:], embeddings)
        for left in reversed(range(max_new_tokens)):
            token, probability = choose(self.logits(hidden), first=left == max_new_tokens - 1)
            if token == self.layout.eos_id:
                return
            yield token, prefix.state_before(back) if back else hidden, probability
            if left:
                ids = torch.tensor([[token]], device=self.device)
                hidden = prefix.extend([token], self.miras.language.get_input_embeddings()(ids))

    def _symbols(self, prompt: Sequence[int], encoded: EncodedFrame) -> list[Symbol]:
        """The prompt with the picture's identity in the places of its tokens."""
        symbols: list[Symbol] = []
        for token in prompt:
            symbols.append((encoded.key, len(symbols)) if token == self.layout.image_id else token)
        if self.miras.reader is not None:  # which reads both ways: a word is another one in another utterance
            for start, run in self.layout.user_runs(prompt):
                whole = repr(run).encode()
                symbols[start : start + len(run)] = [(whole, place) for place in range(len(run))]
        return symbols

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(V,) float, from the (1, H) hidden state that predicts the next token."""
        logits: torch.Tensor = self.miras.language.get_output_embeddings()(hidden)[0]
        return logits

    def _segment(self, encoded: EncodedFrame, hidden: torch.Tensor, phrase: str, certainty: float) -> Segment:
        """The mask of a `[SEG]`, from the (1, H) hidden state that predicted it, and the phrase's probability."""
        logits, estimate = self.mask_logits(encoded, hidden)
        quality = float(estimate.clamp(0.0, 1.0))
        score = familiarity.lowered(mask_score(self.config.score, quality, certainty), encoded.novelty)
        return Segment(phrase, one_thing((logits > 0).cpu().numpy()), score, quality, certainty)

    def mask_logits(self, encoded: EncodedFrame, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(H, W) float32 at the picture's size and the mask's estimated IoU, a float32 scalar."""
        return self._cut(encoded, self.miras.prompts(hidden, encoded.image_tokens))

    def _cut(self, encoded: EncodedFrame, prompts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        index = torch.zeros(1, dtype=torch.long, device=self.device)
        logits, quality = self.miras.sam.decode(encoded.sam_embedding, prompts, index)
        logits = masks_to_image(logits.float(), encoded.height_px, encoded.width_px, self.config)[0]
        return logits, quality[0, 0].float()


def _blocks(encoder: nn.Module) -> Iterator[nn.Module]:
    """The modules that an encoder runs one after another, at whatever depth they are listed."""
    for module in encoder.modules():
        if isinstance(module, nn.ModuleList | nn.Sequential):
            yield from module

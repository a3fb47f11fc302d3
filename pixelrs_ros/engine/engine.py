"""The network at work: a picture and a dialogue in, words and masks out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import DynamicCache

from pixelrs_ros.checkpoint import load_checkpoint
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.dialogue.budget import turns_that_fit
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.images import encoder_images, masks_to_image, to_pixels
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.types import Reply, Segment, Status, Turn

OnText = Callable[[str], None]


@dataclass(frozen=True)
class EncodedFrame:
    """What the network keeps of one picture.

    Attributes:
        image_tokens: (1, P, H) for the language model.
        sam_embedding: (1, C, h, w) for the mask decoder.
        height_px: Of the picture.
        width_px: Of the picture.
        encode_ms: What encoding it took.
    """

    image_tokens: torch.Tensor
    sam_embedding: torch.Tensor
    height_px: int
    width_px: int
    encode_ms: float


@dataclass
class _Generated:
    ids: list[int] = field(default_factory=list)
    seg_hidden: list[torch.Tensor] = field(default_factory=list)
    prefill_ms: float = 0.0
    generate_ms: float = 0.0


class Engine:
    """A loaded MIRAS."""

    def __init__(self, miras: Miras, config: MirasConfig, tokenizer: Tokenizer) -> None:
        self.miras = miras
        self.config = config
        self.layout = ChatLayout(tokenizer, config.clip.num_patches, lowercase_user=config.text.lowercase_user)
        parameter = next(miras.parameters())
        self.device, self.dtype = parameter.device, parameter.dtype
        speakable = torch.ones(self.layout.vocab_size, dtype=torch.bool)
        speakable[self.layout.unspeakable_ids] = False
        self._forbidden = (~speakable).to(self.device)

    @classmethod
    def from_checkpoint(cls, checkpoint: str | Path, device: str = "cpu", num_threads: int | None = None) -> Engine:
        """Load a checkpoint.

        Args:
            checkpoint: Folder, or the name of one that ships with the package.
            device: A torch device.
            num_threads: CPU threads of this process; None leaves torch's choice.

        Raises:
            CheckpointError: The checkpoint or the device cannot be used; the message says why.
            ConfigError: The checkpoint's configuration is wrong.
        """
        if num_threads is not None:
            torch.set_num_threads(num_threads)
        return cls(*load_checkpoint(checkpoint, device))

    @torch.inference_mode()
    def encode(self, image: np.ndarray, *, blind: bool = False) -> EncodedFrame:
        """Run the three image encoders.

        Args:
            image: (H, W, 3) uint8 RGB in [0, 255].
            blind: The language model's encoders see plain grey, SAM the image: the control for words without sight.
        """
        started = time.perf_counter()
        pixels = to_pixels(encoder_images(image, self.config, blind=blind), self.config)
        clip, convnext, sam = (x.to(self.device, self.dtype) for x in (pixels.clip, pixels.convnext, pixels.sam))
        image_tokens = self.miras.encode_image(clip, convnext)
        sam_embedding = self.miras.sam.encode(sam)
        return EncodedFrame(image_tokens, sam_embedding, image.shape[0], image.shape[1], _ms_since(started))

    @torch.inference_mode()
    def answer(
        self, encoded: EncodedFrame, turns: Sequence[Turn], text: str, on_text: OnText | None = None,
        max_new_tokens: int | None = None,
    ) -> Reply:  # fmt: skip
        """Answer the user's next words.

        Args:
            encoded: The picture.
            turns: The dialogue so far, oldest first; the oldest are left out where the context is too small.
            text: The user's words.
            on_text: Called with the clean explanation as far as it is generated, after every token.
            max_new_tokens: Of the answer; None takes the configuration's.

        Returns:
            The reply; its latencies are "encode" (of the picture), "prefill", "generate", "masks" and "total".

        Raises:
            BadInputError: The words alone do not fit into the context.
        """
        started = time.perf_counter()
        prompt = self._prompt(turns, text)
        generated = self._generate(prompt, encoded, on_text, max_new_tokens or self.config.text.max_answer_tokens)
        answer = self.layout.decode_answer(generated.ids)
        parsed = self.layout.parse(answer)
        decoding = time.perf_counter()
        masks, scores = self._masks(encoded, generated.seg_hidden)
        segments = tuple(
            Segment(parsed.text[phrase.start : phrase.end], mask, score)
            for phrase, mask, score in zip(parsed.phrases, masks, scores, strict=True)
        )
        status, message = parsed.status, ""
        if segments and not any(segment.mask.any() for segment in segments):
            status, message = Status.NOT_FOUND, "the network named a target but its mask is empty"
        latency = {
            "encode": encoded.encode_ms,
            "prefill": generated.prefill_ms,
            "generate": generated.generate_ms,
            "masks": _ms_since(decoding),
            "total": encoded.encode_ms + _ms_since(started),
        }
        return Reply(status, parsed.text, answer, segments, parsed.phrases, latency, message)

    def history_answer(self, value: str, status: Status) -> str:
        """A data set's answer in the form that `Turn.answer` keeps."""
        return self.layout.history_answer(value, status)

    def _prompt(self, turns: Sequence[Turn], text: str) -> list[int]:
        fixed = len(self.layout.prompt([], text))
        budget = self.config.text.max_context_tokens - self.config.text.max_answer_tokens - fixed
        if budget < 0:
            limit = self.config.text.max_context_tokens
            raise BadInputError(f"the instruction is too long: {fixed} tokens of a context of {limit}; say it shorter")
        pairs = [(turn.text, turn.answer) for turn in turns]
        lengths = [len(self.layout.user(user, first=False)) + len(self.layout.answer(answer)) for user, answer in pairs]
        kept = turns_that_fit(lengths, budget)
        return self.layout.prompt(pairs[len(pairs) - kept :], text)

    def _generate(
        self, prompt: list[int], encoded: EncodedFrame, on_text: OnText | None, max_new_tokens: int
    ) -> _Generated:
        """Greedy decoding with a key-value cache, keeping the hidden state that predicted each `[SEG]`."""
        generated = _Generated()
        started = time.perf_counter()
        ids = torch.tensor([prompt], device=self.device)
        embeddings = self.miras.embed(ids, encoded.image_tokens, ids == self.layout.image_id)
        language = self.miras.language
        cache = DynamicCache(config=language.config)
        for step in range(max_new_tokens):
            output = language.base_model(inputs_embeds=embeddings, past_key_values=cache, use_cache=True)
            hidden = output.last_hidden_state[:, -1]
            logits = language.get_output_embeddings()(hidden)[0].masked_fill(self._forbidden, float("-inf"))
            token = int(logits.argmax())
            if step == 0:
                generated.prefill_ms = _ms_since(started)
            if token == self.layout.eos_id:
                break
            generated.ids.append(token)
            if token == self.layout.seg_id:
                generated.seg_hidden.append(hidden)
            if on_text is not None:
                on_text(self.layout.parse(self.layout.decode_answer(generated.ids)).text)
            embeddings = language.get_input_embeddings()(torch.tensor([[token]], device=self.device))
        generated.generate_ms = _ms_since(started) - generated.prefill_ms
        return generated

    def _masks(self, encoded: EncodedFrame, seg_hidden: list[torch.Tensor]) -> tuple[list[np.ndarray], list[float]]:
        if not seg_hidden:
            return [], []
        prompts = self.miras.prompts(torch.cat(seg_hidden))
        index = torch.zeros(len(prompts), dtype=torch.long, device=self.device)
        logits, quality = self.miras.sam.decode(encoded.sam_embedding, prompts, index)
        masks = masks_to_image(logits.float(), encoded.height_px, encoded.width_px, self.config) > 0
        scores = quality[:, 0].float().clamp(0.0, 1.0).tolist()
        return [mask.cpu().numpy() for mask in masks], scores


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0

"""The one place for every size of the network: nested frozen dataclasses, read from YAML, every field concrete."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.settings import load_config

# "stretch": the whole picture, its sides stretched; "center": as in the published code, the square in the middle;
# "pad": the whole picture in its own proportions, the rest of the square empty, as SAM has it: all encoders agree;
# "clip": the square in the middle as transformers' CLIPImageProcessor makes it, for networks with CLIP alone.
FRAMINGS = ("stretch", "center", "pad", "clip")
# High-resolution encoders, and how many of their stages are put on one grid.
ARCHITECTURES = {"convnext": 4, "efficientnet_lite0": 3}
PRESETS_DIR = Path(__file__).parent / "presets"
# What transformers divides by, or allocates, without a look at it.
_LANGUAGE_SIZES = {
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
    "head_dim", "max_position_embeddings",
}  # fmt: skip


@dataclass(frozen=True)
class ClipConfig:
    """Low-resolution encoder, a CLIP vision transformer; `select_layer` indexes its hidden states (-2: penultimate)."""

    image_size_px: int
    patch_size_px: int
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    select_layer: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        _check_numbers(self, "clip", unbounded=("select_layer", "mean"))
        _check_colors(self.mean, self.std, "clip")
        _check(self.image_size_px % self.patch_size_px == 0, "clip.image_size_px must be a multiple of patch_size_px")
        _check(self.hidden_size % self.num_heads == 0, "clip.hidden_size must be a multiple of num_heads")
        _check(-self.num_layers - 1 <= self.select_layer <= -1, "clip.select_layer must lie in [-num_layers-1, -1]")

    @property
    def grid_size(self) -> int:
        """Patches along one side."""
        return self.image_size_px // self.patch_size_px

    @property
    def num_patches(self) -> int:
        """Patch tokens of one image."""
        return self.grid_size**2


@dataclass(frozen=True)
class ConvNextConfig:
    """High-resolution encoder, whose stages are resized to one grid and concatenated.

    Attributes:
        image_size_px: Side of the square that it is shown.
        depths: Blocks of each stage; empty for an architecture whose blocks are fixed.
        hidden_sizes: Channels of each stage.
        grid_size: Cells along one side of the grid.
        mean: Means of red, green and blue, in [0, 1].
        std: Standard deviations of red, green and blue, in [0, 1].
        architecture: "convnext" as published, or "efficientnet_lite0", which has weights trained on photographs.
    """

    image_size_px: int
    depths: tuple[int, ...]
    hidden_sizes: tuple[int, ...]
    grid_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    architecture: str = "convnext"

    def __post_init__(self) -> None:
        _check_numbers(self, "convnext", unbounded=("mean",))
        _check_colors(self.mean, self.std, "convnext")
        known = ", ".join(ARCHITECTURES)
        _check(self.architecture in ARCHITECTURES, f"convnext.architecture must be one of {known}")
        stages = ARCHITECTURES[self.architecture]
        depths = stages if self.architecture == "convnext" else 0
        _check(
            len(self.depths) == depths and len(self.hidden_sizes) == stages,
            f"convnext.depths must have {depths} and hidden_sizes {stages} entries for {self.architecture}",
        )
        _check(self.image_size_px % 32 == 0, "convnext.image_size_px must be a multiple of 32")

    @property
    def out_channels(self) -> int:
        """Channels of the concatenated stages."""
        return sum(self.hidden_sizes)


@dataclass(frozen=True)
class LoraConfig:
    """Low-rank adapter (arXiv 2106.09685) of the language model's linear layers whose names end as `target_modules`."""

    r: int
    alpha: float
    dropout: float
    target_modules: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_numbers(self, "", unbounded=("dropout",))
        _check(0 <= self.dropout < 1, f"dropout must lie in [0, 1), got {self.dropout}")
        _check(bool(self.target_modules), "target_modules must name at least one layer")


@dataclass(frozen=True)
class LanguageConfig:
    """Causal language model: any `model_type` of transformers with the arguments of its configuration class."""

    model_type: str
    arguments: dict[str, Any]

    def __post_init__(self) -> None:
        for name in _LANGUAGE_SIZES & self.arguments.keys():
            value = self.arguments[name]
            right = isinstance(value, int) and not isinstance(value, bool) and value > 0
            _check(right, f"language.arguments.{name} must be a whole number greater than 0, got {value!r}")

    def num_rows(self, num_tokens: int) -> int:
        """Rows of the embedding table: a row for each token, and where `vocab_size` asks for more, rows of none."""
        return max(num_tokens, int(self.arguments.get("vocab_size", 0)))


@dataclass(frozen=True)
class ReaderConfig:
    """A BERT that reads each utterance of the user in both directions before the language model does.

    Attributes:
        words: Name of its vocabulary, a file `text/<words>.txt` of the package with a word piece on each line.
        vocab_size: Word pieces in it.
        hidden_size: Channels of its layers.
        num_layers: How many.
        num_heads: Heads of each layer's attention.
        intermediate_size: Channels inside each layer's feed-forward network.
        max_tokens: Longest utterance that it reads as a whole; a longer one is read in pieces.
    """

    words: str
    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    max_tokens: int

    def __post_init__(self) -> None:
        _check_numbers(self, "reader")


@dataclass(frozen=True)
class SamConfig:
    """Segment Anything: image encoder, prompt encoder and mask decoder."""

    image_size_px: int
    patch_size_px: int
    embed_dim: int
    depth: int
    num_heads: int
    window_size: int
    global_attn_indexes: tuple[int, ...]
    use_rel_pos: bool
    prompt_dim: int
    mask_in_channels: int
    decoder_depth: int
    decoder_num_heads: int
    decoder_mlp_dim: int
    iou_head_hidden_dim: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_numbers(self, "sam", unbounded=("window_size", "global_attn_indexes", "mean"))
        _check_colors(self.mean, self.std, "sam")
        _check(self.window_size >= 0, f"sam.window_size must be 0 (no windows) or greater, got {self.window_size}")
        inside = all(0 <= index < self.depth for index in self.global_attn_indexes)
        _check(inside, f"sam.global_attn_indexes must lie in [0, depth-1], got {list(self.global_attn_indexes)}")
        _check(self.image_size_px % self.patch_size_px == 0, "sam.image_size_px must be a multiple of patch_size_px")
        _check(self.embed_dim % self.num_heads == 0, "sam.embed_dim must be a multiple of num_heads")
        _check(self.prompt_dim % (2 * self.decoder_num_heads) == 0, "sam.prompt_dim must be divisible by 2 heads")

    @property
    def grid_size(self) -> int:
        """Cells of the image embedding along one side."""
        return self.image_size_px // self.patch_size_px


@dataclass(frozen=True)
class ChatTemplate:
    """The words around the words: plain pieces that may spell special tokens.

    Attributes:
        start: What stands before the first user's words: begin of sequence, system words, the user's role and, where
            `<image>` is written, the picture.
        user: What stands before each later user's words, after the token that ended the answer.
        assistant: What stands between the user's words and the answer.
        end: The one special token that ends an answer.
        phrase_end: What stands between a phrase that `[OBJ]` began and its `[SEG]`: nothing or special tokens.
        before_seg: What else stands before each `[SEG]`: nothing or, where the network learned it so, a space.
        after_marker: What stands before the words after a marker where no space does otherwise: nothing or a space.
    """

    start: str
    user: str
    assistant: str
    end: str
    phrase_end: str = ""
    before_seg: str = ""
    after_marker: str = ""


@dataclass(frozen=True)
class TextConfig:
    """How dialogues are written; the tokens themselves live in the tokenizer.

    Attributes:
        lowercase_user: Whether the user's case is dropped.
        max_context_tokens: Most tokens of a dialogue, picture and answer included.
        max_answer_tokens: Longest answer.
        template: The words around the words.
        image_markers: Whether the picture stands between `<im_start>` and `<im_end>`.
        refusal: Regular expression; an answer without a mask in which it is found means "not found". Empty: none does,
            the network says `[NONE]`.
    """

    lowercase_user: bool
    max_context_tokens: int
    max_answer_tokens: int
    template: ChatTemplate
    image_markers: bool = True
    refusal: str = ""

    def __post_init__(self) -> None:
        _check_numbers(self, "text")
        try:
            re.compile(self.refusal)
        except re.error as error:
            raise ConfigError(f"text.refusal is no regular expression: {error}") from error


@dataclass(frozen=True)
class ScoreConfig:
    """How a mask's score follows from two of the network's own estimates; fitted by `pixelrs calibrate`.

    The log-odds of the score are `intercept + quality * logit(q) + certainty * log(p)`: q is the mask decoder's
    estimate of the IoU, p the probability of the words that name the target. The defaults make q itself the score.
    """

    intercept: float = 0.0
    quality: float = 1.0
    certainty: float = 0.0


@dataclass(frozen=True)
class MirasConfig:
    """A whole MIRAS network, or one of the LISA family, which is MIRAS without a high-resolution encoder.

    Attributes:
        convnext: The high-resolution encoder; None: there is none, and no fusion.
        fusion: Whether its features are mined for the language model's image tokens; without, they only go where
            `detail` brings them.
        projector_hidden_size: Channels between the two layers that bring image tokens to the language model; None: they
            are a single linear layer.
        framing: How `images` fits a picture into the encoders' squares.
        pointer: Whether image tokens are given a learned embedding of their place, and a `[SEG]` adds to its prompt the
            places, in SAM's encoding, of the image tokens that it points at.
        detail: Whether the high-resolution encoder's features are added to SAM's image embedding.
        reader: What reads the user's words; None: they are embedded like any others.
        seg_state_back: How many positions before the one that predicts `[SEG]` lies that whose hidden state becomes the
            mask decoder's prompt; 0 unless a network was trained otherwise.
        about: What the network has seen in its training, for people; empty: nobody says.
    """

    clip: ClipConfig
    convnext: ConvNextConfig | None
    projector_hidden_size: int | None
    language: LanguageConfig
    sam: SamConfig
    text: TextConfig
    score: ScoreConfig = ScoreConfig()
    framing: str = "stretch"
    pointer: bool = False
    detail: bool = False
    fusion: bool = True
    reader: ReaderConfig | None = None
    seg_state_back: int = 0
    about: str = ""

    def __post_init__(self) -> None:
        _check_numbers(self, "", unbounded=("seg_state_back",))
        _check(self.seg_state_back >= 0, f"seg_state_back must be 0 or greater, got {self.seg_state_back}")
        needed = self.clip.num_patches + self.text.max_answer_tokens
        _check(
            self.text.max_context_tokens > needed,
            f"text.max_context_tokens must be greater than the {needed} tokens of a picture and an answer, "
            f"got {self.text.max_context_tokens}",
        )
        positions = self.language.arguments.get("max_position_embeddings", self.text.max_context_tokens)
        _check(
            self.text.max_context_tokens <= positions,
            f"text.max_context_tokens must not exceed language.arguments.max_position_embeddings ({positions}), "
            f"got {self.text.max_context_tokens}",
        )
        _check(
            not self.pointer or self.framing not in ("center", "clip"),
            f"pointer needs framing pad or stretch: CLIP and SAM have to see the same picture, got {self.framing!r}",
        )
        _check(not self.detail or self.framing == "pad", f"detail needs framing pad, got {self.framing!r}")
        _check(self.framing in FRAMINGS, f"framing must be one of {', '.join(FRAMINGS)}, got {self.framing!r}")
        self._check_eyes()

    def require_high_resolution(self) -> ConvNextConfig:
        """The high-resolution encoder's sizes.

        Raises:
            ConfigError: There is none.
        """
        if self.convnext is None:
            raise ConfigError(_CLIP_ALONE)
        return self.convnext

    def _check_eyes(self) -> None:
        if self.convnext is None:
            _check(not self.detail, "detail needs a convnext, whose features it adds to SAM's")
            _check(self.framing != "center", "framing center needs a convnext; for CLIP alone it is framing clip")
            return
        _check(self.framing != "clip", "framing clip is for CLIP alone; with a convnext it is framing center")
        _check(self.fusion or self.detail, "without fusion and detail nothing would use the convnext")
        _check(
            self.convnext.grid_size % self.clip.grid_size == 0,
            f"convnext.grid_size must be a multiple of CLIP's grid ({self.clip.grid_size}; published: twice that), "
            f"got {self.convnext.grid_size}",
        )


_CLIP_ALONE = (
    "this network sees with CLIP alone, and only one with a high-resolution encoder (convnext) can be trained here; "
    "remedy: start from pixelrs assemble, or train it with its authors' code and import the result"
)


@dataclass(frozen=True)
class VlmConfig:
    """A vision-language model that names boxes, and a SAM 2 that cuts masks out of them, both as others published them.

    Attributes:
        kind: "vlm": tells such a checkpoint's `config.yaml` from a MIRAS's, which has no such key.
        language: The vision-language model's folder in transformers' format, relative to the checkpoint's.
        sam: The folder of SAM 2, or of SAM 3's tracker, likewise.
        prompt: What the model is told before the dialogue; empty: `engine/vlm/prompt.txt`.
        max_pixels: A larger picture is shown to the language model at so many pixels; SAM has a size of its own.
        max_context_tokens: Prompt and answer together.
        max_answer_tokens: Longest answer.
        score: How a mask's score follows.
        about: As in `MirasConfig`.
    """

    kind: Literal["vlm"]
    language: str = "vlm"
    sam: str = "sam"
    prompt: str = ""
    max_pixels: int = 1_003_520
    max_context_tokens: int = 4096
    max_answer_tokens: int = 512
    score: ScoreConfig = ScoreConfig()
    about: str = ""

    def __post_init__(self) -> None:
        _check_numbers(self, "")
        _check(
            self.max_answer_tokens < self.max_context_tokens,
            f"max_answer_tokens must be less than max_context_tokens ({self.max_context_tokens}), "
            f"got {self.max_answer_tokens}",
        )


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


def _check_numbers(config: Any, where: str, unbounded: tuple[str, ...] = ()) -> None:
    """Every number of a configuration is finite, and greater than 0 unless its field is `unbounded`."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, bool) or not isinstance(number, (int, float)):
                continue
            name = f"{where}.{field.name}".lstrip(".")
            _check(math.isfinite(number), f"{name} must be finite, got {number}")
            _check(number > 0 or field.name in unbounded, f"{name} must be greater than 0, got {number}")


def _check_colors(mean: tuple[float, ...], std: tuple[float, ...], where: str) -> None:
    _check(len(mean) == len(std) == 3, f"{where}.mean and std must have 3 entries: red, green, blue")


def load_preset(name: str) -> MirasConfig:
    """The shipped network configuration of that name, for example "nano"."""
    known = sorted(path.stem for path in PRESETS_DIR.glob("*.yaml"))
    if name not in known:
        raise ConfigError(f"unknown preset {name!r}; known: {', '.join(known)}")
    return load_config(MirasConfig, PRESETS_DIR / f"{name}.yaml")

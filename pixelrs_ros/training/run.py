"""`pixelrs train`: the phases in order, each resuming from its own checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from tokenizers import Tokenizer
from torch import nn

from pixelrs_ros.checkpoint import CONFIG, TOKENIZER, load_checkpoint, resolve, save_checkpoint
from pixelrs_ros.config import MirasConfig, load_config, load_preset, read_yaml
from pixelrs_ros.errors import ConfigError, DataError
from pixelrs_ros.images import clip_pixels, convnext_pixels
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.model.pretrained import pretrained_folder
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.tokenizer import adopt_tokenizer, load_tokenizer, train_tokenizer
from pixelrs_ros.training.cache import SplitArrays, load_split
from pixelrs_ros.training.config import PHASES, EngineConfig, RecipeConfig, TrainConfig
from pixelrs_ros.training.connect import ConnectPhase
from pixelrs_ros.training.dialogue import DialoguePhase, Talker, initialize_embeddings
from pixelrs_ros.training.joint import Joint, JointPhase
from pixelrs_ros.training.loop import Trainer, join_processes
from pixelrs_ros.training.masks import MaskBranch, MasksPhase
from pixelrs_ros.training.recipe import train_recipe
from pixelrs_ros.training.scenes import ScenesPhase
from pixelrs_ros.training.state import load_weights, state_path
from pixelrs_ros.training.towers import Towers, TowersPhase


class Run:
    """One training run: its data, its network and the phases that shape it."""

    def __init__(self, config: TrainConfig) -> None:
        torch.set_num_threads(config.threads)
        self.config = config
        self.out = Path(config.out)
        self.data = Path(config.data)
        self.out.mkdir(parents=True, exist_ok=True)
        self.miras_config = load_preset(config.preset)
        self.splits = {split: self._load(split) for split in ("train", "val")}
        tokenizer_path = self.out / TOKENIZER
        if not tokenizer_path.exists():
            self._make_tokenizer().save(str(tokenizer_path))
        self.tokenizer = load_tokenizer(tokenizer_path)
        self.layout = ChatLayout(self.tokenizer, self.miras_config.clip.num_patches, self.miras_config.text)
        torch.manual_seed(config.seed)
        self.miras = build_miras(self.miras_config, self.layout.vocab_size)
        if config.eyes:
            take_eyes(self.miras, self.miras_config, config.eyes)

    def export(self, folder: Path) -> None:
        """Put the newest weights of every part together into a checkpoint folder."""
        self._take("towers", Towers(self.miras, self.miras_config))
        load_weights(self.out, "sight", Talker(self.miras, self.miras_config, self.layout))
        branch = MaskBranch(self.miras, self.miras_config)
        load_weights(self.out, "joint", Joint(branch, self.miras))
        save_checkpoint(folder, self.miras, self.miras_config, self.tokenizer)

    def _load(self, split: str) -> SplitArrays:
        return load_split(self.data, split, self.config.preset, self.data / "cache", self.config.threads)

    def _make_tokenizer(self) -> Tokenizer:
        """The pretrained language model's with our tokens added, or one that has learned the train split's words."""
        pretrained = self.miras_config.language.pretrained
        if pretrained is None:
            return train_tokenizer(self._texts(), self.config.vocab_size)
        return adopt_tokenizer(pretrained_folder(pretrained.source) / TOKENIZER, self.miras_config.text.template)

    def _texts(self) -> Iterator[str]:
        lower = self.miras_config.text.lowercase_user
        for item in json.loads((self.data / "train.json").read_text(encoding="utf-8")):
            for turn in item["dialogue"]:
                yield " " + (turn["value"].lower() if lower and turn["from"] == "human" else turn["value"])

    def phase(self, name: str) -> ScenesPhase:
        """A phase, with what it needs of those before it."""
        if name not in self.config.phases:
            known = ", ".join(phase for phase in PHASES if phase in self.config.phases)
            raise ConfigError(f"unknown phase {name!r}; known: {known}")
        train, val = self.splits["train"], self.splits["val"]
        seed, num_eval = self.config.seed, self.config.num_eval_images
        if name == "towers":
            return TowersPhase(self.miras, self.miras_config, train, val, seed, num_eval)
        if name == "masks":
            return MasksPhase(self.miras, self.miras_config, train, val, self.config.loss_weights, seed, num_eval)
        dialogue = self._dialogue(name)
        if name == "words":
            initialize_embeddings(dialogue.module)
        elif name in ("connect", "sight"):
            self._take("words", dialogue.module)
            if name == "connect":
                return ConnectPhase(dialogue, seed)
            load_weights(self.out, "connect", dialogue.module.projector)
        else:
            load_weights(self.out, "sight", dialogue.module)
            branch = MaskBranch(self.miras, self.miras_config)
            self._take("masks", branch)
            return JointPhase(dialogue, branch, seed)
        return dialogue

    def _take(self, phase: str, module: nn.Module) -> None:
        """Load what an earlier phase has trained, if this run has that phase."""
        if phase in self.config.phases:
            load_weights(self.out, phase, module)

    def _dialogue(self, name: str) -> DialoguePhase:
        """The dialogue phase with what it needs of the earlier ones."""
        features = None
        if name != "words":
            self._take("towers", Towers(self.miras, self.miras_config))
            features = {split: self._features(split) for split in self.splits}
        return DialoguePhase(
            name, self.miras, self.miras_config, self.layout, self.splits["train"], self.splits["val"],
            self.config.loss_weights, self.config.seed, self.config.dialogues_per_scene,
            self.config.num_eval_images, features,
        )  # fmt: skip

    @torch.no_grad()
    def _features(self, split: str) -> np.ndarray:
        """(N, P, C) float16 fused tokens of a split, computed once for the towers as they now are."""
        eyes = self.config.eyes
        towers = (resolve(eyes) / CONFIG if eyes else state_path(self.out, "towers")).stat().st_mtime_ns
        path = self.out / "features" / f"{split}_{towers}.npy"
        arrays = self.splits[split]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            for outdated in path.parent.glob(f"{split}_*.npy"):
                outdated.unlink()
            config = self.miras_config
            shape = (len(arrays.clip), config.clip.num_patches, config.clip.hidden_size)
            features = np.empty(shape, np.float16)
            self.miras.eval()
            for start in track(range(0, len(features), 32), description=f"Looking at the {split} images"):
                part = slice(start, start + 32)
                clip = clip_pixels(np.array(arrays.clip[part]), config)
                high = convnext_pixels(np.array(arrays.convnext[part]), config)
                features[part] = self.miras.fuse(clip, high).numpy()
            partial = path.with_suffix(".partial.npy")
            np.save(partial, features)
            partial.replace(path)
        return np.load(path, mmap_mode="r")


def take_eyes(miras: Miras, config: MirasConfig, checkpoint: str) -> None:
    """Copy the towers, their fusion and SAM of a finished network into another, in place.

    Raises:
        CheckpointError: The checkpoint is missing or malformed.
        ConfigError: Its towers or its SAM have other sizes.
    """
    finished, its, _ = load_checkpoint(checkpoint)
    for part in ("clip", "convnext", "sam"):
        if getattr(its, part) != getattr(config, part):
            raise ConfigError(f"eyes: {part} of {checkpoint} is not {part} of the preset; remedy: another checkpoint")
    for part in ("clip", "convnext", "fusion", "sam"):
        getattr(miras, part).load_state_dict(getattr(finished, part).state_dict())


def train(
    config_path: Path, phase: str | None = None, until: int | None = None, checkpoint: Path | None = None
) -> None:
    """Train a MIRAS.

    Args:
        config_path: YAML of a `TrainConfig` (phases, from nothing) or of a `RecipeConfig` (stages, from a checkpoint).
        phase: Only this phase or stage; default all in order.
        until: Stop each phase at this step, to be resumed later.
        checkpoint: Where the finished checkpoint goes; default `<out>/checkpoint`. Written when the last phase ends.

    Raises:
        ConfigError: The configuration or the phase's name is wrong.
        DataError: The PRIST folder is missing or malformed.
        CheckpointError: An earlier phase has not run.
    """
    content = read_yaml(config_path)
    if isinstance(content, dict) and "stages" in content:
        train_recipe(load_config(RecipeConfig, config_path), phase, until, checkpoint)
        return
    config = load_config(TrainConfig, config_path)
    if not Path(config.data).is_dir():
        raise DataError(f"no PRIST folder {config.data}; remedy: pixelrs generate --out {config.data}")
    engine = EngineConfig(seed=config.seed, cpu=True)
    processes = join_processes(engine)
    for name in [phase] if phase else [name for name in PHASES if name in config.phases]:
        with processes.main_process_first():  # which fills the caches that the others read
            run = Run(config)
            made = run.phase(name)
        Trainer(made, config.phases[name], engine, run.out).run(until)
    if phase in (None, "joint") and processes.is_main_process:
        run.export(checkpoint or Path(config.out) / "checkpoint")
    processes.destroy_process_group()

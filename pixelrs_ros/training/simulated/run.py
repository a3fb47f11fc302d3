"""`pixelrs train`: the phases in order, each resuming from its own checkpoint."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import INT8, TOKENIZER, load_checkpoint, read_sizes, save_checkpoint
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.settings import load_config, read_yaml
from pixelrs_ros.shipped import resolve
from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.scene.kinds import COLORS, KINDS
from pixelrs_ros.sim.talk.compose import conversations
from pixelrs_ros.text.tokenizer import load_tokenizer, train_tokenizer
from pixelrs_ros.training.config import ORDER, EngineConfig, RecipeConfig, TrainConfig
from pixelrs_ros.training.loop import Trainer, join_processes
from pixelrs_ros.training.simulated.bank import Bank, draw_bank, make_layout
from pixelrs_ros.training.simulated.ground import ConnectPhase, GroundPhase
from pixelrs_ros.training.simulated.imitate import ImitatePhase, Sight
from pixelrs_ros.training.simulated.parts import take_parts
from pixelrs_ros.training.simulated.scenes import ScenesPhase
from pixelrs_ros.training.simulated.see import SeePhase
from pixelrs_ros.training.simulated.talk import TalkPhase, initialize_embeddings
from pixelrs_ros.training.state import load_weights

_TABLES = 1500  # imagined ones, which the texts for the tokenizer are about
_CONNECT_SCENES = 4096  # are enough to learn one projection on
# What talking looks at of a scene, who sees nothing yet.
_TALK_FIELDS = (
    "size", "objects", "parts", "kinds", "colors", "ids", "owner", "place", "predict", "runs", "seg", "asked", "about",
    "about_part",
)  # fmt: skip


class Run:
    """One training run: its scenes, its network and the phases that shape it."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        torch.set_num_threads(config.threads)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True  # every batch has the same shape
        self.config = config
        self.device = device
        self.out = Path(config.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.start: Miras | None = None
        if config.start:
            self.start, self.start_config, self.tokenizer = load_checkpoint(config.start, dtype="fp32")
            self.miras_config = config.changed(self.start_config)
            self.miras = renewed(self.start, self.miras_config, config) if config.fresh else self.start
            self.miras.requires_grad_(True)
            for name in config.frozen:
                if (part := getattr(self.miras, name)) is not None:
                    part.requires_grad_(False)
        else:
            self.miras_config = config.sizes()
            self.tokenizer = make_tokenizer(self.out / TOKENIZER, config.vocab_size, config.seed)
            torch.manual_seed(config.seed)
            self.miras = build_miras(self.miras_config, make_layout(self.tokenizer, self.miras_config).vocab_size)
            take_parts(self.miras, self.miras_config, Path(config.parts))
        self.layout = make_layout(self.tokenizer, self.miras_config)

    def export(self, folder: Path) -> None:
        """Write the network as it is after its last phase."""
        save_checkpoint(folder, self.miras.cpu(), self.miras_config, self.tokenizer, INT8)

    def phase(self, name: str) -> ScenesPhase:
        """A phase, with what it needs of those before it."""
        if name not in self.config.phases:
            known = ", ".join(phase for phase in ORDER if phase in self.config.phases)
            raise ConfigError(f"unknown phase {name!r}; known: {known}")
        self.miras.to(self.device)
        if self.miras.convnext is not None:
            self.miras.convnext.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack it
        names = _TALK_FIELDS if name == "talk" else None
        scenes = min(self.config.scenes, _CONNECT_SCENES) if name == "connect" else self.config.scenes
        train, val = (
            Bank(Path(self.config.bank), split, self.device, self.miras_config.sam.image_size_px, most, names)
            for split, most in (("train", scenes), ("val", self.config.val_scenes))
        )
        if name == "see":
            return self._see(train, val)
        if name == "talk":
            talk = self._talk(train, val)
            initialize_embeddings(talk.module)
            return talk
        if name == "connect":
            see, talk = self._see(train, val), self._talk(train, val)
            load_weights(self.out, "see", see.module)
            load_weights(self.out, "talk", talk.module)
            talk.module.to(self.device)
            return ConnectPhase(talk, see)
        if name == "imitate":
            assert self.start is not None and self.start is not self.miras  # as the configuration has fresh parts
            return ImitatePhase(
                self.miras, self.miras_config, self.start.to(self.device), self.start_config, train, val
            )
        ground = self._ground(train, val)
        if self.config.fresh:
            load_weights(self.out, "imitate", Sight(self.miras))
        if not self.config.start:
            load_weights(self.out, "see", ground.see.module)
            load_weights(self.out, "talk", ground.talk.module)
            load_weights(self.out, "connect", ground.talk.module.projector)
        return ground

    def _see(self, train: Bank, val: Bank) -> SeePhase:
        return SeePhase(self.miras, self.miras_config, train, val, self.config.loss_weights)

    def _talk(self, train: Bank, val: Bank) -> TalkPhase:
        return TalkPhase(self.miras, self.miras_config, self.layout, train, val, self.config.loss_weights)

    def _ground(self, train: Bank, val: Bank) -> GroundPhase:
        return GroundPhase(self._talk(train, val), self._see(train, val))


def renewed(start: Miras, sizes: MirasConfig, config: TrainConfig) -> Miras:
    """A network that has of the start what it shares with it, and everything else anew.

    Raises:
        ConfigError: A part that comes from the start has another size.
    """
    torch.manual_seed(config.seed)
    miras = build_miras(sizes, start.language.config.vocab_size)
    take_parts(miras, sizes, Path(config.parts))
    own = miras.state_dict()
    kept = {
        name: value
        for name, value in start.state_dict().items()
        if name in own and name.partition(".")[0] not in config.fresh
    }
    wrong = sorted({name.partition(".")[0] for name, value in kept.items() if value.shape != own[name].shape})
    if wrong:
        raise ConfigError(
            f"network: {', '.join(wrong)} has another size than in {config.start}; remedy: add it to fresh"
        )
    miras.load_state_dict(kept, strict=False)
    return miras


def draw(config: TrainConfig) -> None:
    """Draws the scenes of a run that are still missing, which takes its words but not its network."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    if config.start:
        tokenizer = load_tokenizer(resolve(config.start) / TOKENIZER)
    else:
        tokenizer = make_tokenizer(out / TOKENIZER, config.vocab_size, config.seed)
    scenes: dict[Literal["train", "val"], int] = {"val": config.val_scenes, "train": config.scenes}
    draw_bank(
        Path(config.bank), scenes, config.seed, tokenizer, config.preset, config.sizes(), config.workers, config.walks
    )


def make_tokenizer(path: Path, vocab_size: int, seed: int) -> Tokenizer:
    """The tokenizer of the answers, learned once from what is said about imagined tables."""
    if not path.exists():
        train_tokenizer(_texts(seed), vocab_size).save(str(path))
    return load_tokenizer(path)


def _texts(seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for _ in range(_TABLES):
        things = imagined_things(rng)
        for talk in conversations(things, np.random.default_rng(rng.randrange(2**31)), count=3, split="train"):
            for turn in talk:
                yield f" {turn.answer}"


def imagined_things(rng: random.Random) -> list[Element]:
    """A table that nobody drew: things with places and sizes."""
    things: list[Element] = []
    colors = rng.sample(list(COLORS), rng.randint(3, 5))
    kinds = rng.sample(list(KINDS), rng.randint(2, 6))
    for index in range(1, rng.randint(3, 8) + 1):
        kind, color = rng.choice(kinds), rng.choice(colors)
        x, y = rng.uniform(50, 590), rng.uniform(60, 430)
        width, height = rng.uniform(40, 110), rng.uniform(40, 110)
        box = (int(x - width / 2), int(y - height / 2), int(x + width / 2), int(y + height / 2))
        twin = 1 + sum((thing.kind, thing.color) == (kind, color) for thing in things)
        parts = dict.fromkeys(KINDS[kind].parts, 300)
        things.append(Element(index, kind, color, (x, y), int(0.6 * width * height), box, parts, twin))
    return things


def train(
    config_path: Path, phases: Sequence[str] = (), until: int | None = None, checkpoint: Path | None = None,
    minutes: float | None = None,
) -> None:  # fmt: skip
    """Train a MIRAS.

    Args:
        config_path: YAML of a `TrainConfig` (phases, on simulated scenes) or of a `RecipeConfig` (stages, from a
            checkpoint).
        phases: Only these phases or stages, "draw" being the scenes; default all in order.
        until: Stop each phase at this step, to be resumed later.
        checkpoint: Where the finished checkpoint goes; default `<out>/checkpoint`. Written when the last phase ends.
        minutes: Until the end of the last of the phases.

    Raises:
        ConfigError: The configuration or the phase's name is wrong, or the start cannot be trained in this way.
        DataError: The scenes cannot be drawn.
        CheckpointError: An earlier phase has not run, or the start is no MIRAS.
    """
    began = time.monotonic()
    content = read_yaml(config_path)
    if isinstance(content, dict) and "stages" in content:
        from pixelrs_ros.training.published.recipe import (
            train_recipe,  # its data formats need packages that scenes do not
        )

        train_recipe(load_config(RecipeConfig, config_path), phases, until, checkpoint)
        return
    config = load_config(TrainConfig, config_path)
    if config.start:
        _require_padding(read_sizes(config.start)[0], config.start)  # before hours of drawing
    engine = EngineConfig(seed=config.seed, cpu=config.cpu, precision=config.precision)
    processes = join_processes(engine)
    names = tuple(phases) or ("draw", *(name for name in ORDER if name in config.phases))
    for name in names:
        if name == "draw":
            with processes.main_process_first():  # the others read what it has drawn
                draw(config)
            continue
        run = Run(config, processes.device)
        made = run.phase(name)
        pace = config.phases[name]
        if minutes and name == names[-1]:
            pace = replace(pace, minutes=max(minutes - (time.monotonic() - began) / 60, 0.01))
        Trainer(made, pace, engine, run.out).run(until)
        if name == "ground" and processes.is_main_process:
            run.export(checkpoint or Path(config.out) / "checkpoint")
        del made, run  # and with them their scenes on the device
    processes.destroy_process_group()


def _require_padding(sizes: MirasConfig, start: str) -> None:
    if sizes.framing != "pad":
        raise ConfigError(f"{start} has framing {sizes.framing}, and only with framing pad it can be trained on scenes")

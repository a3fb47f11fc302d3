"""Which language model knows words? Trains several for the same time on image tokens made from the truth and asks them.

scripts/env.sh python scripts/compare_language_models.py --out benchmarks/language_models.json
scripts/env.sh python scripts/compare_language_models.py --out benchmarks/language_models.json --document

All of them see the same scenes and conversations, cut into the same tokens, and learn at the same time on one thread
each. They are asked one-turn orders about scenes that nobody has trained on: in the voices kept out of training, wishes
in words that training never uses, and pairs of scenes on which the same words end differently. An answer is right when
its status is, and where it shows something, when it names every thing as it should and points at it. In the control
that cannot see, each picture is exchanged for that of another order.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import transformers
from torch import nn
from transformers import BertLMHeadModel

from pixelrs_ros.checkpoint import TOKENIZER
from pixelrs_ros.documents import write_table
from pixelrs_ros.settings import load_config
from pixelrs_ros.shipped import resolve
from pixelrs_ros.sim.picture.elements import Element, elements, well_posed
from pixelrs_ros.sim.picture.render import Renderer
from pixelrs_ros.sim.scene.scene import sample_scene
from pixelrs_ros.sim.talk.splits import direct, pair
from pixelrs_ros.sim.talk.turns import DialogueTurn
from pixelrs_ros.sim.talk.voices import Speaker
from pixelrs_ros.sim.walk.dialogues import sample_dialogues
from pixelrs_ros.text import tokenizer as tokens
from pixelrs_ros.training.config import EngineConfig, TrainConfig
from pixelrs_ros.training.loop import Trainer
from pixelrs_ros.training.simulated.bank import maps_of, retold
from pixelrs_ros.training.simulated.packing import encode_talk, pack_rows
from pixelrs_ros.training.simulated.parts import READER, part
from pixelrs_ros.training.simulated.run import Run, draw
from pixelrs_ros.training.simulated.scenes import EVAL_BATCH, Scenes, cover
from pixelrs_ros.training.simulated.talk import WORD_SCALE, Rows, TalkPhase
from pixelrs_ros.training.state import trained

ROOT = Path(__file__).resolve().parent.parent
FIRST_SEED = 4_000_000_000  # far from those of training and of the tests
WIDTH_PX, HEIGHT_PX = 640, 480
Fields = dict[str, np.ndarray]  # of a bank: a picture's, or those of one row of conversations too
Order = tuple[Fields, list[DialogueTurn]]


class Words(nn.Module):
    """Stands where the reader stands: a table of the user's word pieces, without their context."""

    def __init__(self, pieces: int, hidden_size: int, max_tokens: int) -> None:
        super().__init__()
        self.max_tokens = max_tokens
        self.bert, self.norm = nn.Identity(), nn.Identity()
        self.projector = Table(pieces, hidden_size)

    def features(self, ids: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """(N, T) int64 word pieces -> (N, T, 1) the same."""
        return ids.unsqueeze(-1)


class Table(nn.Embedding):
    """Embeddings of (…, 1) int64 word pieces."""

    in_features = 1

    def forward(self, pieces: torch.Tensor) -> torch.Tensor:
        """(…, 1) int64 -> (…, H) float."""
        return super().forward(pieces.squeeze(-1))


def draw_scenes(config: TrainConfig) -> None:
    """Draw the scenes to train on, with answers cut into the words of the shipped network."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(resolve("nano") / TOKENIZER, out / TOKENIZER)
    draw(config)


def make(config: TrainConfig) -> tuple[Run, TalkPhase]:
    """A network to be compared: a BERT starts from MiniLM, a Llama from nothing or behind MiniLM as a reader."""
    run = Run(config, torch.device("cpu"))
    reader = run.miras_config.reader
    assert reader is not None  # its vocabulary cuts the user's words for all of them
    if not reads(config):
        hidden_size = run.miras.language.config.hidden_size
        run.miras.register_module("reader", Words(reader.vocab_size, hidden_size, reader.max_tokens))
    phase = run.phase("talk")
    assert isinstance(phase, TalkPhase)
    if isinstance(run.miras.language, BertLMHeadModel):
        start_from_minilm(run, phase, reader.words, part(Path(config.parts) / READER, dict))
    return run, phase


def reads(config: TrainConfig) -> bool:
    """Whether MiniLM reads the user's words before the language model."""
    return Path(config.out).name == "reader"


@torch.no_grad()
def start_from_minilm(run: Run, phase: TalkPhase, vocabulary: str, state: dict[str, torch.Tensor]) -> None:
    """Give a BERT the layers, words and positions of MiniLM, at the scale of the image tokens that are made of words.

    Its layer norm takes the scale off again. The picture stands before the words and has no positions of its own; words
    of the answers that are one word piece begin as that, the user's words stay as they are.
    """
    language = run.miras.language
    reader: nn.Module | None = phase.module.reader
    assert isinstance(language, BertLMHeadModel) and isinstance(reader, Words)
    words = state["embeddings.word_embeddings.weight"]
    scale = WORD_SCALE / words.std()
    table = reader.projector.weight
    table.copy_(scale * words)
    table.requires_grad_(False)
    bert = language.bert
    for module, name in ((bert.encoder, "encoder"), (bert.embeddings.LayerNorm, "embeddings.LayerNorm")):
        module.load_state_dict({own: state[f"{name}.{own}"] for own in module.state_dict()})
    bert.embeddings.token_type_embeddings.weight.copy_(scale * state["embeddings.token_type_embeddings.weight"])
    known = scale * state["embeddings.position_embeddings.weight"]
    start = len(run.layout.prefix())
    positions: torch.Tensor = nn.init.zeros_(bert.embeddings.position_embeddings.weight)
    positions[start : start + len(known)] = known[: len(positions) - start]
    pieces = tokens.reader_tokenizer(vocabulary).get_vocab()
    own = cast(nn.Embedding, language.get_input_embeddings()).weight
    for index in range(run.tokenizer.get_vocab_size()):
        piece = pieces.get(run.tokenizer.decode([index]).strip().lower())
        if piece is not None:
            own[index] = scale * words[piece]


def train(config: TrainConfig, phase: TalkPhase, minutes: float) -> dict[str, float]:
    """Train, unless that is done; gives what it took."""
    cost = Path(config.out) / "cost.json"
    pace = replace(config.phases["talk"], minutes=minutes)
    trainer = Trainer(phase, pace, EngineConfig(config.seed, config.precision, config.cpu), Path(config.out))
    if not cost.is_file():
        wall, cpu = time.monotonic(), time.process_time()
        trainer.run()
        took = {"wall_min": (time.monotonic() - wall) / 60, "cpu_min": (time.process_time() - cpu) / 60}
        cost.write_text(json.dumps({name: round(value, 2) for name, value in took.items()}), encoding="utf-8")
    found: dict[str, float] = json.loads(cost.read_text(encoding="utf-8"))
    return {**found, "steps": trainer.step, "rows": trainer.step * pace.batch_size}


def draw_orders(count: int, side_px: int) -> dict[str, list[Order]]:
    """One-turn orders of each set about `count` scenes on squares; those of a pair stand one after the other."""
    renderer = Renderer(WIDTH_PX, HEIGHT_PX)
    scenes: list[tuple[Fields, Sequence[Element]]] = []
    seed = FIRST_SEED
    while len(scenes) < count:
        view = renderer.render(sample_scene(seed, width_px=WIDTH_PX, height_px=HEIGHT_PX))
        things: Sequence[Element] = elements(view)
        seed += 1
        if len(things) >= 2 and well_posed(view):
            scenes.append((maps_of(view, side_px), things))
    rng, draws = random.Random(FIRST_SEED), np.random.default_rng(FIRST_SEED)
    asked: dict[str, list[Order]] = {"voices": [], "wishes": [], "pairs": []}
    for (picture, things), (other, others) in zip(scenes, [*scenes[1:], scenes[0]], strict=True):
        if ordered := direct(things, Speaker("test", rng), rng, WIDTH_PX):
            asked["voices"].append((picture, ordered))
        if all(thing.twin == 1 for thing in things):
            walks = sample_dialogues(things, draws, count=6, split="test_language")
            wished = [walk.turns[0] for walk in walks if walk.turns[0].kind == "wish"]
            asked["wishes"] += [(picture, [retold(turn, things)]) for turn in wished]
        told = pair(things, others, rng, WIDTH_PX)
        if told is not None:
            asked["pairs"] += [(picture, told[0]), (other, told[1])]
    return asked


def encode(run: Run, order: Order) -> Fields | None:
    """The fields of an order about a picture; None where it is too long for a row."""
    picture, turns = order
    rows = pack_rows([encode_talk(turns, run.layout)], 1, run.layout.vocab_size)
    return {**picture, **{name: value[0] for name, value in rows.items()}} if rows["ids"][0, 0] >= 0 else None


@torch.no_grad()
def measure(run: Run, phase: TalkPhase, asked: Sequence[Fields], *, blind: bool) -> dict[str, np.ndarray]:
    """What `judge` tells of each order, in their order; blind: with the picture of another one."""
    torch.manual_seed(0)
    phase.module.eval()
    found: list[dict[str, torch.Tensor]] = []
    for start in range(0, len(asked), EVAL_BATCH):
        batch = asked[start : start + EVAL_BATCH]
        data = {name: torch.from_numpy(np.stack([one[name] for one in batch])) for name in batch[0]}
        longest = int((data["ids"] >= 0).sum(dim=1).max())
        data |= {name: data[name][:, :longest] for name in ("ids", "owner", "place", "predict")}
        scenes = Scenes.from_fields(data)
        truth = phase.doubtful_tokens(scenes)
        found.append(judge(run, scenes, truth.roll(1, dims=0) if blind else truth))
    return {name: torch.cat([one[name] for one in found]).numpy() for name in found[0]}


def judge(run: Run, scenes: Scenes, image_tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    """(B,) bool each: whether an answer is right, its status is, it names everything as it should, it should show any.

    The network is told the words of the right answer that stand before the one that is judged.
    """
    rows = Rows(scenes, run.layout, run.miras)
    hidden = rows.hidden(image_tokens)
    best = run.miras.language.get_output_embeddings()(hidden).argmax(dim=-1)
    everyone = torch.arange(len(best))
    first = rows.predict.int().argmax(dim=1)
    expected, said = rows.following[everyone, first], best[everyone, first]
    open_ended = torch.tensor([run.layout.ids[token] for token in (tokens.ASK, tokens.NONE)])
    shows = torch.isin(expected, open_ended, invert=True)
    status = torch.where(shows, torch.isin(said, open_ended, invert=True), said == expected)
    row, at_seg, _, objects, parts = rows.segs()
    phrase = rows.phrases_right(best)
    assert run.miras.pointer is not None
    place = run.miras.pointer(hidden[row, at_seg], image_tokens[row]).argmax(dim=1, keepdim=True)
    covered = cover(scenes.masks(row, objects, parts, stride=2), run.miras_config.clip.grid_size)
    there = covered.flatten(1).gather(1, place)[:, 0] > 0
    named, right = torch.ones_like(status), status.clone()
    named[row[~phrase]] = False
    right[row[~(phrase & there)]] = False
    return {"right": right, "status": status, "named": named, "shows": shows}


def compare(config: TrainConfig, minutes: float, orders: dict[str, list[Order]]) -> dict[str, Any]:
    """Train and measure one of them, which has the name of its folder; its log stands there."""
    out = Path(config.out)
    sys.stderr = (out / "train.log").open("a", encoding="utf-8", buffering=1)
    run, phase = make(config)
    learned = sum(one.numel() for one in trained(phase.module).values())
    result: dict[str, Any] = {"name": out.name, "learned": learned, **train(config, phase, minutes)}
    for name, said in orders.items():
        asked = [fields for fields in (encode(run, order) for order in said) if fields is not None]
        result[name] = {"count": len(asked)}
        for blind in (False, True):
            found = measure(run, phase, asked, blind=blind)
            right = found["right"]
            shares = {"right": right, "status": found["status"], "named": found["named"][found["shows"]]}
            if name == "pairs":
                shares["both_right"] = right[::2] & right[1::2]
            told = {share: round(float(value.mean()), 3) for share, value in shares.items()}
            result[name]["blind" if blind else "seeing"] = told
    return result


def table(results: Sequence[dict[str, Any]]) -> str:
    """The results in Markdown, percentages with those of the control that cannot see."""
    columns = (
        ("held-out voices: ends right", "voices", "right"),
        ("names it", "voices", "named"),
        ("unheard wishes: ends right", "wishes", "right"),
        ("names it", "wishes", "named"),
        ("pairs: both end right", "pairs", "both_right"),
        ("names it", "pairs", "named"),
    )
    lines = [
        f"| language model | core-minutes | rows seen | {' | '.join(title for title, *_ in columns)} |",
        f"|{'---|' * (3 + len(columns))}",
    ]
    for one in results:
        pairs = [(one[name]["seeing"][share], one[name]["blind"][share]) for _, name, share in columns]
        cells = " | ".join(f"{100 * seeing:.0f} % ({100 * blind:.0f} %)" for seeing, blind in pairs)
        lines.append(f"| `{one['name']}` | {one['cpu_min']:.0f} | {one['rows']:,} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Train all of them at once, measure, print; or write what was measured once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=Path, default=ROOT / "config/training/language_models", metavar="DIR")
    parser.add_argument("--minutes", type=float, default=85.0, metavar="M", help="of all at once (default: 85)")
    parser.add_argument("--scenes", type=int, default=400, metavar="N", help="that orders are about (default: 400)")
    parser.add_argument("--out", type=Path, default=Path("out/language_models.json"), metavar="FILE")
    parser.add_argument("--document", action="store_true", help="only write what FILE holds into the model card")
    options = parser.parse_args()
    if options.document:
        results = json.loads(options.out.read_text(encoding="utf-8"))["results"]
        for page in write_table(ROOT, "language_models", table(results)):
            print(page)
        return
    configs = [load_config(TrainConfig, path) for path in sorted(options.configs.glob("*.yaml"))]
    for config in configs:
        draw_scenes(config)
    orders = draw_orders(options.scenes, configs[0].sizes().sam.image_size_px)
    with ProcessPoolExecutor(len(configs), mp_context=get_context("spawn")) as pool:
        each = [pool.submit(compare, config, options.minutes, orders) for config in configs]
        results = [one.result() for one in each]
    print(table(results))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    made = {"command": f"scripts/compare_language_models.py --minutes {options.minutes:g} --scenes {options.scenes}"}
    made |= {"device": platform.machine(), "torch": torch.__version__, "transformers": transformers.__version__}
    whole = {"made with": made, "results": results}
    options.out.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

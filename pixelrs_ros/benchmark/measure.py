"""Stage by stage and turn by turn, in this process."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pixelrs_ros.benchmark.engines import DIALOGUE, Network
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.prefix import PrefixCache
from pixelrs_ros.engine.session import Session
from pixelrs_ros.images import encoder_images, masks_to_image, to_pixels
from pixelrs_ros.types import Frame, Utterance

HEIGHT_PX, WIDTH_PX = 480, 640
TURNS = {"first": 0, "fourth": 3}
_MEMORY_WARM_UP = 0.1
_COPIED_BYTES = {"cpu": 1 << 27, "cuda": 1 << 30}

Milliseconds = dict[str, float]


def summary(values_ms: list[float]) -> Milliseconds:
    """Median and 95th percentile, and how many values they are of."""
    return {
        "median": round(float(np.median(values_ms)), 3),
        "p95": round(float(np.percentile(values_ms, 95)), 3),
        "n": len(values_ms),
    }


def picture(seed: int) -> np.ndarray:
    """(480, 640, 3) uint8 RGB: shades and blocks, others for each seed; what it shows does not change the times."""
    rng = np.random.default_rng(seed)
    image = np.linspace(40, 200, WIDTH_PX)[None, :, None] + np.zeros((HEIGHT_PX, 1, 3))
    for _ in range(8):
        top, left = rng.integers(0, HEIGHT_PX - 120), rng.integers(0, WIDTH_PX - 120)
        image[top : top + 120, left : left + 120] = rng.integers(0, 256, 3)
    return (image + rng.integers(0, 8, image.shape)).clip(0, 255).astype(np.uint8)


def stages(engine: Engine, repeats: int) -> dict[str, Milliseconds]:
    """Every stage alone, one after another, with nothing beside it.

    Args:
        engine: The engine of the network.
        repeats: How often each stage is timed, after two that do not count.

    Returns:
        Milliseconds by stage.
    """
    clock = _Clock(engine.device)
    for repeat in range(repeats + 2):
        if repeat == 2:
            clock.forget()
        _run_stages(engine, picture(repeat), clock)
    return {stage: summary(values) for stage, values in clock.values.items()}


class _Clock:
    """Times functions; on a GPU until their kernels have ended."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.values: dict[str, list[float]] = defaultdict(list)

    def forget(self) -> None:
        self.values.clear()

    def __call__(self, stage: str, work: Callable[[], Any], share: int = 1) -> Any:
        self._wait()
        started = time.perf_counter()
        result = work()
        self._wait()
        self.values[stage].append(1e3 * (time.perf_counter() - started) / share)
        return result

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


@torch.inference_mode()
def _run_stages(engine: Engine, image: np.ndarray, clock: _Clock) -> None:
    miras, config, layout = engine.miras, engine.config, engine.layout
    pixels = clock("resize and normalize", lambda: to_pixels(encoder_images(image, config), config))
    clip, sam = (x.to(engine.device, engine.dtype) for x in (pixels.clip, pixels.sam))
    fused = clock("CLIP", lambda: miras.clip(clip))
    high = None
    if (encoder := miras.convnext) is not None and pixels.convnext is not None:
        convnext = pixels.convnext.to(engine.device, engine.dtype)
        high = clock("ConvNeXt", lambda: encoder(convnext))
    if (fusion := miras.fusion) is None:
        tokens = clock("projector", lambda: miras.projector(fused))
    else:
        tokens = clock("fusion and projector", lambda: miras.projector(fusion(fused, high)))
    embedding = clock("SAM's image encoder", lambda: miras.sam.encode(sam))
    past = [(user, answer) for user, answer in DIALOGUE[:3]]
    prompts = [layout.prompt([], DIALOGUE[0][0]), layout.prompt(past, DIALOGUE[3][0])]
    prefix = engine.new_prefix()
    for name, prompt, kept in (
        ("prefill, first turn", prompts[0], None),
        ("prefill of a whole fourth turn", prompts[1], None),
        ("prefill of what is new in a fourth turn", prompts[1], len(prompts[1]) - _new_tokens(engine)),
    ):
        prefix.clear() if kept is None else prefix.reuse(prompt[: kept + 1])
        hidden = clock(name, partial(_prefill, engine, prefix, prompt[kept:], tokens))
    said = layout.answer(DIALOGUE[3][1])
    clock("one token", partial(_decode, engine, prefix, said), share=len(said))
    index = torch.zeros(1, dtype=torch.long, device=engine.device)
    logits, _ = clock("mask decoder", lambda: miras.sam.decode(embedding, miras.prompts(hidden, tokens), index))
    size = (image.shape[0], image.shape[1])
    clock("mask at the image's size", lambda: (masks_to_image(logits.float(), *size, config) > 0).cpu())


def _new_tokens(engine: Engine) -> int:
    """What the fourth turn adds: the end of the answer before, and the user's words."""
    return 1 + len(engine.layout.user(DIALOGUE[3][0], first=False))


def _prefill(engine: Engine, prefix: PrefixCache, ids: list[int], image_tokens: torch.Tensor) -> torch.Tensor:
    new = torch.tensor([ids], device=engine.device)
    is_image = new == engine.layout.image_id
    return prefix.extend(
        ids, engine.miras.embed(new, image_tokens if is_image.any() else image_tokens[:, :0], is_image)
    )


def _decode(engine: Engine, prefix: PrefixCache, said: list[int]) -> None:
    for token in said:
        ids = torch.tensor([[token]], device=engine.device)
        hidden = prefix.extend([token], engine.miras.language.get_input_embeddings()(ids))
        int(engine.logits(hidden).argmax())


def turns(sessions: dict[str, Session], repeats: int) -> dict[str, Any]:
    """Dialogues on a still picture each, a new one for each dialogue; the ways take turns, so that all share the noise.

    Args:
        sessions: The ways to work, by name.
        repeats: Dialogues of each, after one that does not count.

    Returns:
        By way and turn: milliseconds to the first mask, to the whole answer, and by stage.
    """
    seen: dict[str, dict[str, dict[str, list[float]]]] = {
        way: {turn: defaultdict(list) for turn in TURNS} for way in sessions
    }
    for repeat in range(repeats + 1):
        frame = Frame(picture(1000 + repeat))
        for way, session in sessions.items():
            for index, (text, _) in enumerate(DIALOGUE):
                times = _turn(session, Utterance(text, f"dialogue {repeat}"), frame)
                for turn in (name for name, place in TURNS.items() if place == index and repeat > 0):
                    for stage, value in times.items():
                        seen[way][turn][stage].append(value)
            session.reset(f"dialogue {repeat}")
    return {
        way: {turn: {stage: summary(values) for stage, values in stages.items()} for turn, stages in of_way.items()}
        for way, of_way in seen.items()
    }


def _turn(session: Session, utterance: Utterance, frame: Frame) -> Milliseconds:
    started = time.perf_counter()
    masks_ms: list[float] = []
    reply = session.say(
        utterance, frame, lambda text: None, lambda segment: masks_ms.append(1e3 * (time.perf_counter() - started))
    )
    answer_ms = 1e3 * (time.perf_counter() - started)
    first = {"to the first mask": masks_ms[0]} if masks_ms else {}
    return {
        **first,
        "to the whole answer": answer_ms,
        **{stage: ms for stage, ms in reply.latency_ms.items() if stage != "total"},
    }


def memory(session: Session, turns: int, on_turn: Callable[[], None] = lambda: None) -> dict[str, float]:
    """Resident memory over many turns: dialogues that begin, go on, change their picture, are reset and forgotten.

    Returns:
        MB of 10^6 bytes after a tenth of the turns and after all, and the growth between them in percent.
    """
    begun_mb = 0.0
    pictures = [Frame(picture(seed)) for seed in range(12)]
    for turn in range(turns):
        dialogue, place = divmod(turn, len(DIALOGUE))
        frame = pictures[(dialogue + (place == 3 and dialogue % 3 == 0)) % len(pictures)]
        session.say(Utterance(DIALOGUE[place][0], f"dialogue {dialogue % 40}"), frame)
        if turn == int(turns * _MEMORY_WARM_UP):
            begun_mb = resident_mb()
        on_turn()
    ended_mb = resident_mb()
    return {
        "turns": turns,
        "after a tenth [MB]": round(begun_mb, 1),
        "after all [MB]": round(ended_mb, 1),
        "growth [%]": round(100 * (ended_mb / begun_mb - 1), 2),
    }


def resident_mb() -> float:
    """Resident memory of this process, MB of 10^6 bytes; Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def bandwidth_floor(network: Network) -> dict[str, float]:
    """How fast a token could be decoded if reading the weights of the language model were all there is to do.

    Returns:
        Bytes of the weights that every token reads, the measured bandwidth of a copy (bytes read and written) and the
        time that their quotient is.
    """
    language: Any = network[0].language
    embedding = language.get_input_embeddings()
    read = {id(parameter): parameter for parameter in language.parameters()}
    head = language.get_output_embeddings()
    if head.weight is not embedding.weight:
        read.pop(id(embedding.weight), None)  # of the table one row is read
    size = sum(parameter.numel() * parameter.element_size() for parameter in read.values())
    device = embedding.weight.device
    source = torch.empty(_COPIED_BYTES[device.type], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    clock = _Clock(device)
    for _ in range(12):
        clock("copy", lambda: target.copy_(source))
    bandwidth = 2 * source.numel() / (1e-3 * float(np.median(clock.values["copy"][2:])))
    return {
        "weight bytes": size,
        "copy bandwidth [GB/s]": round(bandwidth / 1e9, 2),
        "floor [ms]": round(1e3 * size / bandwidth, 3),
    }


def thread_table(make: Callable[[], dict[str, Session]], repeats: int) -> dict[str, Any]:
    """First turns with SAM's image encoder beside the rest and before it, for each number of threads."""
    table: dict[str, Any] = {}
    before = torch.get_num_threads()
    for threads in range(1, before + 1) if before <= 2 else (1, before // 2, before):
        torch.set_num_threads(threads)
        measured = turns(make(), repeats)
        for way, of_way in measured.items():
            table[f"{way}, {threads} threads"] = of_way["first"]["to the whole answer"]
    torch.set_num_threads(before)
    return table

"""What is measured: both ways do the same work to the same end, and every stage is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_miras import build_small, without_high_resolution
from tokenizers import Tokenizer

from pixelrs_ros.benchmark import measure
from pixelrs_ros.benchmark.engines import (
    DIALOGUE,
    ForcedEngine,
    InlineEngine,
    Network,
    PublishedEngine,
    PublishedSession,
    random_network,
)
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.backends import TORCH
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.types import Frame, Segment, Utterance


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network("debug", "cpu")


def test_both_ways_give_the_same_replies_and_only_ours_tells_masks_early(network: Network) -> None:
    ours, published = Session(ForcedEngine(network, TORCH)), PublishedSession(PublishedEngine(network, TORCH))
    frame = Frame(measure.picture(0))
    for text, answer in DIALOGUE:
        told: list[list[str]] = [[], []]
        replies = []
        for session, heard in zip((ours, published), told, strict=True):

            def on_segment(segment: Segment, heard: list[str] = heard) -> None:
                heard.append(f"mask of {segment.phrase}")

            replies.append(session.say(Utterance(text), frame, heard.append, on_segment))
        assert replies[0].answer == replies[1].answer == answer
        for mine, theirs in zip(replies[0].segments, replies[1].segments, strict=True):
            assert (mine.mask != theirs.mask).mean() < 1e-3
        if replies[0].segments:
            assert told[0].index(told[1][-1]) < len(told[0]) - 3 and told[1][-1].startswith("mask of")
    assert not published.cached_dialogues and not published.num_cached_frames


def test_two_answers_ground_a_phrase_in_their_middle() -> None:
    assert [("[SEG]" in answer, answer.endswith("[SEG].")) for _, answer in DIALOGUE[::3]] == [(True, False)] * 2


def test_turns_and_stages_are_all_counted(network: Network) -> None:
    engine = ForcedEngine(network, TORCH)
    stages = measure.stages(engine, repeats=2)
    assert {stages[name]["n"] for name in stages} == {2}
    assert {"CLIP", "ConvNeXt", "SAM's image encoder", "one token", "mask decoder"} <= stages.keys()
    ways = {"pixelrs": Session(engine), "published": PublishedSession(PublishedEngine(network, TORCH))}
    turns = measure.turns(ways, repeats=2)
    for way in ways:
        for turn in ("first", "fourth"):
            assert turns[way][turn]["to the first mask"]["n"] == 2
            assert turns[way][turn]["to the first mask"]["median"] <= turns[way][turn]["to the whole answer"]["median"]
    assert turns["pixelrs"]["fourth"]["encode"]["median"] == 0 < turns["published"]["fourth"]["encode"]["median"]


def test_a_network_that_sees_with_clip_alone_has_stages_of_its_own(
    debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> None:
    config = without_high_resolution(debug_config)
    network = build_small(config, debug_tokenizer.get_vocab_size()), config, debug_tokenizer
    stages = measure.stages(ForcedEngine(network, TORCH), repeats=1)
    assert {"CLIP", "projector", "SAM's image encoder", "one token", "mask decoder"} <= stages.keys()
    assert not {"ConvNeXt", "fusion and projector"} & stages.keys()
    frame, ways = (
        Frame(measure.picture(0)),
        (Session(ForcedEngine(network, TORCH)), Session(InlineEngine(network, TORCH))),
    )
    for text, answer in DIALOGUE:
        assert [session.say(Utterance(text), frame).answer for session in ways] == [answer] * 2


def test_memory_is_that_of_this_process(network: Network) -> None:
    seen: list[int] = []
    result = measure.memory(Session(InlineEngine(network, TORCH)), 10, lambda: seen.append(1))
    assert len(seen) == result["turns"] == 10
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (resident_kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    assert result["after all [MB]"] == pytest.approx(int(resident_kib) * 1024 / 1e6, rel=0.2)


def test_the_floor_is_what_a_token_must_read(network: Network) -> None:
    floor = measure.bandwidth_floor(network)
    language: Any = network[0].language
    read = sum(p.numel() for p in language.parameters()) - language.get_input_embeddings().weight.numel()
    assert floor["weight bytes"] == 4 * read
    assert floor["floor [ms]"] == pytest.approx(
        floor["weight bytes"] / (floor["copy bandwidth [GB/s]"] * 1e6), rel=0.01, abs=1e-3
    )


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(ConfigError, match="unknown preset 'huge'"):
        random_network("huge", "cpu")

"""PRIST's published dialogues, where they lie beside the checkout, and made-up ones in the same form everywhere.

Their pictures and masks are not published: each gets a made-up picture with a mask of its focus.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros import cli
from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.polygons import mask_to_polygons, polygons_to_mask
from pixelrs_ros.files import write_picture

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from pixelrs_ros.config import MirasConfig
    from pixelrs_ros.model.miras import Miras

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "prist_sample.json"
SAID = [
    ("Where’s the “player’s glove” positioned — roughly?", "It is above the player's head."),
    ("What could that mean?", "The player may be about to catch a ball."),
    ("Please segment the conversation above to align with the provided answers.", "This is the segmentation: [SEG]."),
]


def made_up() -> list[dict[str, Any]]:
    said = [{"from": who, "value": value} for pair in SAID for who, value in zip(("human", "gpt"), pair, strict=True)]
    return [
        {"img_id": f"{index % 2:016x}.jpg", "dialogue": said[: 2 * index] + said[-2:], "focus": focus}
        for index, focus in enumerate(("Player's glove", "Überzug"))
    ]


def published() -> list[dict[str, Any]]:
    if not PUBLISHED.is_file():
        pytest.skip(f"{PUBLISHED.name} is not beside this checkout")
    records: list[dict[str, Any]] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert len(records) == 60
    return records


def write_folder(folder: Path, records: list[dict[str, Any]]) -> Path:
    for img_id in {record["img_id"] for record in records}:
        rng = np.random.default_rng(len(img_id))
        write_picture(prist.image_path(folder, img_id), rng.integers(0, 256, (48, 64, 3), np.uint8))
        masks: dict[tuple[str, int], np.ndarray] = {}
        for record in records:
            if record["img_id"] == img_id:
                mask = np.zeros((48, 64), bool)
                mask[4 + len(masks) : 30, 10:40] = True
                masks[record["focus"].casefold(), 0] = mask
        path = prist.mask_path(folder, img_id)
        path.parent.mkdir(exist_ok=True)
        path.write_text(labelme.to_json(labelme.annotate(f"../images/{img_id}", masks)), encoding="utf-8")
    (folder / "test.json").write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    return folder


@pytest.mark.parametrize("source", [made_up, published], ids=["made up", "published"])
def test_dialogues_pass_check_prompt_budget_and_report(
    source: Any, tmp_path: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> None:
    from pixelrs_ros.engine.engine import Engine
    from pixelrs_ros.evaluation.evaluate import Job, evaluate
    from pixelrs_ros.evaluation.page import write_report
    from pixelrs_ros.evaluation.play import Condition
    from pixelrs_ros.evaluation.samples import Samples
    from pixelrs_ros.files import write_json
    from pixelrs_ros.types import Status

    records = source()
    folder = write_folder(tmp_path / "prist", records)
    found = tmp_path / "found.json"
    cli.main(["data", "check", str(folder), "--json", str(found)])
    said = json.loads(found.read_text(encoding="utf-8"))
    assert said["errors"] == 0 and said["splits"]["test"]["dialogues"] == len(records)
    engine = Engine(debug_miras, debug_config, debug_tokenizer)
    job = Job(Samples.load(folder, "test"), (Condition("reference"),))
    report, played = evaluate(job, lambda: engine)
    assert len([each for each in played if each.condition == "reference history"]) == len(records)
    assert all(given != Status.BAD_INPUT.value for each in played for _, given in each.statuses)
    assert not any("too long" in words for each in played for words in each.said)
    results, page = tmp_path / "results.json", tmp_path / "page.html"
    rows = [each.to_json() for each in played]
    write_json(results, {"data": str(folder), "reports": [{"checkpoint": "debug", **report, "records": rows}]})
    write_report(page, [results])
    assert page.read_text(encoding="utf-8").count("data:image/jpeg;base64,") >= min(2, len(records))


@pytest.mark.parametrize("source", [made_up, published], ids=["made up", "published"])
def test_what_is_read_is_written_as_it_was(source: Any, tmp_path: Path) -> None:
    records = source()
    path = tmp_path / "test.json"
    prist.write_records(path, [prist.to_dialogue("one", record).to_record() for record in records])
    assert json.loads(path.read_text(encoding="utf-8")) == records


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,12}\.(jpg|png)", fullmatch=True)


@given(
    st.lists(st.tuples(NAMES, st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4), WORDS), min_size=1, max_size=4)
)
def test_any_words_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, told: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("words")
    dialogues = [
        prist.PristDialogue(
            name,
            (*(prist.PristTurn(*turn) for turn in turns[:-1]), prist.PristTurn(turns[-1][0], f"{turns[-1][1]} [SEG]")),
            focus,
        )
        for name, turns, focus in told
    ]
    prist.write_records(folder / "test.json", [each.to_record() for each in dialogues])
    assert prist.read_split(folder, "test") == dialogues


@given(st.integers(0, 2**63), st.sampled_from([0.2, 0.5, 0.8]))
def test_any_mask_comes_back_pixel_for_pixel(seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((13, 17)) < share
    assert (polygons_to_mask(mask_to_polygons(mask), 13, 17) == mask).all()

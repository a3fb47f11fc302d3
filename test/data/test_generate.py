import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from pixelrs_ros.data import prist
from pixelrs_ros.data.generate import HELD_OUT_RATE, SPLITS, Job, Pictures, generate
from pixelrs_ros.errors import DataError
from pixelrs_ros.sim.picture.render import Renderer
from pixelrs_ros.sim.scene.kinds import HELD_OUT_FAMILY
from pixelrs_ros.sim.scene.scene import TWIN_RATE, sample_scene
from pixelrs_ros.workers import Workers

COUNTS: dict[Pictures, int] = {"train": 2, "val": 1, "test": 1}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "prist"
    assert generate(folder, COUNTS, seed=11) == {"train": 16, "val": 2, "test": 1, "test_language": 1}
    return folder


def test_what_is_written_reads_back_and_matches_the_scene(made: Path) -> None:
    (dialogue,) = prist.read_split(made, "test")
    assert dialogue.meta is not None
    masks = prist.read_masks(made, dialogue.img_id)
    for labels in dialogue.meta.targets:
        assert all(masks[label].any() for label in labels)
    assert dialogue.meta.targets[-1] == (dialogue.focus,)
    with Renderer() as renderer:
        view = renderer.render(sample_scene(dialogue.meta.scene_seed, twin_rate=0.0))
    goal = next(t for t in view.objects if (t.kind, t.color) == (dialogue.meta.kind, dialogue.meta.color))
    assert (masks[dialogue.focus] == view.mask(goal.object_id, dialogue.meta.part)).mean() > 0.9999
    image = prist.read_image(made, dialogue.img_id)
    assert dialogue.meta.sensor is False, "this picture is a clean one, else it could not be compared"
    assert np.abs(image.astype(int) - view.image).mean() < 4


def test_meta_says_what_faults_a_picture_has_and_what_is_seen(made: Path) -> None:
    faulty = {}
    with Renderer() as renderer:
        for split in COUNTS:
            for dialogue in prist.read_split(made, split):
                meta = dialogue.meta
                assert meta is not None and meta.sensor is not None
                assert (meta.visible is None) if split == "train" else (meta.visible and 0 < meta.visible <= 1)
                if dialogue.img_id not in faulty:
                    clean = renderer.render(sample_scene(meta.scene_seed, twin_rate=0.0)).image
                    differs = np.abs(prist.read_image(made, dialogue.img_id).astype(int) - clean).mean()
                    assert bool(differs > 4) is meta.sensor, (dialogue.img_id, differs)
                faulty[dialogue.img_id] = meta.sensor
    assert set(faulty.values()) == {True, False}


def test_the_shapes_test_ends_on_shapes_that_no_other_split_shows(made: Path, tmp_path: Path) -> None:
    assert generate(tmp_path, {"test_shapes": 3}, seed=11) == {"test_shapes": 3}
    families = set()
    for dialogue in prist.read_split(tmp_path, "test_shapes"):
        assert dialogue.meta is not None
        things = sample_scene(dialogue.meta.scene_seed, held_out_rate=HELD_OUT_RATE, twin_rate=0.0).objects
        goal = next(t for t in things if (t.kind, t.color) == (dialogue.meta.kind, dialogue.meta.color))
        assert goal.family == HELD_OUT_FAMILY
        families |= {thing.family for thing in things}
    assert len(families) > 1
    for split in COUNTS:
        for dialogue in prist.read_split(made, split):
            assert dialogue.meta is not None
            shown = {thing.family for thing in sample_scene(dialogue.meta.scene_seed, twin_rate=0.0).objects}
            assert HELD_OUT_FAMILY not in shown


def test_the_language_test_is_about_the_pictures_of_the_test(made: Path) -> None:
    (plain,), (hard,) = prist.read_split(made, "test"), prist.read_split(made, "test_language")
    assert plain.img_id == hard.img_id and plain.turns != hard.turns
    assert hard.meta is not None and hard.meta.hard


def test_an_interrupted_run_ends_in_the_same_bytes(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "prist"
    generate(folder, {"train": 1}, seed=11)
    first = folder / "images" / "train_000000.jpg"
    drawn = first.stat().st_mtime_ns
    (folder / "images" / "train_000001.jpg").write_bytes(b"half a picture")  # no dialogues beside it: not finished
    generate(folder, COUNTS, seed=11, workers=Workers(2))
    assert contents(folder) == contents(made)
    assert first.stat().st_mtime_ns == drawn, "a finished picture is not drawn again"


def test_workers_draw_the_same_as_one_process(made: Path, tmp_path: Path) -> None:
    counts: dict[Pictures, int] = {"train": 5}
    generate(tmp_path / "one", counts, seed=11)
    generate(tmp_path / "two", counts, seed=11, workers=Workers(2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_seed_or_number_of_dialogues_is_drawn_anew(tmp_path: Path) -> None:
    generate(tmp_path, {"val": 1}, seed=11)
    before = contents(tmp_path)
    said = io.StringIO()
    generate(tmp_path, {"val": 1}, seed=8, console=Console(file=said, width=400))
    assert "holds pictures made with seed 11: those asked for are made anew with seed 8" in said.getvalue()
    assert contents(tmp_path)["images/val_000000.jpg"] != before["images/val_000000.jpg"]
    assert generate(tmp_path, {"val": 1}, seed=11, dialogues_per_image={"val": 3}) == {"val": 3}


def test_splits_and_seeds_share_no_scene() -> None:
    seeds = [
        {Job("", seed, split, index, 1).scene_seed(attempt) for index in (0, 1, 999_999) for attempt in (0, 63)}
        for seed in (0, 1)
        for split in SPLITS
    ]
    assert sum(len(each) for each in seeds) == len(set().union(*seeds))


def test_impossible_wishes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train"):
        generate(tmp_path, {"train": -1})
    with pytest.raises(DataError, match="seed"):
        generate(tmp_path, {"train": 1}, seed=-1)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file"):
        generate(tmp_path / "file", {"train": 1})


def test_what_is_told_for_training_is_worded_as_the_shipped_network_was_taught(tmp_path: Path) -> None:
    (made,) = generate(tmp_path, {"train_talk": 4}, seed=11).items()
    told = prist.read_split(tmp_path, "train_talk")
    assert made == ("train_talk", len(told)) and len(told) >= 4
    with Renderer() as renderer:
        for dialogue in told:
            assert dialogue.meta is not None and dialogue.meta.targets[-1][0] == dialogue.focus
            assert prist.read_masks(tmp_path, dialogue.img_id)[dialogue.focus].any()
            scene = sample_scene(dialogue.meta.scene_seed, twin_rate=TWIN_RATE)
            kinds = {thing.kind for thing in renderer.render(scene).objects}
            assert dialogue.meta.kind in kinds
    assert Job(str(tmp_path), 2, "test_talk", 7, 1).scene_seed(3) == 1_000_000_000 + (14 * 1_000_000 + 7) * 64 + 3

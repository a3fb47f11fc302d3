"""Recorded turns as a PRIST folder, read back by everything that reads PRIST."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bag_bench import SECOND_NS, BagBench, a_dialogue, a_mask, a_picture, a_reply
from pixelrs_ros.msg import Pointing

from pixelrs_ros.cli import main
from pixelrs_ros.data import prist
from pixelrs_ros.data.bag_turns import read_dialogues
from pixelrs_ros.data.bags import Bag
from pixelrs_ros.data.check import check
from pixelrs_ros.data.from_bag import DIALOGUES_FILE, write_from_bag
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.samples import Samples
from pixelrs_ros.types import Status


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with BagBench(tmp_path / "bag") as bench:
        a_dialogue(bench)
    return bench.path


def words(path: Path) -> list[list[tuple[str, str]]]:
    """What was said in every dialogue, and how it ended."""
    with Bag(path) as bag:
        dialogues, _ = read_dialogues(bag, bag.robot())
    return [[(turn.turn.text, turn.text) for turn in dialogue.turns] for dialogue in dialogues]


def test_turns_with_masks_become_dialogues_that_every_reader_reads(bag: Path, tmp_path: Path) -> None:
    done = write_from_bag(bag, out := tmp_path / "prist")
    assert (done.dialogues, done.turns, done.examples, done.without_picture, done.failed) == (1, 4, 2, 0, {})
    both, pan = prist.read_split(out, "train")
    assert [(turn.user, turn.answer) for turn in both.turns] == [
        ("I want to drink.", "There is a mug."),
        ("where?", "The mug, by its handle [SEG]."),
    ]
    assert [turn.answer for turn in pan.turns] == [
        "There is a mug.", "The mug, by its handle.", "I see no fork.", "The pan [SEG]."
    ]  # fmt: skip
    samples = Samples.load(out, "train")
    for sample, picture, mask in zip(samples.all, (1, 3), (a_mask(20) | a_mask(40), a_mask(30)), strict=True):
        image, masks = samples.read(sample.img_id)
        np.testing.assert_array_equal(image, a_picture(picture))
        np.testing.assert_array_equal(masks[sample.keys[0]], mask)
    np.testing.assert_array_equal(prist.read_masks(out, both.img_id)["its handle"], a_mask(40))
    with check(open_data(out), ["train"]) as report:
        assert not report.faults and report.splits["train"].dialogues == 2
    (dialogue,) = json.loads((out / DIALOGUES_FILE).read_text())
    assert [turn["status"] for turn in dialogue["turns"]] == ["answered", "grounded", "not_found", "grounded"]
    assert all((out / "images" / turn["img_id"]).is_file() for turn in dialogue["turns"])


def test_the_command_says_what_it_wrote_and_its_data_passes_the_check(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "from-bag", str(bag), "--out", str(tmp_path / "prist"), "--split", "kitchen"]) == 0
    assert "kitchen.json: 2 dialogues that end on a mask" in capsys.readouterr().out
    assert main(["data", "check", str(tmp_path / "prist")]) == 0
    assert main(["data", "from-bag", str(bag), "--out", str(tmp_path / "prist")]) == 1
    assert "is not empty; remedy: a new folder" in capsys.readouterr().err
    for name in ("dialogues", "../elsewhere", ""):
        assert main(["data", "from-bag", str(bag), "--out", str(tmp_path / "new"), "--split", name]) == 1
        assert "no split can be called" in capsys.readouterr().err


def test_where_the_user_pointed_comes_along(tmp_path: Path) -> None:
    with BagBench(tmp_path / "bag") as bench:
        header = bench.show(a_picture(0))
        said = bench.say("this one", 0, pointing=[Pointing(header=header, x=21.0, y=8.5)])
        bench.answer(header, said, 0, a_reply("[OBJ]The mug[SEG].", a_mask(20)))
    write_from_bag(bench.path, out := tmp_path / "prist")
    assert [turn.point for turn in prist.read_split(out, "train")[0].turns] == [(21.0, 8.5)]
    assert json.loads((out / DIALOGUES_FILE).read_text())[0]["turns"][0]["point"] == [21.0, 8.5]


def test_a_correction_takes_the_place_of_the_turn_before(tmp_path: Path) -> None:
    with BagBench(tmp_path / "bag") as bench:
        for number, (text, again) in enumerate((("a mug", False), ("the red mug", True), ("thanks", False))):
            reply = a_reply("[OBJ]The mug[SEG].", a_mask(20))
            bench.answer(bench.show(a_picture(number)), bench.say(text, number, replace_last=again), number, reply)
    write_from_bag(bench.path, tmp_path / "prist")
    said = [[turn.user for turn in one.turns] for one in prist.read_split(tmp_path / "prist", "train")]
    assert said == [["a mug"], ["the red mug"], ["the red mug", "thanks"]]


def test_bare_words_are_found_by_their_moment_or_not_at_all(tmp_path: Path) -> None:
    with BagBench(tmp_path / "bag") as bench:
        header = bench.show(a_picture(0))
        first = bench.whisper("the mug")
        second = bench.whisper("the pan")
        bench.answer(header, first, 0, a_reply("It is there."))
        bench.answer(header, second, 1, a_reply("So is that."))
        late = bench.whisper("lost")
        late.header.stamp.sec += 5
        bench.answer(header, late, 2, a_reply("Nobody knows to what."))
    assert words(bench.path) == [[("the mug", "It is there."), ("the pan", "So is that.")]]
    with Bag(bench.path) as bag:
        (dialogue,), _ = read_dialogues(bag, bag.robot())
    assert not dialogue.from_start


def test_a_reset_begins_a_dialogue_and_a_refusal_that_comes_early_does_not(tmp_path: Path) -> None:
    with BagBench(tmp_path / "bag") as bench:
        header = bench.show(a_picture(0))
        slow, refused = bench.say("slow", 0), bench.say("too soon", 1)
        bench.fail(refused, 1, Status.REJECTED)
        bench.answer(header, slow, 0, a_reply("Done."))
        bench.answer(header, bench.say("next", 2), 2, a_reply("Too."))
        bench.answer(header, bench.say("anew", 0), 0, a_reply("Hello."))
        bench.answer(header, bench.say("and on", 1), 1, a_reply("Yes."))
    assert words(bench.path) == [[("slow", "Done."), ("next", "Too.")], [("anew", "Hello."), ("and on", "Yes.")]]
    with Bag(bench.path) as bag:
        dialogues, failed = read_dialogues(bag, bag.robot())
    assert failed == {Status.REJECTED: 1} and all(dialogue.from_start for dialogue in dialogues)


def test_turns_without_their_image_are_left_out_and_counted(tmp_path: Path) -> None:
    with BagBench(tmp_path / "bag") as bench:
        header = bench.show(a_picture(0))
        bench.answer(header, bench.say("the mug", 0), 0, a_reply("[OBJ]The mug[SEG].", a_mask(20)))
        lost = bench.say("and the pan", 1)
        lost.header.stamp.nanosec = 5
        bench.answer(lost.header, lost, 1, a_reply("[OBJ]The pan[SEG].", a_mask(20)))
    done = write_from_bag(bench.path, tmp_path / "prist")
    assert (done.examples, done.without_picture) == (1, 1)


def test_of_several_robots_one_has_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with BagBench(tmp_path / "bag", "/robot1/") as bench:
        a_dialogue(bench, "of the first")
        bench.namespace = "/robot2/"
        bench.answer(bench.show(a_picture(9)), bench.say("hello", 0), 0, a_reply("[OBJ]You[SEG].", a_mask(20)))
    out = str(tmp_path / "prist")
    assert main(["data", "from-bag", str(bench.path), "--out", out]) == 1
    assert "several robots; remedy: one of --namespace /robot1, /robot2" in capsys.readouterr().err
    assert main(["data", "from-bag", str(bench.path), "--out", out, "--namespace", "robot3"]) == 1
    assert "no robot in the namespace 'robot3'; there are /robot1, /robot2" in capsys.readouterr().err
    assert main(["data", "from-bag", str(bench.path), "--out", out, "--namespace", "robot2"]) == 0
    (dialogue,) = prist.read_split(Path(out), "train")
    assert dialogue.turns[0].user == "hello"
    np.testing.assert_array_equal(prist.read_image(Path(out), dialogue.img_id), a_picture(9))


def test_images_on_another_topic_have_to_be_named_where_the_recorder_did_not(tmp_path: Path) -> None:
    for name, noted in (("foreign", {}), ("own", {"/image": "/camera/color"})):
        with BagBench(tmp_path / name, noted=noted) as bench:
            header = bench.show(a_picture(0), "/camera/color")
            bench.answer(header, bench.say("you", 0), 0, a_reply("[OBJ]You[SEG].", a_mask(20)))
    with pytest.raises(DataError, match=r"no images on /image; remedy: name their topic with --image; there are /cam"):
        write_from_bag(tmp_path / "foreign", tmp_path / "prist")
    with pytest.raises(DataError, match="there is no topic '/camera'"):
        write_from_bag(tmp_path / "foreign", tmp_path / "prist", image="/camera")
    assert write_from_bag(tmp_path / "foreign", tmp_path / "a", image="/camera/color").examples == 1
    assert write_from_bag(tmp_path / "own", tmp_path / "b").examples == 1


def test_without_answers_or_words_there_is_nothing_to_learn_from(tmp_path: Path) -> None:
    with BagBench(tmp_path / "images") as bench:
        bench.show(a_picture(0))
    with pytest.raises(DataError, match=r"nothing was recorded of a perception node.*topics: /image"):
        write_from_bag(bench.path, tmp_path / "prist")
    with BagBench(tmp_path / "unanswered") as bench:
        bench.show(a_picture(0))
        bench.say("hello?", 0)
    with pytest.raises(DataError, match="there are no answers: nothing on /segmentation"):
        write_from_bag(bench.path, tmp_path / "prist")
    with BagBench(tmp_path / "failed") as bench:
        bench.show(a_picture(0))
        bench.fail(bench.say("hello?", 0), 0, Status.NO_FRAME)
    with pytest.raises(DataError, match=r"no turn was answered whose words were recorded \(1 no_frame\)"):
        write_from_bag(bench.path, tmp_path / "prist")
    with BagBench(tmp_path / "blind") as bench:
        header = bench.show(a_picture(0))
        header.stamp.sec += SECOND_NS // SECOND_NS
        bench.answer(header, bench.say("you", 0), 0, a_reply("[OBJ]You[SEG].", a_mask(20)))
    with pytest.raises(DataError, match="none of the images that turns are about was recorded on /image"):
        write_from_bag(bench.path, tmp_path / "prist")


def test_an_image_that_cannot_be_converted_is_named(tmp_path: Path) -> None:
    from sensor_msgs.msg import Image

    with BagBench(tmp_path / "bag") as bench:
        header = bench.show(a_picture(0), "elsewhere")
        message = Image(header=header, height=2, width=2, step=2, encoding="secret", data=b"1234")
        bench.put("image", "sensor_msgs/msg/Image", message)
        bench.answer(header, bench.say("you", 0), 0, a_reply("[OBJ]You[SEG].", a_mask(20)))
    with pytest.raises(DataError, match=r"an image on /image: .*secret"):
        write_from_bag(bench.path, tmp_path / "prist")

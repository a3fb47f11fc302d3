"""What is judged: the data's own words, or a checkpoint's in their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from spoken_files import PLAIN, TURNS, write_data, write_said

from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.judge.talks import read_talks

PRIST_PICTURES = ("68789c2662f45c96.jpg", "2f8be2b2de5573dc.jpg")
SAID = (("Warm?", "The red mug."),) * 3


def test_a_folder_is_judged_by_its_own_words(tmp_path: Path) -> None:
    (talks,) = read_talks(write_data(tmp_path / "mine"))
    assert (talks.name, talks.split, talks.condition, talks.is_prist) == ("mine, test", "test", None, False)
    assert (len(talks.all), talks.pictures, talks.scores) == (3, 3, {})
    talk = talks.all[1]
    assert (talk.dialogue, talk.img_id, talk.target, talk.wanted) == (1, "1.jpg", "Red mug", ())
    assert talk.turns == tuple((turn.user, answer) for turn, answer in zip(TURNS, PLAIN, strict=True))
    assert talk.shows and talk.written().endswith("\nRobot: Then you mean the red mug. [mask]")


def test_records_are_judged_in_the_place_of_the_datas_answers(tmp_path: Path) -> None:
    data = write_data(tmp_path / "mine")
    (talks,) = read_talks(write_said(tmp_path / "a.json", data, SAID))
    assert (talks.name, talks.condition, len(talks.all)) == ("nano, test", "own history", 3)
    assert talks.scores["c_iou"] == 1.0
    talk = talks.all[0]
    assert talk.asked == tuple(turn.user for turn in TURNS) and talk.answers == SAID[0]
    assert talk.wanted == PLAIN and talk.before == ()


def test_what_was_given_stands_before_what_is_judged(tmp_path: Path) -> None:
    data = write_data(tmp_path / "mine")
    path = write_said(tmp_path / "a.json", data, [("The red mug.",)] * 3, condition="reference history")
    talk = read_talks(path)[0].all[0]
    assert talk.before == ((TURNS[0].user, PLAIN[0]),)
    assert talk.turns == ((TURNS[1].user, "The red mug."),) and talk.wanted == (PLAIN[1],)
    assert "Robot (given, not judged): Something warm or something cold?\nPerson: Something warm." in talk.written()


def test_where_nothing_was_given_the_judge_sees_the_last_turn_alone(tmp_path: Path) -> None:
    data = write_data(tmp_path / "mine")
    path = write_said(tmp_path / "a.json", data, [("The red mug.",)] * 3, condition="last turn only, blind")
    talk = read_talks(path)[0].all[0]
    assert talk.before == () and talk.written() == "Person: Something warm.\nRobot: The red mug. [mask]"


def test_prist_is_known_by_the_names_of_its_pictures(tmp_path: Path) -> None:
    data = write_data(tmp_path / "prist", PRIST_PICTURES)
    assert read_talks(data)[0].is_prist
    assert read_talks(write_said(tmp_path / "a.json", data, SAID[:2], data_set="PRIST"))[0].is_prist


def test_limits_and_splits_choose(tmp_path: Path) -> None:
    data = write_data(tmp_path / "mine")
    write_data(data, split="val")
    path = write_said(tmp_path / "a.json", data, SAID)
    assert [talks.split for talks in read_talks(data)] == ["test", "val"]
    assert [len(talks.all) for talks in read_talks(data, splits=["val"], limit=2)] == [2]
    assert [len(talks.all) for talks in read_talks(path, limit=1)] == [1]
    with pytest.raises(DataError, match=r"no dialogue to judge in the splits \['val'\]"):
        read_talks(path, splits=["val"])


def test_data_that_lies_elsewhere_now_is_named(tmp_path: Path) -> None:
    data = write_data(tmp_path / "mine")
    path = write_said(tmp_path / "a.json", data, SAID)
    moved = data.rename(tmp_path / "moved")
    with pytest.raises(DataError, match="no such folder"):
        read_talks(path)
    assert len(read_talks(path, data=moved)[0].all) == 3


def test_data_that_is_not_as_it_was_is_refused(tmp_path: Path) -> None:
    data = write_data(tmp_path / "mine")
    path = write_said(tmp_path / "a.json", data, SAID)
    write_data(data, ("0.jpg", "2.jpg", "1.jpg"))
    with pytest.raises(DataError, match="dialogue 1 is not in the data as it was"):
        read_talks(path)
    write_data(data, ("0.jpg", "1.jpg"))
    with pytest.raises(DataError, match="dialogue 2 is not in the data as it was"):
        read_talks(path)


def test_the_words_hash_tells_what_a_judge_saw(tmp_path: Path) -> None:
    data = write_data(tmp_path / "mine")
    first, second, _ = read_talks(write_said(tmp_path / "a.json", data, [*SAID[:2], ("Cold?", "No.")]))[0].all
    other = read_talks(write_said(tmp_path / "b.json", data, [("Cold?", "No.")] * 3))[0].all[0]
    assert first.hashed() == second.hashed() != other.hashed()

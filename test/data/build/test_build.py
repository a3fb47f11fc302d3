"""From labeled pictures to dialogues, by rules and by a model behind a real server; changed, dropped, gone on with."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from chat_server import Reply, completion, serving
from labeled_pictures import LABELS, write_labeled

from pixelrs_ros.cli import main
from pixelrs_ros.data.check import check
from pixelrs_ros.data.labelme import annotate, to_json
from pixelrs_ros.data.prist import SEG, mask_path, read_split
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.files import write_file, write_picture

TARGETS = sorted(label for labels in LABELS.values() for label in labels)


@pytest.fixture
def labeled(tmp_path: Path) -> Path:
    return write_labeled(tmp_path / "photos")


def command(labeled: Path, out: Path, url: str) -> list[str]:
    asked = ["--by", "model", "--endpoint", url, "--model", "it"]
    return ["data", "build", str(labeled), "--out", str(out), *asked]


def report(out: Path) -> Any:
    return json.loads((out / "report.json").read_text())


def passes(out: Path) -> None:
    reader = open_data(out)
    with check(reader, reader.splits(), lambda: None) as found:
        assert not found.errors
        assert not found.faults


def model(foreign: str = "") -> Callable[[dict[str, Any]], Reply]:
    """Says what the schema wants, in sentences that have a given word in the dialogues about the desk."""

    def answer(request: dict[str, Any]) -> Reply:
        schema = request["response_format"]["json_schema"]["schema"]
        wanted = schema["properties"]
        labels = list(schema["$defs"]["ByLabel"]["properties"]) if "ByLabel" in schema["$defs"] else []
        if "elements" in wanted:
            return completion(json.dumps({"elements": {label: ["plain"] for label in labels}}))
        if "question" in wanted:
            answers = {label: "the first" if label == labels[0] else "another" for label in labels}
            return completion(json.dumps({"question": "Which do you need?", "answers": answers}))
        prompt = request["messages"][0]["content"]
        said = f"The {foreign} is there." if foreign and "lamp" in prompt else "I can help."
        turn = {"user": "I have work to do.", "answer": said, "things": []}
        return completion(json.dumps({"turns": [turn] * wanted["turns"]["minItems"]}))

    return answer


def test_rules_tell_of_every_label_and_end_on_its_mask(labeled: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    assert main(["data", "build", str(labeled), "--out", str(out)]) == 0
    told = read_split(out, "train")
    assert sorted(dialogue.focus for dialogue in told) == TARGETS
    for dialogue in told:
        assert len(dialogue.turns) > 1
        assert f"{dialogue.focus} {SEG}" in dialogue.turns[-1].answer
        assert dialogue.focus not in dialogue.turns[0].user
    passes(out)


def test_a_model_tells_of_every_label(labeled: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    with serving(model()) as url:
        assert main(command(labeled, out, url)) == 0
        assert sorted(dialogue.focus for dialogue in read_split(out, "train")) == TARGETS
        first = (out / "train.json").read_bytes()
        assert main(command(labeled, out, url)) == 0
    assert (out / "train.json").read_bytes() == first
    assert report(out)["usage"]["asked"] == 0, "the second run asks nothing"
    passes(out)


@pytest.mark.parametrize("words", ["blue mug", "knife"])
def test_what_names_things_of_other_pictures_is_dropped_and_counted(labeled: Path, tmp_path: Path, words: str) -> None:
    out = tmp_path / "built"
    with serving(model(words)) as url:
        assert main(command(labeled, out, url)) == 0
    assert {dialogue.img_id for dialogue in read_split(out, "train")} == {"kitchen.png"}
    assert report(out)["dropped"] == {"talk: names what is not in the picture": 2}
    assert {drop["labels"][0] for drop in report(out)["drops"]} == {"book", "lamp"}
    passes(out)


@pytest.mark.parametrize(
    ("user", "said"), [("Give me the lamp or the book.", "Gladly."), ("I want to sit down.", "The lamp or the book?")]
)
def test_a_dialogue_that_gives_its_target_away_or_shows_another_is_dropped(
    labeled: Path, tmp_path: Path, user: str, said: str
) -> None:
    out, speak = tmp_path / "built", model()

    def answer(request: dict[str, Any]) -> Reply:
        wanted = request["response_format"]["json_schema"]["schema"]["properties"]
        if "turns" not in wanted:
            return speak(request)
        turn = {"user": user, "answer": said.replace("or the book", "") if "wants: book" in str(request) else said}
        return completion(json.dumps({"turns": [{**turn, "things": []}] * wanted["turns"]["minItems"]}))

    with serving(answer) as url:
        main(command(labeled, out, url))
    dropped = {drop["labels"][0] for drop in report(out)["drops"] if drop["picture"] == "desk.png"}
    assert dropped == ({"book", "lamp"} if "Give" in user else {"book"})


def test_keys_that_are_no_labels_are_dropped_and_counted(labeled: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    elements = {"book": ["a"], "lamp": ["b"], "cat": ["c"]}
    with serving(lambda _: completion(json.dumps({"elements": elements}))) as url:
        assert main(command(labeled, out, url)) == 1
    why = {drop["picture"]: drop["why"] for drop in report(out)["drops"]}
    assert why["desk.png"] == "names what is not in the picture"


def test_json_of_another_form_is_not_taken_for_the_name_of_a_thing(labeled: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    with serving(lambda _: completion('{"error": "overloaded"}')) as url:
        assert main(command(labeled, out, url)) == 1
    assert {drop["why"] for drop in report(out)["drops"]} == {"not what was wanted"}


def test_a_tree_that_a_person_changed_is_told(labeled: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    command = ["data", "build", str(labeled), "--out", str(out)]
    assert main(command) == 0
    path = out / "trees" / "desk.yaml"
    content = yaml.safe_load(path.read_text())
    content["tree"] = {"question": "Is it dark?", "answers": {"yes": "lamp"}}
    path.write_text(yaml.safe_dump(content))
    assert main(command) == 0
    (told,) = (dialogue for dialogue in read_split(out, "train") if dialogue.img_id == "desk.png")
    assert told.turns[0].answer == "Is it dark?"


def test_a_tree_that_names_what_is_not_labeled_is_told_to_the_person(
    labeled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "built"
    command = ["data", "build", str(labeled), "--out", str(out)]
    assert main(command) == 0
    path = out / "trees" / "desk.yaml"
    path.write_text(path.read_text().replace("lamp", "cat"))
    assert main(command) == 1
    assert f"{path}: names cat" in capsys.readouterr().err


def test_a_run_that_was_killed_asks_nothing_twice(labeled: Path, tmp_path: Path) -> None:
    out = tmp_path / "built"
    asked: list[str] = []
    stuck, go_on = threading.Event(), threading.Event()
    speak = model()

    def answer(request: dict[str, Any]) -> Reply:
        if len(asked) == 5 and not go_on.is_set():
            stuck.set()
            go_on.wait(60)
        else:
            asked.append(request["messages"][0]["content"])
        return speak(request)

    with serving(answer) as url:
        arguments = [*command(labeled, out, url), "--at-once", "1"]
        process = subprocess.Popen([sys.executable, "-m", "pixelrs_ros.cli", *arguments])
        assert stuck.wait(120)
        process.kill()
        process.wait()
        go_on.set()
        assert main(arguments) == 0
    assert len(asked) == len(set(asked))
    assert report(out)["usage"]["known"] + report(out)["usage"]["asked"] > 5
    passes(out)


def test_a_model_wants_a_name_and_an_address(labeled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "build", str(labeled), "--out", str(tmp_path / "built"), "--by", "model"]) == 1
    assert "--endpoint" in capsys.readouterr().err


def mark(folder: Path, name: str, labels: tuple[str, ...], size_px: tuple[int, int] = (40, 60)) -> None:
    """A picture of 60 x 40 px with squares of these labels, drawn on one of `size_px`."""
    write_picture(folder / "images" / name, np.full((40, 60, 3), 99, np.uint8))
    masks = {(label, 0): np.zeros(size_px, bool) for label in labels}
    for number, mask in enumerate(masks.values()):
        mask[5:15, 5 + 10 * number : 12 + 10 * number] = True
    file = annotate(f"../images/{name}", masks or {("x", 0): np.zeros(size_px, bool)})
    write_file(mask_path(folder, name), to_json(file))


def test_pictures_in_which_nothing_is_to_be_told_apart_are_counted_and_cost_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "photos", tmp_path / "built"
    for name, labels in (("none", ()), ("one", ("cup",)), ("two", ("cup", "pan"))):
        mark(folder, f"{name}.png", labels)
    asked: list[str] = []

    def answer(request: dict[str, Any]) -> Reply:
        asked.append(str(request["messages"][0]["content"]))
        return model()(request)

    with serving(answer) as url:
        assert main(command(folder, out, url)) == 0
    assert len(asked) == 4, "elements, a question and two dialogues"
    assert (report(out)["pictures"], report(out)["left_out"], report(out)["dialogues"]) == (1, 2, 2)
    assert "left out, fewer than two labels that a mask shows: 2 pictures" in capsys.readouterr().out


def test_masks_of_another_size_than_their_picture_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark(tmp_path / "photos", "a.png", ("cup", "pan"), (80, 120))
    assert main(["data", "build", str(tmp_path / "photos"), "--out", str(tmp_path / "built")]) == 1
    assert "masks/a.json: is for a picture of (80, 120) px" in capsys.readouterr().err


def test_dialogues_that_a_person_wrote_are_not_overwritten(labeled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (labeled / "train.json").write_text("[]", encoding="utf-8")
    build = ["data", "build", str(labeled), "--out", str(labeled)]
    assert main([*build, "--split", "told"]) == main([*build, "--split", "told"]) == 0
    assert main(build) == 1
    assert "holds dialogues that were not built" in capsys.readouterr().err
    assert (labeled / "train.json").read_text(encoding="utf-8") == "[]"


@pytest.mark.parametrize("split", ["../told", "", ".told", "a/b"])
def test_no_list_of_dialogues_lies_outside_of_its_folder(
    labeled: Path, tmp_path: Path, split: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "build", str(labeled), "--out", str(tmp_path / "a" / "built"), "--split", split]) == 1
    assert "no split can be called" in capsys.readouterr().err
    assert not list(tmp_path.rglob("told.json"))


def test_an_answer_that_stands_twice_in_a_tree_is_told_to_the_person(
    labeled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "built"
    assert main(["data", "build", str(labeled), "--out", str(out)]) == 0
    answers = "answers: {red: red mug, red: blue mug}"
    (out / "trees" / "kitchen.yaml").write_text(f"picture: kitchen.png\ntree: {{question: 'Which?', {answers}}}\n")
    assert main(["data", "build", str(labeled), "--out", str(out)]) == 1
    assert "kitchen.yaml: cannot be read: the key 'red' is there twice" in capsys.readouterr().err

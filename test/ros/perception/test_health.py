"""What the diagnostics say, and when they warn."""

import threading

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.ros.perception.health import (
    DEPTH_UNIT,
    IMAGE_AGE,
    SLOW_TURN_S,
    WINDOW,
    Health,
    NodeSnapshot,
    Recent,
    summary,
)
from pixelrs_ros.ros.queueing.rejection import Rejection, RejectionKind
from pixelrs_ros.types import Reply, Status

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
S = 1_000_000_000


class Patient:
    """A health with a clock of its own; both clocks show the same."""

    def __init__(self, *topics: str) -> None:
        self.now_s, self.busy_s = 100.0, 0.0
        self.health = Health("/robot/perception", clock_s=lambda: self.now_s)
        self.health.watch(topics or ("image",))

    def image(self, age_s: float = 0.0, error: str = "", topic: str = "image") -> None:
        self.health.note_image(topic, self.now_ns - round(age_s * S), BadInputError(error) if error else None)

    def turn(self, status: Status = Status.ANSWERED, frame_age_s: float = 0.0, **latency_ms: float) -> None:
        self.health.note_frame_age(frame_age_s)
        self.health.note_turn(Reply(status, "", latency_ms=latency_ms, message="why" if status not in RAN else ""))

    @property
    def now_ns(self) -> int:
        return round(self.now_s * S)

    def statuses(self, state: str = "active") -> dict[str, DiagnosticStatus]:
        snapshot = NodeSnapshot(
            state=state,
            now_ns=self.now_ns,
            max_frame_age_s=2.0,
            max_frame_slop_s=1.0,
            waiting=3,
            busy_s=self.busy_s,
            backend="an echo",
        )
        statuses = self.health.statuses(snapshot)
        assert all(status.hardware_id == "/robot/perception" for status in statuses)
        return {status.name.removeprefix("/robot/perception: "): status for status in statuses}

    def told(self, part: str) -> tuple[bytes, str]:
        status = self.statuses()[part]
        return status.level, status.message

    def values(self, part: str) -> dict[str, str]:
        return {pair.key: pair.value for pair in self.statuses()[part].values}


RAN = (Status.GROUNDED, Status.ANSWERED, Status.NOT_FOUND, Status.CLARIFY)


@pytest.mark.parametrize("state", ["inactive", "unconfigured", "active"])
def test_the_parts_are_always_there(state: str) -> None:
    assert set(Patient("image", "right/image").statuses(state)) == {
        "camera", "camera image", "camera right/image", "instructions", "dialogue", "latency"
    }  # fmt: skip


def test_a_camera_warns_when_images_stop_or_lie_in_the_future() -> None:
    patient = Patient()
    assert patient.told("camera image") == (WARN, "no image has arrived yet")
    assert patient.statuses("inactive")["camera image"].level == OK
    patient.image(age_s=0.25)
    assert patient.told("camera image") == (OK, "images arrive")
    assert patient.values("camera")[IMAGE_AGE] == patient.values("camera image")[IMAGE_AGE] == "0.25"
    patient.now_s += 3.0
    assert patient.told("camera image") == (WARN, "the newest image is 3.2 s old")
    patient.image(age_s=-1.5)
    level, message = patient.told("camera image")
    assert (level, "1.5 s in the future" in message) == (WARN, True)
    patient.health.watch(["image"])
    assert patient.values("camera")[IMAGE_AGE] == ""
    assert patient.told("camera") == (WARN, "no image has arrived yet")


def test_stamps_of_another_clock_are_told_from_a_camera_that_has_stopped() -> None:
    patient = Patient()
    patient.image(age_s=1e7)
    level, message = patient.told("camera image")
    assert level == WARN and "10000000.0 s old, but has just arrived: let both go by one clock" in message
    patient.now_s += 3.0
    assert patient.told("camera image") == (WARN, "the newest image is 10000003.0 s old")


def test_what_is_wrong_with_a_cameras_topics_is_a_warning_until_it_is_not() -> None:
    patient = Patient()
    patient.health.note_problems("image", ["its topic carries words"])
    assert patient.told("camera") == (WARN, "no image has arrived yet: its topic carries words")
    patient.image()
    assert patient.told("camera image") == (WARN, "its topic carries words")
    patient.health.note_problems("image", [])
    assert patient.told("camera image") == (OK, "images arrive")


def test_the_unit_of_depth_is_said_as_far_as_it_is_known() -> None:
    patient = Patient()
    assert patient.values("camera image")[DEPTH_UNIT] == ""
    for encoding, said in (
        ("16UC1", "0.001 (by its encoding, 16UC1)"),
        ("64FC1", "1 (by its encoding, 64FC1)"),
        ("bgr8", "unknown (bgr8)"),
    ):
        patient.health.note_depth("image", encoding)
        assert patient.values("camera image")[DEPTH_UNIT] == said


def test_a_bad_image_is_forgiven_in_time_and_stays_counted() -> None:
    patient = Patient()
    patient.image(error="truncated")
    assert patient.told("camera image") == patient.told("camera") == (ERROR, "truncated")
    patient.now_s += 1.0
    patient.image()
    level, message = patient.told("camera image")
    assert (level, "1 images of the last 10 s were bad" in message) == (WARN, True)
    patient.now_s += 12.0
    patient.image()
    patient.image(age_s=5.0)
    assert patient.told("camera image")[0] == WARN
    counts = {"good images": "3", "bad images": "1", "out of order images": "1"}
    assert counts.items() <= patient.values("camera image").items()


def test_cameras_are_counted_apart_and_summed_up_with_the_worst_level() -> None:
    patient = Patient("left", "right")
    for _ in range(3):
        patient.image(topic="left")
    patient.image(age_s=1.0, topic="right", error="truncated")
    assert patient.told("camera left")[0] == OK
    assert patient.told("camera right") == (ERROR, "truncated")
    assert patient.told("camera") == (ERROR, "right: truncated")
    assert (patient.values("camera left")["good images"], patient.values("camera right")["good images"]) == ("3", "0")
    assert (patient.values("camera")["good images"], patient.values("camera")["bad images"]) == ("3", "1")
    assert patient.values("camera")[IMAGE_AGE] == "0.00", "of the newest image of all"


def test_depth_that_does_not_fit_is_a_warning_until_it_does() -> None:
    patient = Patient()
    patient.image()
    patient.health.note_mismatch(BadInputError("the depth is of another size"))
    assert patient.told("camera") == (WARN, "the depth is of another size")
    patient.health.note_mismatch(None)
    assert patient.told("camera")[0] == OK
    assert patient.values("camera")["turns whose depth does not fit"] == "1"


def test_refused_instructions_are_a_warning_and_many_an_error() -> None:
    patient = Patient()
    for _ in range(4):
        patient.health.note_instruction()
    assert patient.told("instructions") == (OK, "instructions are taken")
    patient.health.note_rejection(Rejection(RejectionKind.QUEUE_FULL, "slow down"))
    level, message = patient.told("instructions")
    assert (level, message) == (WARN, "1 of 4 instructions of the last 10 s were rejected: slow down")
    for _ in range(2):
        patient.health.note_rejection(Rejection(RejectionKind.BUSY, "wait"))
    assert patient.told("instructions")[0] == ERROR
    patient.now_s += 12.0
    assert patient.told("instructions")[0] == OK
    values = patient.values("instructions")
    assert (values["instructions received"], values["instructions rejected, queue full"]) == ("4", "1")
    assert values["instructions rejected, busy"] == "2"


def test_preempted_turns_are_a_warning_for_a_while() -> None:
    patient = Patient()
    patient.health.note_instruction()
    patient.health.note_preemption()
    assert patient.told("instructions") == (WARN, "1 turns of the last 10 s were preempted")
    patient.now_s += 12.0
    assert patient.told("instructions")[0] == OK
    assert patient.values("instructions")["instructions preempted"] == "1"


@pytest.mark.parametrize(
    ("status", "level"),
    [
        *((status, OK) for status in RAN),
        *((status, WARN) for status in (Status.BAD_INPUT, Status.NO_FRAME, Status.CANCELLED)),
        (Status.INTERNAL_ERROR, ERROR),
    ],
)
def test_the_last_turn_gives_the_dialogues_level(status: Status, level: bytes) -> None:
    patient = Patient()
    assert patient.told("dialogue") == (OK, "no turn yet")
    patient.turn(status, total=12.0)
    assert patient.told("dialogue")[0] == level
    patient.turn(Status.REJECTED)
    assert patient.told("dialogue")[0] == level, "a refused instruction is no turn"
    values = patient.values("dialogue")
    assert (values[f"turns {status.value}"], values["turns rejected"]) == ("1", "1")
    assert (values["last turn, total [ms]"], values["backend"], values["waiting instructions"]) == (
        "12",
        "an echo",
        "3",
    )


def test_a_turn_that_does_not_end_is_a_warning() -> None:
    patient = Patient()
    patient.busy_s = SLOW_TURN_S - 1.0
    assert patient.told("dialogue")[0] == OK
    patient.busy_s = SLOW_TURN_S + 1.0
    assert patient.told("dialogue") == (WARN, "a turn has been running for 31 s")
    patient.turn(Status.INTERNAL_ERROR)
    assert patient.told("dialogue") == (ERROR, "why")


def test_latencies_are_of_the_last_turns_that_ran() -> None:
    patient = Patient()
    assert patient.values("latency") == {"frame age when its turn began [s]": ""}
    for ms in range(1, WINDOW + 101):
        patient.turn(encode=float(ms))
    patient.turn(Status.INTERNAL_ERROR, encode=9999.0)
    patient.turn(Status.REJECTED, encode=9999.0)
    assert patient.values("latency")["encode [ms]"] == "median 150.0, p95 195.0, max 200.0"
    assert patient.told("latency") == (OK, "over the last 100 turns")


@pytest.mark.parametrize(("stale", "level"), [(0, OK), (1, OK), (2, WARN), (19, WARN), (20, ERROR), (40, ERROR)])
def test_turns_about_frames_that_were_old_when_they_began(stale: int, level: bytes) -> None:
    patient = Patient()
    for number in range(40):
        patient.turn(frame_age_s=2.5 if number < stale else 0.1)
    assert patient.told("latency")[0] == level
    patient.now_s += 61.0
    assert patient.told("latency")[0] == OK, "that was a minute ago"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], ""),
        ([3.0], "median 3.0, p95 3.0, max 3.0"),
        ([2.0, 1.0, 4.0, 3.0], "median 2.0, p95 4.0, max 4.0"),
        (list(map(float, range(1, 101))), "median 50.0, p95 95.0, max 100.0"),
    ],
)
def test_a_summary_is_by_nearest_rank(values: list[float], words: str) -> None:
    assert summary(values) == words


def test_what_happened_lately_is_kept_in_constant_memory() -> None:
    recent = Recent(10.0)
    for number in range(100_000):
        recent.note(number / 1000.0)
    assert 10_000 <= recent.count(100.0) <= 11_000
    assert 0 < len(recent) <= 12
    assert recent.count(1000.0) == 0


def test_threads_lose_no_count() -> None:
    patient = Patient()

    def work() -> None:
        for _ in range(500):
            patient.image()
            patient.health.note_instruction()
            patient.turn(total=1.0)
            patient.statuses()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert patient.values("camera")["good images"] == "2000"
    assert patient.values("instructions")["instructions received"] == "2000"
    assert patient.values("dialogue")["turns answered"] == "2000"

import itertools
import threading

from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros.ros.queueing.worker import Bounds, BusyPolicy, RejectionKind, Worker

DEADLINE_S = 10.0


def test_jobs_are_done_in_order_and_what_exceeds_the_queue_is_refused() -> None:
    done: list[int] = []
    begun, go, finished = threading.Event(), threading.Event(), threading.Event()

    def work(job: int) -> None:
        begun.set()
        assert go.wait(DEADLINE_S)
        done.append(job)
        if job == 2:
            finished.set()

    worker, two = Worker(work), Bounds(max_waiting=2)
    assert worker.busy_s == 0.0
    assert worker.submit(0, two).rejection is None
    assert begun.wait(DEADLINE_S)
    assert worker.busy_s > 0.0
    assert [worker.submit(job, two).rejection for job in (1, 2)] == [None, None]
    assert worker.waiting == 2
    assert worker.submit(3, two).rejection is RejectionKind.QUEUE_FULL
    go.set()
    assert finished.wait(DEADLINE_S)
    assert worker.stop(DEADLINE_S) == []
    assert done == [0, 1, 2]


def test_stopping_hands_back_what_was_not_done() -> None:
    begun, go = threading.Event(), threading.Event()

    def work(job: str) -> None:
        begun.set()
        assert go.wait(DEADLINE_S)

    worker = Worker(work)
    worker.submit("running", Bounds())
    assert begun.wait(DEADLINE_S)
    worker.submit("waiting", Bounds())
    threading.Timer(0.05, go.set).start()
    assert worker.stop(DEADLINE_S) == ["waiting"]
    assert worker.submit("late", Bounds()).rejection is RejectionKind.STOPPED


class Shop:
    """A worker whose jobs are (flow, number), and which does the next one when the test says so."""

    def __init__(self, policy: BusyPolicy = BusyPolicy.QUEUE, max_waiting: int = 8, max_flows: int = 1) -> None:
        self.bounds = Bounds(policy, max_waiting, max_flows)
        self.done: list[str] = []
        self.told: list[str] = []
        self.begun, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.worker: Worker[str] = Worker(self.work, flow=lambda job: job[0])

    def work(self, job: str) -> None:
        self.begun.release()
        assert self.go.acquire(timeout=DEADLINE_S)
        self.done.append(job)

    def submit(self, job: str, policy: BusyPolicy | None = None) -> RejectionKind | tuple[str, ...] | None:
        bounds = self.bounds if policy is None else Bounds(policy, self.bounds.max_waiting, self.bounds.max_flows)
        admission = self.worker.submit(job, bounds)
        if admission.preempted is not None:
            self.told.append(admission.preempted)
        return admission.displaced or admission.rejection

    def begin(self) -> None:
        assert self.begun.acquire(timeout=DEADLINE_S)

    def next_job(self) -> None:
        self.go.release()
        self.begin()

    def finish(self, left: int) -> list[str]:
        """Do what is left, so many jobs with the one that runs."""
        for _ in range(left - 1):
            self.next_job()
        self.go.release()
        assert self.worker.stop(DEADLINE_S) == []
        return self.done


def test_nobody_waits_longer_than_one_job_of_each_other_flow() -> None:
    shop = Shop(max_waiting=3, max_flows=2)
    assert shop.submit("a1") is None
    shop.begin()
    assert not any(shop.submit(job) for job in ("a2", "a3", "a4"))
    assert shop.submit("a5") is RejectionKind.QUEUE_FULL
    assert shop.submit("b1") is None
    assert shop.submit("c1") is RejectionKind.TOO_MANY_FLOWS
    shop.next_job()  # b1 runs
    assert shop.submit("b2") is None
    shop.next_job()  # a2
    assert shop.submit("b3") is None
    assert shop.finish(5) == ["a1", "b1", "a2", "b2", "a3", "b3", "a4"]


def test_under_the_policy_reject_a_flow_has_one_job_at_a_time() -> None:
    shop = Shop(policy=BusyPolicy.REJECT, max_flows=2)
    assert shop.submit("a1") is None
    shop.begin()
    assert shop.submit("a2") is RejectionKind.BUSY, "a runs"
    assert shop.submit("b1") is None
    assert shop.submit("b2") is RejectionKind.BUSY, "b waits"
    shop.next_job()
    assert shop.submit("a3") is None, "a's job is done"
    assert shop.finish(2) == ["a1", "b1", "a3"]
    assert not shop.told


def test_the_next_job_may_be_sent_as_soon_as_the_answer_is_there() -> None:
    begun, go, ended = threading.Event(), threading.Event(), set[str]()

    def work(job: str) -> None:
        begun.set()
        assert go.wait(DEADLINE_S)

    worker = Worker(work, ended=lambda job: job in ended)
    assert worker.submit("a1", Bounds(policy=BusyPolicy.REJECT)).rejection is None
    assert begun.wait(DEADLINE_S)
    assert worker.submit("a2", Bounds(policy=BusyPolicy.REJECT)).rejection is RejectionKind.BUSY
    ended.add("a1")
    taken = worker.submit("a3", Bounds(policy=BusyPolicy.PREEMPT))
    assert (taken.rejection, taken.preempted) == (None, None), "there is nothing left to call off"
    assert worker.submit("a4", Bounds(policy=BusyPolicy.REJECT)).rejection is RejectionKind.BUSY, "a3 waits"
    go.set()
    worker.stop(DEADLINE_S)


def test_a_job_that_preempts_displaces_what_waits_and_ends_what_runs() -> None:
    shop = Shop(policy=BusyPolicy.PREEMPT, max_flows=2)
    assert shop.submit("a1") is None
    shop.begin()
    for job in ("b1", "b2"):
        assert shop.submit(job, BusyPolicy.QUEUE) is None
    assert shop.submit("a2") is None
    assert shop.told == ["a1"]
    assert shop.submit("c1") is RejectionKind.TOO_MANY_FLOWS
    assert shop.submit("b3") == ("b1", "b2")
    assert shop.told == ["a1"], "b3 does not disturb a"
    assert shop.submit("a3") == ("a2",)
    assert shop.worker.waiting == 2
    assert shop.finish(3) == ["a1", "b3", "a3"], "b3 has b1's place, a3 has a2's"


def test_who_cannot_be_taken_preempts_nothing() -> None:
    shop = Shop(policy=BusyPolicy.PREEMPT, max_flows=1)
    assert shop.submit("a1") is None
    shop.begin()
    assert shop.submit("b1") is None
    assert shop.submit("a2") is RejectionKind.TOO_MANY_FLOWS
    assert not shop.told
    assert shop.finish(2) == ["a1", "b1"]


def test_who_preempts_himself_often_neither_falls_behind_nor_gets_ahead() -> None:
    shop = Shop(max_waiting=9, max_flows=3)
    assert shop.submit("c1") is None
    shop.begin()
    for number in range(1, 5):
        assert shop.submit(f"a{number}") is None
    assert shop.submit("b0") is None
    for number in range(1, 10):
        assert shop.submit(f"b{number}", BusyPolicy.PREEMPT) == (f"b{number - 1}",)
    assert shop.submit("b!") is None
    assert shop.finish(7) == ["c1", "a1", "b9", "a2", "b!", "a3", "a4"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(BusyPolicy)), max_size=30),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_every_job_ends_in_one_way_and_the_queue_keeps_its_bounds(
    jobs: list[tuple[str, BusyPolicy]], max_waiting: int, max_flows: int
) -> None:
    shop = Shop(max_waiting=max_waiting, max_flows=max_flows)
    shop.submit("x")
    shop.begin()
    numbers = itertools.count()
    waiting: list[str] = []
    for flow, policy in jobs:
        job = f"{flow}{next(numbers)}"
        outcome = shop.submit(job, policy)
        if isinstance(outcome, RejectionKind):
            continue
        assert set(outcome or ()) <= set(waiting)
        waiting = [waits for waits in waiting if waits not in (outcome or ())] + [job]
        of_flow = [waits for waits in waiting if waits[0] == flow]
        assert len(of_flow) <= (1 if policy is not BusyPolicy.QUEUE else max_waiting)
        assert len({waits[0] for waits in waiting}) <= max_flows
        assert shop.worker.waiting == len(waiting)
    assert sorted(shop.finish(1 + len(waiting))) == sorted(["x", *waiting])
    for flow in "abc":
        done = [int(job[1:]) for job in shop.done if job[0] == flow]
        assert done == sorted(done), "a flow's jobs are done in their order"


def test_a_job_that_waits_can_be_withdrawn_and_makes_room() -> None:
    shop = Shop(max_waiting=2)
    assert shop.submit("a0") is None
    shop.begin()
    assert shop.submit("a1") is None
    waiting = "a2"
    assert shop.submit(waiting) is None
    assert shop.submit("a3") is RejectionKind.QUEUE_FULL
    assert not shop.worker.withdraw("a0"), "it has begun"
    assert shop.worker.withdraw(waiting) and not shop.worker.withdraw(waiting)
    assert shop.submit("a3") is None
    assert shop.finish(3) == ["a0", "a1", "a3"]

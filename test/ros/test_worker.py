import threading

from pixelrs_ros.ros.worker import Worker

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

    worker = Worker(work, max_waiting=2)
    assert worker.submit(0)
    assert begun.wait(DEADLINE_S)
    assert worker.submit(1)
    assert worker.submit(2)
    assert worker.waiting == 2
    assert not worker.submit(3)
    go.set()
    assert finished.wait(DEADLINE_S)
    assert worker.stop(DEADLINE_S) == []
    assert done == [0, 1, 2]


def test_stopping_hands_back_what_was_not_done() -> None:
    begun, go = threading.Event(), threading.Event()

    def work(job: str) -> None:
        begun.set()
        assert go.wait(DEADLINE_S)

    worker = Worker(work, max_waiting=5)
    worker.submit("running")
    assert begun.wait(DEADLINE_S)
    worker.submit("waiting")
    threading.Timer(0.05, go.set).start()
    assert worker.stop(DEADLINE_S) == ["waiting"]
    assert not worker.submit("late")


def test_nobody_waits_longer_than_one_job_of_each_other_customer() -> None:
    done: list[str] = []
    begun, go = threading.Semaphore(0), threading.Semaphore(0)

    def work(job: str) -> None:
        begun.release()
        assert go.acquire(timeout=DEADLINE_S)
        done.append(job)

    def next_job() -> None:
        go.release()
        assert begun.acquire(timeout=DEADLINE_S)

    worker = Worker(work, max_waiting=3, customer=lambda job: job[0], max_customers=2)
    assert worker.submit("a1")
    assert begun.acquire(timeout=DEADLINE_S)
    assert all(worker.submit(job) for job in ("a2", "a3", "a4"))
    assert not worker.submit("a5"), "three of one customer wait"
    assert worker.submit("b1")
    assert not worker.submit("c1"), "two customers wait"
    next_job()  # b1 runs
    assert worker.submit("b2")
    next_job()  # a2
    assert worker.submit("b3")
    for _ in range(4):
        next_job()
    go.release()
    assert worker.stop(DEADLINE_S) == []
    assert done == ["a1", "b1", "a2", "b2", "a3", "b3", "a4"]


def test_a_job_that_waits_can_be_withdrawn_and_makes_room() -> None:
    done: list[int] = []
    begun, go, finished = threading.Event(), threading.Event(), threading.Event()

    def work(job: int) -> None:
        begun.set()
        assert go.wait(DEADLINE_S)
        done.append(job)
        if job == 3:
            finished.set()

    worker = Worker(work, max_waiting=2)
    assert worker.submit(0) and begun.wait(DEADLINE_S)
    assert worker.submit(1) and worker.submit(2) and not worker.submit(3)
    assert not worker.withdraw(0), "it has begun"
    assert worker.withdraw(1) and not worker.withdraw(1)
    assert worker.submit(3)
    go.set()
    assert finished.wait(DEADLINE_S)
    worker.stop(DEADLINE_S)
    assert done == [0, 2, 3]

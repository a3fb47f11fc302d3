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

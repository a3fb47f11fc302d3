import threading
from collections.abc import Callable

import pytest

from pixelrs_ros.engine.turnstile import Turnstile

DEADLINE_S = 10.0


def wait_for(condition: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(int(DEADLINE_S / 0.001)):
        if condition():
            return
        done.wait(0.001)
    raise AssertionError("nothing happened")


def test_an_eager_caller_does_not_overtake_a_patient_one() -> None:
    turnstile, order = Turnstile(), []
    patient_passed = threading.Event()

    def patient() -> None:
        for _ in range(5):
            with turnstile:
                order.append("patient")
        patient_passed.set()

    with turnstile:
        thread = threading.Thread(target=patient)
        thread.start()
        wait_for(lambda: len(turnstile._waiting) == 1)
        order.append("eager")
    for _ in range(4):
        with turnstile:
            order.append("eager")
            wait_for(lambda: len(turnstile._waiting) == 1)
    thread.join(DEADLINE_S)
    assert patient_passed.is_set()
    assert order == ["eager", "patient"] * 5


def test_an_exception_opens_it_again() -> None:
    turnstile = Turnstile()
    with pytest.raises(ZeroDivisionError), turnstile:
        raise ZeroDivisionError
    with turnstile:
        pass

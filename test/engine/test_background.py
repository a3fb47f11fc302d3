import threading

import pytest
import torch

from pixelrs_ros.engine.background import Background

DEADLINE_S = 10.0
CPU = torch.device("cpu")


def test_work_goes_on_beside_the_caller_and_only_its_user_waits() -> None:
    background, begun, go = Background(CPU, num_threads=1), threading.Event(), threading.Event()

    def compute() -> torch.Tensor:
        begun.set()
        assert go.wait(DEADLINE_S)
        return torch.full((2,), torch.get_num_threads() + 10 * torch.is_inference_mode_enabled())

    pending = background.submit(compute)
    assert begun.wait(DEADLINE_S)  # it runs, and the caller is here
    go.set()
    assert pending.result().tolist() == [11, 11]
    assert pending.result() is pending.result()


def test_failures_reach_who_waits_and_later_work_is_done() -> None:
    background = Background(CPU, num_threads=1)
    failed = background.submit(lambda: torch.zeros(2) @ torch.zeros(3))
    assert background.submit(lambda: torch.ones(1)).result().tolist() == [1]
    with pytest.raises(RuntimeError, match="size"):
        failed.result()

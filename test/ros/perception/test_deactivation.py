"""Clients that send while the node is deactivated get one answer each, over real topics."""

import random
import threading
import time
from collections import Counter

import pytest
import rclpy
from node_bench import Bench, Echo
from pixelrs_ros.msg import Instruction, Segmentation
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

SUCCESS = TransitionCallbackReturn.SUCCESS


class Sender:
    """Sends an instruction every two milliseconds, in a thread of its own, as a client in another process would."""

    def __init__(self, bench: Bench) -> None:
        self.sent: list[str] = []
        self._bench = bench
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.002):
            if not self._bench.instructions.get_subscription_count():
                continue
            name = str(len(self.sent))
            self.sent.append(name)
            self._bench.instructions.publish(
                Instruction(text="what", confidence=1.0, session_id=f"{len(self.sent) % 3}", instruction_id=name)
            )


def answered_once(bench: Bench, sender: Sender) -> bool:
    """Whether every instruction has both answers."""
    return len(bench.segmentations) >= len(sender.sent) and len(bench.finals()) >= len(sender.sent)


@pytest.mark.parametrize("seed", range(3))
def test_every_instruction_has_exactly_one_answer_whenever_it_was_sent(bench: Bench, seed: int) -> None:
    dice = random.Random(seed)
    bench.node.set_parameters([Parameter("max_instructions_per_s", value=0.0)])
    bench.activate()
    bench.show(bench.now_ns())
    sender = Sender(bench)
    bench.until(lambda: len(sender.sent) > dice.randrange(20, 60))
    assert bench.node.trigger_deactivate() == SUCCESS
    deactivated = len(sender.sent)
    bench.until(lambda: len(sender.sent) > deactivated + 80)
    sender.stop()
    bench.until(lambda: answered_once(bench, sender))
    bench.executor.spin_once(timeout_sec=0.1)
    counts = Counter(message.instruction_id for message in bench.segmentations)
    assert counts == Counter(sender.sent) == Counter(message.instruction_id for message in bench.finals())
    late = [message for message in bench.segmentations if int(message.instruction_id) >= deactivated]
    assert {message.status for message in late} == {Segmentation.REJECTED}
    assert all("deactivated" in message.message for message in late)
    taken = [(message.session_id, message.turn) for message in bench.segmentations]
    assert len(set(taken)) == len(taken)


def test_a_turn_that_is_running_while_clients_send_does_not_lose_them(bench: Bench) -> None:
    bench.node.set_parameters([Parameter("max_instructions_per_s", value=0.0)])
    bench.activate()
    bench.show(bench.now_ns())
    bench.echo.go.clear()
    sender = Sender(bench)
    bench.until(lambda: bench.echo.begun.acquire(blocking=False))
    threading.Timer(0.2, bench.echo.go.set).start()
    assert bench.node.trigger_deactivate() == SUCCESS
    sender.stop()
    bench.until(lambda: answered_once(bench, sender))
    statuses = Counter(message.status for message in bench.segmentations)
    assert statuses == {Segmentation.CANCELLED: 1, Segmentation.REJECTED: len(sender.sent) - 1}


def test_the_node_stops_listening_when_nobody_speaks_any_more(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    assert bench.node.trigger_deactivate() == bench.node.trigger_activate() == SUCCESS
    bench.show(bench.now_ns())
    bench.until(lambda: bench.instructions.get_subscription_count() == 1)
    bench.send("what", 0)
    assert bench.answers(1)[0][0] == Segmentation.ANSWERED
    assert bench.node.trigger_deactivate() == SUCCESS
    bench.until(lambda: bench.instructions.get_subscription_count() == 0)
    assert bench.node.trigger_cleanup() == SUCCESS


def test_clean_up_answers_what_has_arrived() -> None:
    rclpy.init()
    bench = Bench(Echo())
    bench.activate()
    bench.show(bench.now_ns())
    assert bench.node.trigger_deactivate() == SUCCESS
    bench.send("late", 0)
    time.sleep(0.2)  # until it has arrived
    assert bench.node.trigger_cleanup() == SUCCESS
    assert [status for status, _ in bench.answers(1)] == [Segmentation.REJECTED]
    bench.close()
    rclpy.shutdown()

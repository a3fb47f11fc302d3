import pytest
from hypothesis import given
from hypothesis import strategies as st
from node_bench import Bench
from pixelrs_ros.msg import Segmentation

from pixelrs_ros.ros.perception.latency import OTHER, STAGES, TOTAL, accounted

ORDER = [*STAGES, OTHER, TOTAL]


@given(st.dictionaries(st.sampled_from([*STAGES, "total"]), st.floats(-1.0, 1e4)), st.floats(0.0, 1e5))
def test_stages_are_in_order_and_add_up(latency_ms: dict[str, float], total_ms: float) -> None:
    told = accounted(latency_ms, total_ms)
    *stages, total = told.values()
    assert list(told) == [stage for stage in ORDER if stage in told]
    assert sum(stages) == pytest.approx(total) and min(stages) >= 0.0 and total >= total_ms - 1e-6


def check(message: Segmentation) -> None:
    stages = [latency.stage for latency in message.latencies]
    assert stages == [stage for stage in ORDER if stage in stages] and stages[-1] == TOTAL
    *parts, total = (latency.milliseconds for latency in message.latencies)
    assert sum(parts) == pytest.approx(total, abs=0.01)


def test_every_segmentation_accounts_for_its_time(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.echo.more.release(2)
    for count, text in enumerate(("point", "what", "fail", " "), start=1):
        bench.send(text, 0)
        bench.answers(count)
    bench.send("too early", 1)
    bench.answers(5)
    assert len({message.status for message in bench.segmentations}) == 5
    assert len(bench.partials) == 2
    for message in (*bench.segmentations, *bench.partials):
        check(message)

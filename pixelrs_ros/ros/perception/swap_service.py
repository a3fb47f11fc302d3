"""The service that loads another checkpoint beside the one in use, and answers with it from the next turn on."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from pixelrs_ros.ros.wire.executor_bridge import ExecutorBridge
from pixelrs_ros.srv import SwapCheckpoint

if TYPE_CHECKING:  # importing torch takes seconds, in which the node can already answer lifecycle calls
    from pixelrs_ros.engine.answerer import Answerer
    from pixelrs_ros.engine.session import Session


class _Loaded(NamedTuple):
    """What came of loading.

    Attributes:
        problem: Why the node goes on as it was; None when it answers with the new checkpoint.
        loading_s: How long loading took.
    """

    problem: str | None
    loading_s: float = 0.0


class SwapService:
    """Serves `~/swap_checkpoint`. Turns are answered while it loads; those that wait get the new network's answer.

    Args:
        node: Where it is served.
        bridge: Brings the outcome to the node's executor.
        session: Gives the dialogues; None while the node is not configured.
        open_engine: Loads a checkpoint with the node's other parameters; may raise anything.
        current: Gives the name of the checkpoint in use.
        adopt: Called in the executor with the name of the one that is in use from now on.
    """

    def __init__(
        self,
        node: Node,
        bridge: ExecutorBridge,
        session: Callable[[], Session | None],
        open_engine: Callable[[str], Answerer],
        current: Callable[[], str],
        adopt: Callable[[str], None],
    ) -> None:
        self._node = node
        self._bridge = bridge
        self._session = session
        self._open_engine = open_engine
        self._current = current
        self._adopt = adopt
        self._loader = ThreadPoolExecutor(1, "pixelrs_swap")  # one after the other
        # A group of its own: nothing else waits while a checkpoint is loaded.
        group = ReentrantCallbackGroup()
        node.create_service(SwapCheckpoint, "~/swap_checkpoint", self._on_request, callback_group=group)

    async def _on_request(
        self, request: SwapCheckpoint.Request, response: SwapCheckpoint.Response
    ) -> SwapCheckpoint.Response:
        loaded: _Loaded = await self._bridge.run(self._loader, lambda: self._load(request.checkpoint))
        response.success, response.message = loaded.problem is None, loaded.problem or ""
        response.previous, response.loading_s = self._current(), loaded.loading_s
        if response.success:
            self._adopt(request.checkpoint)
            self._node.get_logger().info(
                f"answers with {request.checkpoint!r} from now on, in the place of {response.previous!r} "
                f"(service ~/swap_checkpoint, loaded in {loaded.loading_s:.1f} s)"
            )
        else:
            self._node.get_logger().error(f"goes on with {response.previous!r}: {response.message}")
        return response

    def _load(self, checkpoint: str) -> _Loaded:
        """Load a checkpoint and put it in use. Never raises."""
        session = self._session()
        if session is None:
            return _Loaded("the node is not configured: set its parameter 'checkpoint' and configure it")
        if not checkpoint.strip():
            return _Loaded("checkpoint is empty: name a folder, or a checkpoint that is shipped or was fetched")
        started_s = time.perf_counter()
        try:
            engine = self._open_engine(checkpoint)
            loading_s = time.perf_counter() - started_s
            if self._session() is not session:
                return _Loaded("the node was cleaned up while the checkpoint was loaded")
            session.swap(engine)
        except Exception as error:
            return _Loaded(f"cannot use checkpoint {checkpoint!r}: {type(error).__name__}: {error}")
        return _Loaded(None, loading_s)

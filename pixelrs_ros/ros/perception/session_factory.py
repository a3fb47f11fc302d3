"""From the parameters to the network and its dialogues."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrs_ros.dialogue.storage import Storage
from pixelrs_ros.ros.parameters.table import SPECS, NodeParameters

if TYPE_CHECKING:  # importing torch takes seconds, in which the node can already answer lifecycle calls
    from pixelrs_ros.engine.answerer import Answerer
    from pixelrs_ros.engine.session import Session


def session_bounds(values: NodeParameters) -> dict[str, Any]:
    """The arguments of `Session.set_bounds`."""
    return {name: getattr(values, name) for name, spec in SPECS.items() if spec.bounds_session}


def storage_of(values: NodeParameters) -> Storage | None:
    """Where the parameters want dialogues stored; None for nowhere."""
    if not values.store_dialogues:
        return None
    return Storage(Path(values.storage_dir), values.store_images, values.max_stored_days, values.max_stored_mb)


def open_engine(values: NodeParameters) -> Answerer:
    """Load the network.

    Raises:
        CheckpointError: The checkpoint is incomplete or does not fit its configuration.
    """
    from pixelrs_ros.engine.opening import open_answerer

    return open_answerer(
        values.checkpoint,
        device=values.device,
        num_threads=values.num_threads or None,
        backend=values.backend,
        precision=values.precision,
        language_weights=values.language_weights,
        onnx_dir=values.onnx_dir or None,
    )


def open_session(values: NodeParameters) -> Session:
    """Load the network and open its dialogues; errors as in `open_engine`."""
    from pixelrs_ros.engine.session import Session

    session = Session(
        open_engine(values),
        max_turns=values.max_turns,
        max_sessions=values.max_sessions,
        max_new_tokens=values.max_new_tokens or None,
        storage=storage_of(values),
    )
    session.set_bounds(**session_bounds(values))
    return session

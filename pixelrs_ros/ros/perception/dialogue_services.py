"""The services that list, read, reset and export dialogues, and what log and diagnostics say about storing them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_msgs.msg import Header

from pixelrs_ros.data.marked import export_marked, marked_in_session
from pixelrs_ros.data.record import write_dialogue
from pixelrs_ros.dialogue.store import DialogueSummary
from pixelrs_ros.errors import BadInputError, PixelrsError
from pixelrs_ros.msg import DialogueSummary as SummaryMessage
from pixelrs_ros.msg import Instruction
from pixelrs_ros.msg import Turn as TurnMessage
from pixelrs_ros.ros.parameters.policies import FramePolicy
from pixelrs_ros.ros.perception.intake import Intake
from pixelrs_ros.ros.queueing.session_frames import SessionFrames
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.executor_bridge import ExecutorBridge
from pixelrs_ros.srv import CancelTurns, ExportDialogue, GetDialogue, ListDialogues, MarkTurn, ResetDialogue
from pixelrs_ros.status_codes import STATUS_CODES, VERDICT_CODES, VERDICTS
from pixelrs_ros.types import DEFAULT_SESSION_ID, Mark, Turn, check_instruction_id, check_session_id

if TYPE_CHECKING:  # importing torch takes seconds, in which the node can already answer lifecycle calls
    from pixelrs_ros.engine.session import Session

EXPORTS = "exports"  # folder below `storage_dir`
_POLICIES = {
    FramePolicy.PER_TURN: Instruction.PER_TURN,
    FramePolicy.PIN_FIRST: Instruction.PIN_FIRST,
    FramePolicy.LATEST: Instruction.LATEST,
}
_NS_PER_S = 1_000_000_000


class NotConfiguredError(PixelrsError):
    """There are no dialogues yet."""


class _Export(NamedTuple):
    """What came of an export.

    Attributes:
        problem: Why not all of it was written; None when all was.
        folder: Where it was written; empty when nothing was.
        num_turns: How many turns were written.
    """

    problem: str | None
    folder: str = ""
    num_turns: int = 0


class DialogueServices:
    """Serves `~/{list,get,reset,export}_dialogue(s)`, `~/mark_turn` and `~/cancel_turns`.

    Args:
        node: Where they are served.
        bridge: Brings an export's outcome to the node's executor.
        session: Gives the dialogues; None while the node is not configured.
        session_frames: The dialogues' frame policies; None likewise.
        frame_policy: What holds for a dialogue in which no instruction has asked for any.
        on_reset: Called with every dialogue that is reset.
        intake: Gives what takes instructions; None while the node is not active.
    """

    def __init__(
        self,
        node: Node,
        bridge: ExecutorBridge,
        session: Callable[[], Session | None],
        session_frames: Callable[[], SessionFrames | None],
        frame_policy: Callable[[], FramePolicy],
        on_reset: Callable[[str], None],
        intake: Callable[[], Intake | None],
    ) -> None:
        self._node = node
        self._session = session
        self._session_frames = session_frames
        self._frame_policy = frame_policy
        self._on_reset_done = on_reset
        self._intake = intake
        self._bridge = bridge
        self._exporter = ThreadPoolExecutor(1, "pixelrs_export")
        node.create_service(CancelTurns, "~/cancel_turns", self._on_cancel)
        node.create_service(ListDialogues, "~/list_dialogues", self._on_list)
        node.create_service(GetDialogue, "~/get_dialogue", self._on_get)
        node.create_service(MarkTurn, "~/mark_turn", self._on_mark)
        node.create_service(ResetDialogue, "~/reset_dialogue", self._on_reset)
        # A group of its own: nothing else waits while files are written.
        group = ReentrantCallbackGroup()
        node.create_service(ExportDialogue, "~/export_dialogue", self._on_export, callback_group=group)

    def tick(self) -> None:
        """Forget what has been silent too long, and log what happened to the store. To be called every second."""
        dialogues = self._session()
        if dialogues is None:
            return
        notices = dialogues.maintain()
        session_frames = self._session_frames()
        if session_frames is not None:
            session_frames.forget_unknown()
        for notice in notices:
            if notice.is_error:
                self._node.get_logger().error(notice.text)
            else:
                self._node.get_logger().info(notice.text)

    def status(self) -> DiagnosticStatus:
        """The state of the store: ERROR while turns are lost to the disk, WARN after a store was set aside."""
        name = self._node.get_fully_qualified_name()
        dialogues = self._session()
        if dialogues is None:
            return conversions.diagnostic(name, "storage", "the node is not configured")
        state = dialogues.storage_state()
        level = DiagnosticStatus.OK
        if state.problem:
            level, message = DiagnosticStatus.ERROR if state.failing else DiagnosticStatus.WARN, state.problem
        elif state.path is None:
            message = "dialogues are kept in memory only (parameter 'store_dialogues')"
        else:
            message = f"dialogues are stored in {state.path}"
        values = {"path": str(state.path or ""), "dialogues behind on disk": str(state.unsaved)}
        return conversions.diagnostic(name, "storage", message, values, level)

    def _require(self, session_id: str) -> tuple[Session, str]:
        """The dialogues and the name of the one that is meant.

        Raises:
            PixelrsError: There are none yet, or no dialogue may be called so.
        """
        dialogues = self._session()
        if dialogues is None:
            raise NotConfiguredError("the node is not configured: it remembers no dialogue")
        check_session_id(session_id)
        return dialogues, session_id or DEFAULT_SESSION_ID

    def _on_cancel(self, request: CancelTurns.Request, response: CancelTurns.Response) -> CancelTurns.Response:
        intake = self._intake()
        if intake is None:
            response.message = "the node is not active: nothing is being answered"
            return response
        session_id = request.session_id or DEFAULT_SESSION_ID
        response.cancelled = intake.cancel_dialogue(session_id, "called off (service ~/cancel_turns)")
        response.success = True
        return response

    def _on_list(self, request: ListDialogues.Request, response: ListDialogues.Response) -> ListDialogues.Response:
        try:
            dialogues, _ = self._require("")
        except PixelrsError as error:
            response.success, response.message = False, str(error)
            return response
        response.dialogues = [self._summary(summary) for summary in dialogues.summaries()]
        response.success = True
        return response

    def _on_get(self, request: GetDialogue.Request, response: GetDialogue.Response) -> GetDialogue.Response:
        try:
            dialogues, session_id = self._require(request.session_id)
        except PixelrsError as error:
            response.success, response.message = False, str(error)
            return response
        marks = dialogues.marks(session_id)
        response.turns = [_turn(turn, marks.get(turn.index)) for turn in dialogues.turns(session_id)]
        response.session_ids = [summary.session_id for summary in dialogues.summaries()]
        response.success = True
        return response

    def _on_reset(self, request: ResetDialogue.Request, response: ResetDialogue.Response) -> ResetDialogue.Response:
        try:
            dialogues, session_id = self._require(request.session_id)
        except PixelrsError as error:
            response.success, response.message = False, str(error)
            return response
        session_frames = self._session_frames()
        if session_frames is not None:
            session_frames.forget(session_id)
        self._on_reset_done(session_id)
        response.dropped_turns = dialogues.reset(session_id)
        state = dialogues.storage_state()
        response.success = not (state.failing and state.unsaved)
        if not response.success:
            response.message = f"forgotten, but perhaps still on disk: {state.problem}"
        return response

    def _on_mark(self, request: MarkTurn.Request, response: MarkTurn.Response) -> MarkTurn.Response:
        try:
            dialogues, session_id = self._require(request.session_id)
            check_instruction_id(request.instruction_id)
            if request.verdict not in (MarkTurn.Request.CLEAR, *VERDICTS):
                raise BadInputError(f"verdict must be CLEAR, GOOD or BAD, got {request.verdict}")
            verdict = VERDICTS.get(request.verdict)
            mark = Mark(verdict, request.note) if verdict else None
            response.turn = dialogues.mark(session_id, mark, request.instruction_id)
        except PixelrsError as error:
            response.success, response.message = False, str(error)
            return response
        response.success = True
        return response

    async def _on_export(
        self, request: ExportDialogue.Request, response: ExportDialogue.Response
    ) -> ExportDialogue.Response:
        exported: _Export = await self._bridge.run(self._exporter, lambda: self._export(request))
        response.success, response.message = exported.problem is None, exported.problem or ""
        response.folder, response.num_turns = exported.folder, exported.num_turns
        return response

    def _export(self, request: ExportDialogue.Request) -> _Export:
        """Write a dialogue, or what is marked in all of them. Never raises."""
        try:
            dialogues, session_id = self._require(request.session_id)
            storage = dialogues.storage
            if storage is None:
                return _Export("storage is off: set the parameter 'store_dialogues' to export dialogues")
            if request.marked:
                folder, written = export_marked(storage.folder / EXPORTS, marked_in_session(dialogues))
                lacking = written.without_picture
                problem = f"{lacking} marked turns have no stored image" if lacking else None
                return _Export(problem, str(folder), written.good + written.bad)
            recorded = dialogues.evidence(session_id)
            if not recorded:
                return _Export(f"there is no dialogue {session_id!r}")
            folder, missing = write_dialogue(storage.folder / EXPORTS, session_id, recorded)
        except Exception as error:
            return _Export(f"{type(error).__name__}: {error}")
        return _Export(missing or None, str(folder), len(recorded))

    def _summary(self, summary: DialogueSummary) -> SummaryMessage:
        session_frames, policy = self._session_frames(), self._frame_policy()
        if session_frames is not None:
            policy = session_frames.policy(summary.session_id, policy)
        # A time on the node's clock, which may be a simulation's.
        last_ns = self._node.get_clock().now().nanoseconds - round(summary.idle_s * _NS_PER_S)
        return SummaryMessage(
            session_id=summary.session_id,
            num_turns=summary.num_turns,
            next_turn=summary.next_index,
            last_active=conversions.ns_to_stamp(max(0, last_ns)),
            frame_policy=_POLICIES[policy],
        )


def _turn(turn: Turn, mark: Mark | None) -> TurnMessage:
    header = Header(stamp=conversions.ns_to_stamp(turn.image_stamp_ns), frame_id=turn.frame_id)
    return TurnMessage(
        index=turn.index,
        instruction_id=turn.instruction_id,
        text=turn.text,
        answer=turn.answer,
        status=STATUS_CODES[turn.status],
        instruction_stamp=conversions.ns_to_stamp(turn.instruction_stamp_ns),
        header=header,
        verdict=MarkTurn.Request.CLEAR if mark is None else VERDICT_CODES[mark.verdict],
        note=mark.note if mark else "",
        pointing=conversions.pointing_of(turn.point, header),
    )

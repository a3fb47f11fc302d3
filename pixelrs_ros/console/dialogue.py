"""A dialogue on the page: what was said, what the robot answered, and a line to type in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from html import escape
from uuid import uuid4

from nicegui import ui

from pixelrs_ros.console.parts import Question, asked, button, panel
from pixelrs_ros.console.words import bars, marked, status_words
from pixelrs_ros.ros.console.node import ConsoleNode
from pixelrs_ros.ros.console.views import PlaceView, TurnView
from pixelrs_ros.types import POINTING, Verdict

_MAX_CHARACTERS = 2000
_THUMBS = {Verdict.GOOD: "👍 Right", Verdict.BAD: "👎 Wrong"}


class TurnCard:
    """One turn on the page.

    Args:
        mark: Marks the turn that is given, or takes its mark back.
    """

    def __init__(self, mark: Callable[[TurnView, Verdict | None], Awaitable[None]]) -> None:
        self._mark = mark
        self._shown: TurnView | None = None
        with ui.element("li").classes("turn") as self.element:
            self._said = ui.html(sanitize=False, tag="p").classes("said")
            with ui.element("div").classes("answer"):
                self._answer = ui.html(sanitize=False, tag="p")
                self._status = ui.html(sanitize=False, tag="p").classes("status")
                self._picture = ui.html(sanitize=False, tag="div")
                self._times = ui.html(sanitize=False, tag="details")
                with ui.element("div").classes("row marks").props('role=group aria-label="Was this right?"') as marks:
                    self._marks = marks
                    self._thumbs = {
                        verdict: button(text, partial(self._press, verdict)) for verdict, text in _THUMBS.items()
                    }

    def show(self, turn: TurnView) -> None:
        """Show a turn as it is known now."""
        if turn == self._shown:
            return
        self._shown = turn
        self._said.set_content(f'<span class="aloud">You: </span>{escape(turn.said) or "…"}')
        self._answer.set_content(f'<span class="aloud">Robot: </span>{marked(turn.answer, turn.phrases) or "…"}')
        self._status.set_content(status_words(turn))
        failed = turn.is_lost if turn.status is None else not turn.status.answered
        self._status.classes(**{"add" if failed else "remove": "failed"})
        if turn.has_picture:
            self._picture.set_content(picture_of(turn))
        if turn.latency_ms:
            total_ms = turn.latency_ms.get("total", 0.0)
            self._times.set_content(f"<summary>{total_ms:.0f} ms</summary>{bars(turn.latency_ms)}")
        self._times.set_visibility(bool(turn.latency_ms))
        self._marks.set_visibility(turn.status is not None and turn.status.answered)
        for verdict, thumb in self._thumbs.items():
            thumb.props(f"aria-pressed={str(turn.verdict is verdict).lower()}")

    async def _press(self, verdict: Verdict) -> None:
        """Mark the turn so; the same button once more takes the mark back."""
        if self._shown is not None:
            await self._mark(self._shown, None if self._shown.verdict is verdict else verdict)


def picture_of(turn: TurnView) -> str:
    """The picture of a turn, which opens in full."""
    names = ", ".join(target.phrase for target in turn.targets)
    alt = escape(f"What the robot saw, with {names} marked" if names else "What the robot saw", quote=True)
    source = f"turns/{turn.key}.jpg"
    return f'<a href="{source}" target="_blank"><img src="{source}" alt="{alt}"></a>'


class DialoguePanel:
    """A dialogue, the line to type in, and what else may be done with it.

    Args:
        node: Knows the dialogues.
        session_id: The dialogue to show.
    """

    def __init__(self, node: ConsoleNode, session_id: str) -> None:
        self._node = node
        self.session_id = session_id
        self._cards: dict[int, TurnCard] = {}
        self._version = -1
        self._finished = 0  # turns that have ended
        self._is_silent = True
        self.turns: list[TurnView] = []
        self._last: list[TurnView] = []  # that was scrolled to
        self._presser = uuid4().hex
        self._forget = Question("Forget it")
        with panel("Dialogue", "dialogue-title", "dialogue"):
            with ui.element("div").classes("row"):
                button("Stop", self._stop)
                button("Reset", self._reset)
                button("Export", self._export)
            self._list = ui.element("ol").classes("turns").props('tabindex=0 aria-label="Turns"')
            # The only place that is read aloud by itself: each answer once, when it is whole.
            self._aloud = ui.label().props("role=status").classes("aloud")
            with ui.element("form").classes("row say").on("submit.prevent", lambda _: self.say()):
                self._input = ui.input(label="Say something to the robot").props(
                    f"outlined maxlength={_MAX_CHARACTERS} autocomplete=off"
                )
                button("Send", kind="submit")
                self._talk = button("Hold to talk").props("aria-pressed=false").classes("talk")
                self._wire_talk()
        ui.context.client.on_disconnect(lambda: node.press_to_talk(self._presser, pressed=False))

    async def choose(self, session_id: str) -> None:
        """Show another dialogue, with what the node remembers of it."""
        self.session_id = session_id
        self._version, self._is_silent = -1, True  # what is of the past is not read aloud
        self.refresh()  # what has been heard of it, before the node answers
        if self._node.is_ready():
            await asked(self._node.load(session_id))
        self.refresh()
        self._is_silent = False

    def refresh(self) -> None:
        """Show what has changed."""
        self._talk.set_visibility(self._node.hears_speech())
        version = self._node.transcript.version
        if version == self._version:
            return
        self._version = version
        self.turns = self._node.transcript.turns(self.session_id)
        keys = [turn.key for turn in self.turns]
        if list(self._cards) != keys[: len(self._cards)]:
            self._list.clear()
            self._cards.clear()
        with self._list:
            for turn in self.turns:
                if turn.key not in self._cards:
                    self._cards[turn.key] = TurnCard(self._mark)
                self._cards[turn.key].show(turn)
        self._announce()

    def _announce(self) -> None:
        """Say the last answer aloud, if it has just ended, and show it."""
        ended = [turn for turn in self.turns if turn.status is not None]
        if len(ended) > self._finished and not self._is_silent:
            self._aloud.set_text(f"Robot: {ended[-1].answer}")
        self._finished = len(ended)
        if self.turns[-1:] != self._last:
            self._last = self.turns[-1:]
            list_of_turns = f"getHtmlElement({self._list.id})"
            ui.run_javascript(f"requestAnimationFrame(() => {list_of_turns}.scrollTop = {list_of_turns}.scrollHeight)")

    def say(self, place: PlaceView | None = None) -> None:
        """Say what has been typed, perhaps about a place in the picture, of which also nothing may be said."""
        text = self._input.value.strip() or (POINTING if place else "")
        if text and not self._node.is_ready():
            ui.notify("No perception node listens: this was not sent.")
        elif text:
            self._node.say(text, self.session_id, place=place)
            self._input.set_value("")

    async def _mark(self, turn: TurnView, verdict: Verdict | None) -> None:
        if await asked(self._node.mark(turn.session_id, turn.instruction_id, verdict)) is not None:
            self.refresh()

    async def _stop(self) -> None:
        count = await asked(self._node.cancel(self.session_id))
        if count is not None:
            ui.notify("Called off." if count else "Nothing was going on.")

    async def _reset(self) -> None:
        if await self._forget.ask(f"Forget the dialogue “{self.session_id}”, also on the robot's disk?"):
            count = await asked(self._node.reset(self.session_id))
            if count is not None:
                ui.notify(f"Forgot {count} turns.")

    async def _export(self) -> None:
        folder = await asked(self._node.export(self.session_id))
        if folder is not None:
            ui.notify(f"Written on the robot: {folder}", multi_line=True, timeout=15_000, close_button="Close")

    def _wire_talk(self) -> None:
        """The button counts while it is held: by a finger, the mouse, or the space bar."""
        for event in ("pointerdown", "keydown.space.prevent"):
            self._talk.on(event, lambda _: self._press(True))
        for event in ("pointerup", "pointercancel", "pointerleave", "keyup.space.prevent", "blur"):
            self._talk.on(event, lambda _: self._press(False))

    def _press(self, pressed: bool) -> None:
        self._node.press_to_talk(self._presser, pressed=pressed)
        self._talk.props(f"aria-pressed={str(pressed).lower()}")

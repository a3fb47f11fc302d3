"""Talk to the robot in the terminal: the simulated camera and the perception node run, you type."""

from __future__ import annotations

import argparse
import readline  # noqa: F401  gives the prompt its line editing
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions
from rich.console import Console
from rich.text import Text
from sensor_msgs.msg import Image

from pixelrs_ros import files
from pixelrs_ros.client import Answer, NoAnswerError, PendingAnswer
from pixelrs_ros.errors import OutputError
from pixelrs_ros.overlay import color_of
from pixelrs_ros.ros.demo.scene_client import SceneClient
from pixelrs_ros.ros.demo.script import FIRST_SCENE_SEED, render_view, suggestions
from pixelrs_ros.ros.tools.processes import Processes, exit_on_signals, isolate
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.sim.picture.render import Renderer
from pixelrs_ros.types import DEFAULT_SESSION_ID

HELP = """Say what you want.
/reset    forget the dialogue
/scene N  another scene; forgets the dialogue
/move     move the camera
/help     this list
/quit     leave (also Ctrl-D)"""
_START_TIMEOUT_S = 120.0
_ANSWER_TIMEOUT_S = 60.0
_PICTURE_TIMEOUT_S = 5.0


class ChatClient(SceneClient):
    """A client that also receives the overlay pictures."""

    def __init__(self) -> None:
        super().__init__(name="chat")
        self._overlay: Image | None = None
        self.subscribe(Image, "overlay", self._on_overlay)

    def send(self, text: str, **how: Any) -> PendingAnswer:
        """As `PixelrsClient.send`. A picture that is here is of an earlier turn, perhaps about the same image."""
        self._overlay = None
        return super().send(text, **how)

    def picture(self, answer: Answer) -> Image:
        """The overlay of a turn.

        Raises:
            NoAnswerError: It does not come.
        """
        stamp_ns = conversions.stamp_to_ns(answer.segmentation.header.stamp)

        def here() -> bool:
            return self._overlay is not None and conversions.stamp_to_ns(self._overlay.header.stamp) == stamp_ns

        self.wait(here, _PICTURE_TIMEOUT_S, "the perception node published no overlay")
        assert self._overlay is not None
        return self._overlay

    def _on_overlay(self, message: Image) -> None:
        self._overlay = message


class Chat:
    """One conversation in the terminal.

    Args:
        client: Talks to the nodes.
        console: Where answers are printed.
        out_dir: Where the overlay pictures go.
        scene_seed: The scene to begin with.

    Attributes:
        wrote_all: Whether every picture could be written.
    """

    def __init__(self, client: ChatClient, console: Console, out_dir: Path, scene_seed: int) -> None:
        self._client = client
        self._console = console
        self._out_dir = out_dir
        self._scene_seed = scene_seed
        self._camera_seed = 0
        self._turns = 0
        self.wrote_all = True

    def look(self) -> None:
        """Show the camera the present scene.

        Raises:
            NoAnswerError: The camera does not answer.
        """
        self._client.look(self._scene_seed, self._camera_seed, _ANSWER_TIMEOUT_S)

    def suggest(self) -> None:
        """Print what may be said about the present scene."""
        with Renderer() as renderer:
            lines = suggestions(render_view(renderer, self._scene_seed, self._camera_seed))
        self._console.print(f"For example: {' / '.join(lines)}", highlight=False, markup=False)

    def handle(self, line: str) -> bool:
        """Do what one line asks for; False when it asks to leave.

        Raises:
            NoAnswerError: A node does not answer.
        """
        words = line.split()
        match words:
            case []:
                pass
            case ["/quit"]:
                return False
            case ["/help"]:
                self._console.print(HELP, highlight=False)
            case ["/reset"]:
                self._reset()
            case ["/move"]:
                self._camera_seed += 1
                self.look()
                self._console.print("The camera has moved.")
            case ["/scene", number] if number.isdecimal() and int(number) < 2**31:
                self._scene_seed, self._camera_seed = int(number), 0
                self.look()
                self._reset()
                self.suggest()
            case [command, *_] if command.startswith("/"):
                self._console.print(f"{line!r} is no command here.\n{HELP}", highlight=False, markup=False)
            case _:
                self._say(line)
        return True

    def _reset(self) -> None:
        dropped = self._client.reset(DEFAULT_SESSION_ID, timeout_s=_ANSWER_TIMEOUT_S)
        self._console.print(f"Scene {self._scene_seed}. Forgot {dropped} turns.", highlight=False)

    def _say(self, text: str) -> None:
        answer = self._client.say(text, session_id=DEFAULT_SESSION_ID, timeout_s=_ANSWER_TIMEOUT_S)
        self._turns += 1
        words = Text(answer.text)
        for phrase in answer.explanation.phrases:
            red, green, blue = color_of(phrase.segment)
            words.stylize(f"bold rgb({red},{green},{blue})", phrase.start, phrase.end)
        self._console.print(Text("robot> ", style="dim").append_text(words))
        self._console.print(f"       status: {answer.status.value}", style="dim", highlight=False)
        for segment in answer.segments:
            box = segment.box
            self._console.print(
                f"       “{segment.phrase}” in {box.width}×{box.height} px at ({box.x_offset}, {box.y_offset}), "
                f"score {segment.score:.2f}",
                style="dim",
                highlight=False,
                markup=False,
            )
        if answer.answered:
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        path = self._out_dir / f"turn_{self._turns:03d}.png"
        try:
            files.write_picture(path, conversions.image_to_rgb(self._client.picture(answer)))
        except OutputError as error:
            self.wrote_all = False
            self._console.print(f"       picture: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        else:
            self._console.print(f"       picture: {path}", style="dim", highlight=False, markup=False, soft_wrap=True)


def _lines(console: Console) -> Iterator[str]:
    """What is typed, or piped in, line by line."""
    typing = sys.stdin.isatty()
    while True:
        try:
            line = input("you> " if typing else "")
        except EOFError:
            return
        if not typing:
            console.print(f"you> {line}", highlight=False, markup=False)
        yield line.strip()


def _converse(scene_seed: int, out_dir: Path, console: Console) -> int:
    with Processes(out_dir / "logs") as processes:
        processes.start("sim_camera", "pixelrs_ros.ros.demo.sim_camera", "-p", f"scene_seed:={scene_seed}")
        # Every chat begins anew, and leaves nothing but its pictures.
        processes.start(
            "perception", "pixelrs_ros.ros.perception.node", "-p", "autostart:=true", "-p", "store_dialogues:=false"
        )
        client = ChatClient()
        try:
            with console.status("Starting the camera and the robot …"):
                client.wait_for_robot(_START_TIMEOUT_S, alive=lambda: not processes.ended())
                chat = Chat(client, console, out_dir, scene_seed)
                chat.look()
            console.print(f"Scene {scene_seed}. {HELP}", highlight=False)
            chat.suggest()
            for line in _lines(console):
                if not chat.handle(line):
                    break
            if not chat.wrote_all:
                return 1
        except NoAnswerError as error:
            console.print(f"chat: {error}", style="red", highlight=False, markup=False)
            for name in processes.ended():
                console.print(f"{name} wrote last:\n{processes.log_tail(name)}", highlight=False, markup=False)
            return 1
        finally:
            client.destroy()
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Chat until the input ends; 1 when a node does not answer or a file cannot be written."""
    parser = argparse.ArgumentParser(prog="chat", description=__doc__)
    parser.add_argument("--scene", type=int, default=FIRST_SCENE_SEED, help="seed of the scene (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out/chat"), help="folder of the pictures (%(default)s)")
    options = parser.parse_args(arguments)
    if not 0 <= options.scene < 2**31:
        parser.error(f"--scene lies between 0 and {2**31 - 1}, got {options.scene}")
    files.print_whatever_the_terminal_knows()
    try:
        files.require_writable_folder(options.out)
    except OutputError as error:
        print(f"chat: {error}", file=sys.stderr)
        return 1
    isolate()
    exit_on_signals()
    # Ctrl-C must end the reading of a line, which a handler of ROS's would not.
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        return _converse(options.scene, options.out, Console())
    except OutputError as error:  # of a log
        print(f"chat: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    sys.exit(main())

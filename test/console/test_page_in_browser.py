"""Whole dialogues on the page: Chromium, the page's process, the perception node and a simulated camera, over DDS.

With PIXELRS_CONSOLE_PICTURE=docs/images/console.png the first test leaves the documents' picture there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import rclpy
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from rclpy.node import Node
from std_msgs.msg import Bool

from pixelrs_ros.console.app import TOKEN_VARIABLE
from pixelrs_ros.overlay import COLORS
from pixelrs_ros.ros.tools.processes import Processes

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed; remedy: apt-get install chromium")

SCENE = 910_000
START_TIMEOUT_MS = 120_000
TIMEOUT_MS = 60_000
expect.set_options(timeout=TIMEOUT_MS)  # its own 5 s are too few on two busy cores
# WCAG 2.1 A and AA, and what axe calls good practice.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
NAME_OF_FOCUS = """(() => {
    const element = document.activeElement;
    return element.ariaLabel || element.labels?.[0]?.innerText || element.innerText || "";
})()"""
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A simulated camera and the perception node."""
    folder = tmp_path_factory.mktemp("robot")
    with Processes(folder / "logs") as processes:
        processes.start("sim_camera", "pixelrs_ros.ros.demo.sim_camera", "-p", f"scene_seed:={SCENE}")
        processes.start(
            "perception", "pixelrs_ros.ros.perception.node",
            "-p", "autostart:=true", "-p", f"storage_dir:={folder}", "-p", "num_threads:=1",
        )  # fmt: skip
        yield processes


class Console:
    """The page's process.

    Attributes:
        address: Where the page is, as the process has printed it.
    """

    def __init__(self, token: str = "") -> None:
        command = [sys.executable, "-m", "pixelrs_ros.console.app", "--ros-args", "-p", "port:=0"]
        environment = {**os.environ, TOKEN_VARIABLE: token}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().removeprefix("console: open ").strip()
        assert self.address.startswith("http://127.0.0.1:")

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(30) == 0


@pytest.fixture(scope="module")
def console(robot: Processes) -> Iterator[Console]:
    with Console() as console:
        yield console


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def visit(browser: Browser, address: str, *, size: dict[str, int] = DESKTOP, colors: str = "light") -> Page:
    """The page, once the robot listens and its picture is there. Whatever goes wrong in it fails the test."""
    context = browser.new_context(viewport=size, color_scheme=colors)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.on("pageerror", lambda error: pytest.fail(f"the page has thrown {error}"))
    page.goto(address)
    expect(page.get_by_text("The robot listens.")).to_be_visible(timeout=START_TIMEOUT_MS)
    expect(page.get_by_alt_text("Live picture of the camera")).to_be_visible(timeout=START_TIMEOUT_MS)
    return page


@pytest.fixture
def page(browser: Browser, console: Console) -> Iterator[Page]:
    page = visit(browser, console.address)
    yield page
    page.context.close()


def say(page: Page, text: str) -> None:
    """Type and send, and wait until the turn has ended, with its picture and its times."""
    turns = page.locator("li.turn")
    count = turns.count()
    page.get_by_label("Say something to the robot").fill(text)
    page.keyboard.press("Enter")
    expect(turns).to_have_count(count + 1)
    expect(turns.last.get_by_role("img")).to_be_visible(timeout=TIMEOUT_MS)
    expect(turns.last.locator("summary")).to_be_visible(timeout=TIMEOUT_MS)


def test_a_click_on_the_picture_points(page: Page) -> None:
    new_dialogue(page)
    picture = page.get_by_alt_text("Live picture of the camera")
    seen = picture.bounding_box()
    assert seen is not None
    page.get_by_label("Say something to the robot").fill("Give me this.")
    picture.click(position={"x": seen["width"] * 0.5, "y": seen["height"] * 0.55})
    turn = page.locator("li.turn").last
    expect(turn.locator(".said")).to_contain_text("Give me this. (pointing)")
    expect(turn.locator("summary")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_label("Say something to the robot")).to_have_value("")
    picture.click(position={"x": 3, "y": 3})
    expect(page.locator("li.turn").last.locator(".said")).to_contain_text("this one (pointing)")
    expect(page.locator("li.turn").last.locator("summary")).to_be_visible(timeout=TIMEOUT_MS)


def unfold(page: Page) -> None:
    """Open what is folded."""
    for title in ("Dialogues", "In space", "Diagnostics"):
        page.get_by_role("heading", name=title, exact=True).click()


def new_dialogue(page: Page) -> None:
    page.get_by_role("heading", name="Dialogues", exact=True).click()
    page.get_by_role("button", name="New dialogue").click()
    expect(page.locator("li.turn")).to_have_count(0)


def test_a_whole_dialogue(page: Page, browser: Browser, console: Console) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    say(page, "Give me the mug")
    turn = page.locator("li.turn").last
    expect(turn.locator(".said")).to_contain_text("Give me the mug")
    phrase = turn.locator("mark")
    expect(phrase).to_have_text("the red mug")
    red, green, blue = COLORS[0]
    expect(phrase).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
    expect(turn.get_by_role("img")).to_have_attribute("alt", "What the robot saw, with the red mug marked")
    assert turn.get_by_role("img").evaluate("async image => { await image.decode(); return image.naturalWidth }") == 640
    expect(page.get_by_text("Shown: the red mug.")).to_be_visible()
    expect(page.locator("img.viewer-masks")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Robot: ")).to_have_text("Robot: Here is the red mug.")

    say(page, "By its handle, please")
    expect(page.locator("li.turn").last.locator("mark")).to_contain_text("handle")
    if picture := os.environ.get("PIXELRS_CONSOLE_PICTURE"):
        expect(page.locator("img.viewer-masks")).to_be_visible()
        page.screenshot(path=picture)
    page.locator("li.turn").last.locator("summary").click()
    times = page.get_by_role("table", name="Where the time went")
    expect(times.get_by_role("row", name=re.compile("^total"))).to_be_visible()

    unfold(page)
    facts = page.get_by_role("table", name="In the camera's frame")
    expect(facts.get_by_role("row").last).to_contain_text("handle")
    expect(facts).not_to_contain_text("not measured")
    expect(page.get_by_role("button", name="default (2 turns)")).to_be_visible()
    expect(page.get_by_text("OK /perception: instructions")).to_be_visible()

    other = visit(browser, console.address)  # another operator, who sees it too
    expect(other.locator("li.turn")).to_have_count(2)
    say(other, "Thank you")
    expect(page.locator("li.turn")).to_have_count(3)
    other.context.close()
    assert hosts - {""} == {urlsplit(console.address).netloc}, "nothing comes from elsewhere"


def test_dialogues_are_begun_chosen_exported_and_forgotten(page: Page, tmp_path: Path) -> None:
    new_dialogue(page)
    say(page, "Where is the hammer?")
    mine = page.get_by_role("button", name=re.compile(r"^page-\w+ \(1 turn\)"))
    expect(mine).to_have_attribute("aria-pressed", "true")
    wrong = page.locator("li.turn").get_by_role("button", name="Wrong")
    right = page.locator("li.turn").get_by_role("button", name="Right")
    for pressed, other in ((wrong, right), (right, wrong)):
        pressed.click()
        expect(pressed).to_have_attribute("aria-pressed", "true")
        expect(other).to_have_attribute("aria-pressed", "false")
    right.click()
    expect(right).to_have_attribute("aria-pressed", "false")
    wrong.click()
    expect(wrong).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Export").click()
    folder = page.get_by_text("Written on the robot: ").inner_text().split(": ")[1].split("\n")[0]
    assert list(Path(folder).glob("*.json"))
    page.get_by_role("button", name=re.compile(r"^default ")).click()
    expect(mine).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_text("Where is the hammer?")).to_have_count(0)
    mine.click()
    expect(page.locator("li.turn")).to_have_count(1)
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.locator("li.turn")).to_have_count(1)
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_text("Forgot 1 turns.")).to_be_visible()
    expect(page.locator("li.turn")).to_have_count(0)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Nothing was going on.")).to_be_visible()


def test_a_page_that_comes_later_shows_what_was_said(page: Page, browser: Browser, console: Console) -> None:
    new_dialogue(page)
    say(page, "Where is the bucket?")
    with Console() as again:  # a process that has heard nothing
        late = visit(browser, again.address)
        late.get_by_role("heading", name="Dialogues", exact=True).click()
        late.get_by_role("button", name=re.compile(r"^page-\w+ \(1 turn\)")).first.click()
        expect(late.locator("li.turn")).to_have_count(1)
        expect(late.locator("li.turn .said")).to_contain_text("Where is the bucket?")
        expect(late.get_by_role("status").filter(has_text="Robot: ")).to_have_count(
            0
        )  # nothing of the past is read aloud
        late.context.close()


@pytest.mark.parametrize("colors", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everybody_can_use_it(browser: Browser, console: Console, size: dict[str, int], colors: str) -> None:
    page = visit(browser, console.address, size=size, colors=colors)
    new_dialogue(page)
    say(page, "Give me the mug")
    say(page, "Give me the unicorn")
    page.get_by_role("heading", name="In space", exact=True).click()
    page.get_by_role("heading", name="Diagnostics", exact=True).click()
    page.locator("li.turn summary").last.click()
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("button", name="Forget it")).to_be_visible()
    found = Axe().run(page, context=".q-dialog", options=RULES)
    assert found.violations_count == 0, found.generate_report()
    page.context.close()


def test_the_keyboard_is_enough(page: Page) -> None:
    names = ["Dark or light", "Stop", "Reset", "Export", "Turns", "Say something to the robot", "Send", "Dialogues"]
    reached: list[str] = []
    while names[-1] not in reached:
        assert len(reached) < 100, reached
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.querySelector(':focus-visible')")
        reached.append(page.evaluate(NAME_OF_FOCUS))
    assert [name for name in reached if name in names] == names
    page.get_by_role("heading", name="Dialogues", exact=True).locator("..").press("Enter")
    expect(page.get_by_role("button", name="New dialogue")).to_be_visible()


@pytest.fixture
def listener() -> Iterator[Node]:
    rclpy.init()
    node = Node("hears_the_button")
    yield node
    node.destroy_node()
    rclpy.shutdown()


def wait(node: Node, condition: Callable[[], bool]) -> None:
    """Let a node work until a condition holds."""
    ends_s = time.monotonic() + TIMEOUT_MS / 1000
    while not condition() and time.monotonic() < ends_s:
        rclpy.spin_once(node, timeout_sec=0.1)


def test_the_button_to_talk_counts_while_it_is_held(page: Page, listener: Node) -> None:
    talk = page.get_by_role("button", name="Hold to talk")
    expect(talk).to_be_hidden()
    heard = list[bool]()
    listener.create_subscription(Bool, "push_to_talk", lambda message: heard.append(message.data), 10)
    expect(talk).to_be_visible()
    wait(listener, lambda: listener.count_publishers("push_to_talk") > 0)
    talk.hover()
    page.mouse.down()
    expect(talk).to_have_attribute("aria-pressed", "true")
    page.mouse.up()
    expect(talk).to_have_attribute("aria-pressed", "false")
    talk.focus()
    page.keyboard.down("Space")
    expect(talk).to_have_attribute("aria-pressed", "true")
    page.close()  # who leaves lets go
    wait(listener, lambda: len(heard) >= 4)
    assert heard == [True, False, True, False]


def test_with_a_token_only_the_printed_address_opens_it(browser: Browser, robot: Processes) -> None:
    with Console(token="open sesame & so on #1") as guarded:
        page = browser.new_page()
        refused = page.goto(guarded.address.split("?")[0])
        assert refused is not None and refused.status == 403
        page.close()
        page = visit(browser, guarded.address)
        assert page.url == guarded.address.split("?")[0]
        page.context.close()


def test_a_picture_that_has_stopped_and_a_robot_that_has_gone_are_told(page: Page, robot: Processes) -> None:
    robot.kill("sim_camera")
    expect(page.get_by_text(re.compile(r"No picture for \d+ s: what you see is old\."))).to_be_visible()
    expect(page.get_by_text("Nothing is marked.")).to_have_count(0)
    page.get_by_role("heading", name="Diagnostics", exact=True).click()
    robot.kill("perception")
    page.get_by_label("Say something to the robot").fill("Give me the mug")
    page.keyboard.press("Enter")  # DDS still takes the process for alive
    expect(page.locator("li.turn").last).to_contain_text("no answer: the perception node was not there")
    expect(page.get_by_text("No perception node listens.")).to_be_visible()
    expect(page.get_by_text("STALE /perception: instructions: no report for 5 s")).to_be_visible()
    count = page.locator("li.turn").count()
    page.get_by_label("Say something to the robot").fill("Give me the pot")
    page.keyboard.press("Enter")
    expect(page.get_by_text("this was not sent")).to_be_visible()
    expect(page.get_by_label("Say something to the robot")).to_have_value("Give me the pot")
    expect(page.locator("li.turn")).to_have_count(count)

import subprocess
import sys
from pathlib import Path

import pytest

from pixelrs_ros import cli
from pixelrs_ros.errors import DataError


@pytest.mark.parametrize("command", [[], *([name] for name in cli.COMMANDS)])
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*command, "--help"])
    assert end.value.code == 0
    assert "usage: pixelrs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["evaluate"], "required: --data"),
        (["evaluate", "--data", "x", "--limit", "0"], "must be at least 1"),
        (["evaluate", "--data", "x", "--reference-history", "--last-turn-only"], "not allowed with"),
        (["segment", "x.png"], "required: --say"),
    ],
)
def test_wrong_usage_ends_with_status_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert complaint in capsys.readouterr().err


def test_errors_and_interrupts_have_their_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error, status, told in (
        (DataError("no file x"), 1, "pixelrs info: no file x\n"),
        (KeyboardInterrupt(), 130, ""),
    ):

        def fail(_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(cli.COMMANDS["info"], "run", fail)
        assert cli.main(["info"]) == status
        assert told in capsys.readouterr().err


def test_generate_wants_a_number_of_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate", "--out", str(tmp_path / "prist")]) == 1
    assert "nothing to make" in capsys.readouterr().err
    assert not (tmp_path / "prist").exists()


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pixelrs_ros import cli; cli.build_parser().format_help();"
        "print([name for name in ('torch', 'mujoco', 'transformers', 'cv2') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

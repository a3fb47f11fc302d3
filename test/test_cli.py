import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pixelrs_ros import cli, files
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


def run_alone(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "pixelrs_ros.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120)


@pytest.mark.parametrize(
    "arguments",
    [
        ("info", "--preset", "nope"),
        ("bench", "--random-weights", "--preset", "nope"),
        ("doctor", "--preset", "nope"),
        ("import-checkpoint", "x", "--check", "--preset", "nope"),
        ("info", "--checkpoint", "nope"),
        ("segment", __file__, "--say", "x", "--checkpoint", "nope"),
        ("evaluate", "--data", "x", "--checkpoint", "nope"),
        ("export", "--checkpoint", "nope"),
    ],
)
def test_a_wrong_name_is_told_before_anything_heavy_is_loaded(
    arguments: tuple[str, ...],
) -> None:
    code = (
        "import sys; from pixelrs_ros import cli; status = cli.main(sys.argv[1:]);"
        "print([name for name in ('torch', 'mujoco', 'transformers') if name in sys.modules], status)"
    )
    found = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)
    assert "'nope'" in found.stderr and "Traceback" not in found.stderr
    assert found.stdout == "[] 1\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("segment", "PICTURE", "--say", "x", "--out", "FILE"), "FILE cannot be written: it is not a folder"),
        (("segment", "PICTURE", "--say", "x", "--out", "/proc/x"), "/proc/x cannot be written: "),
        (("evaluate", "--data", "x", "--json", "/proc/x"), "/proc/x cannot be written: "),
        (("evaluate", "--data", "x", "--json", "FOLDER"), "FOLDER cannot be written: there is a folder of this name"),
        (("measure-3d", "--json", "FILE/x"), "FILE/x cannot be written: "),
        (("export", "--out", "/proc/x"), "/proc/x cannot be written: "),
        (("export", "--out", "FILE"), "FILE cannot be written: it is not a folder"),
    ],
)
def test_what_cannot_be_written_is_told_first(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"FILE": tmp_path / "file", "FOLDER": tmp_path / "folder", "PICTURE": tmp_path / "a.png"}
    names["FILE"].write_text("here")
    names["FOLDER"].mkdir()
    files.write_picture(names["PICTURE"], np.zeros((4, 6), np.uint8))

    def put_in(text: str) -> str:
        for name, path in names.items():
            text = text.replace(name, str(path))
        return text

    assert cli.main([put_in(argument) for argument in arguments]) == 1
    assert put_in(said) in capsys.readouterr().err


@pytest.mark.parametrize("tolerance", ["-1", "nan", "inf", "much"])
def test_a_tolerance_is_a_number_of_at_least_zero(tolerance: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["export", f"--tolerance={tolerance}"])
    assert end.value.code == 2 and "--tolerance" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_without_unicode_gets_what_it_can_show(encoding: str) -> None:
    found = run_alone("info", "--preset", "日本→", PYTHONIOENCODING=encoding)
    assert found.returncode == 1 and "unknown preset" in found.stderr and "Traceback" not in found.stderr
    found = run_alone("info", "--preset", "debug", PYTHONIOENCODING=encoding)
    assert found.returncode == 0 and "total" in found.stdout and not found.stderr


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m pixelrs_ros.cli info --preset debug | true; exit ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert found.returncode == 1 and not found.stderr


def test_an_error_of_the_system_has_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise OSError(28, "No space left on device", "/mnt/x")

    monkeypatch.setattr(cli.COMMANDS["info"], "run", fail)
    assert cli.main(["info"]) == 1
    assert "pixelrs info: [Errno 28] No space left on device: '/mnt/x'" in capsys.readouterr().err

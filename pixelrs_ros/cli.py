"""The `pixelrs` command: a dictionary of names to commands, and errors turned into exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from pixelrs_ros.commands import (
    assemble,
    bench,
    bench_fleet,
    bench_speech,
    calibrate,
    console,
    data,
    doctor,
    evaluate,
    export,
    familiarize,
    fetch,
    generate,
    health,
    import_checkpoint,
    info,
    judge,
    label,
    measure_3d,
    measure_grasps,
    measure_sizes,
    measure_tracking,
    merge,
    record,
    replay,
    report,
    segment,
    train,
    world,
)
from pixelrs_ros.commands.groups import add_commands
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.files import print_whatever_the_terminal_knows

COMMANDS: dict[str, ModuleType] = {
    "generate": generate,
    "world": world,
    "data": data,
    "label": label,
    "record": record,
    "replay": replay,
    "train": train,
    "merge": merge,
    "evaluate": evaluate,
    "report": report,
    "judge": judge,
    "calibrate": calibrate,
    "familiarize": familiarize,
    "segment": segment,
    "export": export,
    "bench": bench,
    "bench-fleet": bench_fleet,
    "bench-speech": bench_speech,
    "measure-3d": measure_3d,
    "measure-grasps": measure_grasps,
    "measure-sizes": measure_sizes,
    "measure-tracking": measure_tracking,
    "info": info,
    "doctor": doctor,
    "health": health,
    "console": console,
    "fetch": fetch,
    "assemble": assemble,
    "import-checkpoint": import_checkpoint,
}

FAILED = 1
INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="pixelrs", description="Multi-turn reasoning segmentation: dialogues to masks."
    )
    add_commands(parser, COMMANDS, "command")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line; None takes the process's own.

    Returns:
        The exit status: 0, 1 after an error that a message explains, 2 (raised by argparse) for wrong usage, 130 when
        interrupted.
    """
    print_whatever_the_terminal_knows()
    options = build_parser().parse_args(arguments)
    try:
        COMMANDS[options.command].run(options)
        sys.stdout.flush()
    except PixelrsError as error:
        print(f"pixelrs {options.command}: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # whoever reads our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still wants to flush
        return FAILED
    except OSError as error:  # of a file or device that the command itself does not account for
        print(f"pixelrs {options.command}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The average of two checkpoints, as the script writes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import INT8, load_checkpoint, save_checkpoint
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.miras import Miras

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "average_checkpoints.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, cwd=SCRIPT.parent.parent
    )


def test_weights_lie_between(
    debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    first, second, out = tmp_path / "first", tmp_path / "second", tmp_path / "out"
    save_checkpoint(first, debug_miras, debug_config, debug_tokenizer, INT8)
    with torch.no_grad():
        for weight in debug_miras.segmentation_prompt.parameters():
            weight.add_(1.0)
    save_checkpoint(second, debug_miras, debug_config, debug_tokenizer, INT8)
    before, after = (load_checkpoint(folder, dtype="fp32")[0].state_dict() for folder in (first, second))
    done = run(first, second, "--share", "0.25", "--out", out)
    assert done.returncode == 0, done.stderr
    between = load_checkpoint(out, dtype="fp32")[0].state_dict()
    moved = 0
    for name, value in between.items():
        wanted = torch.lerp(before[name], after[name], 0.25) if value.is_floating_point() else after[name]
        assert torch.allclose(value, wanted, atol=0.02, rtol=0.02), name
        moved += not torch.equal(before[name], after[name])
    assert moved == len(list(debug_miras.segmentation_prompt.parameters()))


def test_two_that_cannot_be_averaged_are_refused(
    debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / "first", debug_miras, debug_config, debug_tokenizer, INT8)
    done = run(tmp_path / "first", "nano", "--out", tmp_path / "out")
    assert done.returncode == 2 and "two checkpoints of one network" in done.stderr
    done = run(tmp_path / "first", "nano", "--share", "2", "--out", tmp_path / "out")
    assert done.returncode == 2 and "--share must be in [0, 1], got 2.0" in done.stderr
    assert not (tmp_path / "out").exists()

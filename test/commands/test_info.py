from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import save_checkpoint
from pixelrs_ros.commands import info
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model import memory
from pixelrs_ros.model.miras import Miras


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    info.add_arguments(parser)
    info.run(parser.parse_args(arguments))
    return capsys.readouterr().out


def test_a_preset_is_printed_without_weights(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--preset", "miras-7b")
    assert "7,925," in text and "2048 tokens, 576 of them the picture's" in text
    with pytest.raises(ConfigError, match="unknown preset 'giant'"):
        printed(capsys, "--preset", "giant")
    with pytest.raises(ConfigError, match="remedy: pixelrs fetch qwen3-vl-2b_sam2, then --checkpoint"):
        printed(capsys, "--preset", "qwen3-vl-2b_sam2")


def test_a_checkpoint_is_printed_with_its_own_words(
    capsys: pytest.CaptureFixture[str], debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer,
    tmp_path: Path,
) -> None:  # fmt: skip
    save_checkpoint(tmp_path, debug_miras, debug_config, debug_tokenizer)
    total = sum(memory.parameters(debug_miras).values())
    text = printed(capsys, "--checkpoint", str(tmp_path))
    assert f"{total:,}" in text and f"{4 * total / 1e6:,.1f}" in text
    assert "up to 256 tokens, 16 of them the picture's" in text

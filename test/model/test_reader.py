"""What reads the user's words reads each utterance as if it were alone."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from pixelrs_ros.config import ReaderConfig
from pixelrs_ros.model.reader import Reader, utterances

CONFIG = ReaderConfig("minilm", 100, 16, 2, 2, 32, 8)


@pytest.fixture
def reader() -> Reader:
    torch.manual_seed(0)
    reader = Reader(CONFIG, 12).eval().requires_grad_(False)
    for parameter in reader.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return reader


def padded(*utterances: list[int], to: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Word pieces with whatever at the end, and where they are."""
    ids = torch.full((len(utterances), to), 77)
    for row, utterance in enumerate(utterances):
        ids[row, : len(utterance)] = torch.tensor(utterance)
    return ids, torch.arange(to) < torch.tensor([[len(utterance)] for utterance in utterances])


def test_features_do_not_depend_on_padding(reader: Reader) -> None:
    short, long = [5, 9, 11], [7, 8, 9, 10, 11, 12, 13]
    (alone,) = reader(*padded(short, to=3))
    for width in (7, 8):
        together = reader(*padded(long, short, to=width))
        torch.testing.assert_close(together[1, :3], alone, atol=1e-5, rtol=1e-5)
    assert alone.shape == (3, 12)


def test_a_piece_is_read_in_its_context_in_both_directions(reader: Reader) -> None:
    (one,), (other,) = (reader(*padded(words, to=3)) for words in ([5, 9, 11], [5, 9, 12]))
    assert (one[:2] - other[:2]).abs().amax(dim=1).min() > 1e-3


def test_rows_of_mixed_tokens_give_every_utterance_in_order(reader: Reader) -> None:
    first = 50
    rows = torch.tensor([[3, 55, 59, 4, 61, 2], [57, 58, 3, 3, 3, 55]])
    read = reader.read_rows(rows, first)
    expected = [reader(*padded(words, to=len(words)))[0] for words in ([5, 9], [11], [7, 8], [5])]
    torch.testing.assert_close(read, torch.cat(expected), atol=1e-5, rtol=1e-5)
    assert reader.read_rows(torch.tensor([[1, 2]]), first).shape == (0, 12)


def test_an_utterance_without_an_end_is_read_in_pieces(reader: Reader) -> None:
    row = [1, *range(50, 70), 2]
    pieces = utterances(row, 50, CONFIG.max_tokens)
    assert [len(piece) for piece in pieces] == [8, 8, 4] and [one for piece in pieces for one in piece] == list(
        range(20)
    )
    assert reader.read_rows(torch.tensor([row]), 50).shape == (20, 12)


def test_sizes_are_those_of_the_configuration() -> None:
    reader = Reader(dataclasses.replace(CONFIG, num_layers=3), 12)
    assert len(reader.bert.encoder.layer) == 3 and reader.projector.in_features == 3 * CONFIG.hidden_size

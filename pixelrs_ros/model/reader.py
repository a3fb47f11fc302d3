"""What reads the user's words: a BERT, so that a word that training never showed has neighbors that it did."""

from __future__ import annotations

from itertools import groupby

import torch
from torch import nn
from transformers import BertConfig, BertModel

from pixelrs_ros.config import ReaderConfig

PAD, BEGIN, END = 0, 1, 2  # rows of the vocabulary's first tokens: [PAD], [CLS] and [SEP]


class Reader(nn.Module):
    """Features of an utterance's word pieces, as embeddings of the language model.

    Of each piece the language model is given the word itself, the word in its context, and the utterance as a whole.
    """

    def __init__(self, config: ReaderConfig, hidden_size: int) -> None:
        super().__init__()
        self.max_tokens = config.max_tokens
        self.bert = BertModel(
            BertConfig(
                vocab_size=config.vocab_size,
                hidden_size=config.hidden_size,
                num_hidden_layers=config.num_layers,
                num_attention_heads=config.num_heads,
                intermediate_size=config.intermediate_size,
                max_position_embeddings=config.max_tokens + 2,
                type_vocab_size=1,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
            ),
            add_pooling_layer=False,
        )
        self.norm = nn.LayerNorm(3 * config.hidden_size)
        self.projector = nn.Linear(3 * config.hidden_size, hidden_size)

    def features(self, ids: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """What the BERT says of each piece.

        Args:
            ids: (N, T) int64 word pieces, padded at the end.
            present: (N, T) bool, false where padded.

        Returns:
            (N, T, 3 D) float: word, word in context, mean of the utterance.
        """
        n = len(ids)
        lengths = present.sum(dim=1)
        framed = torch.full((n, ids.shape[1] + 2), PAD, device=ids.device)
        framed[:, 0] = BEGIN
        framed[:, 1:-1] = torch.where(present, ids, PAD)
        framed[torch.arange(n, device=ids.device), lengths + 1] = END
        seen = torch.arange(framed.shape[1], device=ids.device) < (lengths + 2).unsqueeze(1)
        words = self.bert.embeddings.word_embeddings(framed)
        context = self.bert(inputs_embeds=words, attention_mask=seen.long()).last_hidden_state
        mean = (context * seen.unsqueeze(-1)).sum(dim=1, keepdim=True) / seen.sum(dim=1).view(-1, 1, 1)
        return torch.cat([8 * words, context, mean.expand_as(context)], dim=-1)[:, 1:-1]

    def forward(self, ids: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """(N, T) int64 and (N, T) bool as in `features` -> (N, T, H) float embeddings."""
        return self.projector(self.norm(self.features(ids, present)))

    def read_rows(self, token_ids: torch.Tensor, first: int) -> torch.Tensor:
        """Embeddings of every utterance in rows of mixed tokens.

        Args:
            token_ids: (B, L) int64; what is at least `first` is the user's, `first` being the vocabulary's first row.
            first: How many tokens the language model has of its own.

        Returns:
            (K, H) float, of the user's tokens in their order, row by row.
        """
        runs = [run for row in token_ids.tolist() for run in utterances(row, first, self.max_tokens)]
        if not runs:
            return token_ids.new_zeros((0, self.projector.out_features), dtype=self.projector.weight.dtype)
        ids = torch.zeros((len(runs), max(map(len, runs))), dtype=torch.long)
        for index, run in enumerate(runs):
            ids[index, : len(run)] = torch.tensor(run)
        present = torch.arange(ids.shape[1]) < torch.tensor([len(run) for run in runs]).unsqueeze(1)
        ids, present = ids.to(token_ids.device), present.to(token_ids.device)
        return self(ids, present)[present]


def utterances(row: list[int], first: int, longest: int) -> list[list[int]]:
    """The user's tokens of a row as runs of at most `longest`, each counted from the vocabulary's first row."""
    found: list[list[int]] = []
    for own, run in groupby(row, key=lambda token: token < first):
        if not own:
            pieces = [token - first for token in run]
            found += [pieces[start : start + longest] for start in range(0, len(pieces), longest)]
    return found

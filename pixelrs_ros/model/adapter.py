"""A pretrained language model that stays as it is, with the little beside it that is trained and kept.

What is trained is a LoRA adapter (peft) and the rows of the tokens that MIRAS adds. `state_dict()` of such a model
holds nothing else, so whatever saves and loads it deals with a few megabytes.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

from pixelrs_ros.config import LanguageConfig, LoraConfig
from pixelrs_ros.errors import CheckpointError, ConfigError
from pixelrs_ros.model.pretrained import pretrained_folder


class ExtendedEmbedding(nn.Module):
    """A frozen embedding table, continued by rows of its own."""

    def __init__(self, inner: nn.Embedding, added: nn.Parameter) -> None:
        super().__init__()
        self.inner = inner
        self.added = added

    @property
    def scale(self) -> float:
        """Gemma's tables multiply what they give; the added rows must not be smaller."""
        return float(getattr(self.inner, "embed_scale", 1.0))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(…) int64 -> (…, H) float."""
        rows = self.inner.num_embeddings
        known = ids < rows
        words = self.inner(ids.where(known, 0))
        added = F.embedding((ids - rows).clamp(min=0), self.added) * self.scale
        return torch.where(known.unsqueeze(-1), words, added)


class ExtendedHead(nn.Module):
    """A frozen projection onto the vocabulary, continued by rows of its own."""

    def __init__(self, inner: nn.Linear, added: nn.Parameter) -> None:
        super().__init__()
        self.inner = inner
        self.added = added

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(…, H) float -> (…, V) float logits."""
        return torch.cat([self.inner(hidden), F.linear(hidden, self.added)], dim=-1)


def build_adapted(config: LanguageConfig, vocab_size: int) -> PreTrainedModel:
    """A pretrained language model with an untrained adapter; only that and the added rows ask for gradients.

    Args:
        config: With `pretrained`.
        vocab_size: Tokens of the tokenizer, the added ones last.

    Raises:
        CheckpointError: The weights are missing or do not fit.
        ConfigError: The configuration contradicts the weights' own, or no layer is named like a target module.
    """
    assert config.pretrained is not None
    language = _load(config)
    rows = vocab_size - config.pretrained.num_added_tokens
    if not 0 < rows <= language.config.vocab_size:
        raise ConfigError(
            f"language.pretrained.num_added_tokens: the weights have {language.config.vocab_size} rows and the "
            f"tokenizer {vocab_size} tokens, so {config.pretrained.num_added_tokens} cannot be the added ones"
        )
    add_lora(language, config.pretrained.lora)
    _extend(language, rows, vocab_size)
    language.config.vocab_size = vocab_size
    _keep_only_trained(language)
    return language


def _load(config: LanguageConfig) -> PreTrainedModel:
    assert config.pretrained is not None
    folder = pretrained_folder(config.pretrained.source)
    own = AutoConfig.from_pretrained(folder, local_files_only=True)
    for name, value in {"model_type": config.model_type, **config.arguments}.items():
        if not _same(getattr(own, name, None), value):
            raise ConfigError(f"language: {name} is {value!r}, but {getattr(own, name, None)!r} in {folder}")
    logging.disable_progress_bar()
    try:
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the language model in {folder} cannot be loaded: {error}") from error


def _same(one: Any, other: Any) -> bool:
    """Equal up to how a float was rounded on its way through a file."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-6)
    return bool(one == other)


def add_lora(language: PreTrainedModel, config: LoraConfig) -> None:
    """Put an untrained LoRA adapter beside linear layers, in place; everything else stops asking for gradients.

    Raises:
        CheckpointError: peft is not installed.
        ConfigError: No layer is named like a target module.
    """
    try:
        from peft import LoraConfig as PeftLoraConfig
        from peft import inject_adapter_in_model
    except ImportError as error:
        raise CheckpointError("a LoRA adapter needs peft; remedy: pip install 'pixelrs_ros[small]'") from error
    try:
        adapter = PeftLoraConfig(
            r=config.r,
            lora_alpha=config.alpha,  # type: ignore[arg-type]  # peft scales with it; a fraction is fine
            lora_dropout=config.dropout,
            target_modules=list(config.target_modules),
        )
        inject_adapter_in_model(adapter, language)
    except ValueError as error:
        raise ConfigError(f"lora.target_modules: {error}") from error
    for name, parameter in language.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if parameter.requires_grad:  # beside a layer in bf16 peft makes it bf16, too coarse to be trained
            parameter.data = parameter.data.float()


@torch.no_grad()
def merge_lora(language: PreTrainedModel) -> None:
    """Add what `add_lora` put beside the linear layers to their weights, in place."""
    from peft.tuners.tuners_utils import BaseTunerLayer  # installed, since it made the adapter

    for name, module in list(language.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.merge()
            language.set_submodule(name, module.get_base_layer())


def _extend(language: PreTrainedModel, rows: int, vocab_size: int) -> None:
    """Cut the tables to `rows` and continue them by trainable rows; tied tables share theirs."""
    embedding = cast(nn.Embedding, language.get_input_embeddings())
    head = cast(nn.Linear, language.get_output_embeddings())
    if cast("nn.Parameter | None", head.bias) is not None:
        raise ConfigError("language.pretrained: a language model whose head has a bias is not supported")
    tied = head.weight is embedding.weight
    added = _cut(embedding, rows, vocab_size)
    embedding.num_embeddings = rows
    if tied:
        head.weight = embedding.weight
        added_head = added
    else:
        added_head = _cut(head, rows, vocab_size)
    head.out_features = rows
    language.set_input_embeddings(ExtendedEmbedding(embedding, added))
    language.set_output_embeddings(ExtendedHead(head, added_head))


@torch.no_grad()
def _cut(module: nn.Module, rows: int, vocab_size: int) -> nn.Parameter:
    """Cut a table; returns the rows to continue it by: an average word, each a little different."""
    table = cast(torch.Tensor, module.weight)
    spread = 0.1 * table.std() * torch.randn(vocab_size - rows, table.shape[1], dtype=table.dtype)
    module.weight = nn.Parameter(table[:rows].clone(), requires_grad=False)
    return nn.Parameter(module.weight.mean(dim=0) + spread)


def _keep_only_trained(language: PreTrainedModel) -> None:
    """Make `state_dict` and `load_state_dict` pass over what stays as it is, until it is merged."""
    trained = {name for name, parameter in language.named_parameters() if parameter.requires_grad}
    passed_over = language.state_dict().keys() - trained

    def forget(module: nn.Module, state: dict[str, Any], prefix: str, _: Any) -> None:
        for name in passed_over if is_adapted(module) else ():
            state.pop(prefix + name, None)

    def do_not_miss(module: nn.Module, keys: Any) -> None:
        if is_adapted(module):
            ends = tuple(f".{name}" for name in passed_over)
            keys.missing_keys[:] = [key for key in keys.missing_keys if not f".{key}".endswith(ends)]

    language.register_state_dict_post_hook(forget)
    language.register_load_state_dict_post_hook(do_not_miss)


def is_adapted(language: nn.Module) -> bool:
    """Whether a language model still has its adapter beside it."""
    return any(isinstance(module, ExtendedEmbedding) for module in language.modules())


@torch.no_grad()
def merge(language: PreTrainedModel) -> PreTrainedModel:
    """Add the adapter and the added rows to the weights, in place: inference then costs what it always does."""
    merge_lora(language)
    embedding = cast(ExtendedEmbedding, language.get_input_embeddings())
    head = cast(ExtendedHead, language.get_output_embeddings())
    tied = head.inner.weight is embedding.inner.weight
    for extended in (embedding, head):
        table = torch.cat([extended.inner.weight, extended.added])
        extended.inner.weight = nn.Parameter(table, requires_grad=False)
    embedding.inner.num_embeddings = head.inner.out_features = len(embedding.inner.weight)
    if tied:
        head.inner.weight = embedding.inner.weight
    language.set_input_embeddings(embedding.inner)
    language.set_output_embeddings(head.inner)
    return language

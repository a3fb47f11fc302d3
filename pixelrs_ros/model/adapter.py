"""LoRA (arXiv 2106.09685, by peft) beside the linear layers of a language model, as the published recipe trains it."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel

from pixelrs_ros.config import LoraConfig
from pixelrs_ros.errors import CheckpointError, ConfigError


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
        raise CheckpointError("a LoRA adapter needs peft; remedy: pip install -r requirements/train.txt") from error
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

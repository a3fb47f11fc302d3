"""A vision-language model and a SAM 2 of next to no size, with random weights, in the folders' published formats."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedModel

from pixelrs_ros.engine.vlm.answer import START, GrowingAnswer
from pixelrs_ros.engine.vlm.engine import VlmEngine

CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
SIDE = 128  # of SAM's picture


def write_vlm(folder: Path, family: str = "qwen3_vl", sam: str = "sam2_video", **config: object) -> Path:
    """A checkpoint of kind vlm.

    Args:
        folder: Made.
        family: "qwen3_vl" or "qwen2_5_vl".
        sam: See `write_sam`.
        config: Further keys of its `config.yaml`.
    """
    torch.manual_seed(0)
    ids = _write_tokenizer(folder / "vlm")
    _model(family, ids).save_pretrained(folder / "vlm")
    patch = 16 if family == "qwen3_vl" else 14
    edges = {"shortest_edge": (2 * patch) ** 2 * 4, "longest_edge": (2 * patch) ** 2 * 64}
    preprocessor = {
        "size": edges, "patch_size": patch, "temporal_patch_size": 2, "merge_size": 2,
        "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "image_processor_type": "Qwen2VLImageProcessorFast",
    }  # fmt: skip
    (folder / "vlm" / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    write_sam(folder / "sam", sam)
    content = {"kind": "vlm", "about": "nothing at all", "max_context_tokens": 1200, "max_answer_tokens": 200, **config}
    (folder / "config.yaml").write_text(yaml.safe_dump(content))
    return folder


def _write_tokenizer(folder: Path) -> dict[str, Any]:
    """As Qwen's: BPE over bytes, the special tokens added behind."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(["the red mug", '{"say": "the handle"'] * 3, trainer)
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in CHATML])
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return {name: tokenizer.token_to_id(name) for name in CHATML} | {"size": tokenizer.get_vocab_size()}


def _model(family: str, ids: dict[str, Any]) -> PreTrainedModel:
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
    )

    text: dict[str, Any] = {
        "vocab_size": ids["size"] + 7,  # rows of no token, as the published models have
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 4096,
        "initializer_range": 0.3, "bos_token_id": None, "eos_token_id": ids["<|im_end|>"], "pad_token_id": None,
    }  # fmt: skip
    special: dict[str, Any] = {
        "image_token_id": ids["<|image_pad|>"], "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"], "video_token_id": ids["<|endoftext|>"],
    }  # fmt: skip
    vision: dict[str, Any] = {
        "depth": 3,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 4,
        "out_hidden_size": 32,
    }
    if family == "qwen3_vl":
        text["rope_parameters"] = {
            "rope_type": "default",
            "rope_theta": 1e4,
            "mrope_section": [2, 1, 1],
            "mrope_interleaved": True,
        }
        vision |= {"deepstack_visual_indexes": [0, 1], "num_position_embeddings": 64, "patch_size": 16}
        return Qwen3VLForConditionalGeneration(Qwen3VLConfig(text_config=text, vision_config=vision, **special))
    del text["head_dim"]
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]}
    vision |= {"fullatt_block_indexes": [1], "window_size": 56, "patch_size": 14}
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision, **special))


def write_sam(folder: Path, kind: str) -> PreTrainedModel:
    """A SAM with random weights.

    Args:
        folder: Made.
        kind: "sam2_video" and "sam3_video", the whole models that are published; or "sam3_tracker", a part of SAM 3.

    Returns:
        The model that was written.
    """
    torch.manual_seed(0)
    model: PreTrainedModel = {"sam2_video": _sam2, "sam3_tracker": _sam3_tracker, "sam3_video": _sam3}[kind]()
    model.config.save_pretrained(folder)
    # Not by `save_pretrained`, which writes other names than the published files have.
    save_file(
        {name: one.clone() for name, one in model.state_dict().items()}, folder / "model.safetensors", {"format": "pt"}
    )
    return model.eval()


def _sam2() -> PreTrainedModel:
    """The video model, as facebook/sam2.1-hiera-* have it."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    backbone: dict[str, Any] = {
        "model_type": "sam2_hiera_det_model", "hidden_size": 8, "num_attention_heads": 1, "image_size": [SIDE, SIDE],
        "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 2, 4, 8], "global_attention_blocks": [3],
        "window_positional_embedding_background_size": [4, 4],
    }  # fmt: skip
    return Sam2VideoModel(
        Sam2VideoConfig(
            vision_config={
                "backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8], "fpn_hidden_size": 32,
                "backbone_feature_sizes": [[SIDE // scale] * 2 for scale in (4, 8, 16)],
            },
            prompt_encoder_config={"hidden_size": 32, "image_size": SIDE, "patch_size": 16},
            mask_decoder_config=_DECODER, image_size=SIDE, memory_attention_rope_feat_sizes=[SIDE // 16] * 2, **_MEMORY,
        )
    )  # fmt: skip


_DECODER = {"hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 32}
_MEMORY: dict[str, Any] = {  # of the video models, of no use for pictures
    "memory_attention_hidden_size": 32, "memory_attention_num_layers": 1,
    "memory_attention_feed_forward_hidden_size": 32, "memory_encoder_hidden_size": 32,
    "memory_encoder_output_channels": 16, "memory_fuser_embed_dim": 32, "memory_fuser_intermediate_dim": 32,
}  # fmt: skip
SIDE_3 = 112  # of SAM 3's picture
_VISION_3: dict[str, Any] = {
    "model_type": "sam3_vision_model", "fpn_hidden_size": 32,
    "backbone_feature_sizes": [[4 * SIDE_3 // 14] * 2, [2 * SIDE_3 // 14] * 2, [SIDE_3 // 14] * 2],
    "backbone_config": {
        "model_type": "sam3_vit_model", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 2, "image_size": SIDE_3, "patch_size": 14, "window_size": 4, "global_attn_indexes": [1],
        "pretrain_image_size": SIDE_3,
    },
}  # fmt: skip
_TRACKER_3: dict[str, Any] = {
    "vision_config": _VISION_3, "mask_decoder_config": _DECODER,
    "prompt_encoder_config": {"hidden_size": 32, "image_size": SIDE_3, "patch_size": 14},
}  # fmt: skip


def _sam3_tracker() -> PreTrainedModel:
    from transformers import Sam3TrackerConfig, Sam3TrackerModel

    return Sam3TrackerModel(Sam3TrackerConfig(**_TRACKER_3))


def _sam3() -> PreTrainedModel:
    """The whole model with its detector, as facebook/sam3 has it."""
    from transformers import Sam3VideoConfig, Sam3VideoModel

    part = {"hidden_size": 32, "num_attention_heads": 2}
    stack = {**part, "num_layers": 1, "intermediate_size": 32}
    text = {**part, "num_hidden_layers": 1, "intermediate_size": 32, "projection_dim": 32, "vocab_size": 50}
    config = Sam3VideoConfig(
        detector_config={
            "model_type": "sam3", "vision_config": _VISION_3, "geometry_encoder_config": stack,
            "text_config": {**text, "bos_token_id": 0, "eos_token_id": 1}, "detr_encoder_config": stack,
            "detr_decoder_config": {**stack, "num_queries": 4}, "mask_decoder_config": part,
        },
        tracker_config={"model_type": "sam3_tracker_video", "mask_downsampler_embed_dim": 32, **_TRACKER_3, **_MEMORY},
    )  # fmt: skip
    config.image_size = SIDE_3
    return Sam3VideoModel(config)


def force(engine: VlmEngine, answers: Iterable[str]) -> None:
    """Make the language model say these, one a turn, after the beginning of every answer; masks stay SAM's own."""
    pending = iter(answers)
    tokens: list[int] = []

    def choose(logits: torch.Tensor) -> tuple[int, float]:
        if not tokens:
            answer = next(pending)
            tokens.extend(engine.chat.tokenizer.encode(answer).ids)
            if not GrowingAnswer(START + answer).is_whole:  # else nobody asks for another token
                tokens.append(engine.chat.end_id)
        return tokens.pop(0), 0.9

    engine.choose = choose

"""The configuration that a part's own tensors and configuration file tell; what they do not tell comes from a base.

Shapes are looked up under our names, so that each function serves every format that `names` knows.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from transformers import CONFIG_MAPPING

from pixelrs_ros.config import ClipConfig, ConvNextConfig, LanguageConfig, SamConfig, TextConfig
from pixelrs_ros.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]

CLIP_HEAD_CHANNELS = 64  # of every CLIP that OpenAI published
# Their classes add eyes to a language model that transformers knows.
LANGUAGE_TYPES = {
    "llava": "llama",
    "llava_llama": "llama",
    "llava_mistral": "mistral",
    "mgm": "llama",
    "mgm_llama": "llama",
    "mgm_mistral": "mistral",
    "mgm_gemma": "gemma",
    "mgm_mixtral": "mixtral",
    "mini_gemini": "llama",
    "mgmsa": "llama",
}
_NOT_ARGUMENTS = {
    "model_type",
    "transformers_version",
    "architectures",
    "dtype",
    "torch_dtype",
    "vocab_size",
    "_name_or_path",
}
_OLD_ROPE = {"rope_theta", "rope_scaling"}  # read by transformers, though no fields of its configuration any more


def shape_of(shapes: Shapes, name: str, num_dimensions: int) -> tuple[int, ...]:
    """The shape of a tensor that a size is read from.

    Raises:
        CheckpointError: It is missing, or has another number of dimensions.
    """
    if name not in shapes:
        raise CheckpointError(f"no tensor becomes {name}, which the sizes are read from")
    if len(shapes[name]) != num_dimensions:
        raise CheckpointError(
            f"what becomes {name} must have {num_dimensions} dimensions, got the shape {shapes[name]}"
        )
    return shapes[name]


def told(described: Mapping[str, Any], key: str, default: Any, *kinds: type) -> Any:
    """What a `config.json` says; the default where it says nothing or null.

    Raises:
        CheckpointError: It is of none of these kinds.
    """
    value = described.get(key)
    if value is not None and type(value) not in kinds:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise CheckpointError(f"config.json: {key} must be of type {wanted}, got {value!r}")
    return default if value is None else value


def _count(shapes: Shapes, pattern: str) -> int:
    """How many different numbers stand in the pattern's group."""
    found = {int(match.group(1)) for match in map(re.compile(pattern).match, shapes) if match}
    return max(found) + 1 if found else 0


def clip_config(
    shapes: Shapes, described: Mapping[str, Any], base: ClipConfig, num_heads: int | None = None
) -> ClipConfig:
    """Sizes of a CLIP vision transformer.

    Args:
        shapes: The shapes of its tensors, under our names.
        described: Its own `config.json`, also one with the vision part inside, and `preprocessor_config.json`'s values;
            empty where there is none.
        base: For what neither tells: the layer to take, mean and deviation.
        num_heads: What the user says, else `config.json`, else as in every published CLIP.

    Raises:
        CheckpointError: A tensor is missing that a size is read from, or the number of heads cannot be known.
    """
    own = told(described, "vision_config", described, dict)
    where = "clip.vision_model"
    channels, _, patch, _ = shape_of(shapes, f"{where}.embeddings.patch_embedding.weight", 4)
    positions = shape_of(shapes, f"{where}.embeddings.position_embedding.weight", 2)[0]
    num_heads = num_heads or told(own, "num_attention_heads", None, int)
    if num_heads is None:
        if channels % CLIP_HEAD_CHANNELS:
            raise CheckpointError(
                f"the number of CLIP's attention heads does not show in its weights, and {channels} channels are no "
                f"multiple of {CLIP_HEAD_CHANNELS}; remedy: --set clip.num_heads=N, or name CLIP's folder"
            )
        num_heads = channels // CLIP_HEAD_CHANNELS
    layers = _count(shapes, rf"{where}\.encoder\.layers\.(\d+)\.")
    return dataclasses.replace(
        base,
        image_size_px=round((positions - 1) ** 0.5) * patch,
        patch_size_px=patch,
        hidden_size=channels,
        intermediate_size=shape_of(shapes, f"{where}.encoder.layers.0.mlp.fc1.weight", 2)[0],
        num_layers=layers,
        num_heads=num_heads,
        select_layer=max(base.select_layer, -layers - 1),
        hidden_act=told(own, "hidden_act", "quick_gelu", str),
        layer_norm_eps=told(own, "layer_norm_eps", 1e-5, float, int),
        mean=tuple(told(described, "image_mean", base.mean, list)),
        std=tuple(told(described, "image_std", base.std, list)),
    )


def convnext_config(shapes: Shapes, clip_grid: int, base: ConvNextConfig) -> ConvNextConfig:
    """Sizes of a ConvNeXt; the grid is the base's where CLIP's divides it, else twice CLIP's.

    Raises:
        CheckpointError: A tensor is missing that a size is read from.
    """
    depths = tuple(_count(shapes, rf"convnext\.stages\.{stage}\.layers\.(\d+)\.") for stage in range(4))
    return dataclasses.replace(
        base,
        depths=depths,
        hidden_sizes=tuple(
            shape_of(shapes, f"convnext.stages.{stage}.layers.0.dwconv.weight", 4)[0] for stage in range(4)
        ),
        grid_size=base.grid_size if base.grid_size % clip_grid == 0 else 2 * clip_grid,
    )


def sam_config(shapes: Shapes, base: SamConfig) -> SamConfig:
    """Sizes of a Segment Anything. Its decoder's number of heads is the base's: no published SAM has another.

    Raises:
        CheckpointError: A tensor is missing that a size is read from, or the number of heads cannot be known.
    """
    encoder, decoder = "sam.image_encoder", "sam.mask_decoder"
    embed_dim, _, patch, _ = shape_of(shapes, f"{encoder}.patch_embed.proj.weight", 4)
    grid = shape_of(shapes, f"{encoder}.pos_embed", 4)[1]
    depth = _count(shapes, rf"{encoder}\.blocks\.(\d+)\.")
    return dataclasses.replace(
        base,
        image_size_px=grid * patch,
        patch_size_px=patch,
        embed_dim=embed_dim,
        depth=depth,
        **_sam_attention(shapes, embed_dim, depth, grid, base),
        prompt_dim=shape_of(shapes, f"{encoder}.neck.0.weight", 4)[0],
        mask_in_channels=shape_of(shapes, "sam.prompt_encoder.mask_downscaling.3.weight", 4)[0],
        decoder_depth=_count(shapes, rf"{decoder}\.transformer\.layers\.(\d+)\."),
        decoder_mlp_dim=shape_of(shapes, f"{decoder}.transformer.layers.0.mlp.lin1.weight", 2)[0],
        iou_head_hidden_dim=shape_of(shapes, f"{decoder}.iou_prediction_head.layers.0.weight", 2)[0],
    )


def _sam_attention(shapes: Shapes, embed_dim: int, depth: int, grid: int, base: SamConfig) -> dict[str, Any]:
    """Heads and windows show in the tables of relative positions, one row for each distance within the window."""
    tables = [shapes.get(f"sam.image_encoder.blocks.{block}.attn.rel_pos_h") for block in range(depth)]
    if not all(tables) or any(len(table) != 2 for table in tables if table):
        if (embed_dim, depth) != (base.embed_dim, base.depth) or base.use_rel_pos:
            raise CheckpointError(
                "SAM has no tables of relative positions (rel_pos_h), so its heads and windows cannot be read from its "
                "weights; remedy: name a configuration of its size with --config"
            )
        return {"use_rel_pos": False}
    sides = [(table[0] + 1) // 2 for table in tables if table]
    windowed = {side for side in sides if side != grid}
    if len(windowed) > 1:
        raise CheckpointError(f"SAM's blocks have windows of several sizes, {sorted(windowed)}; one is supported")
    return {
        "use_rel_pos": True,
        "num_heads": embed_dim // tables[0][1],  # type: ignore[index]
        "window_size": next(iter(windowed), base.window_size),
        "global_attn_indexes": tuple(block for block, side in enumerate(sides) if side == grid),
    }


def text_config(base: TextConfig, num_patches: int, language: LanguageConfig) -> TextConfig:
    """The base's lengths, shortened to what the language model was made for; what the picture leaves is shared."""
    positions = int(language.arguments.get("max_position_embeddings", base.max_context_tokens))
    context = min(base.max_context_tokens, positions)
    answer = min(base.max_answer_tokens, max(1, (context - num_patches) // 2))
    return dataclasses.replace(base, max_context_tokens=context, max_answer_tokens=answer)


def language_config(described: Mapping[str, Any]) -> LanguageConfig:
    """The language model that a `config.json` describes, also one inside a LLaVA's, less the size of its vocabulary.

    Raises:
        CheckpointError: transformers knows no such model.
    """
    own = dict(described.get("text_config", described))
    named = str(own.get("model_type", "llama" if "text_config" in described else ""))
    model_type = LANGUAGE_TYPES.get(named, named)
    if model_type not in CONFIG_MAPPING:
        raise CheckpointError(
            f"config.json: transformers knows no model_type {named!r}; remedy: write the type of the language model "
            "inside, such as llama"
        )
    kind = CONFIG_MAPPING[model_type]
    if named != model_type:
        known = set(kind().to_dict()) | _OLD_ROPE
        own = {name: value for name, value in own.items() if name in known}
    try:
        read = kind.from_dict({**own, "model_type": model_type}).to_diff_dict()
    except Exception as error:  # transformers raises many kinds; all mean the same to the reader
        raise CheckpointError(f"config.json does not describe a {model_type}: {error}") from error
    return LanguageConfig(model_type, {name: value for name, value in read.items() if name not in _NOT_ARGUMENTS})

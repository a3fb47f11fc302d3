"""The checkpoint that the authors of MIRAS (arXiv 2502.09447) save after merging their adapter."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelrs_ros.config import ClipConfig, MirasConfig
from pixelrs_ros.convert import names
from pixelrs_ros.convert.assembly import FRESH, Assembly, assemble
from pixelrs_ros.convert.files import read_json
from pixelrs_ros.convert.options import override
from pixelrs_ros.convert.parts import Part, read_part
from pixelrs_ros.convert.public import describe_clip, num_rows, projector_size
from pixelrs_ros.convert.sizes import clip_config, convnext_config, language_config, sam_config, text_config
from pixelrs_ros.convert.words import REFERENCE_TOKENS, read_words, reference_template
from pixelrs_ros.errors import CheckpointError

PREFIXES = ("clip.", "convnext.", "language.", "sam.", *FRESH)
# What their configuration may switch on, and the value that MIRAS is published with.
_PUBLISHED = {
    "image_grid": (1, None),
    "image_global": (False, None),
    "mm_vision_select_feature": ("patch", None),
    "mm_projector_type": ("mlp2x_gelu", None),
}


@dataclass(frozen=True)
class ReferenceParts:
    """Where the checkpoint lies, and the towers that it may lack.

    Attributes:
        folder: With config.json, the tokenizer and the weights.
        clip: CLIP in transformers' format, in place of the checkpoint's own; its config.json tells the heads.
        convnext: ConvNeXt in open_clip's format, in place of the checkpoint's own: the authors' merging script leaves
            it out, as they never train it.
    """

    folder: Path
    clip: Path | None = None
    convnext: Path | None = None


def import_reference(parts: ReferenceParts, base: MirasConfig, settings: Mapping[str, Any]) -> Assembly:
    """Read the checkpoint, its sizes and words.

    Args:
        parts: Where it lies.
        base: For what it does not tell.
        settings: The user's own values, by their names in the configuration; they go before everything else.

    Raises:
        CheckpointError: It cannot be read, is not whole, or was trained with what MIRAS is not published with.
        ConfigError: The sizes contradict each other.
    """
    described = read_json(parts.folder / "config.json")
    _check_published(parts.folder / "config.json", described)
    whole = read_part(parts.folder, names.REFERENCE, "DIR")
    sources = dict.fromkeys(PREFIXES, whole)
    if parts.clip:
        sources["clip."] = read_part(parts.clip, names.CLIP, "--clip")
    if parts.convnext:
        sources["convnext."] = read_part(parts.convnext, names.CONVNEXT, "--convnext")
    for prefix, option in (("clip.", "--clip"), ("convnext.", "--convnext")):
        if not sources[prefix].has(prefix):
            raise CheckpointError(
                f"{parts.folder} has no {prefix.rstrip('.')}; remedy: {option} with the public weights"
            )
    clip_folder = parts.clip or _tower(described)
    clip = clip_config(
        sources["clip."].shapes,
        describe_clip(clip_folder) if clip_folder else {},
        base.clip,
        settings.get("clip.num_heads"),
    )
    text = dataclasses.replace(base.text, template=reference_template(parts.folder), lowercase_user=False)
    base = dataclasses.replace(base, text=text, framing="center")
    config = override(_config(described, sources, clip, base), settings)
    words = read_words(parts.folder, num_rows(whole), config.text.template, trained=REFERENCE_TOKENS)
    return assemble(config, words, sources, seed=0)


def _config(
    described: Mapping[str, Any], sources: Mapping[str, Part], clip: ClipConfig, base: MirasConfig
) -> MirasConfig:
    layer = int(described.get("mm_vision_select_layer", -2))
    clip = dataclasses.replace(clip, select_layer=layer if layer < 0 else layer - clip.num_layers - 1)
    convnext = convnext_config(sources["convnext."].shapes, clip.grid_size, base.convnext)
    side = int(described.get("image_size_aux", convnext.image_size_px))
    language = language_config(described)
    return dataclasses.replace(
        base,
        clip=clip,
        convnext=dataclasses.replace(convnext, image_size_px=side, mean=clip.mean, std=clip.std),
        language=language,
        projector_hidden_size=projector_size(sources["projector."], base),
        sam=sam_config(sources["sam."].shapes, base.sam),
        text=text_config(base.text, clip.num_patches, language),
    )


def _tower(described: Mapping[str, Any]) -> Path | None:
    """CLIP's folder, where the one that the checkpoint was trained from is on this machine."""
    for key in ("mm_vision_tower", "vision_tower"):
        folder = Path(str(described.get(key) or ""))
        if described.get(key) and (folder / "config.json").is_file():
            return folder
    return None


def _check_published(path: Path, described: Mapping[str, Any]) -> None:
    for key, allowed in _PUBLISHED.items():
        if described.get(key) not in allowed:
            raise CheckpointError(
                f"{path}: {key} is {described[key]!r}, but MIRAS is published, and supported here, with {allowed[0]!r}"
            )

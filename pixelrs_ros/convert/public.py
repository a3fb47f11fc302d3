"""An untrained MIRAS from public parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelrs_ros.checkpoint import read_json
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.convert import names
from pixelrs_ros.convert.assembly import Assembly, assemble
from pixelrs_ros.convert.options import override
from pixelrs_ros.convert.parts import Part, read_part
from pixelrs_ros.convert.sizes import (
    clip_config,
    convnext_config,
    language_config,
    sam_config,
    shape_of,
    text_config,
)
from pixelrs_ros.convert.templates import read_template
from pixelrs_ros.convert.words import read_words
from pixelrs_ros.errors import CheckpointError


@dataclass(frozen=True)
class PublicParts:
    """Where the parts lie.

    Attributes:
        clip: CLIP's vision transformer in transformers' format.
        convnext: ConvNeXt in open_clip's, timm's or transformers' format.
        language: LLaVA or a causal language model, with its tokenizer.
        sam: Segment Anything's `.pth`.
        mini_gemini: What joins eyes and words in Mini-Gemini; None leaves it untrained, but for what a LLaVA brings.
    """

    clip: Path
    convnext: Path
    language: Path
    sam: Path
    mini_gemini: Path | None = None


def assemble_public(parts: PublicParts, base: MirasConfig, settings: Mapping[str, Any], seed: int) -> Assembly:
    """Read the parts, their sizes and words.

    Args:
        parts: Where they lie.
        base: For what the parts do not tell.
        settings: The user's own values, by their names in the configuration; they go before everything else.
        seed: Seeds what begins untrained.

    Raises:
        CheckpointError: A part cannot be read, or they do not make a whole.
        ConfigError: The sizes contradict each other.
    """
    clip = read_part(parts.clip, names.CLIP, "--clip")
    convnext = read_part(parts.convnext, names.CONVNEXT, "--convnext")
    language = read_part(parts.language, names.LANGUAGE, "--language")
    sam = read_part(parts.sam, names.SAM, "--sam")
    sources = {"clip.": clip, "convnext.": convnext, "language.": language, "sam.": sam}
    joints = [read_part(parts.mini_gemini, names.MINI_GEMINI, "--mini-gemini")] if parts.mini_gemini else []
    for prefix in ("fusion.", "projector."):
        source = next((part for part in (*joints, language) if part.has(prefix)), None)
        if source is not None:
            sources[prefix] = source
    described = read_json(parts.language / "config.json")
    template = read_template(parts.language) if not language.has("projector.") else None
    language_sizes = language_config(described)
    clip_sizes = clip_config(clip.shapes, describe_clip(parts.clip), base.clip, settings.get("clip.num_heads"))
    config = dataclasses.replace(
        base,
        clip=clip_sizes,
        convnext=convnext_config(convnext.shapes, clip_sizes.grid_size, base.require_high_resolution()),
        language=language_sizes,
        projector_hidden_size=projector_size(sources.get("projector."), base),
        sam=sam_config(sam.shapes, base.sam),
        text=dataclasses.replace(
            text_config(base.text, clip_sizes.num_patches, language_sizes), template=template or base.text.template
        ),
    )
    config = override(config, settings)
    words = read_words(parts.language, num_rows(language), config.text.template)
    return assemble(config, words, sources, seed)


def describe_clip(folder: Path) -> dict[str, Any]:
    """What `config.json` and `preprocessor_config.json` beside CLIP's weights say; nothing where they are missing."""
    folder = folder if folder.is_dir() else folder.parent
    files = (folder / "config.json", folder / "preprocessor_config.json")
    return {name: value for file in files if file.is_file() for name, value in read_json(file).items()}


def projector_size(part: Part | None, base: MirasConfig) -> int | None:
    """Channels between the two layers of the projector; None where it is a single one."""
    shapes = part.shapes if part else {}
    if "projector.0.weight" not in shapes:
        return base.projector_hidden_size
    return shape_of(shapes, "projector.0.weight", 2)[0] if "projector.2.weight" in shapes else None


def num_rows(language: Part) -> int:
    """Of the embedding table.

    Raises:
        CheckpointError: There is none under a known name.
    """
    tables = [shape[0] for name, shape in language.shapes.items() if name.endswith(EMBEDDINGS) and shape]
    if not tables:
        raise CheckpointError(f"{language.path} holds no language model: no tensor is named {', '.join(EMBEDDINGS)}")
    return max(tables)


# What transformers' language models call their embedding table; tied to it, the head may stand in its place.
EMBEDDINGS = (
    "embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight", "tok_embeddings.weight",
    "lm_head.weight",
)  # fmt: skip

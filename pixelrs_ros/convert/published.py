"""The checkpoints that the authors of MIRAS (arXiv 2502.09447), LISA, LISA++, SESAME and GLaMM save whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelrs_ros.checkpoint import read_json
from pixelrs_ros.config import ClipConfig, ConvNextConfig, MirasConfig
from pixelrs_ros.convert import names
from pixelrs_ros.convert.assembly import FRESH, Assembly, assemble
from pixelrs_ros.convert.families import Family, family_template, recognize_family
from pixelrs_ros.convert.options import override
from pixelrs_ros.convert.parts import Part, read_part
from pixelrs_ros.convert.public import describe_clip, num_rows, projector_size
from pixelrs_ros.convert.sizes import clip_config, convnext_config, language_config, sam_config, text_config, told
from pixelrs_ros.convert.words import read_words
from pixelrs_ros.errors import CheckpointError

_EYES = ("convnext.", "fusion.")  # which MIRAS alone has
PREFIXES = ("clip.", *_EYES, "language.", "sam.", *(prefix for prefix in FRESH if prefix not in _EYES))
# What MIRAS's inference shows ConvNeXt. A config.json merged from a base without the key says 320, which nothing uses.
_CONVNEXT_PX = 768
_NEVER_USED_PX = 320
_MARKERS = ("mm_use_im_start_end", "mm_use_image_start_end")


@dataclass(frozen=True)
class PublishedParts:
    """Where the checkpoint lies, and the towers that it may lack.

    Attributes:
        folder: With config.json, the tokenizer and the weights.
        clip: CLIP in transformers' format, in place of the checkpoint's own; its config.json tells the heads.
        convnext: ConvNeXt in open_clip's format, in place of the checkpoint's own: MIRAS's merging script leaves it
            out, as its authors never train it.
    """

    folder: Path
    clip: Path | None = None
    convnext: Path | None = None


def import_published(parts: PublishedParts, base: MirasConfig, settings: Mapping[str, Any]) -> Assembly:
    """Read the checkpoint, its sizes and words.

    Args:
        parts: Where it lies.
        base: For what it does not tell.
        settings: The user's own values, by their names in the configuration; they go before everything else.

    Raises:
        CheckpointError: It cannot be read, is of no known family, is not whole, or was trained with what its family is
            not published with.
        ConfigError: The sizes contradict each other.
    """
    described = read_json(parts.folder / "config.json")
    whole = read_part(parts.folder, names.PUBLISHED, "DIR")
    family = recognize_family(parts.folder, described, whole.names)
    whole = dataclasses.replace(whole, names=family.names)
    sources = _sources(parts, family, whole)
    clip_folder = parts.clip or _tower(described)
    clip = clip_config(
        sources["clip."].shapes,
        describe_clip(clip_folder) if clip_folder else {},
        base.clip,
        settings.get("clip.num_heads"),
    )
    markers = next((told(described, key, True, bool) for key in _MARKERS if described.get(key) is not None), True)
    template = family_template(family, parts.folder, image_markers=markers)
    text = dataclasses.replace(
        base.text, template=template, lowercase_user=False, image_markers=markers, refusal=family.refusal
    )
    base = dataclasses.replace(_bare(base, family, clip.num_patches), text=text)
    config = override(_config(described, sources, clip, base), settings)
    trained = tuple(token for token in family.tokens if markers or not token.startswith("<im_"))
    words = read_words(parts.folder, num_rows(whole), config.text.template, trained, family.renamed)
    assembly = assemble(config, words, sources, seed=0)
    return dataclasses.replace(assembly, notes=(f"read as {family.names.title}", *_notes(described, config)))


def _sources(parts: PublishedParts, family: Family, whole: Part) -> dict[str, Part]:
    """Which part each prefix of our names comes from.

    Raises:
        CheckpointError: A tower is missing, or ConvNeXt is given for a network without one.
    """
    sources = dict.fromkeys((prefix for prefix in PREFIXES if family.has_convnext or prefix not in _EYES), whole)
    if parts.clip:
        sources["clip."] = read_part(parts.clip, names.CLIP, "--clip")
    if parts.convnext and not family.has_convnext:
        raise CheckpointError(f"--convnext: {parts.folder} is {family.names.title}, which sees with CLIP alone")
    if parts.convnext:
        sources["convnext."] = read_part(parts.convnext, names.CONVNEXT, "--convnext")
    for prefix, option in (("clip.", "--clip"), ("convnext.", "--convnext")):
        if prefix in sources and not sources[prefix].has(prefix):
            raise CheckpointError(
                f"{parts.folder} has no {prefix.rstrip('.')}; remedy: {option} with the public weights"
            )
    return sources


def _bare(base: MirasConfig, family: Family, num_patches: int) -> MirasConfig:
    """The base, less what no published network has."""
    return dataclasses.replace(
        base,
        convnext=base.convnext if family.has_convnext else None,
        framing="center" if family.has_convnext else "clip",
        pointer=False,
        detail=False,
        reader=None,
        seg_state_back=family.state_back(num_patches),
    )


def _config(
    described: Mapping[str, Any], sources: Mapping[str, Part], clip: ClipConfig, base: MirasConfig
) -> MirasConfig:
    layer = told(described, "mm_vision_select_layer", -2, int)
    clip = dataclasses.replace(clip, select_layer=layer if layer < 0 else layer - clip.num_layers - 1)
    language = language_config(described)
    return dataclasses.replace(
        base,
        clip=clip,
        convnext=_convnext(described, sources, clip, base.convnext),
        language=language,
        projector_hidden_size=projector_size(sources["projector."], base),
        sam=sam_config(sources["sam."].shapes, base.sam),
        text=text_config(base.text, clip.num_patches, language),
    )


def _convnext(
    described: Mapping[str, Any], sources: Mapping[str, Part], clip: ClipConfig, base: ConvNextConfig | None
) -> ConvNextConfig | None:
    if base is None:
        return None
    sizes = convnext_config(sources["convnext."].shapes, clip.grid_size, base)
    side = told(described, "image_size_aux", _CONVNEXT_PX, int)
    side = _CONVNEXT_PX if side == _NEVER_USED_PX else side
    return dataclasses.replace(sizes, image_size_px=side, mean=clip.mean, std=clip.std)


def _notes(described: Mapping[str, Any], config: MirasConfig) -> list[str]:
    """What was taken otherwise than the files say, or as one may not expect it."""
    notes = []
    if config.convnext is not None and described.get("image_size_aux") != config.convnext.image_size_px:
        notes.append(
            f"ConvNeXt is shown {config.convnext.image_size_px} px, as in the authors' inference; image_size_aux in "
            f"config.json is {described.get('image_size_aux')}, which their merging script writes where its base says "
            "nothing; another side: --set convnext.image_size_px=N"
        )
    if config.seg_state_back:
        notes.append(
            f"the state of [SEG] is read {config.seg_state_back} positions before the one that predicts it, as the "
            "published training does; for a network trained otherwise: --set seg_state_back=0"
        )
    return notes


def _tower(described: Mapping[str, Any]) -> Path | None:
    """CLIP's folder, where the one that the checkpoint was trained from is on this machine."""
    for key in ("mm_vision_tower", "vision_tower"):
        folder = Path(str(described.get(key) or ""))
        if described.get(key) and (folder / "config.json").is_file():
            return folder
    return None

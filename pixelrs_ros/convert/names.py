"""What tensors are called elsewhere and here, and which of theirs MIRAS has no use for: all of it stands in this file.

A rule is a pair of templates, theirs and ours; `{0}`, `{1}` are numbers, `{rest}` is what remains of the name.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

_FIELD = re.compile(r"\\\{(\d|rest)\\\}")


def _pattern(template: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        name = match.group(1)
        return "(?P<rest>.+)" if name == "rest" else rf"(?P<n{name}>\d+)"

    return re.compile(_FIELD.sub(group, re.escape(template)))


def _fill(template: str, match: re.Match[str]) -> str:
    for name, value in match.groupdict().items():
        template = template.replace("{" + name.removeprefix("n") + "}", value)
    return template


@dataclass(frozen=True)
class Names:
    """One format.

    Attributes:
        title: For messages.
        sign: How some name begins in this format and in no later one of its list.
        rules: Pairs (theirs, ours); the first that matches counts.
        unused: Regular expressions of their names that MIRAS has no use for; any other unknown name is an error.
    """

    title: str
    sign: str
    rules: tuple[tuple[str, str], ...]
    unused: tuple[str, ...] = field(default=())

    @cached_property
    def _compiled(self) -> list[tuple[re.Pattern[str], re.Pattern[str], str, str]]:
        return [(_pattern(theirs), _pattern(ours), theirs, ours) for theirs, ours in self.rules]

    def ours(self, theirs: str) -> str | None:
        """Our name of their tensor, None where there is none."""
        for pattern, _, _, template in self._compiled:
            match = pattern.fullmatch(theirs)
            if match:
                return _fill(template, match)
        return None

    def theirs(self, ours: str) -> str | None:
        """The inverse of `ours`."""
        for _, pattern, template, _ in self._compiled:
            match = pattern.fullmatch(ours)
            if match:
                return _fill(template, match)
        return None

    def is_unused(self, theirs: str) -> bool:
        """Whether MIRAS has no use for that tensor."""
        return any(re.fullmatch(pattern, theirs) for pattern in self.unused)


def _clip(prefix: str) -> tuple[tuple[str, str], ...]:
    parts = ("embeddings", "pre_layrnorm", "encoder", "post_layernorm")
    return tuple((f"{prefix}{part}.{{rest}}", f"clip.vision_model.{part}.{{rest}}") for part in parts)


def _timm_convnext(stem: str, stages: str) -> tuple[tuple[str, str], ...]:
    ours = "convnext.stages.{0}"
    block = f"{stages}.{{0}}.blocks.{{1}}"
    return (
        (f"{stem}.0.{{rest}}", "convnext.embeddings.patch_embeddings.{rest}"),
        (f"{stem}.1.{{rest}}", "convnext.embeddings.layernorm.{rest}"),
        (f"{stages}.{{0}}.downsample.{{1}}.{{rest}}", f"{ours}.downsampling_layer.{{1}}.{{rest}}"),
        (f"{block}.conv_dw.{{rest}}", f"{ours}.layers.{{1}}.dwconv.{{rest}}"),
        (f"{block}.norm.{{rest}}", f"{ours}.layers.{{1}}.layernorm.{{rest}}"),
        (f"{block}.mlp.fc1.{{rest}}", f"{ours}.layers.{{1}}.pwconv1.{{rest}}"),
        (f"{block}.mlp.fc2.{{rest}}", f"{ours}.layers.{{1}}.pwconv2.{{rest}}"),
        (f"{block}.gamma", f"{ours}.layers.{{1}}.layer_scale_parameter"),
    )


def _transformers_convnext(prefix: str) -> tuple[tuple[str, str], ...]:
    return (
        (f"{prefix}embeddings.{{rest}}", "convnext.embeddings.{rest}"),
        (f"{prefix}encoder.stages.{{rest}}", "convnext.stages.{rest}"),
    )


def _connectors(prefix: str) -> tuple[tuple[str, str], ...]:
    return (
        (f"{prefix}vlm_uni_query_projector.{{rest}}", "fusion.query_projector.{rest}"),
        (f"{prefix}vlm_uni_aux_projector.{{rest}}", "fusion.key_projector.{rest}"),
        (f"{prefix}vlm_uni_val_projector.{{rest}}", "fusion.value_projector.{rest}"),
        (f"{prefix}mm_projector.{{0}}.{{rest}}", "projector.{0}.{rest}"),
        (f"{prefix}mm_projector.{{rest}}", "projector.0.{rest}"),  # a single linear layer
    )


def _sam(prefix: str) -> tuple[tuple[str, str], ...]:
    parts = ("image_encoder", "prompt_encoder", "mask_decoder")
    return tuple((f"{prefix}{part}.{{rest}}", f"sam.{part}.{{rest}}") for part in parts)


# Constant buffers that older releases saved; each is computed from the sizes.
_BUFFERS = (r".*\.rotary_emb\.inv_freq", r"(.*\.)?position_ids", r".*\.attention?\.(masked_)?bias")
_CLIP_UNUSED = (*_BUFFERS, r"text_model\..*", r"(visual|text)_projection\.weight", r"logit_scale")
_SAM_UNUSED = (r"(.*\.)?pixel_(mean|std)",)
_HEADS_UNUSED = (r"(visual\.)?(trunk\.)?(head|norm_pre)\..*",)
_OPEN_CLIP_TEXT = (
    r"(text\.)?(transformer|token_embedding|ln_final)\..*",
    r"(text\.)?(positional_embedding|text_projection|cls_emb|attn_mask)",
    r"logit_(scale|bias)",
)
_TOWERS_UNUSED = (r"(model\.)?vision_tower(_aux)?\..*",)  # of a LLaVA: the towers come from their own folders

CLIP = (
    Names("transformers' CLIP", "vision_model.", _clip("vision_model."), _CLIP_UNUSED),
    Names("transformers' CLIP vision part", "embeddings.", _clip(""), _CLIP_UNUSED),
)
CONVNEXT = (
    Names(
        "open_clip's ConvNeXt",
        "visual.trunk.",
        _timm_convnext("visual.trunk.stem", "visual.trunk.stages"),
        (*_HEADS_UNUSED, *_OPEN_CLIP_TEXT),
    ),
    Names("timm's ConvNeXt", "stem.", _timm_convnext("stem", "stages"), _HEADS_UNUSED),
    Names(
        "transformers' ConvNeXt",
        "convnext.",
        _transformers_convnext("convnext."),
        (r"convnext\.layernorm\..*", r"classifier\..*"),
    ),
    Names("transformers' ConvNeXt", "embeddings.", _transformers_convnext(""), (r"layernorm\..*",)),
)
SAM = (Names("Segment Anything", "image_encoder.", _sam(""), _SAM_UNUSED),)
LANGUAGE = (
    Names(
        "LLaVA in the format of transformers 5",
        "model.language_model.",
        (
            ("model.language_model.{rest}", "language.model.{rest}"),
            ("model.multi_modal_projector.linear_1.{rest}", "projector.0.{rest}"),
            ("model.multi_modal_projector.linear_2.{rest}", "projector.2.{rest}"),
            ("{rest}", "language.{rest}"),
        ),
        (*_BUFFERS, *_TOWERS_UNUSED),
    ),
    Names(
        "LLaVA in transformers' format",
        "language_model.",
        (
            ("language_model.{rest}", "language.{rest}"),
            ("multi_modal_projector.linear_1.{rest}", "projector.0.{rest}"),
            ("multi_modal_projector.linear_2.{rest}", "projector.2.{rest}"),
        ),
        (*_BUFFERS, *_TOWERS_UNUSED),
    ),
    Names(
        "LLaVA in its authors' format, or a causal language model",
        "",
        (*_connectors("model."), ("{rest}", "language.{rest}")),
        (*_BUFFERS, *_TOWERS_UNUSED),
    ),
)
_MINI_GEMINI_UNUSED = (
    *_BUFFERS,
    *_TOWERS_UNUSED,
    r"(model\.)?(layers|embed_tokens|norm)\..*",
    r"lm_head\..*",
)  # a whole Mini-Gemini may be named: only what joins eyes and words is taken
MINI_GEMINI = (
    Names("Mini-Gemini", "model.", _connectors("model."), _MINI_GEMINI_UNUSED),
    Names("Mini-Gemini", "vlm_uni_", _connectors(""), _MINI_GEMINI_UNUSED),
    Names("Mini-Gemini", "mm_projector.", _connectors(""), _MINI_GEMINI_UNUSED),
)


def _published(title: str, sign: str, sam: str, *unused: str) -> Names:
    """A network of the LISA family, MIRAS among them, as its authors save it whole."""
    rules = (
        *_clip("model.vision_tower.vision_tower.vision_model."),
        *_clip("model.vision_tower.vision_tower."),  # as transformers 5 names it
        *_timm_convnext("model.vision_tower_aux.vision_stem", "model.vision_tower_aux.vision_stages"),
        *_connectors("model."),
        ("model.text_hidden_fcs.0.{rest}", "segmentation_prompt.{rest}"),
        *_sam(sam),
        ("model.embed_tokens.{rest}", "language.model.embed_tokens.{rest}"),
        ("model.layers.{rest}", "language.model.layers.{rest}"),
        ("model.norm.{rest}", "language.model.norm.{rest}"),
        ("lm_head.{rest}", "language.lm_head.{rest}"),
    )
    return Names(title, sign, rules, (*_BUFFERS, *_SAM_UNUSED, *unused))


MIRAS = _published("MIRAS as its authors save it", "model.vlm_uni_", "model.visual_model.")
GLAMM = _published(
    "GLaMM as its authors save it",
    "model.grounding_encoder.",
    "model.grounding_encoder.",
    r"model\.region_encoder\..*",  # reads boxes that a user draws
)
LISA = _published("LISA or LISA++ as its authors save it", "model.text_hidden_fcs.", "model.visual_model.")
SESAME = dataclasses.replace(LISA, title="SESAME as its authors save it")  # its tensors are called as LISA's
PUBLISHED = (MIRAS, GLAMM, SESAME, LISA)


def recognize(formats: Iterable[Names], theirs: Iterable[str]) -> Names | None:
    """The first format whose sign some name bears."""
    names = list(theirs)
    return next((known for known in formats if any(name.startswith(known.sign) for name in names)), None)

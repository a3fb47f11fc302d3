"""Published networks that answer with `[SEG]`: how each is recognized, and what of it no weight file tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelrs_ros.checkpoint import read_json
from pixelrs_ros.config import ChatTemplate
from pixelrs_ros.convert import names
from pixelrs_ros.convert.names import Names
from pixelrs_ros.convert.sizes import told
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.text.tokenizer import IMAGE, IMAGE_END, IMAGE_START, OBJ, SEG

_SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, "
    "and polite answers to the human's questions."
)
_TRAINED_SHIFT = 256  # image tokens of CLIP at 224 px, which LISA's training counts whatever CLIP sees
_LINE = "\n"
# In nearly all of the ways in which SESAME was trained to say that a thing is not there.
_SESAME_REFUSAL = (
    r"(?i)\b(no|not|none|nothing|nowhere|cannot|unable|absent|absence|missing|lack(s|ing)?|void|devoid|fail(s|ed)?|"
    r"without|elusive|sorry|unfortunately|regret(tably)?)\b|n['’]t\b"
)


@dataclass(frozen=True)
class Family:
    """One of them.

    Attributes:
        names: What its tensors are called.
        architecture: What `architectures` in its config.json says, where the names alone do not tell; None: anything.
        has_convnext: Whether it sees with ConvNeXt beside CLIP.
        tokens: Those that its scripts add to the language model's tokenizer, in their order.
        strips: Whether its release of transformers drops the spaces around an added token.
        before_image: What the user's first turn says before the picture.
        after_image: And after it.
        renamed: Our names of its tokens that mean what a marker of ours does.
        phrase_end: See `ChatTemplate`.
        refusal: See `TextConfig`.
        counts_224: Whether its training reads the state of `[SEG]` as if the picture had 256 tokens whatever CLIP sees.
        fixed: What its config.json may say, and the values that its network is published with.
    """

    names: Names
    architecture: str | None = None
    has_convnext: bool = False
    tokens: tuple[str, ...] = (SEG, IMAGE_START, IMAGE_END)
    strips: bool = True
    before_image: str = ""
    after_image: str = _LINE
    renamed: Mapping[str, str] = field(default_factory=dict)
    phrase_end: str = ""
    refusal: str = ""
    counts_224: bool = False
    fixed: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def state_back(self, num_patches: int) -> int:
        """How far before the predicting position the state lies that the segmentation prompt was trained on."""
        return max(0, num_patches - _TRAINED_SHIFT) if self.counts_224 else 0


_PATCH = {"mm_vision_select_feature": ("patch", None)}
FAMILIES = (
    Family(
        names.MIRAS,
        has_convnext=True,
        strips=False,
        counts_224=True,
        fixed={
            **_PATCH,
            "image_grid": (1, None),
            "image_global": (False, None),
            "mm_projector_type": ("mlp2x_gelu", None),
        },
    ),
    Family(
        names.GLAMM,
        tokens=(IMAGE_START, IMAGE_END, "<bbox>", "<point>", SEG, "<p>", "</p>"),
        before_image="The ",
        after_image=f" provides an overview of the picture.{_LINE}",
        renamed={"<p>": OBJ},
        phrase_end="</p>",
        fixed=_PATCH,
    ),
    Family(names.SESAME, architecture="SESAMEForCausalLM", refusal=_SESAME_REFUSAL, fixed=_PATCH),
    Family(names.LISA, counts_224=True, fixed=_PATCH),
)


def recognize_family(folder: Path, described: Mapping[str, Any], found: Names) -> Family:
    """Which of them a folder holds.

    Args:
        folder: For messages.
        described: Its config.json.
        found: What its tensors are called.

    Raises:
        CheckpointError: It was trained with what that network is not published with.
    """
    architectures = told(described, "architectures", (), list)
    same = [family for family in FAMILIES if family.names.sign == found.sign]
    family = next(one for one in same if one.architecture is None or one.architecture in architectures)
    for key, allowed in family.fixed.items():
        if described.get(key) not in allowed:
            raise CheckpointError(
                f"{folder / 'config.json'}: {key} is {described[key]!r}, but {family.names.title} is published, and "
                f"supported here, with {allowed[0]!r}"
            )
    return family


def family_template(family: Family, folder: Path, *, image_markers: bool) -> ChatTemplate:
    """Vicuna's words around the words, with the system words of `llava_v1`.

    A Llama tokenizer of the `legacy` kind begins every text that follows a special token with a space; here each space
    is written in the template.

    Args:
        family: Whose words.
        folder: With `tokenizer_config.json`; without one the tokenizer is of the legacy kind, as in transformers.
        image_markers: Whether `<im_start>` and `<im_end>` stand around the picture.

    Raises:
        CheckpointError: That file is malformed.
    """
    path = folder / "tokenizer_config.json"
    legacy = (read_json(path) if path.is_file() else {}).get("legacy")
    space = "" if legacy is False else " "
    before, after = f"USER: {family.before_image}", family.after_image
    if family.strips and image_markers:
        before, after = before.rstrip(), after.lstrip()
    return ChatTemplate(
        start=f"<s> {_SYSTEM} {before}{IMAGE}{space}{after}",
        user=f"{space}USER: ",
        assistant=" ASSISTANT:",
        end="</s>",
        phrase_end=family.phrase_end,
        before_seg="" if family.strips else " ",
        after_marker=space,
    )

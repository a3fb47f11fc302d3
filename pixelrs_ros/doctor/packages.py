"""Checks of the interpreter and of what is installed in it."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from pixelrs_ros.doctor.findings import Finding, Subject, fail, ok, warn

PACKAGE = Path(__file__).resolve().parents[1]
PYTHON_VERSIONS = ((3, 10), (3, 13))
NUMPY_BEFORE, OPENCV_BEFORE = (2, 3), (5,)
OPENCV_PACKAGES = (
    "opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless",
)  # fmt: skip
ONNXRUNTIME_PACKAGES = ("onnxruntime", "onnxruntime-gpu")
REQUIREMENTS = ("robot", "torch", "sim", "plots", "train", "export", "quantize")


def python(subject: Subject) -> Finding:
    """The interpreter's version and place."""
    version, (oldest, newest) = sys.version_info[:2], PYTHON_VERSIONS
    text = f"{sys.version.split()[0]}, {sys.executable}; pixelrs_ros from {PACKAGE}"
    if version < oldest:
        return fail(text, f"use Python {_dotted(oldest)} or newer")
    if sys.maxsize < 2**32:
        return fail(f"{text}, 32 bits", "use a 64-bit Python: torch has no other")
    if version > newest:
        return warn(text, f"nothing was tried with this version; the newest that was is {_dotted(newest)}")
    return ok(text)


def pins(subject: Subject) -> Finding:
    """Installed versions against those that were tested."""
    wanted = pinned()
    if not wanted:
        return warn("which versions were tested is unknown: neither requirements/ nor the package's metadata is here",
                    "compare with requirements/*.txt of the repository")  # fmt: skip
    found = {name: version_of(name) for name in wanted}
    needed = pinned(("robot", "torch"))
    differ = [
        f"{name} {found[name]} instead of {version}"
        for name, version in wanted.items()
        if found[name] is not None and _public(found[name]) != version
    ]
    missing = [f"{name} {version}" for name, version in needed.items() if found[name] is None]
    names = ("torch", "transformers", "tokenizers", "safetensors", "numpy")
    text = ", ".join(f"{name} {found[name]}" for name in names if found.get(name))
    if differ or missing:
        said = [f"{what}: {', '.join(some)}" for what, some in (("differ", differ), ("missing", missing)) if some]
        return warn("; ".join(said), "pip install -r requirements/robot.txt (untested versions may work, and may not)")
    return ok(f"{text}: all as tested")


def numpy_opencv(subject: Subject) -> Finding:
    """Numpy and OpenCV: versions, one OpenCV only, and whether they understand each other's arrays."""
    import cv2
    import numpy as np

    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    swapped = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    text = f"numpy {np.__version__}, OpenCV {cv2.__version__}"
    if not np.array_equal(swapped, picture[..., ::-1]):
        return fail(
            f"{text}: a conversion gives wrong pixels", "install numpy and OpenCV from one source, see robot.txt"
        )
    several = _installed(OPENCV_PACKAGES)
    if len(several) > 1:
        return fail(f"{', '.join(several)} are installed at once and overwrite each other's files",
                    f"pip uninstall {' '.join(several)}; pip install -r requirements/robot.txt")  # fmt: skip
    if _version(np.__version__) >= NUMPY_BEFORE or _version(cv2.__version__) >= OPENCV_BEFORE:
        return warn(f"{text}: newer than cv_bridge works with", 'pip install "numpy<2.3" "opencv-python-headless<5"')
    return ok(f"{text} exchange arrays")


def onnx_runtime(subject: Subject) -> Finding:
    """ONNX Runtime: one of its two packages, and its providers."""
    present = _installed(ONNXRUNTIME_PACKAGES)
    if len(present) > 1:
        return fail(f"{' and '.join(present)} are both installed: they are the same module and overwrite each other",
                    f"pip uninstall {' '.join(present)}; then install the one of the two that you need")  # fmt: skip
    if importlib.util.find_spec("onnxruntime") is None:
        return warn("not installed: `backend: onnx` and `pixelrs export` do not work",
                    "pip install -r requirements/export.txt (on a GPU: onnxruntime-gpu in its place)")  # fmt: skip
    import onnxruntime

    providers = onnxruntime.get_available_providers()
    text = f"{onnxruntime.__version__}: {', '.join(providers)}"
    if subject.device.startswith("cuda") and "CUDAExecutionProvider" not in providers:
        return warn(f"{text}; nothing for {subject.device}",
                    "pip uninstall onnxruntime; pip install onnxruntime-gpu")  # fmt: skip
    return ok(text)


def pinned(files: Iterable[str] = REQUIREMENTS) -> dict[str, str]:
    """Versions that were tested, by package.

    From `requirements/` of the source tree, else from the metadata that pip wrote; empty where there is neither.

    Args:
        files: Names of requirement files, without ".txt".
    """
    folder = PACKAGE.parent / "requirements"
    if (folder / "robot.txt").is_file():
        texts = [(folder / f"{name}.txt").read_text("utf-8") for name in files]
        return _pins(line.split("#")[0].strip() for text in texts for line in text.splitlines())
    try:
        lines = metadata.requires("pixelrs_ros") or []
    except metadata.PackageNotFoundError:
        return {}
    return _pins(lines, extras=[name for name in files if name != "robot"])


def _pins(lines: Iterable[str], extras: Iterable[str] = ()) -> dict[str, str]:
    """The exact versions among requirements that hold for this Python and, where a line names an extra, for these."""
    chosen = ("", *extras)
    return {
        requirement.name: specifier.version
        for requirement in map(Requirement, filter(None, lines))
        if not requirement.marker or any(requirement.marker.evaluate({"extra": extra}) for extra in chosen)
        for specifier in requirement.specifier
        if specifier.operator == "=="
    }


def version_of(package: str) -> str | None:
    """The installed version of a package; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _installed(packages: Iterable[str]) -> list[str]:
    return [name for name in packages if version_of(name) is not None]


def _public(version: str | None) -> str:
    """Without what a build adds, such as +cpu."""
    return (version or "").split("+")[0]


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))

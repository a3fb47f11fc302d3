"""Installs the Python part with pip: `pip install .`, or `pip install -e .` to work on it.

The ROS interfaces are not part of it; colcon builds those. The network, the simulator, training and evaluation, and the
`pixelrs` command need none. A robot needs no extra: those are for the simulated demo (`sim`), training (`train`), its
curves (`plots`), hearing and speaking (`speech`), the operator page (`console`), judging words (`judge`), several
machines (`ray`) and work on the code (`dev`).
"""

from pathlib import Path

from setuptools import find_packages, setup


def requirements(name: str) -> list[str]:
    """The pinned requirements of one file, without its comments."""
    lines = (Path(__file__).parent / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [requirement for line in lines if (requirement := line.split("#")[0].strip())]


setup(
    name="pixelrs_ros",
    version="0.1.0",
    description="Multi-turn reasoning segmentation for ROS 2: what the user means, as a mask and words that say why.",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["pixelrs_ros", "pixelrs_ros.*"]),
    package_data={
        "pixelrs_ros": [
            "checkpoints/*/*",
            "console/*.css",
            "console/*.js",
            "data/build/*.txt",
            "evaluation/*.html",
            "evaluation/judge/*.txt",
            "presets/*.yaml",
            "published.yaml",
            "ros/wire/*.xml",
            "sim/talk/voices/*.txt",
            "sim/walk/words/*.txt",
            "engine/vlm/*.txt",
            "text/*.txt",
        ]
    },
    install_requires=requirements("robot"),
    extras_require={
        "dev": [*requirements("dev"), *requirements("judge")],
        "sim": requirements("sim"),
        "plots": requirements("plots"),
        "train": [*requirements("train"), *requirements("sim"), *requirements("plots")],
        "export": requirements("export"),
        "quantize": requirements("quantize"),
        "judge": requirements("judge"),
        "speech": requirements("speech"),
        "console": requirements("console"),
        "ray": requirements("ray"),
        # The same module as `onnxruntime`: one of the two in an environment, never both.
        "gpu": ["onnxruntime-gpu"],
    },
    entry_points={"console_scripts": ["pixelrs = pixelrs_ros.cli:main"]},
)

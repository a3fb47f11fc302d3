"""Checks of what the network runs on and of what it writes to; run as a module, every check that needs no ROS."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import torch

from pixelrs_ros.doctor import network, packages, weights
from pixelrs_ros.doctor.findings import Check, Finding, Subject, fail, ok, serve, warn

FULL_BYTES, SCARCE_BYTES = 100e6, 2e9
_SIDE = 64
# What NVIDIA's driver makes, on a desktop and on a Jetson.
_GPU_FILES = ("/dev/nvidia0", "/dev/nvhost-gpu", "/dev/nvgpu")


def torch_build(subject: Subject) -> Finding:
    """Versions of torch, CUDA and TensorRT, and the GPUs."""
    tensorrt = packages.version_of("tensorrt") or "not installed"
    gpus = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            gpus.append(f"cuda:{index} {name}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free")
    text = f"torch {torch.__version__}, CUDA {torch.version.cuda or 'not built in'}, TensorRT {tensorrt}; "
    text += "; ".join(gpus) or "no GPU"
    if not gpus and any(Path(path).exists() for path in _GPU_FILES):
        remedy = (
            "update NVIDIA's driver: this torch may need a newer one"
            if torch.version.cuda
            else "install a CUDA build of torch (on a Jetson: NVIDIA's own wheel)"
        )
        return warn(f"{text} that torch can use, although the machine has one", remedy)
    return ok(text)


def device(subject: Subject) -> Finding:
    """A small matrix product on the chosen device."""
    try:
        ones = torch.ones(_SIDE, _SIDE, device=subject.device)
        right = bool((ones @ ones == _SIDE).all())
    except (RuntimeError, AssertionError) as error:  # torch raises both for a device that is not there
        reason = str(error).splitlines()[0]
        return fail(f"{subject.device} cannot be used: {reason}", "choose another --device, see the line about torch")
    if not right:
        return fail(f"{subject.device} computes wrongly", "do not use this device; check its driver and its memory")
    threads = f", {torch.get_num_threads()} threads" if subject.device == "cpu" else ""
    return ok(f"{subject.device} computes{threads}")


def disk(subject: Subject) -> Finding:
    """Room for what commands write, and whether they may."""
    folder = Path(subject.out).absolute()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / 1e9:.1f} GB free for {folder}"
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return fail(f"{existing} cannot be written to", "choose another working folder, or change its owner or mode")
    if free < FULL_BYTES:
        return fail(text, "free some disk space")
    if free < SCARCE_BYTES:
        return warn(text, "training and generated data need more: free some disk space")
    return ok(text)


def renderer(subject: Subject) -> Finding:
    """MuJoCo off screen: only demo, generated data and training need it."""
    try:
        from pixelrs_ros.sim.picture.render import Renderer
        from pixelrs_ros.sim.scene.scene import sample_scene

        with Renderer(96, 72) as drawing:
            view = drawing.render(sample_scene(0))
    except Exception as error:  # of MuJoCo, of OpenGL, of a missing library
        remedy = "apt-get install libosmesa6, or MUJOCO_GL=egl on a GPU; a robot's node does not need it"
        return warn(f"cannot draw: {error}", remedy)
    if view.image.std() < 1 or not view.object_ids.any():
        return warn(f"MUJOCO_GL={os.environ['MUJOCO_GL']} draws nothing", "try MUJOCO_GL=osmesa")
    return ok(f"MuJoCo draws with MUJOCO_GL={os.environ['MUJOCO_GL']}")


CHECKS: dict[str, Check] = {
    "Python": packages.python,
    "tested versions": packages.pins,
    "numpy, OpenCV": packages.numpy_opencv,
    "torch": torch_build,
    "device": device,
    "onnxruntime": packages.onnx_runtime,
    "configuration": network.configuration,
    "tokenizer": network.tokenizer,
    "weights": network.weights,
    "weights finite": network.finite,
    "memory": network.memory,
    "public weights": weights.fitting,
    "disk": disk,
    "renderer": renderer,
}

if __name__ == "__main__":
    serve(CHECKS)

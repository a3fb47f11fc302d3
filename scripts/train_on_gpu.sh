#!/usr/bin/env bash
# Trains a network from nothing on one GPU, by the clock, on a machine without a network.
#   scripts/train_on_gpu.sh MINUTES OUT [CONFIG]
# MINUTES  for everything, the drawing of the scenes included
# OUT      folder for the checkpoint (in pieces of at most 15 MB: scripts/train_on_gpu.sh --join OUT DIR), logs and curves
# CONFIG   default config/training/nano_gpu.yaml
# Packages that are missing there (mujoco, mujoco-core, segment-anything) may lie as wheels in .whl/, public weights in data/parts/.
set -euo pipefail

if [ "${1:-}" = --join ]; then
    mkdir -p "$3"
    cp "$2"/config.yaml "$2"/tokenizer.json "$3"/
    cat "$2"/model.safetensors.[0-9] > "$3"/model.safetensors
    echo "$3: $(stat -c %s "$3"/model.safetensors) bytes"
    exit
fi

minutes=$1 out=$2 config=${3:-config/training/nano_gpu.yaml}
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
if compgen -G "$root/.whl/*.whl" > /dev/null; then
    site=$(mktemp -d)
    "$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --target "$site" "$root"/.whl/*.whl
    export PYTHONPATH=$site:${PYTHONPATH:-}
fi
export PYTHONPATH=$root:${PYTHONPATH:-}
if command -v nvidia-smi > /dev/null; then
    export MUJOCO_GL=${MUJOCO_GL:-egl}
    nvidia-smi --query-gpu=name,memory.total --format=csv,noheader
fi
export PYTORCH_ALLOC_CONF=expandable_segments:True OMP_NUM_THREADS=${OMP_NUM_THREADS:-4}
mkdir -p "$out"
"$python" -m pixelrs_ros.cli train --config "$config" --minutes "$minutes"
run=$("$python" -c 'import sys, pathlib; from pixelrs_ros.settings import read_yaml; print(read_yaml(pathlib.Path(sys.argv[1]))["out"])' "$config")
"$python" - "$run/checkpoint" "$out" <<'PYTHON'
import shutil
import sys
from pathlib import Path

from pixelrs_ros.training.simulated.clocked import cut

checkpoint, out = map(Path, sys.argv[1:])
cut(checkpoint / "model.safetensors", out)
for name in ("config.yaml", "tokenizer.json"):
    shutil.copy(checkpoint / name, out)
PYTHON
tar czf "$out/logs.tgz" -C "$run" $(cd "$run" && ls -d ./*.txt ./*/log.jsonl ./*/curves.png)
ls -l "$out"

"""What sim.launch.py starts, with a stand-in for Gazebo and its bridge: dialogues on simulated time, scored."""

import json
import subprocess
import sys
from pathlib import Path

import yaml

from pixelrs_ros.ros.tools.processes import Processes
from pixelrs_ros.sim.gazebo.labels import LABELS_FILE
from pixelrs_ros.sim.gazebo.releases import RELEASES
from pixelrs_ros.sim.gazebo.world import write_world
from pixelrs_ros.sim.scene.scene import sample_scene

ROOT = Path(__file__).resolve().parents[3]
SEED = 910_003
TIMEOUT_S = 120.0


def test_dialogues_about_a_gazebo_world_are_answered_and_scored(shipped: str, tmp_path: Path) -> None:
    world = write_world(sample_scene(SEED), tmp_path / "world", RELEASES["harmonic"])
    values = yaml.safe_load((ROOT / "config" / "sim.yaml").read_text())
    values["/**/operator"]["ros__parameters"]["dialogues"] = 2
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    given = ("--params-file", str(tmp_path / "params.yaml"))
    truth = ("-p", f"labels_file:={world.parent / LABELS_FILE}", "-p", f"out_dir:={tmp_path}")
    play = ("-p", f"first_scene_seed:={SEED}")
    stand_in = subprocess.Popen([sys.executable, str(ROOT / "test" / "shared" / "gazebo_stand_in.py"), str(world)])
    try:
        with Processes(tmp_path / "logs") as processes:
            processes.start("perception", "pixelrs_ros.ros.perception.node", *given, "-p", "autostart:=true")
            processes.start("scorer", "pixelrs_ros.ros.demo.scorer", *given, *truth)
            processes.start("operator", "pixelrs_ros.ros.demo.operator", *given, *play)
            assert processes.wait("scorer", TIMEOUT_S) == 0, processes.log_tail("scorer")
            assert processes.wait("operator", TIMEOUT_S) == 0, processes.log_tail("operator")
    finally:
        stand_in.terminate()
        stand_in.wait(TIMEOUT_S)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [(turn["scene"], turn["turn"]) for turn in results["turns"]] == [(SEED, 0), (SEED, 0), (SEED, 1), (SEED, 2)]
    assert (results["dialogues"], results["unanswered"]) == (2, 0)
    assert results["masks"] and results["mean_final_iou"] > 0.5  # the shipped network answers these
    pictures = (tmp_path / "report.html").read_text(encoding="utf-8").count("data:image/jpeg")
    assert pictures == 2 * len(results["turns"])

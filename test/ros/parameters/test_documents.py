"""What is derived from the table of parameters is what its script writes."""

import dataclasses
import runpy
from pathlib import Path
from typing import Any

import pytest

from pixelrs_ros.documents import tables
from pixelrs_ros.ros.console.parameters import CONSOLE_SPECS
from pixelrs_ros.ros.parameters.policies import BusyPolicy, FramePolicy
from pixelrs_ros.ros.parameters.spec import Spec
from pixelrs_ros.ros.parameters.table import SPECS, NodeParameters
from pixelrs_ros.ros.parameters.values import checked, problem_with
from pixelrs_ros.ros.speech.parameters import SPEECH_SPECS

ROOT = Path(__file__).resolve().parents[3]
REMEDY = "remedy: scripts/env.sh python scripts/write_parameters.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "write_parameters.py"))


def test_the_table_of_parameters_is_that_of_their_declarations(script: dict[str, Any]) -> None:
    assert list(tables(ROOT, "parameters").values()) == [script["table"]()], REMEDY


def test_the_parameter_file_is_that_of_their_declarations(script: dict[str, Any]) -> None:
    assert script["CONFIG"].read_text(encoding="utf-8") == script["config"](), REMEDY


@pytest.mark.parametrize(("node", "specs"), [("speech", SPEECH_SPECS), ("console", CONSOLE_SPECS)])
def test_the_other_nodes_tables_and_files_are_those_of_their_declarations(
    script: dict[str, Any], node: str, specs: dict[str, Spec]
) -> None:
    assert list(tables(ROOT, f"{node}_parameters").values()) == [script["table"](specs)], REMEDY
    assert script[f"{node.upper()}_CONFIG"].read_text(encoding="utf-8") == script["config"](node, specs), REMEDY
    for name, spec in specs.items():
        assert problem_with(name, spec.default, specs) is None
        assert spec.low is None or spec.low <= spec.default <= spec.high, name  # type: ignore[operator]


def test_the_defaults_are_possible_together() -> None:
    assert checked({name: spec.default for name, spec in SPECS.items()}) == NodeParameters()


def test_every_default_is_of_its_fields_type_and_among_its_choices() -> None:
    names = {bool: "bool", int: "int", float: "float", str: "str", list: "tuple[str, ...]"}
    for field in dataclasses.fields(NodeParameters):
        spec = SPECS[field.name]
        assert field.type == names[type(spec.default)], field.name
        assert not spec.choices or spec.default in spec.choices, field.name
        assert (spec.low is None) == (spec.high is None), field.name
        assert spec.low is None or spec.low <= spec.default <= spec.high, field.name  # type: ignore[operator]


def test_the_policies_are_the_choices() -> None:
    assert SPECS["busy_policy"].choices == tuple(policy.value for policy in BusyPolicy)
    assert SPECS["frame_policy"].choices == tuple(policy.value for policy in FramePolicy)

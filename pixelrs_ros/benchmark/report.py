"""What was measured, as tables and as one picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixelrs_ros.files import write_file

STAGES = {
    "convert": ("#8d99ae", "image message to array"),
    "encode": ("#3d5a80", "CLIP, ConvNeXt (published: and SAM)"),
    "prefill": ("#ee6c4d", "reading the dialogue"),
    "generate": ("#e9c46a", "words"),
    "masks": ("#2a9d8f", "masks (pixelrs: and the rest of SAM)"),
}


def ratios(turns: dict[str, Any]) -> dict[str, float]:
    """How many times sooner than the published way: medians of one run, by turn."""
    found = {}
    for turn, stages in turns["published"].items():
        for goal in ("to the first mask", "to the whole answer"):
            ours = turns["pixelrs"][turn][goal]["median"]
            found[f"{turn} turn, {goal}"] = round(stages[goal]["median"] / ours, 2)
    return found


def rows(result: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(what, median, p95) of everything that was measured, in milliseconds."""

    def of(name: str, value: dict[str, float]) -> tuple[str, str, str]:
        return name, f"{value['median']:.1f}", f"{value['p95']:.1f}"

    for stage, value in result["stages_ms"].items():
        yield of(stage, value)
    ros = result.get("ros")
    if ros:
        yield of("conversion of a turn's messages", ros["conversion"])
        yield of("transport of a 640×480 image over DDS", ros["transport of an image"])
    for place, turns in (("in one process", result["turns_ms"]), *([("over DDS, warm", ros["warm"])] if ros else [])):
        for turn in turns["pixelrs"]:
            for goal in ("to the first mask", "to the whole answer"):
                for way in ("pixelrs", "published"):
                    yield of(f"{turn} turn {goal}, {way}, {place}", turns[way][turn][goal])
    for way, turns in (ros["cold"] if ros else {}).items():
        for turn, values in turns.items():
            yield f"{turn} turn to the whole answer, {way}, over DDS, cold", f"{values['to the whole answer']:.1f}", ""


def stages_markdown(result: dict[str, Any]) -> str:
    """All rows as a table."""
    lines = ["| stage | median [ms] | p95 [ms] |", "|---|---|---|"]
    lines += [f"| {what} | {median} | {p95} |" for what, median, p95 in rows(result)]
    return "\n".join(lines)


def circumstances_markdown(result: dict[str, Any]) -> str:
    """On what the numbers were made, and how."""
    made = result["made with"]
    text = f"Made with `{made['command']}` on {made['device']}, {made['threads']} threads, torch {made['torch']}"
    busy = made["load average before"]
    return f"{text}; load average before {busy:g}{', a busy machine: believe the ratios only' * (busy > 1)}."


def ratios_markdown(result: dict[str, Any]) -> str:
    """What the documents tell: pixelrs against the published way, and what was promised."""
    turns, measured = (result["ros"]["warm"], "over DDS") if "ros" in result else (result["turns_ms"], "in one process")
    lines = [f"| {measured}, median | published way | pixelrs | times sooner |", "|---|---|---|---|"]
    for turn in turns["pixelrs"]:
        for goal in ("to the first mask", "to the whole answer"):
            theirs, ours = (turns[way][turn][goal]["median"] for way in ("published", "pixelrs"))
            lines.append(f"| {turn} turn, {goal} | {theirs:.0f} ms | {ours:.0f} ms | {theirs / ours:.1f} |")
    return "\n".join([*lines, "", *(f"- {claim}" for claim in claims(result))])


def claims(result: dict[str, Any]) -> Iterator[str]:
    """What the numbers must show, each with its number."""
    if "ros" in result:
        share = result["transport and conversion, share of a fourth turn [%]"]
        fourth = result["ros"]["warm"]["pixelrs"]["fourth"]
        lead = fourth["to the whole answer"]["median"] - fourth["to the first mask"]["median"]
        yield f"transport and conversion of a 640×480 image: {share:.1f} % of a fourth turn (at most 10 %)"
        yield f"the mask of a phrase in the middle of an answer comes {lead:.0f} ms before its end"
    if "memory" in result:
        memory = result["memory"]
        yield f"memory over {memory['turns']} turns: {memory['growth [%]']:+.2f} % (below 2 %)"
    floor = result["bandwidth"]["floor [ms]"]
    token = result["stages_ms"]["one token"]["median"]
    yield f"one token: {token:.1f} ms, {token / floor:.1f} times what reading the language model's weights takes"


def draw(result: dict[str, Any], path: Path) -> None:
    """One bar a turn and way, by stage: where the time goes."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    turns = result["ros"]["warm"] if "ros" in result else result["turns_ms"]
    bars = [(turn, way) for turn in reversed(list(turns["pixelrs"])) for way in ("pixelrs", "published")]
    figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
    left = [0.0] * len(bars)
    for stage, (color, label) in STAGES.items():
        values = [turns[way][turn].get(stage, {"median": 0.0})["median"] for turn, way in bars]
        axes.barh([f"{turn} turn, {way}" for turn, way in bars], values, left=left, color=color, label=label)
        left = [begin + value for begin, value in zip(left, values, strict=True)]
    for place, (turn, way) in enumerate(bars):
        mask = turns[way][turn]["to the first mask"]["median"]
        axes.plot(
            [mask], [place], marker="v", color="black", linestyle="none", label="first mask" if not place else None
        )
    axes.set_xlabel("ms from the instruction, median")
    figure.legend(fontsize=8, loc="outside lower center", ncols=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=120, format=path.suffix.lstrip("."))
    write_file(path, drawn.getvalue())
    plt.close(figure)

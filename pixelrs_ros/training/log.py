"""What a phase tells: `log.jsonl`, TensorBoard's event files, and a picture of the curves."""

from __future__ import annotations

import json
from pathlib import Path


class Log:
    """The log of one phase, continued without gaps or repetitions when a killed run resumes."""

    def __init__(self, folder: Path, step: int) -> None:
        """Open the log of a run that resumes at `step`; what a killed run wrote beyond it is dropped."""
        from torch.utils.tensorboard import SummaryWriter

        self.path = folder / "log.jsonl"
        if self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            # A kill may cut the last line short.
            kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
            self.path.write_text("".join(kept), encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def write(self, step: int, values: dict[str, float]) -> None:
        """Add a record and redraw the picture."""
        rounded = {name: round(value, 5) for name, value in values.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **rounded}) + "\n")
        for name, value in values.items():
            self._board.add_scalar(name, value, step)
        self._board.flush()
        draw_curves(self.path, self.path.with_name("curves.png"))

    def close(self) -> None:
        """Finish TensorBoard's file."""
        self._board.close()


def draw_curves(log: Path, picture: Path) -> None:
    """Draw every quantity of a log over its steps."""
    from matplotlib.figure import Figure

    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    names = [name for name in records[-1] if name != "step"]
    columns = 3
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4 * columns, 2.6 * rows), layout="constrained")
    for index, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, index + 1)
        points = [(record["step"], record[name]) for record in records if name in record]
        axes.plot(*zip(*points, strict=True))
        axes.set_title(name, fontsize=9)
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=80)

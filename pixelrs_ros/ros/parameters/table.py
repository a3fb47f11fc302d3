"""Every parameter of the perception node: its default, what it does, what it accepts and when it may change."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor


class Change(enum.Enum):
    """When a parameter may change."""

    AT_START = "only when the node starts"  # read-only for ROS
    WHEN_UNCONFIGURED = "only while the node is not configured"
    WHEN_INACTIVE = "only while the node is not active"
    ANY_TIME = "at any time"


@dataclass(frozen=True)
class Spec:
    """One parameter. `low` and `high` bound a number, both included."""

    default: bool | int | float | str | list[str]
    description: str
    change: Change
    low: float | None = None
    high: float | None = None
    may_be_empty: bool = False  # a list; ROS gives an empty one no type

    def descriptor(self) -> ParameterDescriptor:
        """The ROS descriptor, with the range and the read-only flag."""
        descriptor = ParameterDescriptor(
            description=self.description,
            read_only=self.change is Change.AT_START,
            dynamic_typing=self.may_be_empty,
        )
        descriptor.additional_constraints = f"changes {self.change.value}"
        if self.low is not None and self.high is not None:
            if isinstance(self.default, float):
                limits = FloatingPointRange(from_value=self.low, to_value=self.high)
                descriptor.floating_point_range = [limits]
            else:
                descriptor.integer_range = [IntegerRange(from_value=int(self.low), to_value=int(self.high), step=1)]
        return descriptor


SPECS: dict[str, Spec] = {
    "autostart": Spec(False, "Configure and activate the node when it starts.", Change.AT_START),
    "checkpoint": Spec(
        "nano", "Checkpoint folder, or the name of one that is shipped with the package.", Change.WHEN_UNCONFIGURED
    ),
    "device": Spec("cpu", "Where the network runs: cpu, cuda or cuda:N.", Change.WHEN_UNCONFIGURED),
    "num_threads": Spec(
        0,
        "CPU threads of the words and of SAM's image encoder each; 0 takes half of the CPUs.",
        Change.WHEN_UNCONFIGURED,
        0,
        256,
    ),
    "backend": Spec(
        "torch",
        "What runs the network: torch; torch_compiled: words decoded with a static cache, torch.compile and, on a GPU, "
        "a CUDA graph; onnx, after `pixelrs export`: encoders, prompt and mask decoder in ONNX Runtime.",
        Change.WHEN_UNCONFIGURED,
    ),
    "precision": Spec(
        "auto",
        "Of the network: fp32, fp16, bf16, or auto: fp32 on a CPU, bf16 on a GPU that computes in it, else fp16.",
        Change.WHEN_UNCONFIGURED,
    ),
    "language_weights": Spec(
        "full", "Of the language model: full, or quantized by torchao to int8 or int4.", Change.WHEN_UNCONFIGURED
    ),
    "onnx_dir": Spec(
        "", "Where `pixelrs export` wrote; empty: `onnx` in the checkpoint's folder.", Change.WHEN_UNCONFIGURED
    ),
    "max_turns": Spec(
        16, "Turns of a dialogue that are remembered; older ones are forgotten.", Change.ANY_TIME, 1, 1000
    ),
    "max_sessions": Spec(
        8,
        "Dialogues in memory; the one idle longest makes room. It is forgotten, or read back from the store if it "
        "goes on.",
        Change.ANY_TIME,
        1,
        1000,
    ),
    "max_history_tokens": Spec(
        0,
        "Past turns that the network is shown, in tokens; 0 takes what the checkpoint's context leaves.",
        Change.ANY_TIME,
        0,
        1_000_000,
    ),
    "session_idle_s": Spec(
        0.0,
        "Silence after which a dialogue is over and forgotten, here and on disk, in seconds; 0: never.",
        Change.ANY_TIME,
        0.0,
        1e9,
    ),
    "store_dialogues": Spec(
        True,
        "Store every turn before it is answered, so that dialogues survive a restart; false: nothing is written.",
        Change.WHEN_UNCONFIGURED,
    ),
    "storage_dir": Spec(
        "",
        "Folder of the store and of exports, an absolute path; empty: pixelrs_ros/<name of the node> in "
        "$XDG_STATE_HOME, which is ~/.local/state where it is not set.",
        Change.WHEN_UNCONFIGURED,
    ),
    "store_images": Spec(
        True, "Store the image of each turn too, as JPEG; an export needs it.", Change.WHEN_UNCONFIGURED
    ),
    "max_stored_days": Spec(
        30.0,
        "Stored dialogues silent for longer are deleted; 0: none for its age.",
        Change.WHEN_UNCONFIGURED,
        0.0,
        36_500.0,
    ),
    "max_stored_mb": Spec(
        1000.0,
        "The dialogues silent longest are deleted when the store takes more, in MB of 10^6 bytes; 0: no bound.",
        Change.WHEN_UNCONFIGURED,
        0.0,
        1e9,
    ),
    "max_characters": Spec(2000, "Longest instruction that is accepted, in characters.", Change.ANY_TIME, 1, 100_000),
    "max_new_tokens": Spec(
        0, "Longest answer, in tokens; 0 takes the checkpoint's own limit.", Change.ANY_TIME, 0, 4096
    ),
    "max_cached_sessions": Spec(
        4,
        "Dialogues whose keys and values are kept between turns; the others are read anew at their next turn.",
        Change.ANY_TIME,
        1,
        1000,
    ),
    "max_cached_frames": Spec(
        8, "Encoded images that are kept for the dialogues that refer to them.", Change.ANY_TIME, 1, 1000
    ),
    "max_frame_cache_mb": Spec(
        256.0, "Memory for encoded images, in MB of 10^6 bytes.", Change.ANY_TIME, 1.0, 1_000_000.0
    ),
    "max_waiting": Spec(
        8,
        "Instructions of one dialogue that may wait for an answer; one more is refused.",
        Change.ANY_TIME,
        1,
        1000,
    ),
    "busy_policy": Spec(
        "queue",
        "What becomes of an instruction while a turn of its dialogue runs or waits: reject: it is refused; queue: it "
        "waits, see max_waiting; preempt: that turn is cancelled. Other dialogues are never disturbed.",
        Change.ANY_TIME,
    ),
    "max_instructions_per_s": Spec(
        20.0, "Instructions a second of one dialogue in the long run; 0: no limit.", Change.ANY_TIME, 0.0, 10_000.0
    ),
    "instruction_burst": Spec(
        0,
        "Instructions of one dialogue at once, after a pause; 0: what two seconds of max_instructions_per_s bring.",
        Change.ANY_TIME,
        0,
        100_000,
    ),
    "max_tracked_sessions": Spec(
        256,
        "Dialogues whose rate is kept track of; while so many have spoken lately, new ones are refused.",
        Change.ANY_TIME,
        1,
        100_000,
    ),
    "image_topics": Spec(
        ["image"],
        "Topics of the cameras; an instruction names its camera by frame_id, else the first one is meant.",
        Change.WHEN_INACTIVE,
    ),
    "depth_topics": Spec(
        ["depth"],
        "Topics of the depth images, in the order of image_topics and registered to those images; an empty text, or "
        "none at the end: that camera has no depth.",
        Change.WHEN_INACTIVE,
        may_be_empty=True,
    ),
    "camera_info_topics": Spec(
        ["camera_info"],
        "Topics of the cameras' intrinsics, in the order of image_topics; an empty text, or none at the end: none.",
        Change.WHEN_INACTIVE,
        may_be_empty=True,
    ),
    "image_transport": Spec(
        "raw",
        "How images are sent: raw, or compressed: JPEG or PNG on `<image topic>/compressed`.",
        Change.WHEN_INACTIVE,
    ),
    "depth_transport": Spec(
        "raw",
        "How depth images are sent: raw, or compressedDepth: PNG on `<depth topic>/compressedDepth`.",
        Change.WHEN_INACTIVE,
    ),
    "max_image_megapixels": Spec(
        50.0,
        "Largest compressed image that is decoded, in millions of pixels; its header is read before.",
        Change.ANY_TIME,
        0.01,
        1000.0,
    ),
    "frame_policy": Spec(
        "per_turn",
        "Which image a turn looks at: per_turn: that of its moment; pin_first: that of its dialogue's first turn; "
        "latest: the newest. An instruction may ask for another for its dialogue.",
        Change.ANY_TIME,
    ),
    "frame_buffer_size": Spec(
        30,
        "Newest images of each camera kept to choose an instruction's image from.",
        Change.ANY_TIME,
        1,
        1000,
    ),
    "max_frame_age_s": Spec(
        2.0, "How much older than its instruction an image may be, in seconds.", Change.ANY_TIME, 0.01, 3600.0
    ),
    "max_frame_slop_s": Spec(
        2.0, "How much younger than its instruction an image may be, in seconds.", Change.ANY_TIME, 0.01, 3600.0
    ),
    "max_frame_wait_s": Spec(
        0.3,
        "How long an instruction waits for an image that was captured before it and is still on its way, in seconds.",
        Change.ANY_TIME,
        0.0,
        60.0,
    ),
    "max_depth_slop_s": Spec(
        0.05,
        "How far the stamps of depth and camera info may be from their image's, in seconds.",
        Change.ANY_TIME,
        0.0,
        60.0,
    ),
    "image_is_rectified": Spec(
        False,
        "The images have been rectified: their pixels follow P of camera info, not K and D.",
        Change.ANY_TIME,
    ),
    "min_depth_m": Spec(0.1, "Smallest depth that is believed, in meters.", Change.ANY_TIME, 0.0, 1000.0),
    "max_depth_m": Spec(10.0, "Largest depth that is believed, in meters.", Change.ANY_TIME, 0.01, 1000.0),
    "min_valid_depth": Spec(
        0.2, "Share of a mask's pixels that need a depth for a measurement, in [0, 1].", Change.ANY_TIME, 0.0, 1.0
    ),
    "min_depth_points": Spec(
        20, "Points that must be left after cleaning for a measurement.", Change.ANY_TIME, 1, 1_000_000
    ),
    "edge_erosion_px": Spec(
        1.5,
        "Width of a mask's rim whose depth is not believed, in px; thin masks lose less.",
        Change.ANY_TIME,
        0.0,
        50.0,
    ),
    "remove_outliers": Spec(True, "Drop flying pixels and small stray surfaces.", Change.ANY_TIME),
    "max_target_points": Spec(
        40_000, "Points of a target; a larger mask is sampled evenly.", Change.ANY_TIME, 100, 10_000_000
    ),
    "publish_points": Spec(True, "Publish `target_points`, the targets' points in space.", Change.ANY_TIME),
    "publish_overlay": Spec(True, "Publish `overlay`, the image with the masks painted over it.", Change.ANY_TIME),
    "jpeg_quality": Spec(90, "Of `overlay/compressed`, from 1 to 100.", Change.ANY_TIME, 1, 100),
    "publish_partials": Spec(True, "Publish the explanation also while it is being generated.", Change.ANY_TIME),
    "track_targets": Spec(
        True,
        "Follow the targets of the last grounded turn from image to image and publish them on `tracking`.",
        Change.ANY_TIME,
    ),
    "tracking_rate_hz": Spec(
        10.0,
        "How often a second the targets are looked for at most; images in between are dropped.",
        Change.ANY_TIME,
        0.1,
        120.0,
    ),
}

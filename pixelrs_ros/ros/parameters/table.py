"""Every parameter of the perception node, once: type, default, meaning, what it accepts and when it may change.

Everything else is derived from this table: the declarations, the values in force, what is refused with which words,
`config/pixelrs.yaml` and the table in the documents (scripts/write_parameters.py). Imports no ROS.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from pixelrs_ros.ros.parameters import checks
from pixelrs_ros.ros.parameters.policies import BusyPolicy, FramePolicy
from pixelrs_ros.ros.parameters.spec import Change, Spec, parameter


@dataclass(frozen=True)
class NodeParameters:
    """The values in force. Each field is one parameter of the node."""

    # Life cycle
    autostart: bool = parameter(False, "Configure and activate the node when it starts.", Change.AT_START)

    # The network
    checkpoint: str = parameter(
        "nano",
        "Checkpoint folder, or the name of one that is shipped with the package or was fetched (`pixelrs fetch`).",
        Change.WHEN_UNCONFIGURED,
        check=checks.checkpoint,
    )
    device: str = parameter(
        "cpu", "Where the network runs: cpu, cuda or cuda:N.", Change.WHEN_UNCONFIGURED, check=checks.device
    )
    num_threads: int = parameter(
        0,
        "CPU threads of the language model and of SAM's image encoder each; 0 takes half of the CPUs.",
        Change.WHEN_UNCONFIGURED,
        low=0,
        high=256,
    )
    backend: str = parameter(
        "torch",
        "What runs the network: torch; torch_compiled: words decoded with a static cache, torch.compile and, "
        "on a GPU, a CUDA graph; onnx, after `pixelrs export`: encoders, prompt and mask decoder in ONNX "
        "Runtime.",
        Change.WHEN_UNCONFIGURED,
        choices=("torch", "torch_compiled", "onnx"),
    )
    precision: str = parameter(
        "auto",
        "Precision of the network: fp32, fp16, bf16, or auto: fp32 on a CPU, bf16 on a GPU that computes in "
        "it, else fp16.",
        Change.WHEN_UNCONFIGURED,
        choices=("auto", "fp32", "fp16", "bf16"),
    )
    language_weights: str = parameter(
        "full",
        "Weights of the language model: full, or quantized by torchao to int8 or int4.",
        Change.WHEN_UNCONFIGURED,
        choices=("full", "int8", "int4"),
    )
    onnx_dir: str = parameter(
        "", "Where `pixelrs export` wrote; empty: `onnx` in the checkpoint's folder.", Change.WHEN_UNCONFIGURED
    )

    # Dialogues
    max_turns: int = parameter(
        16,
        "Turns of a dialogue that are remembered; older ones are forgotten.",
        Change.ANY_TIME,
        low=1,
        high=1000,
        bounds_session=True,
    )
    max_sessions: int = parameter(
        8,
        "Dialogues in memory; the one idle longest makes room. It is forgotten, or read back from the store "
        "if it goes on.",
        Change.ANY_TIME,
        low=1,
        high=1000,
        bounds_session=True,
    )
    max_history_tokens: int = parameter(
        0,
        "Past turns that the network is shown, in tokens; 0 takes what the checkpoint's context leaves.",
        Change.ANY_TIME,
        low=0,
        high=1_000_000,
        bounds_session=True,
    )
    min_confidence: float = parameter(
        0.5,
        "Spoken instructions of which the recognizer was less sure, in [0, 1], are not acted on: the robot asks to say "
        "them again. 0: every one is acted on.",
        Change.ANY_TIME,
        low=0.0,
        high=1.0,
    )
    session_idle_s: float = parameter(
        0.0,
        "Silence after which a dialogue is over and forgotten, here and on disk, in seconds; 0: never.",
        Change.ANY_TIME,
        low=0.0,
        high=1000000000.0,
        bounds_session=True,
    )

    # Storage
    store_dialogues: bool = parameter(
        True,
        "Store every turn before it is answered, so that dialogues survive a restart; false: nothing is written.",
        Change.WHEN_UNCONFIGURED,
    )
    storage_dir: str = parameter(
        "",
        "Folder of the store and of exports, an absolute path; empty: pixelrs_ros/<name of the node> in "
        "$XDG_STATE_HOME, which is ~/.local/state where it is not set.",
        Change.WHEN_UNCONFIGURED,
        check=checks.storage_dir,
    )
    store_images: bool = parameter(
        True, "Store the image of each turn too, as JPEG; an export needs it.", Change.WHEN_UNCONFIGURED
    )
    max_stored_days: float = parameter(
        30.0,
        "Stored dialogues silent for longer are deleted; 0: none is deleted for its age.",
        Change.WHEN_UNCONFIGURED,
        low=0.0,
        high=36500.0,
    )
    max_stored_mb: float = parameter(
        1000.0,
        "The dialogues silent longest are deleted when the store takes more, in MB of 10^6 bytes; 0: no bound.",
        Change.WHEN_UNCONFIGURED,
        low=0.0,
        high=1000000000.0,
    )

    # Bounds of a turn and of the caches
    max_characters: int = parameter(
        2000,
        "Longest instruction that is accepted, in characters.",
        Change.ANY_TIME,
        low=1,
        high=100_000,
        bounds_session=True,
    )
    max_new_tokens: int = parameter(
        0,
        "Longest answer, in tokens; 0 takes the checkpoint's own limit.",
        Change.ANY_TIME,
        low=0,
        high=4096,
        bounds_session=True,
    )
    max_cached_sessions: int = parameter(
        4,
        "Dialogues whose keys and values are kept between turns; the others are read anew at their next turn.",
        Change.ANY_TIME,
        low=1,
        high=1000,
        bounds_session=True,
    )
    max_cached_frames: int = parameter(
        8,
        "Encoded images that are kept for the dialogues that refer to them.",
        Change.ANY_TIME,
        low=1,
        high=1000,
        bounds_session=True,
    )
    max_frame_cache_mb: float = parameter(
        256.0,
        "Memory for encoded images, in MB of 10^6 bytes.",
        Change.ANY_TIME,
        low=1.0,
        high=1_000_000.0,
        bounds_session=True,
    )

    # The queue
    max_waiting: int = parameter(
        8,
        "Instructions of one dialogue that may wait for an answer; one more is refused.",
        Change.ANY_TIME,
        low=1,
        high=1000,
    )
    busy_policy: str = parameter(
        "queue",
        "What becomes of an instruction while a turn of its dialogue runs or waits: reject: it is refused; "
        "queue: it waits, see max_waiting; preempt: that turn is cancelled. Other dialogues are never "
        "disturbed.",
        Change.ANY_TIME,
        choices=tuple(policy.value for policy in BusyPolicy),
    )
    max_instructions_per_s: float = parameter(
        20.0,
        "Instructions a second of one dialogue in the long run; 0: no limit.",
        Change.ANY_TIME,
        low=0.0,
        high=10_000.0,
    )
    instruction_burst: int = parameter(
        0,
        "Instructions of one dialogue at once, after a pause; 0: what two seconds of max_instructions_per_s bring.",
        Change.ANY_TIME,
        low=0,
        high=100_000,
    )
    max_tracked_sessions: int = parameter(
        256,
        "Dialogues whose rate is kept track of; while so many have spoken lately, new ones are refused.",
        Change.ANY_TIME,
        low=1,
        high=100_000,
    )

    # Cameras
    image_topics: tuple[str, ...] = parameter(
        ("image",),
        "Topics of the cameras; an instruction names its camera by frame_id, otherwise the first one is meant.",
        Change.WHEN_INACTIVE,
        check=checks.image_topics,
    )
    depth_topics: tuple[str, ...] = parameter(
        ("depth",),
        "Topics of the depth images, in the order of image_topics and registered to those images; an empty "
        "text, or none at the end: that camera has no depth.",
        Change.WHEN_INACTIVE,
        check=checks.companion_topics,
        may_be_empty=True,
    )
    camera_info_topics: tuple[str, ...] = parameter(
        ("camera_info",),
        "Topics of the cameras' intrinsics, in the order of image_topics; an empty text, or none at the end: none.",
        Change.WHEN_INACTIVE,
        check=checks.companion_topics,
        may_be_empty=True,
    )
    image_transport: str = parameter(
        "raw",
        "How images are sent: raw, or compressed: JPEG or PNG on `<image topic>/compressed`.",
        Change.WHEN_INACTIVE,
        choices=("raw", "compressed"),
    )
    depth_transport: str = parameter(
        "raw",
        "How depth images are sent: raw, or compressedDepth: PNG on `<depth topic>/compressedDepth`.",
        Change.WHEN_INACTIVE,
        choices=("raw", "compressedDepth"),
    )
    max_image_megapixels: float = parameter(
        50.0,
        "Largest compressed image that is decoded, in millions of pixels, and four times as many bytes; its header is "
        "read before.",
        Change.ANY_TIME,
        low=0.01,
        high=1000.0,
    )

    image_bits: int = parameter(
        0,
        "How many of 16 bits the pictures of a camera use that sends 16: 12 for one that sends 0 to 4095. 0: as many "
        "as the largest value that it has sent takes.",
        Change.WHEN_INACTIVE,
        low=0,
        high=16,
        check=checks.image_bits,
    )

    # Which image a turn looks at
    frame_policy: str = parameter(
        "per_turn",
        "Which image a turn looks at: per_turn: that of its moment; pin_first: that of its dialogue's first "
        "turn; latest: the newest. An instruction may ask for another for its dialogue.",
        Change.ANY_TIME,
        choices=tuple(policy.value for policy in FramePolicy),
    )
    frame_buffer_size: int = parameter(
        30,
        "Newest images of each camera kept to choose an instruction's image from.",
        Change.ANY_TIME,
        low=1,
        high=1000,
    )
    max_frame_age_s: float = parameter(
        2.0,
        "How much older than its instruction the last image captured until then may be, in seconds.",
        Change.ANY_TIME,
        low=0.01,
        high=3600.0,
    )
    max_frame_slop_s: float = parameter(
        2.0,
        "How far ahead of the node's clock an image may be stamped, in seconds; one further ahead has a wrong "
        "stamp, and leaves with the next image. No instruction is ever answered about an image captured after it.",
        Change.ANY_TIME,
        low=0.01,
        high=3600.0,
    )
    max_frame_wait_s: float = parameter(
        0.3,
        "How long an instruction waits for an image that was captured before it and is still on its way, in seconds.",
        Change.ANY_TIME,
        low=0.0,
        high=60.0,
    )
    max_depth_slop_s: float = parameter(
        0.05,
        "How far the stamps of depth and camera info may be from their image's, in seconds.",
        Change.ANY_TIME,
        low=0.0,
        high=60.0,
    )

    # Depth
    image_is_rectified: bool = parameter(
        False, "The images have been rectified: their pixels follow P of camera info, not K and D.", Change.ANY_TIME
    )
    depth_unit_m: float = parameter(
        0.0,
        "What a value of 1 in a depth image means, in meters: 0.0001 or 0.00025 for cameras that send 0.1 mm or "
        "0.25 mm. 0: what the encoding says, 0.001 for 16UC1 and mono16, 1 for 32FC1 and 64FC1.",
        Change.ANY_TIME,
        low=0.0,
        high=1000.0,
    )
    min_depth_m: float = parameter(
        0.1, "Smallest depth that counts as valid, in meters.", Change.ANY_TIME, low=0.0, high=1000.0
    )
    max_depth_m: float = parameter(
        10.0, "Largest depth that counts as valid, in meters.", Change.ANY_TIME, low=0.01, high=1000.0
    )
    min_valid_depth: float = parameter(
        0.2,
        "Share of a mask's pixels that need a depth for a measurement, in [0, 1].",
        Change.ANY_TIME,
        low=0.0,
        high=1.0,
    )
    min_depth_points: int = parameter(
        20, "Points that must be left after cleaning for a measurement.", Change.ANY_TIME, low=1, high=1_000_000
    )
    edge_erosion_px: float = parameter(
        1.5,
        "Width of a mask's rim whose depth is ignored, in px; thin masks lose less.",
        Change.ANY_TIME,
        low=0.0,
        high=50.0,
    )
    remove_outliers: bool = parameter(True, "Drop flying pixels and small stray surfaces.", Change.ANY_TIME)
    max_target_points: int = parameter(
        40_000, "Points of a target; a larger mask is sampled evenly.", Change.ANY_TIME, low=100, high=10_000_000
    )
    target_frame: str = parameter(
        "",
        "Frame of TF, such as base_link, in which targets are given too (`target_pose`, `target_centroid`), at their "
        "image's stamp; empty: only in the camera's. Needs tf2_ros.",
        Change.WHEN_UNCONFIGURED,
        check=checks.target_frame,
    )
    target_frame_wait_s: float = parameter(
        0.2,
        "How long the end of a turn waits for a transform at its image's stamp that is still on its way, in seconds.",
        Change.ANY_TIME,
        low=0.0,
        high=60.0,
    )

    # Outputs
    publish_points: bool = parameter(True, "Publish `target_points`, the targets' points in space.", Change.ANY_TIME)
    publish_overlay: bool = parameter(
        True, "Publish `overlay`, the image with the masks painted over it.", Change.ANY_TIME
    )
    mask_encoding: str = parameter(
        "full",
        "How the mask of each segment is sent: full: an image of the input image's size; cropped: of its box; runs: "
        "run-length coded, as COCO does. `mask_of` of the client reads all of them.",
        Change.ANY_TIME,
        choices=("full", "cropped", "runs"),
    )
    jpeg_quality: int = parameter(90, "JPEG quality of `overlay/compressed`.", Change.ANY_TIME, low=1, high=100)
    publish_partials: bool = parameter(
        True, "Publish the explanation also while it is being generated.", Change.ANY_TIME
    )
    track_targets: bool = parameter(
        True,
        "Follow the targets of the last grounded turn from image to image and publish them on `tracking`.",
        Change.ANY_TIME,
    )
    tracking_rate_hz: float = parameter(
        10.0,
        "How often a second the targets are looked for at most; images in between are dropped.",
        Change.ANY_TIME,
        low=0.1,
        high=120.0,
    )


SPECS: dict[str, Spec] = {field.name: field.metadata["spec"] for field in fields(NodeParameters)}

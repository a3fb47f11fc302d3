"""Every parameter of the speech node, once: type, default, meaning and what it accepts. All are read at its start."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rclpy.node import Node

from pixelrs_ros.ros.parameters import checks
from pixelrs_ros.ros.parameters.declaration import read_all
from pixelrs_ros.ros.parameters.spec import Change, Spec, parameter
from pixelrs_ros.speech.recognizer import RECOGNIZERS
from pixelrs_ros.speech.voice import VOICES

AT_START = Change.AT_START
TOPICS, MICROPHONE = "topics", "microphone"
SILENT = "none"


@dataclass(frozen=True)
class SpeechParameters:
    """The values in force. Each field is one parameter of the speech node."""

    input: str = parameter(
        TOPICS,
        "Where sound comes from: topics: `audio`, and `audio_data` where audio_common_msgs is installed; microphone: "
        "one of this machine.",
        AT_START,
        choices=(TOPICS, MICROPHONE),
    )
    device: str = parameter("", "Number of the microphone, or a part of its name; empty: the default one.", AT_START)
    recognizer: str = parameter(
        "sphinx",
        "What turns sound into words: sphinx: PocketSphinx with our own phrasings; whisper: faster-whisper; sherpa: "
        "sherpa-onnx.",
        AT_START,
        choices=RECOGNIZERS,
    )
    model_dir: str = parameter("", "Folder of the model of whisper or sherpa; nothing is ever downloaded.", AT_START)
    num_threads: int = parameter(1, "CPU threads of the recognizer.", AT_START, low=1, high=256)
    session_id: str = parameter("", "Dialogue that is spoken in; empty: the default one.", AT_START)
    camera: str = parameter("", "frame_id of the camera that is spoken about; empty: the first one.", AT_START)
    perception: str = parameter(
        "perception", "Name of the perception node, for barge-in.", AT_START, check=checks.node_name
    )
    push_to_talk: bool = parameter(
        False, "Only what is said while `push_to_talk` (std_msgs/Bool) is true counts.", AT_START
    )
    wake_phrase: str = parameter(
        "", "Words with which an instruction has to begin, such as hey robot; empty: none are needed.", AT_START
    )
    wake_model: str = parameter(
        "", "Model of openWakeWord (.onnx) whose word has to come first; empty: none.", AT_START
    )
    wake_window_s: float = parameter(
        8.0,
        "How long after the wake phrase or word one may begin to speak, in seconds.",
        AT_START,
        low=0.1,
        high=3600.0,
    )
    barge_in: bool = parameter(
        True, "Who begins to speak silences the robot and calls off what it is answering in this dialogue.", AT_START
    )
    speech_threshold: float = parameter(
        0.5, "From which probability on the detector's sound is speech, in [0, 1].", AT_START, low=0.16, high=0.99
    )
    min_speech_s: float = parameter(0.2, "Shorter sounds are no utterance, in seconds.", AT_START, low=0.03, high=5.0)
    end_silence_s: float = parameter(
        0.7, "Silence after which an utterance has ended, in seconds.", AT_START, low=0.1, high=10.0
    )
    max_speech_s: float = parameter(
        15.0, "An utterance that is longer is cut off, and not acted on, in seconds.", AT_START, low=1.0, high=120.0
    )
    text_confidence: float = parameter(
        1.0,
        "Confidence of what comes as text on `speech_text`, which tells none, in [0, 1].",
        AT_START,
        low=0.0,
        high=1.0,
    )
    voice: str = parameter(
        SILENT,
        "What says the answers: none, espeak (espeak-ng) or piper.",
        AT_START,
        choices=(SILENT, *VOICES),
    )
    voice_name: str = parameter(
        "", "For espeak a voice, such as en-gb+f3; for piper the path of its .onnx file.", AT_START
    )
    play: bool = parameter(
        True, "Play the answers on this machine's loudspeaker; false: only publish them on `speech`.", AT_START
    )
    listen_while_speaking: bool = parameter(
        False,
        "Listen also while the robot speaks, for microphones that cancel echo; else it would hear itself.",
        AT_START,
    )


SPEECH_SPECS: dict[str, Spec] = {field.name: field.metadata["spec"] for field in fields(SpeechParameters)}


def read(node: Node) -> SpeechParameters:
    """Declare the parameters on a node, and what it was started with.

    Raises:
        ConfigError: A value is impossible; the message names the parameter.
    """
    return SpeechParameters(**read_all(node, SPEECH_SPECS))

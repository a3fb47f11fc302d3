"""Errors that a caller may want to tell apart. Every message says what was expected, what came, and the remedy."""


class PixelrsError(Exception):
    """Base of every error that pixelrs_ros raises on purpose."""


class BadInputError(PixelrsError, ValueError):
    """An image or an instruction that cannot be used: empty, truncated, too long, of an unknown encoding."""


class NoFrameError(PixelrsError, LookupError):
    """There is no image of the instruction's moment; the message says why."""


class TurnCancelledError(PixelrsError):
    """A listener ends a turn that nobody waits for any more; the message says why."""


class AnswerError(PixelrsError, RuntimeError):
    """A network said what cannot be understood; the message holds its words. The dialogue is as it was before."""


class EndpointError(PixelrsError, RuntimeError):
    """An endpoint gave no answer to one question, also when asked again; another may be answered."""


class ConfigError(PixelrsError, ValueError):
    """A configuration with an unknown, missing or impossible value; the message names the key."""


class CheckpointError(PixelrsError, RuntimeError):
    """A checkpoint folder that is incomplete or does not fit its configuration; the message lists what."""


class FetchError(PixelrsError, RuntimeError):
    """Weights that could not be fetched, or are not what they should be; the message says why, and the remedy."""


class DataError(PixelrsError, ValueError):
    """A data set whose files are missing or malformed; the message names the file."""


class ExportError(PixelrsError, RuntimeError):
    """A part of the network that could not be exported, or whose export computes something else."""


class OutputError(PixelrsError, OSError):
    """A file or folder that could not be written; the message says which and why."""

    def __str__(self) -> str:
        if self.filename is None:
            return super().__str__()
        return f"{self.filename} cannot be written: {self.strerror}"


class OutOfMemoryError(PixelrsError, MemoryError):
    """The memory of the device is used up; the message names what to lower."""


class StorageError(PixelrsError, RuntimeError):
    """Dialogues that could not be written or read back; the message says why. A later try may succeed."""


class StoreHeldError(StorageError):
    """Another process holds the store of dialogues; it may let it go."""


class DamagedStoreError(StorageError):
    """A store of dialogues that is not whole, or not of this version: it will not mend by itself."""

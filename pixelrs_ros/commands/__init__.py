"""The commands of `pixelrs`, one a file: `add_arguments` and `run`. Nothing heavy is imported before `run`."""

"""The published recipe: stages that train parts of an assembled network on public data."""

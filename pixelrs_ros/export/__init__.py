"""The network in other runtimes' formats."""

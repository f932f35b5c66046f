"""Run a stage: `python -m weakreid.stages NAME --OPTION=VALUE ...`."""

import importlib
import sys
from pathlib import Path

from weakreid.config.faults import known
from weakreid.console import exit_on_error, run_stage


def main() -> None:
    """Run the stage that the first argument names; the others are its options."""
    name, *options = sys.argv[1:] or [""]
    known("stage", name, {path.stem: path for path in Path(__file__).parent.glob("[a-z]*.py")})
    stage = importlib.import_module(f"weakreid.stages.{name}")
    run_stage(stage.main, options, less_memory=getattr(stage, "LESS_MEMORY", None))


if __name__ == "__main__":
    exit_on_error(main)

"""How long a stage takes to start, beside `import torch, lightning_fabric`.

A start is a fresh interpreter that imports the stage's module and ends. Each is timed just before
the two libraries are; printed are the median, the least and the most of the ratios. With
`--backbones` also what comes on top of the libraries when the first network of a kind is built.

    python benchmarks/stage_start.py [--rounds 7] [--stages NAME ...] [--backbones] [--out FILE]
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import weakreid
from evaluation import machine
from weakreid.artifacts.files import write_json

LIBRARIES = "import torch, lightning_fabric"
STAGES = [
    path.stem
    for path in sorted((Path(weakreid.__file__).parent / "stages").glob("*.py"))
    if path.stem != "__init__"
]
BUILT = "from weakreid.models.backbones import build; build({!r}, 'none')"
BACKBONES = ("efficientnet_lite0", "resnet50", "se_resnet50")


def seconds(program: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--stages", nargs="+", default=STAGES, choices=STAGES, metavar="NAME")
    parser.add_argument("--backbones", action="store_true", help="build networks, too")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    programs = {name: f"import weakreid.stages.{name}" for name in chosen.stages}
    if chosen.backbones:
        programs |= {f"{name}, built": f"{LIBRARIES}; {BUILT.format(name)}" for name in BACKBONES}
    ratios: dict[str, list[float]] = {name: [] for name in programs}
    seconds(LIBRARIES)  # the first finds files that are not in memory
    for _ in range(chosen.rounds):
        for name, program in programs.items():
            # beside its own neighbour in time: a shared machine is faster and slower by turns
            ratios[name].append(seconds(program) / seconds(LIBRARIES))
    print("| stage | start / libraries | least | most |\n|---|---:|---:|---:|")
    for name, found in sorted(ratios.items(), key=lambda item: -statistics.median(item[1])):
        figures = statistics.median(found), min(found), max(found)
        print(f"| {name} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")
    if chosen.out:
        write_json(chosen.out, {"machine": machine(), "ratios": ratios})


if __name__ == "__main__":
    main()

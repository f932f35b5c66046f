"""One real run of the tiny experiment, which every test of the workflow then looks at."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

ROOT = Path(__file__).resolve().parents[2]
METRICS = "results/wl_tiny/metrics.json"
TABLE = "results/tables/tiny/table.md"
# a study's tables: without a dataset in the path, and with one
STUDY_TABLES = (
    "results/tables/mini_k/table.md",
    "results/tables/mini_others/table.md",
    "results/tables/mini_counts/walkers_tiny/table.md",
    "results/tables/mini_cost/walkers_tiny/table.md",
    "results/tables/mini_audit/walkers_tiny/table.md",
    "results/tables/mini_grid/table.md",
    "results/tables/mini_board/table.md",
    "results/tables/mini_noise/table.md",
)
# attributes, and the clips that learn from them
ATTRIBUTE_TABLES = (
    "results/tables/mini_groups/table.md",
    "results/tables/mini_attr/table.md",
    "results/tables/mini_labels/walkers_tiny/table.md",
    "results/tables/mini_by_attribute/table.md",
    "results/tables/mini_visibility/table.md",
    "results/tables/mini_masks/table.md",
    "results/tables/mini_attention/table.md",
)
ATTRIBUTE_FIGURES = (
    "results/tables/mini_ratios/plot.svg",
    "results/tables/mini_examples/sheet.png",
    "results/tables/mini_weights/weights.png",
    "results/mini_attr_walkers_tiny/runs/official-1/visibility.svg",
    "results/mini_attr_walkers_tiny_agree/runs/official-1/masks.png",
    "results/tables/mini_attention/attention.png",
)
# a tracker's noise, and bags of its tracklets that people named
TRACKED = (
    "results/trackers/tiny/rates.md",
    "results/datasets/film/official/bags/named.parquet",
)
TUNED = "results/tuning/tiny/best.yaml"
FIGURES = (
    "results/wl_tiny/learning_curve.svg",
    "results/wl_tiny/calibration.svg",
    "results/wl_tiny/runs/official-1/matches_fine.png",
    "results/wl_tiny/runs/official-1/matches_coarse.png",
    "results/datasets/walkers_tiny/contact_sheet.png",
    "results/tables/mini_k/plot.svg",
    "results/tables/mini_matches/walkers_tiny/fine.png",
    "results/tables/mini_matches/walkers_tiny/coarse.png",
    "results/tables/mini_board/plot.svg",
    "results/tables/mini_switches/plot.svg",
    "results/mini_tmc_walkers_tiny_intra_50_noisy/clusters.svg",
    "results/mini_tmc_walkers_tiny_intra_50_noisy/runs/official-1/identities.png",
    "results/mini_tmc_walkers_tiny_intra_50_noisy/runs/official-1/search.png",
)


# most of a tiny training is Python's start: two at a time, a thread each
SIDE_BY_SIDE = (
    *("--resources", "gpu=2", "--set-threads"),
    *(
        f"{rule}=1"
        for rule in ("generate", "dataset", "train_bags", "features", "evaluate", "audit")
    ),
    *(f"{rule}=1" for rule in ("frame_features", "isolation", "train_tracklets")),
    *(f"{rule}=1" for rule in ("generate_source", "source_images", "transfer", "attribute_votes")),
    *(f"{rule}=1" for rule in ("train_clips", "clip_features", "tune")),
    *(f"{rule}=1" for rule in ("train_merging", "train_one_shot", "train_intra_camera")),
    *(f"{rule}=1" for rule in ("mask_shares", "erased_attention")),
)


@dataclass(frozen=True)
class Project:
    """A checkout of its own: code, rules and config, and no results yet."""

    folder: Path
    metrics: str = METRICS
    table: str = TABLE
    tuned: str = TUNED
    study_tables: tuple[str, ...] = STUDY_TABLES
    tracked: tuple[str, ...] = TRACKED
    figures: tuple[str, ...] = FIGURES
    attribute_tables: tuple[str, ...] = ATTRIBUTE_TABLES
    attribute_figures: tuple[str, ...] = ATTRIBUTE_FIGURES

    @property
    def targets(self) -> tuple[str, ...]:
        made = (*self.study_tables, *self.attribute_tables, *self.tracked)
        return (self.metrics, self.table, self.tuned, *made, *self.figures, *self.attribute_figures)

    @property
    def environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        source = str(self.folder / "src")
        return {**os.environ, "PATH": path, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}

    def call(
        self, *arguments: str, stderr: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the project's environment in the project's folder."""
        return subprocess.run(
            arguments,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            timeout=1800,
            check=False,
        )

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call Snakemake; all it says is in `stdout`, where a dry run logs and a run does not."""
        return self.call(sys.executable, "-m", "snakemake", *arguments, stderr=subprocess.STDOUT)

    def tiny(self, *targets: str) -> subprocess.CompletedProcess[str]:
        """Ask for targets of the tiny experiment and study."""
        return self.snakemake(*targets, "--cores", "2", "--configfile", "tiny.yaml", *SIDE_BY_SIDE)


TINY = Project(Path())
"""Its targets, wherever it lies."""


def draw_film(folder: Path) -> None:
    """Write a tracker's output, the pictures that it saw, the truth and people's names.

    Track 2 shows person 2 and, from the fifth of the eight pictures on, person 3.
    """
    (folder / "pictures").mkdir(parents=True)
    boxes, truth = [], []
    for frame in range(1, 9):
        picture = np.full((48, 80, 3), 128, np.uint8)
        for person in (1, 2, 3):
            left = 22 * person - 20 + frame
            picture[8:38, left : left + 12] = 60 * person
            box = f"{left},8,12,30"
            truth.append(f"{frame},{person},{box},1,1,1")
            track = {1: 1, 2: 2 if frame < 5 else 4, 3: 3 if frame < 5 else 2}[person]
            boxes.append(f"{frame},{track},{box},1,-1,-1,-1")
        data = simplejpeg.encode_jpeg(picture, quality=95)
        (folder / "pictures" / f"{frame:06d}.jpg").write_bytes(data)
    names = ["video,name,first_frame,last_frame", "hall,Ada,1,4", "hall,Bob,1,4", "hall,Bob,5,8"]
    for name, lines in (("boxes.txt", boxes), ("truth.txt", truth), ("names.csv", names)):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def lay_out(folder: Path, caller: str | None = None) -> Project:
    """Copy what a checkout holds, and the tiny experiment's config, into an empty folder.

    With the text of a `warm.CALLER` its stages, and Snakemake, start at once.
    """
    for name in ("src", "workflow", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "config.yaml", "tests/workflow/tiny.yaml"):
        shutil.copy(ROOT / name, folder)
    (folder / "profiles").symlink_to("workflow/profiles")
    draw_film(folder / "film")
    if caller:
        (folder / "src" / "sitecustomize.py").write_text(caller, encoding="utf-8")
    return Project(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, warm_caller: str) -> Project:
    """The tiny experiment, computed once; whoever changes something in it puts it back."""
    project = lay_out(tmp_path_factory.mktemp("tiny"), warm_caller)
    done = project.tiny(*project.targets)
    assert done.returncode == 0, done.stdout[-4000:]
    return project


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory, warm_caller: str) -> Project:
    """A checkout in which nothing runs: for dry runs, and for what is refused."""
    return lay_out(tmp_path_factory.mktemp("checkout"), warm_caller)


@pytest.fixture
def empty(tmp_path: Path, warm_caller: str) -> Project:
    """A checkout in which nothing has run."""
    return lay_out(tmp_path, warm_caller)

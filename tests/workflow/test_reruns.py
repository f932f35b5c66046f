"""Which rules run again after a change: those that the change can reach, and no others.

The tiny experiment and study are there; each test changes one thing and asks for them again in a
dry run. The second table below has a row per module and the first a row per key of the config, so
that neither can grow without saying what a change of it costs.
"""

import contextlib
import functools
import json
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from tests.workflow.dryrun import dry_run

from weakreid.config import whole
from weakreid.config.sources import default_files, read_merged
from weakreid.plan import codedigest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

NOTHING: frozenset[str] = frozenset()
STUDYING = frozenset({"study_table", "sweep_plot"})
COLLECTING = STUDYING | {"collect", "table"}
MATCHING = frozenset({"matches", "matches_table"})
EVALUATING = COLLECTING | MATCHING | {"evaluate"}
DESCRIBING = EVALUATING | {"features"}
SCORING = frozenset({"audit_score", "audit_table"})
AUDITING = SCORING | {"audit"}
TRAINING = DESCRIBING | AUDITING | {"train", "learning_curve"}
COUNTING = frozenset({"counts_table", "cost_table"})
BAGS = TRAINING | COUNTING | {"bags"}
COARSE_BAGS = EVALUATING | {"coarse_bags", "counts_table"}
ALL_BAGS = BAGS | COARSE_BAGS
SPLITTING = ALL_BAGS | {"split"}
READING = SPLITTING | {"dataset"}
GENERATING = READING | {"generate", "contact_sheet"}

# what learns from tracklets, and what is made for it
GRIDS = frozenset({"grid_table", "grid_plot"})
COMPARING = GRIDS | {"collect", "evaluate"}
LEARNING = COMPARING | {
    *("train_tracklets", "cluster_curve", "identities", "features", "search"),
}
# the same, seen as clips
AS_CLIPS = (LEARNING - {"features"}) | {"clip_features"}
DRAWING = frozenset({"isolation_figures", "isolation_table"})
ISOLATING = LEARNING | DRAWING | {"isolation"}
EXTRACTING = ISOLATING | {"frame_features"}
# its row that learns from bags
MAJORITY = frozenset({"bags", "train", "features", "evaluate", "collect", "grid_table"})
NOISING = ISOLATING | MAJORITY | {"noise", "noise_counts_table"}
FILMING = frozenset({"crops", "dataset", "split", "named_bags"})

# what learns from clips, and where its attributes come from
BY_ATTRIBUTE = frozenset({"attribute_metrics", "attribute_table"})
OF_METRICS = BY_ATTRIBUTE | {"collect", "study_table"}
MEASURING = OF_METRICS | {"evaluate"}
WEIGHING = frozenset({"temporal_weights", "weights_table", "visibility"})
OF_FEATURES = MEASURING | WEIGHING | {"clip_features"}
# where networks of clips look; what is drawn of attention has what is visible beside it
MASKING = frozenset({"masks", "mask_shares", "mask_table"})
SHOWING_ATTENTION = frozenset({"attention_table", "attention_figure"})
LOOKS_OF_CLIPS = MASKING | SHOWING_ATTENTION | {"erased_attention"}
SHOWING_CLIPS = OF_FEATURES | SHOWING_ATTENTION
BY_CLIPS = SHOWING_CLIPS | LOOKS_OF_CLIPS | {"train_clips"}
JUDGING = frozenset({"label_quality", "label_table", "attribute_examples"})
# rows that learn no attributes have no labels
LABELLING = OF_FEATURES | JUDGING | {"train_clips", "attribute_labels"}
# votes put words on what is shown of the dataset
LOOKING = MATCHING | AUDITING
VOTING = LABELLING | LOOKING | {"attribute_votes"}
TRANSFERRING = VOTING | {"transfer"}
OF_A_STUDY = TRANSFERRING - LOOKING
PICTURING = TRANSFERRING | {"pictures"}
OF_ANNOTATION = frozenset({"ratios_plot", "ratios_table", "groups_table"})
ANNOTATING = PICTURING | OF_ANNOTATION | {"annotation"}
OF_SOURCE = ANNOTATING | {"generate_source"}
# one row learns from the truth: neither its weights nor its retrieval by attribute is shown
TRUE_ROW = frozenset({"train_clips", "clip_features", "evaluate", "collect", "study_table"})
# and one has all of COSAM and ATTN-CL
AGREEING = TRUE_ROW | LOOKS_OF_CLIPS | {"visibility"}
TRULY = TRUE_ROW | JUDGING | {"true_attributes"}
WITH_THE_TRUTH = TRULY | {"true_annotation"}

# both
BY_BAGS = TRAINING | {"grid_table"}
# a search learns from clips by a method of its own, on the split dev
TUNING = frozenset({"tune", "tuned"})
LEARNT = TRAINING | LEARNING | TRANSFERRING | BY_CLIPS | TUNING
MEASURED = EVALUATING | GRIDS | BY_ATTRIBUTE
NAMING = frozenset({"named_bags"})
OF_SPLIT = SPLITTING | NOISING | TRANSFERRING | BY_CLIPS | TUNING | {"frame_features"}
OF_DATASET = OF_SPLIT | {"dataset"}
OF_WALKERS = GENERATING | OF_DATASET | WITH_THE_TRUTH
EVERYTHING = OF_WALKERS | FILMING | OF_SOURCE | {"noise_rates"}

OF_STUDIES = STUDYING | COUNTING | AUDITING | {"matches_table"}
"""What an experiment's own keys do not reach."""
OF_EXPERIMENTS = frozenset({"table", "learning_curve", "contact_sheet"})
"""What a study's own keys do not reach: the curve and the sheet asked for are others'."""
ONE_ROW = TRAINING - OF_EXPERIMENTS - AUDITING - MATCHING
WITHOUT_LABELS = (TRAINING - OF_STUDIES - {"train"}) | {"train_tracklets"}
"""What the tiny experiment needs when it learns from tracklets."""
FROM_CLIPS = (TRAINING - OF_STUDIES - {"train", "features"}) | {"train_clips", "clip_features"}
"""What it needs when it learns from clips."""
ON_DISK = frozenset({"identities", "search"})
"""What was asked for of a run that is there, whatever other runs there are."""

OF_FIRST_RUN = frozenset(
    {
        *("temporal_weights", "weights_table", "attribute_examples"),
        *("masks", "attention_figure"),
    }
)
"""Pictures of a study's first run, or of the one that was asked for."""

REPORTING = STUDYING | COUNTING | GRIDS | {"noise_counts_table"}
PICTURES = frozenset(
    {
        *MATCHING,
        *AUDITING,
        *DRAWING,
        *ON_DISK,
        *WEIGHING,
        *("learning_curve", "cluster_curve", "sweep_plot", "grid_plot", "noise_rates"),
        *("attribute_examples", "ratios_plot", "ratios_table"),
        *SHOWING_ATTENTION,
        *("masks", "mask_table"),
    }
)
FOR_A_GRID = frozenset(
    {
        *("frame_features", "isolation", "train_tracklets"),
        *("features", "evaluate", "collect", "grid_table"),
    }
)
"""What a table over noise levels needs on a dataset that nothing was learned on."""

SIX = ["Female", "hs-Hat", "up-Black", "low-Black", "shoes-Black", "attach-Box"]
"""An attribute of each group."""
FOR_VOTES = frozenset({"transfer", "attribute_votes"})
FOR_LABELS = FOR_VOTES | {"attribute_labels"}
OF_STUDIO = FOR_LABELS | {"generate_source", "annotation", "pictures"}
"""What another source's labels need."""
ON_WALKERS = FOR_LABELS | {"generate", "dataset", "split"}
"""What labels of another dataset need."""

COSAM = {
    "after": ["layer4"],
    "reduced": 8,
    "deviation": "population",
    "summary": "one_layer",
    "activation": "relu",
    "enrichment": "multiply",
    "initial": 0.5,
}

KEYS: dict[str, tuple[Any, frozenset[str]]] = {
    # clips are searched for in the coarse test set too
    "seed": (2, ALL_BAGS | NOISING | NAMING | BY_ATTRIBUTE | LOOKS_OF_CLIPS | TUNING | {"split"}),
    "validation_fraction": (0.5, TUNING | {"split"}),
    "datasets.walkers_tiny.size": ("demo", OF_WALKERS),
    "datasets.walkers_tiny.seed": (2, OF_WALKERS),
    "datasets.walkers_tiny.style": ("studio", OF_WALKERS),
    "datasets.walkers_tiny.train_persons": (9, OF_WALKERS),
    "datasets.walkers_tiny.test_persons": (9, OF_WALKERS),
    "datasets.walkers_tiny.distractors": (1, OF_WALKERS),
    "datasets.walkers_tiny.junk_tracklets": (1, OF_WALKERS),
    "datasets.walkers_tiny.cameras": (4, OF_WALKERS),
    "datasets.walkers_tiny.cameras_per_person": ([2, 4], OF_WALKERS),
    "datasets.walkers_tiny.tracklets_per_camera": ([1, 4], OF_WALKERS),
    "datasets.walkers_tiny.frames": ([5, 6], OF_WALKERS),
    "datasets.walkers_tiny.height": (50, OF_WALKERS),
    "datasets.walkers_tiny.width": (50, OF_WALKERS),
    "datasets.walkers_tiny.look_alikes": (0.3, OF_WALKERS),
    "datasets.walkers_tiny.on_bad_frame": ("leave_out", OF_DATASET),
    # in the bags of the majority there is one
    "bags.wl.tracklets_per_bag": ([2, 4], BAGS),
    "bags.wl.tracklet_parts": (2, BAGS | MAJORITY),
    "bags.wl.max_frames": (10, BAGS | MAJORITY),
    "bags.wl.missing": ({"tracklets": [1, 2]}, BAGS | MAJORITY),
    "bags.wl.noisy_parts": (2, BAGS | MAJORITY),
    # those that are audited say their own; labels that are wrong refuse the majority's row
    "bags.wl.planted": ({"removed": 0.2}, (BAGS - AUDITING) | {"grid_table"}),
    "bags.wl.noise": ("tiny", BAGS),
    "bags.wl.majority": (True, BAGS),
    "bags.named.max_frames": (2, NAMING),
    # then they are made as any others
    "bags.named.videos": (False, frozenset({"bags"})),
    "coarse.tracklets_per_bag": ([2, 4], COARSE_BAGS | GRIDS | BY_ATTRIBUTE),
    "coarse.max_frames": (10, COARSE_BAGS | GRIDS | BY_ATTRIBUTE),
    "audit.frames": (8, AUDITING),
    "audit.top": (3, AUDITING),
    "methods.tiny.model.backbone": ("resnet34", BY_BAGS),
    "methods.tiny.model.weights": ("hub", BY_BAGS),
    "methods.tiny.model.last_stride": (1, BY_BAGS),
    "methods.tiny.model.embedding": ("fc", BY_BAGS),
    "methods.tiny.model.dimension": (64, BY_BAGS),
    "methods.tiny.model.frozen": (["stem"], BY_BAGS),
    "methods.tiny.model.batch_norm": ("eval", BY_BAGS),
    "methods.tiny.image.height": (64, BY_BAGS),
    "methods.tiny.image.width": (32, BY_BAGS),
    "methods.tiny.image.resized": ([80, 40], BY_BAGS),
    "methods.tiny.instances": ("tracklets", BY_BAGS),
    "methods.tiny.augment.flip": (0.0, BY_BAGS),
    "methods.tiny.augment.pad": (2, BY_BAGS),
    "methods.tiny.augment.erase": (0.5, BY_BAGS),
    # the majority's row says these
    "methods.tiny.loss.name": ("hslr", TRAINING),
    "methods.tiny.loss.k": (3, TRAINING),
    "methods.tiny.cpal.weight": (0.0, TRAINING),
    "methods.tiny.cpal.margin": (0.1, BY_BAGS),
    "methods.tiny.batch.bags": (3, BY_BAGS),
    "methods.tiny.batch.frames": (7, BY_BAGS),
    "methods.tiny.batch.pairs": (2, TRAINING),
    "methods.tiny.batch.cache_mb": (100, BY_BAGS),
    "methods.tiny.optimiser.name": ("sgd", BY_BAGS),
    "methods.tiny.optimiser.lr": (0.01, BY_BAGS),
    "methods.tiny.optimiser.momentum": (0.5, BY_BAGS),
    "methods.tiny.optimiser.weight_decay": (0.0, BY_BAGS),
    "methods.tiny.optimiser.backbone_factor": (0.5, BY_BAGS),
    "methods.tiny.optimiser.head_factor": (0.5, BY_BAGS),
    "methods.tiny.optimiser.clip": (1.0, BY_BAGS),
    # the study says its own
    "methods.tiny.schedule.epochs": (3, (TRAINING - OF_STUDIES) | {"grid_table"}),
    "methods.tiny.schedule.steps_per_epoch": (3, BY_BAGS),
    "methods.tiny.schedule.name": ("step", BY_BAGS),
    "methods.tiny.schedule.milestones": ([1], BY_BAGS),
    "methods.tiny.schedule.factor": (0.5, BY_BAGS),
    "methods.tiny.schedule.warm_up": (0.5, BY_BAGS),
    "methods.tiny.schedule.warm_up_from": (0.1, BY_BAGS),
    "methods.tiny.precision": ("32", BY_BAGS),
    "methods.tiny.evaluation.metric": ("euclidean", EVALUATING | {"grid_table"}),
    "methods.tiny.evaluation.rerank": (True, EVALUATING | {"grid_table"}),
    "methods.tiny.evaluation.keep": (10, EVALUATING | {"grid_table"}),
    "methods.tiny.evaluation.memory_mb": (512, EVALUATING | {"grid_table"}),
    "methods.tiny_tracklets.model.backbone": ("resnet34", LEARNING),
    "methods.tiny_tracklets.model.weights": ("hub", LEARNING),
    "methods.tiny_tracklets.model.last_stride": (1, LEARNING),
    "methods.tiny_tracklets.model.embedding": ("fc", LEARNING),
    "methods.tiny_tracklets.model.dimension": (64, LEARNING),
    "methods.tiny_tracklets.model.frozen": (["stem"], LEARNING),
    "methods.tiny_tracklets.model.batch_norm": ("eval", LEARNING),
    "methods.tiny_tracklets.model.cosam": (COSAM, AS_CLIPS),
    "methods.tiny_tracklets.clips": ({"frames": 2, "sampling": "consecutive"}, AS_CLIPS),
    "methods.tiny_tracklets.aggregation.name": ("rnn", AS_CLIPS),
    "methods.tiny_tracklets.image.height": (64, LEARNING),
    "methods.tiny_tracklets.image.width": (32, LEARNING),
    "methods.tiny_tracklets.image.resized": ([80, 40], LEARNING),
    "methods.tiny_tracklets.augment.flip": (0.0, LEARNING),
    "methods.tiny_tracklets.augment.pad": (2, LEARNING),
    "methods.tiny_tracklets.augment.erase": (0.5, LEARNING),
    "methods.tiny_tracklets.association.frames": (3, LEARNING),
    "methods.tiny_tracklets.association.k1": (5, LEARNING),
    "methods.tiny_tracklets.association.k2": (1, LEARNING),
    "methods.tiny_tracklets.association.min_samples": (3, LEARNING),
    "methods.tiny_tracklets.association.eps": (0.5, LEARNING),
    "methods.tiny_tracklets.association.share": (0.1, LEARNING),
    "methods.tiny_tracklets.losses.soft_identity": (0.1, LEARNING),
    "methods.tiny_tracklets.losses.soft_triplet": (0.1, LEARNING),
    "methods.tiny_tracklets.losses.margin": (0.1, LEARNING),
    "methods.tiny_tracklets.losses.triplet": ("softmax", LEARNING),
    "methods.tiny_tracklets.mean_net.momentum": (0.9, LEARNING),
    "methods.tiny_tracklets.mean_net.keep": ("net", LEARNING),
    "methods.tiny_tracklets.batch.clusters": (3, LEARNING),
    "methods.tiny_tracklets.batch.tracklets": (3, LEARNING),
    "methods.tiny_tracklets.batch.frames": (3, LEARNING),
    "methods.tiny_tracklets.batch.cache_mb": (100, LEARNING),
    "methods.tiny_tracklets.optimiser.name": ("sgd", LEARNING),
    "methods.tiny_tracklets.optimiser.lr": (0.01, LEARNING),
    "methods.tiny_tracklets.optimiser.momentum": (0.5, LEARNING),
    "methods.tiny_tracklets.optimiser.weight_decay": (0.0, LEARNING),
    "methods.tiny_tracklets.optimiser.backbone_factor": (0.5, LEARNING),
    "methods.tiny_tracklets.optimiser.head_factor": (0.5, LEARNING),
    "methods.tiny_tracklets.optimiser.clip": (1.0, LEARNING),
    # the study says its own
    "methods.tiny_tracklets.schedule.epochs": (3, NOTHING),
    "methods.tiny_tracklets.schedule.steps_per_epoch": (3, LEARNING),
    "methods.tiny_tracklets.schedule.name": ("step", LEARNING),
    "methods.tiny_tracklets.schedule.milestones": ([1], LEARNING),
    "methods.tiny_tracklets.schedule.factor": (0.5, LEARNING),
    "methods.tiny_tracklets.schedule.warm_up": (0.5, LEARNING),
    "methods.tiny_tracklets.schedule.warm_up_from": (0.1, LEARNING),
    "methods.tiny_tracklets.precision": ("32", LEARNING),
    # who was seen again is told by the same distance
    "methods.tiny_tracklets.evaluation.metric": ("euclidean", COMPARING | {"search"}),
    "methods.tiny_tracklets.evaluation.rerank": (True, COMPARING),
    "methods.tiny_tracklets.evaluation.keep": (10, COMPARING),
    "methods.tiny_tracklets.evaluation.memory_mb": (512, COMPARING),
    "methods.tiny_clips.model.backbone": ("resnet34", BY_CLIPS),
    "methods.tiny_clips.model.weights": ("hub", BY_CLIPS),
    "methods.tiny_clips.model.last_stride": (1, BY_CLIPS),
    "methods.tiny_clips.model.embedding": ("fc_bn", BY_CLIPS),
    "methods.tiny_clips.model.dimension": (28, BY_CLIPS),
    "methods.tiny_clips.model.frozen": (["stem"], BY_CLIPS),
    "methods.tiny_clips.model.batch_norm": ("eval", BY_CLIPS),
    "methods.tiny_clips.image.height": (64, BY_CLIPS),
    "methods.tiny_clips.image.width": (32, BY_CLIPS),
    "methods.tiny_clips.image.resized": ([80, 40], BY_CLIPS),
    "methods.tiny_clips.augment.flip": (0.0, BY_CLIPS),
    "methods.tiny_clips.augment.pad": (2, BY_CLIPS),
    "methods.tiny_clips.augment.erase": (0.5, BY_CLIPS),
    "methods.tiny_clips.clips.frames": (3, BY_CLIPS),
    "methods.tiny_clips.clips.sampling": ("consecutive", BY_CLIPS),
    # how tracklets are described is no matter of the training
    "methods.tiny_clips.clips.test": ("all", SHOWING_CLIPS | LOOKS_OF_CLIPS),
    "methods.tiny_clips.clips.normalise": (False, SHOWING_CLIPS),
    "methods.tiny_clips.aggregation.disentangled": (False, BY_CLIPS),
    "methods.tiny_clips.aggregation.sigma": (0.9, BY_CLIPS),
    "methods.tiny_clips.aggregation.weight": (0.5, BY_CLIPS),
    "methods.tiny_clips.aggregation.groups": ({"shoes": ["shoes-Black"]}, BY_CLIPS),
    "methods.tiny_clips.model.cosam": (COSAM, BY_CLIPS),
    "methods.tiny_clips.neck": ({"trains": "before"}, BY_CLIPS),
    "methods.tiny_clips.losses.identity.weight": (0.5, BY_CLIPS),
    "methods.tiny_clips.losses.identity.smoothing": (0.1, BY_CLIPS),
    "methods.tiny_clips.losses.triplet": (
        {"weight": 1.0, "margin": 0.2, "metric": "cosine", "ties": "share"},
        BY_CLIPS,
    ),
    "methods.tiny_clips.losses.center": ({"weight": 1.0e-3, "rate": 0.5}, BY_CLIPS),
    "methods.tiny_clips.losses.osm": (
        {"weight": 0.5, "sigma": 0.8, "alpha": 1.2, "balance": 0.5, "vectors": "classifier"},
        BY_CLIPS,
    ),
    "methods.tiny_clips.batch.persons": (3, BY_CLIPS),
    "methods.tiny_clips.batch.clips": (3, BY_CLIPS),
    "methods.tiny_clips.batch.cache_mb": (100, BY_CLIPS),
    "methods.tiny_clips.optimiser.name": ("sgd", BY_CLIPS),
    "methods.tiny_clips.optimiser.lr": (0.01, BY_CLIPS),
    "methods.tiny_clips.optimiser.momentum": (0.5, BY_CLIPS),
    "methods.tiny_clips.optimiser.weight_decay": (0.0, BY_CLIPS),
    "methods.tiny_clips.optimiser.backbone_factor": (0.5, BY_CLIPS),
    "methods.tiny_clips.optimiser.head_factor": (0.5, BY_CLIPS),
    "methods.tiny_clips.optimiser.clip": (1.0, BY_CLIPS),
    "methods.tiny_clips.schedule.epochs": (3, BY_CLIPS),
    # the study says its own
    "methods.tiny_clips.schedule.steps_per_epoch": (4, NOTHING),
    "methods.tiny_clips.schedule.name": ("step", BY_CLIPS),
    "methods.tiny_clips.schedule.milestones": ([1], BY_CLIPS),
    "methods.tiny_clips.schedule.factor": (0.5, BY_CLIPS),
    "methods.tiny_clips.schedule.warm_up": (0.5, BY_CLIPS),
    "methods.tiny_clips.schedule.warm_up_from": (0.1, BY_CLIPS),
    "methods.tiny_clips.precision": ("32", BY_CLIPS),
    "methods.tiny_clips.evaluation.metric": ("euclidean", MEASURING),
    "methods.tiny_clips.evaluation.rerank": (True, MEASURING),
    "methods.tiny_clips.evaluation.keep": (10, MEASURING),
    "methods.tiny_clips.evaluation.memory_mb": (512, MEASURING),
    # a transfer, its votes and what learns from them come after
    "sources.tiny.size": ("demo", OF_SOURCE),
    "sources.tiny.seed": (6, OF_SOURCE),
    "sources.tiny.style": ("street", OF_SOURCE),
    "sources.tiny.train_persons": (13, OF_SOURCE),
    "sources.tiny.test_persons": (5, OF_SOURCE),
    "sources.tiny.distractors": (1, OF_SOURCE),
    "sources.tiny.junk_tracklets": (1, OF_SOURCE),
    "sources.tiny.cameras": (4, OF_SOURCE),
    "sources.tiny.cameras_per_person": ([1, 2], OF_SOURCE),
    "sources.tiny.tracklets_per_camera": ([1, 2], OF_SOURCE),
    "sources.tiny.frames": ([2, 3], OF_SOURCE),
    "sources.tiny.height": (50, OF_SOURCE),
    "sources.tiny.width": (50, OF_SOURCE),
    "sources.tiny.look_alikes": (0.3, OF_SOURCE),
    # nothing is generated again, nor is the annotation read
    "sources.tiny.on_bad_frame": ("leave_out", PICTURING),
    # figures of a source are those of a table's
    "transfers.tiny.source": ("studio_tiny", PICTURING | {"generate_source", "annotation"}),
    "transfers.tiny.attributes": (SIX, TRANSFERRING),
    "transfers.tiny.on_constant": ("stop", TRANSFERRING),
    "transfers.tiny.model.backbone": ("resnet34", TRANSFERRING),
    "transfers.tiny.model.weights": ("hub", TRANSFERRING),
    "transfers.tiny.model.last_stride": (1, TRANSFERRING),
    "transfers.tiny.model.embedding": ("fc", TRANSFERRING),
    "transfers.tiny.model.dimension": (64, TRANSFERRING),
    "transfers.tiny.model.frozen": (["stem"], TRANSFERRING),
    "transfers.tiny.model.batch_norm": ("eval", TRANSFERRING),
    "transfers.tiny.image.height": (64, TRANSFERRING),
    "transfers.tiny.image.width": (32, TRANSFERRING),
    "transfers.tiny.image.resized": ([80, 40], TRANSFERRING),
    "transfers.tiny.augment.flip": (0.0, TRANSFERRING),
    "transfers.tiny.augment.pad": (2, TRANSFERRING),
    "transfers.tiny.augment.erase": (0.5, TRANSFERRING),
    "transfers.tiny.loss": ("bce", TRANSFERRING),
    "transfers.tiny.sigma": (0.5, TRANSFERRING),
    "transfers.tiny.mmd": (0.5, TRANSFERRING),
    "transfers.tiny.alpha": (0.25, TRANSFERRING),
    "transfers.tiny.normalise": (False, TRANSFERRING),
    "transfers.tiny.batch.source": (6, TRANSFERRING),
    "transfers.tiny.batch.target": (6, TRANSFERRING),
    "transfers.tiny.batch.cache_mb": (100, TRANSFERRING),
    "transfers.tiny.optimiser.name": ("sgd", TRANSFERRING),
    "transfers.tiny.optimiser.lr": (0.01, TRANSFERRING),
    "transfers.tiny.optimiser.momentum": (0.5, TRANSFERRING),
    "transfers.tiny.optimiser.weight_decay": (0.0, TRANSFERRING),
    "transfers.tiny.optimiser.backbone_factor": (0.5, TRANSFERRING),
    "transfers.tiny.optimiser.head_factor": (0.5, TRANSFERRING),
    "transfers.tiny.optimiser.clip": (1.0, TRANSFERRING),
    "transfers.tiny.schedule.epochs": (3, TRANSFERRING),
    "transfers.tiny.schedule.steps_per_epoch": (3, TRANSFERRING),
    "transfers.tiny.schedule.name": ("step", TRANSFERRING),
    "transfers.tiny.schedule.milestones": ([1], TRANSFERRING),
    "transfers.tiny.schedule.factor": (0.5, TRANSFERRING),
    "transfers.tiny.schedule.warm_up": (0.5, TRANSFERRING),
    "transfers.tiny.schedule.warm_up_from": (0.1, TRANSFERRING),
    "transfers.tiny.precision": ("32", TRANSFERRING),
    # probabilities stay, and with them the network
    "transfers.tiny.threshold": (0.6, LABELLING | LOOKING),
    "looks.walkers_tiny": ("tiny_bce", LOOKING),
    "noise.tiny.rfm": (1.7, NOISING),
    "noise.tiny.rsw": (1.3, NOISING),
    "noise.tiny.observed": ("tiny", NOISING),
    "extractors.tiny.model.backbone": ("resnet34", EXTRACTING),
    "extractors.tiny.model.weights": ("hub", EXTRACTING),
    "extractors.tiny.model.last_stride": (1, EXTRACTING),
    "extractors.tiny.image.height": (64, EXTRACTING),
    "extractors.tiny.image.width": (32, EXTRACTING),
    "extractors.tiny.image.resized": ([80, 40], EXTRACTING),
    "extractors.tiny.precision": ("32", EXTRACTING),
    "isolation.tiny.extractor": ("lite0", EXTRACTING),
    # what is learned from says its own
    "isolation.tiny.eps": (0.4, DRAWING | {"isolation"}),
    "isolation.tiny.min_samples": (3, ISOLATING),
    "isolation.tiny.noise": ("drop", ISOLATING),
    "isolation.tiny.reach": (2.0, ISOLATING),
    "isolation.tiny.min_frames": (2, ISOLATING),
    # a place in other words
    "trackers.tiny.root": ("film/../film", frozenset({"noise_rates"})),
    "trackers.tiny.sequences": (["other"], frozenset({"noise_rates"})),
    "trackers.tiny.truth": ("boxes.txt", frozenset({"noise_rates"})),
    "trackers.tiny.output": ("truth.txt", frozenset({"noise_rates"})),
    "trackers.tiny.iou": (0.6, frozenset({"noise_rates"})),
    "trackers.tiny.min_run": (2, frozenset({"noise_rates"})),
    "trackers.tiny.truth_classes": ([2], frozenset({"noise_rates"})),
    "trackers.tiny.first_frame_number": (0, frozenset({"noise_rates"})),
    "trackers.tiny.truth_first_frame_number": (1, frozenset({"noise_rates"})),
    "trackers.tiny.on_bad_box": ("clip", frozenset({"noise_rates"})),
    "trackers.tiny.missed": ("leave_out", frozenset({"noise_rates"})),
    "trackers.tiny.static": (["hall"], frozenset({"noise_rates"})),
    "datasets.film.root": ("film/../film", FILMING),
    "datasets.film.sequences": (
        [{"name": "hall", "boxes": "truth.txt", "frames": "pictures"}],
        FILMING,
    ),
    "datasets.film.names": (None, FILMING),
    "datasets.film.min_frames": (5, FILMING),
    "datasets.film.min_confidence": (0.5, FILMING),
    "datasets.film.iou": (0.6, FILMING),
    "datasets.film.truth_ids": ("global", FILMING),
    "datasets.film.truth_classes": ([2], FILMING),
    "datasets.film.first_frame_number": (0, FILMING),
    "datasets.film.truth_first_frame_number": (1, FILMING),
    "datasets.film.on_bad_box": ("clip", FILMING),
    "datasets.film.on_bad_frame": ("leave_out", FILMING - {"crops"}),
    # the contact sheet asked for is the other dataset's
    "experiments.wl_tiny.dataset": ("walkers", GENERATING - {"contact_sheet"} - OF_STUDIES),
    "experiments.wl_tiny.bags": ("wl_parts4", BAGS - OF_STUDIES),
    "experiments.wl_tiny.method": ("small", TRAINING - OF_STUDIES),
    "experiments.wl_tiny.noise": ("tiny", WITHOUT_LABELS),
    "experiments.wl_tiny.isolation": ("tiny", WITHOUT_LABELS),
    "experiments.wl_tiny.transfer": ("tiny", FROM_CLIPS),
    # the examples asked for are of the run that is there
    "experiments.wl_tiny.splits": (["official", "dev"], ALL_BAGS - {"matches"} - OF_STUDIES),
    "experiments.wl_tiny.seeds": ([1, 2], TRAINING - {"matches"} - OF_STUDIES),
    "experiments.wl_tiny.init": ("mini_walkers_tiny", TRAINING - OF_STUDIES),
    "experiments.wl_tiny.overrides": ({"schedule": {"epochs": 1}}, TRAINING - OF_STUDIES),
    "studies.mini.beside": ("WL-DukeV", STUDYING | {"counts_table"}),
    "studies.mini.bags": ("wl_parts4", BAGS - OF_EXPERIMENTS),
    "studies.mini.method": ("small", TRAINING - OF_EXPERIMENTS),
    # another run's audit has the votes of that run
    "studies.mini.splits": (["dev"], (ALL_BAGS - OF_EXPERIMENTS) | FOR_VOTES),
    # the examples asked for are of the first run
    "studies.mini.seeds": ([1, 2], (TRAINING - OF_EXPERIMENTS - MATCHING) | FOR_VOTES),
    "studies.mini.changes": (
        {"spoilt": {"planted": {"removed": 0.2}}},
        AUDITING | {"bags", "train"},
    ),
    "studies.mini.datasets.walkers_tiny.published": ("WL-MARS", STUDYING | {"counts_table"}),
    "studies.mini.datasets.walkers_tiny.bags": ("wl_parts4", BAGS - OF_EXPERIMENTS),
    "studies.mini.datasets.walkers_tiny.method": ("small", TRAINING - OF_EXPERIMENTS),
    "studies.mini.datasets.walkers_tiny.splits": (
        ["dev"],
        (ALL_BAGS - OF_EXPERIMENTS) | FOR_VOTES,
    ),
    "studies.mini.datasets.walkers_tiny.seeds": (
        [1, 2],
        (TRAINING - OF_EXPERIMENTS - MATCHING) | FOR_VOTES,
    ),
    "studies.mini.datasets.walkers_tiny.overrides": (
        {"schedule": {"epochs": 2}},
        TRAINING - OF_EXPERIMENTS,
    ),
    "studies.mini.datasets.walkers_tiny.changes": (
        {"spoilt": {"planted": {"removed": 0.2}}},
        BAGS - OF_EXPERIMENTS,
    ),
    "studies.mini.datasets.walkers_tiny.rows": ({"k_1": {"loss": {"k": 2}}}, ONE_ROW),
    "studies.mini.rows.k_1.bags": ("spoilt", ONE_ROW),
    "studies.mini.rows.k_1.init": ("wl_tiny", ONE_ROW),
    "studies.mini.rows.k_1.overrides": ({"loss": {"k": 2}}, ONE_ROW),
    # the paper's dataset is named by the levels
    "studies.mini_tmc.beside": ("PRID 2011", NOTHING),
    "studies.mini_tmc.bags": ("wl_parts4", MAJORITY),
    "studies.mini_tmc.isolation": ("lite0", EXTRACTING),
    "studies.mini_tmc.method": ("tmc_small", LEARNING),
    "studies.mini_tmc.splits": (
        ["dev"],
        (NOISING | {"coarse_bags", "frame_features"}) - ON_DISK,
    ),
    "studies.mini_tmc.seeds": ([1, 2], (LEARNING | MAJORITY) - ON_DISK - {"bags"}),
    "studies.mini_tmc.changes": ({"majority": {"max_frames": 3}}, MAJORITY),
    "studies.mini_tmc.isolations": (
        {"near": {"min_samples": 3}},
        LEARNING | {"isolation"},
    ),
    # its tracklets are counted; nothing that is asked for is learned from them
    "studies.mini_tmc.levels": (
        {"more": {"noise": "n17_12", "label": "more"}},
        frozenset({"noise", "noise_counts_table"}),
    ),
    "studies.mini_tmc.levels.noisy.noise": ("n17_12", NOISING),
    "studies.mini_tmc.levels.noisy.label": ("loud", GRIDS | {"noise_counts_table"}),
    "studies.mini_tmc.levels.noisy.published": ("MARS 2.5 1.2", GRIDS),
    "studies.mini_tmc.datasets.walkers_tiny.published": ("MARS", GRIDS | {"noise_counts_table"}),
    "studies.mini_tmc.datasets.walkers_tiny.bags": ("wl_parts4", MAJORITY),
    "studies.mini_tmc.datasets.walkers_tiny.isolation": ("lite0", EXTRACTING),
    "studies.mini_tmc.datasets.walkers_tiny.method": ("tmc_small", LEARNING),
    "studies.mini_tmc.datasets.walkers_tiny.methods": ({"tiny": "small"}, MAJORITY - {"bags"}),
    "studies.mini_tmc.datasets.walkers_tiny.splits": (
        ["dev"],
        (NOISING | {"coarse_bags", "frame_features"}) - ON_DISK,
    ),
    "studies.mini_tmc.datasets.walkers_tiny.seeds": (
        [1, 2],
        (LEARNING | MAJORITY) - ON_DISK - {"bags"},
    ),
    # no word on a method that a row names
    "studies.mini_tmc.datasets.walkers_tiny.overrides": ({"schedule": {"epochs": 2}}, LEARNING),
    "studies.mini_tmc.datasets.walkers_tiny.changes": (
        {"majority": {"tracklets_per_bag": [1, 1], "majority": True, "max_frames": 3}},
        MAJORITY,
    ),
    "studies.mini_tmc.datasets.walkers_tiny.isolations": (
        {"near": {"eps": 0.35}},
        LEARNING | {"isolation"},
    ),
    "studies.mini_tmc.datasets.walkers_tiny.rows": (
        {"intra_50": {"batch": {"frames": 3}}},
        LEARNING,
    ),
    # it learns from tracklets
    "studies.mini_tmc.rows.intra_50.bags": ("majority", NOTHING),
    "studies.mini_tmc.rows.intra_50.isolation": ("nearer", LEARNING | {"isolation"}),
    "studies.mini_tmc.rows.intra_50.method": ("tmc_small", LEARNING),
    "studies.mini_tmc.rows.intra_50.init": ("wl_tiny", LEARNING),
    "studies.mini_tmc.rows.intra_50.overrides": ({"batch": {"frames": 3}}, LEARNING),
    "studies.mini_attr.beside": ("iLIDS-VID", frozenset({"study_table"})),
    "studies.mini_attr.transfer": ("studio_tiny", OF_A_STUDY | OF_STUDIO),
    "studies.mini_attr.method": ("attr_small", BY_CLIPS),
    # masks were asked for of the run that is there
    "studies.mini_attr.splits": (
        ["dev"],
        (OF_A_STUDY | BY_CLIPS | {"coarse_bags"}) - {"masks"},
    ),
    # examples and pictures are of the first run
    "studies.mini_attr.seeds": ([1, 2], (OF_A_STUDY | BY_CLIPS) - OF_FIRST_RUN),
    # nothing that is asked for learns from these labels
    "studies.mini_attr.transfers": ({"bce": {"sigma": 2.0}}, FOR_LABELS | JUDGING),
    "studies.mini_attr.datasets.walkers_tiny.published": ("MARS", frozenset({"study_table"})),
    "studies.mini_attr.datasets.walkers_tiny.transfer": ("studio_tiny", OF_A_STUDY | OF_STUDIO),
    "studies.mini_attr.datasets.walkers_tiny.method": ("attr_small", BY_CLIPS),
    "studies.mini_attr.datasets.walkers_tiny.splits": (
        ["dev"],
        (OF_A_STUDY | BY_CLIPS | {"coarse_bags"}) - {"masks"},
    ),
    "studies.mini_attr.datasets.walkers_tiny.seeds": (
        [1, 2],
        (OF_A_STUDY | BY_CLIPS) - OF_FIRST_RUN,
    ),
    "studies.mini_attr.datasets.walkers_tiny.overrides": ({"schedule": {"epochs": 2}}, BY_CLIPS),
    "studies.mini_attr.datasets.walkers_tiny.transfers": (
        {"bce": {"loss": "bce", "mmd": 0, "sigma": 2.0}},
        FOR_LABELS | JUDGING,
    ),
    "studies.mini_attr.datasets.walkers_tiny.rows": (
        {"a": {"losses": {"identity": {"smoothing": 0.1}}}},
        (MEASURING | {"train_clips", "clip_features", "mask_shares", "mask_table"}),
    ),
    "studies.mini_attr.rows.truth.transfer": ("bce", TRUE_ROW),
    "studies.mini_attr.rows.truth.method": ("attr_small", TRUE_ROW),
    "studies.mini_attr.rows.truth.init": ("wl_tiny", TRUE_ROW),
    "studies.mini_attr.rows.truth.overrides": (
        {"losses": {"identity": {"smoothing": 0.1}}},
        TRUE_ROW,
    ),
    "tuning.tiny.experiment": ("mini_attr_walkers_tiny_agree", TUNING),
    "tuning.tiny.ranges": ({"optimiser.weight_decay": {"low": 0.1, "high": 0.2}}, TUNING),
    "tuning.tiny.trials": (3, TUNING),
    "tuning.tiny.jobs": (2, TUNING),
    # on the split's coarse test set
    "tuning.tiny.metric": ("coarse mAP", TUNING | {"coarse_bags"}),
    "tuning.tiny.every": (2, TUNING),
    "tuning.tiny.prune.trials": (3, TUNING),
    "tuning.tiny.prune.epochs": (1, TUNING),
    "tuning.tiny.seed": (2, TUNING),
    "tables.tiny.title": ("Another", frozenset({"table"})),
    "tables.tiny.rows": ({"another label": "wl_tiny"}, frozenset({"table"})),
    "tables.mini_k.title": ("Another", STUDYING),
    "tables.mini_k.study": ("wl", ONE_ROW),
    "tables.mini_k.datasets": (
        ["walkers"],
        GENERATING - OF_EXPERIMENTS - AUDITING - MATCHING - COUNTING,
    ),
    "tables.mini_k.table": ("V", STUDYING),
    "tables.mini_k.protocols": (["coarse"], STUDYING),
    "tables.mini_k.ranks": ([1], STUDYING),
    "tables.mini_k.axis": ("kk", STUDYING),
    "tables.mini_k.rows": ({"k = 2": "k_1"}, STUDYING),
    "tables.mini_counts.title": ("Another", frozenset({"counts_table"})),
    "tables.mini_counts.study": ("wl", NOTHING),
    # the tables asked for name their dataset
    "tables.mini_counts.datasets": (["dukev"], NOTHING),
    "tables.mini_counts.table": ("II", frozenset({"counts_table"})),
    "tables.mini_cost.title": ("Another", frozenset({"cost_table"})),
    "tables.mini_cost.study": ("wl", NOTHING),
    "tables.mini_cost.datasets": (["dukev"], NOTHING),
    "tables.mini_audit.title": ("Another", frozenset({"audit_table"})),
    "tables.mini_audit.study": ("wl", AUDITING | FOR_VOTES | {"bags", "train"}),
    "tables.mini_audit.datasets": (["dukev"], NOTHING),
    "tables.mini_audit.row": ("planted_too", AUDITING | {"train"}),
    "tables.mini_matches.title": ("Another", NOTHING),
    "tables.mini_matches.study": ("wl", MATCHING | {"train", "features", "evaluate"}),
    "tables.mini_matches.datasets": (["dukev"], NOTHING),
    "tables.mini_grid.title": ("Another", frozenset({"grid_table"})),
    "tables.mini_grid.study": (
        "tmc",
        FOR_A_GRID | MAJORITY | {"noise"},
    ),
    "tables.mini_grid.datasets": (
        ["walkers"],
        FOR_A_GRID | MAJORITY | {"noise", "generate", "dataset", "split", "coarse_bags"},
    ),
    "tables.mini_grid.table": ("3", frozenset({"grid_table"})),
    "tables.mini_grid.levels": (["clean"], MAJORITY),
    "tables.mini_grid.metrics": (["mAP"], frozenset({"grid_table"})),
    "tables.mini_grid.axis": ("k", frozenset({"grid_table"})),
    "tables.mini_grid.rows": ({"eps = 0.6": "intra_50"}, frozenset({"grid_table"})),
    "tables.mini_grid.notes": (["A note."], frozenset({"grid_table"})),
    "tables.mini_board.title": ("Another", GRIDS),
    "tables.mini_board.notes": (["A note."], GRIDS),
    "tables.mini_board.study": ("tmc", FOR_A_GRID | GRIDS | {"noise"}),
    "tables.mini_board.datasets": (
        ["walkers"],
        FOR_A_GRID | GRIDS | {"noise", "generate", "dataset", "split", "coarse_bags"},
    ),
    "tables.mini_board.table": ("3", GRIDS),
    "tables.mini_board.levels": (["noisy"], GRIDS),
    "tables.mini_board.metrics": (["R-1"], GRIDS),
    "tables.mini_board.axis": ("eps", GRIDS),
    "tables.mini_board.rows": (
        {"TMC-": "minus"},
        GRIDS | {"train_tracklets", "features", "evaluate", "collect"},
    ),
    "tables.mini_noise.title": ("Another", frozenset({"noise_counts_table"})),
    "tables.mini_noise.study": ("tmc", frozenset({"noise", "noise_counts_table"})),
    "tables.mini_noise.datasets": (
        ["walkers"],
        frozenset({"generate", "dataset", "split", "noise", "noise_counts_table"}),
    ),
    "tables.mini_noise.table": ("3", frozenset({"noise_counts_table"})),
    # a picture is a copy of that of the isolation
    "tables.mini_switches.title": ("Another", NOTHING),
    "tables.mini_switches.study": (
        "tmc",
        DRAWING | {"noise", "frame_features", "isolation"},
    ),
    "tables.mini_switches.datasets": (
        ["walkers"],
        DRAWING | {"noise", "frame_features", "isolation", "generate", "dataset", "split"},
    ),
    "tables.mini_switches.level": ("clean", DRAWING | {"isolation"}),
    "tables.mini_switches.shows": ("clusters", frozenset({"isolation_table"})),
    # a picture is a copy of that of the source
    "tables.mini_ratios.title": ("Another", NOTHING),
    "tables.mini_ratios.source": (
        "studio_tiny",
        frozenset({"generate_source", "annotation", "ratios_plot", "ratios_table"}),
    ),
    "tables.mini_groups.title": ("Another", frozenset({"groups_table"})),
    "tables.mini_groups.source": (
        "studio_tiny",
        frozenset({"generate_source", "annotation", "groups_table"}),
    ),
    "tables.mini_attr.title": ("Another", frozenset({"study_table"})),
    "tables.mini_attr.study": ("attr", OF_STUDIO | TRUE_ROW),
    "tables.mini_attr.datasets": (
        ["walkers"],
        ON_WALKERS | TRUE_ROW | {"coarse_bags", "true_annotation", "true_attributes"},
    ),
    "tables.mini_attr.table": ("2", frozenset({"study_table"})),
    "tables.mini_attr.protocols": (["coarse"], frozenset({"study_table"})),
    "tables.mini_attr.ranks": ([5], frozenset({"study_table"})),
    "tables.mini_attr.rows": ({"E": "f"}, frozenset({"study_table"})),
    "tables.mini_examples.title": ("Another", frozenset({"attribute_examples"})),
    "tables.mini_examples.study": ("attr", OF_STUDIO | {"attribute_examples"}),
    "tables.mini_examples.datasets": (
        ["walkers"],
        ON_WALKERS | {"true_annotation", "true_attributes", "attribute_examples"},
    ),
    "tables.mini_examples.rows": ({"F": "f"}, frozenset({"attribute_examples"})),
    # a copy, too
    "tables.mini_weights.title": ("Another", NOTHING),
    "tables.mini_weights.study": (
        "attr",
        OF_STUDIO | {"train_clips", "clip_features", "temporal_weights", "weights_table"},
    ),
    "tables.mini_weights.datasets": (
        ["walkers"],
        ON_WALKERS | {"train_clips", "clip_features", "temporal_weights", "weights_table"},
    ),
    "tables.mini_labels.title": ("Another", frozenset({"label_table"})),
    "tables.mini_labels.study": ("attr", OF_STUDIO | {"label_quality", "label_table"}),
    # the table asked for names its dataset
    "tables.mini_labels.datasets": (["walkers"], NOTHING),
    "tables.mini_labels.rows": ({"F": "f"}, frozenset({"label_table"})),
    "tables.mini_labels.notes": (["A note."], frozenset({"label_table"})),
    "tables.mini_masks.title": ("Another", frozenset({"mask_table"})),
    "tables.mini_masks.study": ("attr", frozenset({"train_clips", "mask_shares", "mask_table"})),
    "tables.mini_masks.datasets": (
        ["walkers"],
        frozenset(
            {"generate", "dataset", "split", "train_clips", "mask_shares", "mask_table"},
        ),
    ),
    "tables.mini_masks.rows": ({"A": "a"}, frozenset({"mask_table"})),
    "tables.mini_masks.notes": (["A note."], frozenset({"mask_table"})),
    "tables.mini_attention.title": ("Another", SHOWING_ATTENTION),
    "tables.mini_attention.study": (
        "attn_cl",
        SHOWING_ATTENTION | {"train_clips", "clip_features", "visibility", "erased_attention"},
    ),
    "tables.mini_attention.datasets": (
        ["walkers"],
        SHOWING_ATTENTION
        | {"generate", "dataset", "split"}
        | {"train_clips", "clip_features", "visibility", "erased_attention"},
    ),
    "tables.mini_attention.rows": ({"another": "agree"}, SHOWING_ATTENTION),
    "tables.mini_attention.notes": (["A note."], frozenset({"attention_table"})),
    "tables.mini_by_attribute.title": ("Another", frozenset({"attribute_table"})),
    "tables.mini_by_attribute.study": (
        "attr",
        OF_STUDIO | BY_ATTRIBUTE | {"train_clips", "clip_features", "evaluate"},
    ),
    "tables.mini_by_attribute.datasets": (
        ["walkers"],
        ON_WALKERS | BY_ATTRIBUTE | {"coarse_bags", "train_clips", "clip_features", "evaluate"},
    ),
    "tables.mini_by_attribute.transfer": ("truth", BY_ATTRIBUTE),
    "tables.mini_by_attribute.table": ("7", frozenset({"attribute_table"})),
    "tables.mini_by_attribute.ranks": ([5], frozenset({"attribute_table"})),
    "tables.mini_by_attribute.attributes": (["Female"], frozenset({"attribute_table"})),
    "tables.mini_by_attribute.rows": ({"T": "truth"}, BY_ATTRIBUTE),
}
"""Key: a value that it does not have, and the rules that then run again."""

TABLES = (
    *("tiny", "mini_k", "mini_counts", "mini_cost", "mini_audit", "mini_matches"),
    *("mini_grid", "mini_board", "mini_noise", "mini_switches"),
    *("mini_ratios", "mini_groups", "mini_attr", "mini_examples", "mini_weights"),
    *("mini_labels", "mini_by_attribute", "mini_masks", "mini_attention"),
)

ONE_TRACKLET = {
    "bags.wl.noise": "tiny",
    "bags.wl.tracklets_per_bag": [1, 1],
    "studies.wl.bags": "wl_parts4",
}
OF_CLIPS = {"experiments.wl_tiny.bags": None, "experiments.wl_tiny.method": "tiny_clips"}
OF_TRACKLETS = {"experiments.wl_tiny.bags": None, "experiments.wl_tiny.method": "tiny_tracklets"}

OTHER = {
    "source": "tiny",
    "on_constant": "leave_out",
    "model": {"backbone": "resnet18", "weights": "none", "embedding": "none"},
    "image": {"height": 32, "width": 16},
    "batch": {"source": 8, "target": 8},
    "optimiser": {"name": "adamw", "lr": 1.0e-3},
    "schedule": {"epochs": 1, "steps_per_epoch": 2, "name": "cosine"},
    "loss": "bce",
    "mmd": 0,
    "sigma": 2.0,
}

ALSO: dict[str, dict[str, Any]] = {
    "methods.tiny.batch.cache_mb": {"methods.tiny.model.frozen": ["stem"]},
    "methods.tiny_tracklets.batch.cache_mb": {"methods.tiny_tracklets.model.frozen": ["stem"]},
    "methods.tiny_clips.batch.cache_mb": {"methods.tiny_clips.model.frozen": ["stem"]},
    "transfers.tiny.batch.cache_mb": {"transfers.tiny.model.frozen": ["stem"]},
    "experiments.wl_tiny.transfer": OF_CLIPS,
    # given to another stage than the rest of its block
    "methods.tiny_clips.clips.normalise": {},
    "experiments.wl_tiny.noise": OF_TRACKLETS,
    "experiments.wl_tiny.isolation": {"experiments.wl_tiny.noise": "tiny", **OF_TRACKLETS},
    # the other datasets' bags of that name stay as they are
    "studies.mini.datasets.walkers_tiny.changes": {
        "studies.mini.datasets.walkers_tiny.bags": "wl_parts4",
    },
    "studies.mini_tmc.datasets.walkers_tiny.changes": {
        "studies.mini_tmc.datasets.walkers_tiny.bags": "wl_parts4",
    },
    # the other datasets' isolation of that name stays as it is
    "studies.mini_tmc.datasets.walkers_tiny.isolations": {
        "isolation.other": {"extractor": "tiny", "eps": 0.35, "min_samples": 2},
    },
    # nor does the other datasets' transfer change
    "studies.mini_attr.datasets.walkers_tiny.transfers": {"transfers.other": OTHER},
    "studies.mini_tmc.rows.intra_50.isolation": {"studies.mini_tmc.isolations.nearer.eps": 0.2},
    # missing goes with no noise, and other studies have both
    "bags.wl.missing": {"studies.tmc.bags": "wl_parts4", "studies.mini_tmc.bags": "wl_parts4"},
    "bags.wl.noise": {"studies.wl.bags": "wl_parts4"},
    "bags.wl.majority": ONE_TRACKLET,
    "tables.mini_grid.study": {"tables.mini_grid.levels": ["n17_12"]},
    "tables.mini_board.study": {"tables.mini_board.levels": ["n17_12"]},
    "tables.mini_board.table": {"tables.mini_board.paper": "TMC"},
    # attr has no row agree
    "tables.mini_attr.study": {"tables.mini_attr.rows": {"COSAM and ATTN-CL": "truth"}},
    "tables.mini_masks.study": {"tables.mini_masks.rows": {"COSAM": "a"}},
    "tables.mini_attention.study": {"tables.mini_attention.rows": {"attention, COSAM": "osm_cl"}},
    "tables.mini_by_attribute.table": {"tables.mini_by_attribute.paper": "COSAM"},
    "tables.mini_switches.study": {"tables.mini_switches.level": "n17_12"},
}
"""Key: what it needs beside it."""

BLOCKS = (
    *("datasets.walkers_tiny", "datasets.film", "trackers.tiny", "bags.wl", "noise.tiny"),
    *("extractors.tiny", "isolation.tiny", "methods.tiny", "methods.tiny_tracklets"),
    *("sources.tiny", "transfers.tiny", "methods.tiny_clips"),
    *("experiments.wl_tiny", "studies.mini", "studies.mini_tmc", "studies.mini_attr"),
    "tuning.tiny",
)
"""What the tiny experiment and studies are made of."""

STUDIES = {
    "mini": ("datasets.walkers_tiny", "rows.k_1"),
    "mini_tmc": ("datasets.walkers_tiny", "rows.intra_50", "levels.noisy"),
    "mini_attr": ("datasets.walkers_tiny", "rows.truth"),
}
"""A dataset, a row and a level of each."""

WITHOUT_A_ROW = {
    # a dataset of another source is another dataset, as is a method that learns from other things
    *(f"datasets.{name}.source" for name in ("walkers_tiny", "film")),
    *(f"methods.{name}.learns" for name in ("tiny", "tiny_tracklets", "tiny_clips")),
    # without attributes the study's transfers are none
    "methods.tiny_clips.aggregation.name",
    # needs another aggregation
    "methods.tiny_clips.losses.attention",
    # an audit looks at frames
    *(f"methods.tiny.{name}" for name in ("clips", "aggregation.name", "model.cosam")),
    # likewise
    *("sources.tiny.source", "transfers.tiny.labels"),
    # an extractor has no embedding, and does not learn
    *(f"extractors.tiny.model.{n}" for n in ("embedding", "dimension", "frozen", "batch_norm")),
    # there are no names in walkers
    "bags.wl.videos",
    # no row of it lies on an axis
    "tables.mini_attr.axis",
    # another study has rows of these
    *(f"studies.{study}.{n}" for study in ("mini", "mini_tmc") for n in ("transfer", "transfers")),
    *(
        f"studies.{study}.datasets.walkers_tiny.{name}"
        for study in ("mini", "mini_tmc")
        for name in ("transfer", "transfers")
    ),
    *(f"studies.{row}.transfer" for row in ("mini.rows.k_1", "mini_tmc.rows.intra_50")),
    *(
        f"studies.mini_attr.{name}"
        for name in ("bags", "isolation", "levels", "changes", "isolations")
    ),
    *(
        f"studies.mini_attr.datasets.walkers_tiny.{name}"
        for name in ("bags", "isolation", "methods", "changes", "isolations")
    ),
    *(f"studies.mini_attr.rows.truth.{name}" for name in ("bags", "isolation")),
    *(f"studies.mini.{name}" for name in ("levels", "isolation", "isolations")),
    *(f"studies.mini.datasets.walkers_tiny.{n}" for n in ("isolation", "isolations", "methods")),
    *(f"studies.mini.rows.k_1.{name}" for name in ("isolation", "method")),
}

STRAIGHT = {
    "methods.tiny.evaluation": "evaluate",
    "methods.tiny": "train",
    "methods.tiny_tracklets.evaluation": "evaluate",
    "methods.tiny_tracklets": "train_tracklets",
    "methods.tiny_clips.evaluation": "evaluate",
    "methods.tiny_clips": "train_clips",
    "sources.tiny": "generate_source",
    "transfers.tiny": "transfer",
    "extractors.tiny": "frame_features",
}
"""Block: the stage that is given its keys as they are. Such keys are changed together."""

MODULES: dict[frozenset[str], str] = {
    # what computes nothing here, and the losses and readers that another experiment would use
    NOTHING: """
        arguments codedigest config config_blocks config_faults config_methods config_studies
        config_tuning console door machine
        datasets.bring datasets.dukev datasets.fetch datasets.ilids datasets.prid datasets.seen
        datasets.unpack datasets.whereabouts
        losses.hslr losses.sslr losses.wsddn
        models.aggregations.rnn
        report.isolation_preview stages.fetch stages.isolation_preview stages.mask_curve
    """,
    EVERYTHING: "errors files",
    EVERYTHING - {"noise_rates"}: "seeding datasets.place",
    EVERYTHING - {"generate", "generate_source", "contact_sheet"}: "tables",
    EVERYTHING - {"generate", "generate_source", "contact_sheet", "noise_rates"}: """
        images datasets.layout datasets.litter
    """,
    OF_WALKERS | OF_SOURCE: """
        datasets.walkers.attributes datasets.walkers.body datasets.walkers.cloth
        datasets.walkers.layout datasets.walkers.people datasets.walkers.render
        datasets.walkers.scene
        attributes parents stages.generate
    """,
    OF_DATASET: "datasets.mars",
    OF_DATASET | ANNOTATING | WITH_THE_TRUTH: "datasets.matlab",
    OF_DATASET | NAMING: "stages.dataset",
    OF_DATASET | NAMING | ANNOTATING | WITH_THE_TRUTH: "datasets.pack",
    OF_SPLIT | NAMING: "datasets.splits stages.split",
    FILMING: """
        datasets.crops datasets.crop_sheet datasets.crop_tables datasets.fit datasets.footage
        datasets.names datasets.tracks datasets.video
        stages.crops
    """,
    FILMING | {"noise_rates"}: "datasets.motchallenge datasets.notices datasets.truth",
    FILMING - {"crops"}: "datasets.mot",
    NAMING: "supervision.named stages.named_bags",
    FILMING - {"crops"} | NAMING | ANNOTATING | WITH_THE_TRUTH: "csv_tables",
    frozenset({"noise_rates"}): "report.noise_rates supervision.noise_rates stages.noise_rates",
    NOISING: "supervision.noise stages.noise",
    EXTRACTING: "stages.frame_features",
    ISOLATING: "clustering.isolation stages.isolation",
    DRAWING: "report.isolation stages.isolation_figures",
    ALL_BAGS | MAJORITY | GRIDS | BY_ATTRIBUTE: "supervision.bags",
    BAGS | MAJORITY: "supervision.planted stages.bags",
    COARSE_BAGS | GRIDS | BY_ATTRIBUTE: "stages.coarse_bags",
    LEARNT | EXTRACTING: """
        prefetching
        models._torchvision models.backbones models.build models.initial models.reid
        models.weights
        training.devices
    """,
    LEARNT: """
        losses.pooling
        supervision.visible
        training.augment training.checkpoint training.frozen training.gathering training.loop
        training.optimiser training.pictures training.record training.schedule training.setup
        training.start
    """,
    ALL_BAGS | MAJORITY | FILMING | ISOLATING | BY_ATTRIBUTE: "datasets.majority",
    LEARNING
    | EVALUATING
    | SCORING
    | BY_ATTRIBUTE
    | TUNING
    | {"search", "attribute_examples"}: "cores",
    BY_BAGS: "training.bag_task training.sampling stages.train",
    TRAINING: "losses.cpal losses.mil",
    MAJORITY - {"bags"}: "losses.frame_ce",
    LEARNING: """
        clustering.advice clustering.association clustering.jaccard
        losses.soft_identity losses.soft_triplet losses.tmc losses.triplet
        training.mean_net training.pseudo_labels training.tracklet_task
        stages.train_tracklets
    """,
    LEARNING | BY_CLIPS | BY_BAGS | TUNING: """
        training.clip_sampling training.job training.tracklet_sampling
    """,
    BY_CLIPS | TUNING: """
        losses.attribute_groups losses.clips.center losses.clips.identity losses.clips.seen
        models.aggregations.protocol models.clips
        training.clip_task
        stages.train_clips
    """,
    OF_FEATURES | {"train_clips"}: "models.aggregations.groups",
    TUNING: "tuning.ranges tuning.search tuning.trials stages.tune",
    frozenset({"tuned"}): "report.tuning stages.tuned",
    # both trainings with attributes
    TRANSFERRING | BY_CLIPS | TUNING: "losses.attribute_bce",
    TRANSFERRING: """
        losses.mmd
        models.attribute_head
        training.transfer_task
        stages.transfer
    """,
    LEARNING | EVALUATING | BY_ATTRIBUTE | TUNING: "clustering.neighbours clustering.reciprocal",
    EXTRACTING | DESCRIBING | VOTING | LOOKS_OF_CLIPS | TUNING: "retrieval.describe",
    EXTRACTING | DESCRIBING | VOTING | SHOWING_ATTENTION | TUNING: "retrieval.feature_table",
    DESCRIBING | GRIDS | {"search"}: "stages.features",
    AGREEING: """
        losses.clips.attention losses.clips.osm
        models.aggregations.attention models.cosam
    """,
    AGREEING | TUNING: "losses.clips.triplet",
    TRUE_ROW | BY_ATTRIBUTE | TUNING | {"mask_shares", "mask_table"}: "models.aggregations.average",
    SHOWING_CLIPS | TUNING: "retrieval.describe_clips stages.clip_features",
    MEASURED | TUNING | {"search"}: """
        retrieval.distances retrieval.measure retrieval.protocols retrieval.reranking
    """,
    MEASURED | TUNING: "stages.evaluate",
    MEASURED | SCORING | TUNING: "retrieval.chance",
    MEASURED | SCORING | TUNING | {"search", "attribute_examples"}: "retrieval.ranking",
    # the readers of other sources are named in a source's stage
    ANNOTATING | WITH_THE_TRUTH: """
        datasets.annotated datasets.mars_attributes datasets.rap stages.annotation
    """,
    PICTURING: "stages.pictures",
    VOTING: "retrieval.votes stages.attribute_votes",
    LABELLING: "stages.attribute_labels",
    LABELLING | TRULY: "supervision.attribute_labels",
    TRULY: "stages.true_attributes",
    TRANSFERRING | TRULY: "supervision.attribute_lessons",
    TRANSFERRING | TRULY | OF_ANNOTATION: "supervision.ratios",
    OF_ANNOTATION: "report.ratios",
    frozenset({"ratios_plot", "ratios_table"}): "stages.ratios_plot",
    frozenset({"groups_table"}): "stages.groups_table",
    frozenset({"label_quality", "label_table"}): "stages.label_quality",
    frozenset({"label_table", "mask_table"}) | SHOWING_ATTENTION: "report.label_quality",
    frozenset({"label_table"}): "stages.label_table",
    frozenset({"attribute_examples"}): "report.attribute_examples stages.attribute_examples",
    BY_ATTRIBUTE | {"attribute_examples"}: "retrieval.by_attribute",
    BY_ATTRIBUTE: "stages.attribute_metrics",
    frozenset({"attribute_table"}): "report.by_attribute stages.attribute_table",
    WEIGHING | SHOWING_ATTENTION: "report.temporal_weights",
    WEIGHING - {"visibility"}: "stages.temporal_weights",
    SHOWING_ATTENTION | {"visibility"}: "report.visibility stages.visibility",
    LOOKS_OF_CLIPS: "retrieval.clip_maps",
    frozenset({"masks"}): "report.masks stages.masks",
    frozenset({"mask_shares", "mask_table"}): """
        datasets.walkers.masks
        retrieval.mask_shares
        stages.mask_shares
    """,
    frozenset({"mask_table"}): "report.mask_shares stages.mask_table",
    SHOWING_ATTENTION | {"erased_attention"}: "retrieval.erased stages.erased_attention",
    SHOWING_ATTENTION: "report.erased",
    frozenset({"attention_table"}): "stages.attention_table",
    frozenset({"attention_figure"}): "stages.attention_figure",
    frozenset({"search"}): "report.search retrieval.search stages.search",
    frozenset({"identities"}): "stages.identities",
    ON_DISK: "report.identities",
    COLLECTING | GRIDS: "stages.collect",
    COLLECTING
    | GRIDS
    | AUDITING
    | COUNTING
    | {"tuned"}
    | {"noise_rates", "noise_counts_table", "groups_table", "label_table", "attribute_table"}
    | {"mask_table", "attention_table"}: "report.pages",
    frozenset({"table"}): "stages.table",
    REPORTING
    | {"table", "collect"}
    | AUDITING
    | {"noise_rates", "label_table", "attribute_table", "tuned", "mask_table"}
    | SHOWING_ATTENTION
    | (OF_ANNOTATION): "report.tables",
    REPORTING | {"attribute_table"}: "report.published",
    REPORTING - {"noise_counts_table"}: "report.study",
    frozenset({"study_table"}): "stages.study_table",
    frozenset({"sweep_plot"}): "stages.sweep_plot",
    frozenset({"sweep_plot", "grid_plot"}): "report.sweeps",
    GRIDS: "report.grid",
    frozenset({"grid_table"}): "stages.grid_table",
    frozenset({"grid_plot"}): "report.grid_figures stages.grid_plot",
    frozenset({"noise_counts_table"}): "report.noise_counts stages.noise_counts_table",
    COUNTING: "report.counts supervision.counting",
    frozenset({"counts_table"}): "stages.counts_table",
    frozenset({"cost_table"}): "stages.cost_table",
    AUDITING: "report.audit supervision.audit stages.audit",
    SCORING: "retrieval.findings stages.audit_score",
    frozenset({"audit_table"}): "stages.audit_table",
    frozenset({"learning_curve"}): "report.learning_curve stages.learning_curve",
    frozenset({"cluster_curve"}): "stages.cluster_curve",
    frozenset({"cluster_curve", "learning_curve"}): "report.clusters",
    MATCHING | AUDITING | {"search", "attribute_examples"}: "report.looks",
    MATCHING | {"search", "attribute_examples"}: "report.matches",
    MATCHING: "stages.matches",
    PICTURES | {"groups_table", "contact_sheet", "tuned"}: "report.figures",
    frozenset({"contact_sheet"}): "report.walkers_sheet stages.contact_sheet",
}
"""The rules that run again when a module's code changes."""

EXPECTED = {name: rules for rules, names in MODULES.items() for name in names.split()}


load = whole.load


@functools.lru_cache(maxsize=4)
def loaded(text: str) -> whole.Config:
    return load(json.loads(text))


def load_once(raw: Mapping[str, Any]) -> whole.Config:
    """Return what a config describes; half of a dry run's time would go into that."""
    return loaded(json.dumps(raw))


@pytest.fixture
def plan(tiny, monkeypatch):
    """Ask for everything of the tiny experiment again; return the jobs that would run."""
    monkeypatch.chdir(tiny.folder)
    monkeypatch.setattr(codedigest, "SOURCE", tiny.folder / "src")
    monkeypatch.setattr(whole, "load", load_once)
    return lambda change=None: dry_run(tiny.targets, change)


@pytest.fixture
def reruns(plan):
    """Ask for everything of the tiny experiment again; return the rules that would run."""
    return lambda change=None: frozenset(plan(change))


@functools.cache
def tiny_keys() -> dict[str, Any]:
    return yaml.safe_load(Path(__file__).with_name("tiny.yaml").read_text(encoding="utf-8"))


@functools.cache
def own_keys() -> dict[str, Any]:
    return read_merged(default_files(ROOT))


def raw_config(change: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the project's files and tiny.yaml as Snakemake merges them, in its order too.

    Another order would be another text for `load_once`, and each config be loaded twice.
    """
    given = merged(tiny_keys(), change or {})
    return merged(merged(given, own_keys()), given)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def nested(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def change_of(key: str) -> dict[str, Any]:
    """Return what sets a key of the first table to the value there."""
    # said aloud, though it is the default: a loss is known by its name
    change = nested("methods.tiny.loss", {"name": "mil"})
    for other, value in ALSO.get(key, {}).items():
        change = merged(change, nested(other, value))
    return merged(change, nested(key, KEYS[key][0]))


def leaves(block: BaseModel, prefix: str) -> dict[str, Any]:
    """Return every key below a block with its value."""
    found: dict[str, Any] = {}
    for name in type(block).model_fields:
        value = getattr(block, name)
        if isinstance(value, BaseModel):
            found |= leaves(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def keys_of_tiny(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return every key that has to do with the tiny experiment, with its value."""
    whole = load_once(raw)
    found = leaves(whole.coarse, "coarse.") | leaves(whole.audit, "audit.")
    for name in type(whole).model_fields:
        value = getattr(whole, name)
        if not isinstance(value, BaseModel | dict):
            found[name] = value
    for place in (*BLOCKS, *(f"tables.{name}" for name in TABLES)):
        kind, _, name = place.partition(".")
        found |= leaves(getattr(whole, kind)[name], f"{place}.")
    found |= {f"looks.{name}": transfer for name, transfer in whole.looks.items()}
    for study, blocks in STUDIES.items():
        for block in blocks:
            kind, _, name = block.partition(".")
            found |= leaves(found[f"studies.{study}.{kind}"][name], f"studies.{study}.{block}.")
        # their blocks stand for them
        del found[f"studies.{study}.datasets"], found[f"studies.{study}.rows"]
    named = whole.bags["named"]
    found |= {f"bags.named.{name}": getattr(named, name) for name in ("max_frames", "videos")}
    for name in TABLES:
        del found[f"tables.{name}.kind"]
        # no table of one paper is another's
        found.pop(f"tables.{name}.paper", None)
    return {key: value for key, value in found.items() if key not in WITHOUT_A_ROW}


def test_asked_for_again_nothing_runs(reruns) -> None:
    assert reruns() == NOTHING


# --- the config -----------------------------------------------------------------------------------


def test_every_key_has_a_row() -> None:
    assert set(KEYS) == set(keys_of_tiny(raw_config()))


def together() -> Iterator[list[str]]:
    """Yield the keys of the first table, alone or with others that are changed with them."""
    groups: dict[Any, list[str]] = {}
    for key, (_, rules) in KEYS.items():
        block = next((name for name in STRAIGHT if key.startswith(f"{name}.")), None)
        if block is None or key in ALSO:
            yield [key]
        else:
            groups.setdefault((block, rules), []).append(key)
    yield from groups.values()


def given_to(stage: str, jobs: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the parameters of a stage in each of its jobs."""
    words = [shlex.split(job["shellcmd"]) for job in jobs[stage]]
    return [json.loads(line[line.index("--params") + 1]) for line in words]


def value_at(block: Any, path: str) -> Any:
    for part in path.split("."):
        block = block.get(part) if isinstance(block, Mapping) else None
    return block


@pytest.mark.parametrize("keys", list(together()), ids=lambda keys: f"{keys[0]}-{len(keys)}")
def test_a_key(keys: list[str], plan) -> None:
    before = keys_of_tiny(raw_config())
    # once more, as each says beside its own value what the others may have changed
    values = [nested(key, KEYS[key][0]) for key in keys]
    change = functools.reduce(merged, [*map(change_of, keys), *values])
    after = keys_of_tiny(raw_config(change))
    for key in keys:
        # a block that was null has keys of its own now
        assert after.get(key, "a block") != before[key], f"{key} has that value already"
    jobs = plan(change)
    assert set(jobs) == KEYS[keys[0]][1]
    if len(keys) > 1:
        block = next(name for name in STRAIGHT if keys[0].startswith(f"{name}."))
        given = given_to(STRAIGHT[block], jobs)
        for key in keys:
            path = key.removeprefix(f"{block}.")
            # any of them reruns the stage, were it changed alone
            assert KEYS[key][0] in [value_at(found, path) for found in given], key


def test_a_seed_more_runs_only_that_run(tiny, reruns) -> None:
    change = nested("experiments.wl_tiny.seeds", [1, 2])
    jobs = dry_run(tiny.targets, change)
    for rule in ("train", "features", "evaluate"):
        assert [job["wildcards"]["run"] for job in jobs[rule]] == ["official-2"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("datasets.mars.root", "elsewhere"),
        ("datasets.walkers.frames", [5, 6]),
        ("bags.wl_parts4.tracklet_parts", 5),
        ("bags.more", {"max_frames": 3}),
        ("methods.wl.optimiser.lr", 0.5),
        ("methods.more", {"loss": {"name": "wsddn"}}),
        ("experiments.demo.seeds", [1, 2, 3]),
        ("experiments.more", {"dataset": "walkers", "bags": "wl", "method": "tiny"}),
        ("tables.demo.title", "Another"),
        ("tables.wl_table3.title", "Another"),
        (
            "tables.more",
            {"kind": "experiments", "title": "More", "rows": {"one": "wl_mars"}},
        ),
        ("studies.wl.seeds", [7]),
        ("studies.wl.rows.more", {"overrides": {"loss": {"k": 3}}}),
        ("studies.mini.rows.more", {"overrides": {"loss": {"k": 3}}}),
        ("studies.mini.changes.more", {"max_frames": 3}),
        ("studies.mini.datasets.walkers", {"overrides": {"loss": {"k": 3}}}),
        ("studies.more", {"beside": "WL-MARS", "bags": "wl", "method": "tiny"}),
        ("trackers.more", {"root": "film", "sequences": ["hall"], "truth": "t", "output": "o"}),
        ("noise.n17_12.rfm", 1.9),
        ("noise.more", {"rfm": 2, "rsw": 1.5}),
        ("extractors.lite0.image.height", 64),
        ("isolation.lite0.eps", 0.5),
        ("isolation.more", {"extractor": "tiny"}),
        ("methods.tmc.association.k1", 5),
        ("studies.tmc.seeds", [7]),
        ("studies.tmc.isolation", "lite0"),
        ("studies.mini_tmc.rows.more", {"isolation": "none"}),
        ("studies.mini_tmc.isolations.more", {"eps": 0.7}),
        ("studies.mini_tmc.changes.more", {"max_frames": 3}),
        ("tables.noise_board.title", "Another"),
        ("sources.rap.root", "elsewhere"),
        ("sources.studio.seed", 6),
        ("sources.more", {"source": "walkers"}),
        ("transfers.studio.threshold", 0.6),
        ("transfers.more", {"source": "tiny"}),
        ("methods.attr.aggregation.sigma", 0.3),
        ("studies.attr.seeds", [7]),
        ("studies.attr.transfers.bce.sigma", 2.0),
        ("studies.mini_attr.rows.more", {"overrides": {"aggregation": {"sigma": 0.3}}}),
        ("studies.mini_attr.transfers.more", {"sigma": 2.0}),
        ("tables.attr_labels.title", "Another"),
    ],
)
def test_what_others_use(key: str, value: Any, reruns) -> None:
    assert reruns(nested(key, value)) == NOTHING


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "1"),
        ("methods.tiny.optimiser.lr", "1e-3"),
        ("methods.tiny.optimiser.clip", "null"),
        ("methods.tiny.evaluation.rerank", "false"),
        ("methods.tiny.loss", {"name": "mil", "k": 5}),
        ("bags.wl.tracklets_per_bag", ["3", "5"]),
        ("experiments.wl_tiny.seeds", ["1"]),
        ("experiments.wl_tiny.overrides", {"cpal": {"margin": 0.5}}),
        ("noise.tiny.rfm", "1.5"),
        ("isolation.tiny.eps", "0.3"),
        ("methods.tiny_tracklets.association.eps", "null"),
        ("sources.tiny.frames", ["2", "2"]),
        ("transfers.tiny.threshold", "0.5"),
        ("methods.tiny_clips.aggregation.sigma", "0.5"),
        ("studies.mini_attr.rows.a.overrides", {"neck": "null"}),
    ],
)
def test_the_same_value_in_other_words(key: str, value: Any, reruns) -> None:
    assert reruns(nested(key, value)) == NOTHING


def test_the_order_of_keys(reruns) -> None:
    def backwards(block: Any) -> Any:
        if not isinstance(block, dict):
            return block
        return {key: backwards(value) for key, value in reversed(block.items())}

    raw = dict(raw_config())
    # rows of a table stand in the order given
    del raw["tables"]
    assert reruns(backwards(raw)) == NOTHING


def test_another_name_for_the_same_method(reruns) -> None:
    block = raw_config()["methods"]["tiny"]
    change = merged(nested("methods.same", block), nested("experiments.wl_tiny.method", "same"))
    assert reruns(change) == {"collect", "table"}


# --- the code -------------------------------------------------------------------------------------


def modules(source: Path) -> dict[str, Path]:
    """Return the modules of the package by their names below it."""
    package = source / "weakreid"
    return {
        ".".join(path.relative_to(package).with_suffix("").parts): path
        for path in sorted(package.rglob("*.py"))
        if path.name != "__init__.py"
    }


@contextlib.contextmanager
def changed(paths: Iterable[Path], change: Callable[[str], str]) -> Iterator[None]:
    """Change the text of files for a while."""
    texts = {path: path.read_bytes() for path in paths}
    try:
        for path, text in texts.items():
            path.write_text(change(text.decode()), encoding="utf-8")
        yield
    finally:
        for path, text in texts.items():
            path.write_bytes(text)


def with_code(text: str) -> str:
    return f"{text}\nADDED = 1\n"


def test_every_module_has_one_row(tiny) -> None:
    named = [name for names in MODULES.values() for name in names.split()]
    assert sorted(named) == sorted(modules(tiny.folder / "src"))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_module(name: str, tiny, reruns) -> None:
    with changed([modules(tiny.folder / "src")[name]], with_code):
        assert reruns() == EXPECTED[name]


def test_comments_docstrings_and_layout(tiny, reruns) -> None:
    def reworded(text: str) -> str:
        assert text.startswith('"""')
        return '"""Another docstring. ' + text[3:] + "\n\n\n# a comment\n"

    with changed(modules(tiny.folder / "src").values(), reworded):
        assert reruns() == NOTHING


def test_a_loss_that_another_method_uses(tiny, reruns) -> None:
    path = modules(tiny.folder / "src")["losses.sslr"]
    with changed([path], with_code):
        assert reruns(nested("methods.more", {"loss": {"name": "sslr"}})) == NOTHING
        assert reruns(nested("methods.tiny.loss", {"name": "sslr"})) == TRAINING


def test_comments_in_the_rules(tiny, reruns) -> None:
    files = [tiny.folder / "Snakefile", *(tiny.folder / "workflow" / "rules").glob("*.smk")]
    with changed(files, lambda text: f"{text}\n\n# a comment\n"):
        assert reruns() == NOTHING


# --- files ----------------------------------------------------------------------------------------

PUBLISHED = "workflow/resources/published.csv"


def test_another_published_figure(tiny, reruns) -> None:
    with changed([tiny.folder / PUBLISHED], lambda text: f"{text}WL,IX,MIL,WL-MARS,fine R-1,1.0\n"):
        assert reruns() == (REPORTING | {"attribute_table"}) - {"cost_table"}


def test_newer_files_of_the_same_bytes(tiny, reruns) -> None:
    folder = tiny.folder
    given = [folder / "Snakefile", *default_files(folder), folder / "tiny.yaml"]
    given += [*(folder / "workflow" / "rules").glob("*.smk"), *modules(folder / "src").values()]
    given.append(folder / PUBLISHED)
    for path in given:
        os.utime(path)
    assert reruns() == NOTHING


@pytest.mark.parametrize(
    "name",
    [
        "results/datasets/walkers_tiny/generated.json",
        "results/datasets/walkers_tiny/tracklets.parquet",
        "results/datasets/walkers_tiny/frames.parquet",
        "results/datasets/walkers_tiny/partitions.parquet",
        "results/datasets/walkers_tiny/images.arrow",
        "results/datasets/walkers_tiny/official/tracklets.parquet",
        "results/datasets/walkers_tiny/official/bags/wl.parquet",
        "results/datasets/walkers_tiny/official/coarse.parquet",
        "results/wl_tiny/runs/official-1/history.parquet",
        "results/wl_tiny/runs/official-1/features.parquet",
        "results/wl_tiny/runs/official-1/rankings.parquet",
        "results/wl_tiny/runs/official-1/metrics.json",
        "results/wl_tiny/metrics.json",
        "results/datasets/walkers_tiny/official/bags/wl_spoilt.parquet",
        "results/mini_walkers_tiny/metrics.json",
        "results/mini_walkers_tiny_planted/runs/official-1/audit.parquet",
        "results/mini_walkers_tiny_planted/runs/official-1/audit.json",
        "results/datasets/walkers_tiny/official/noise/tiny.parquet",
        "results/datasets/walkers_tiny/official/noise/tiny.json",
        "results/datasets/walkers_tiny/official/frame_features/tiny.parquet",
        "results/datasets/walkers_tiny/official/isolated/tiny-tiny_near.parquet",
        "results/datasets/walkers_tiny/official/isolated/tiny-tiny_near.json",
        "results/mini_tmc_walkers_tiny_intra_50_noisy/runs/official-1/clusters.parquet",
        "results/mini_tmc_walkers_tiny_intra_50_noisy/runs/official-1/history.parquet",
        "results/datasets/film/cropped.json",
        "film/boxes.txt",
        "results/sources/tiny/generated.json",
        "results/sources/tiny/annotation.parquet",
        "results/sources/tiny/images.arrow",
        "results/attributes/tiny/walkers_tiny/official-1/votes.parquet",
        "results/attributes/tiny/walkers_tiny/official-1/labels.parquet",
        "results/attributes/tiny/walkers_tiny/official-1/quality.json",
        "results/datasets/walkers_tiny/attributes.parquet",
        "results/mini_attr_walkers_tiny/runs/official-1/weights.parquet",
    ],
)
def test_a_newer_result_of_the_same_bytes(name: str, tiny, reruns) -> None:
    path = tiny.folder / name
    before = path.stat()
    os.utime(path)
    try:
        assert reruns() == NOTHING
    finally:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_result_that_was_deleted(tiny, reruns) -> None:
    path = tiny.folder / "results/wl_tiny/runs/official-1/features.parquet"
    aside = path.with_name("aside")
    path.rename(aside)
    try:
        # what stands on it is there, so it is not needed
        assert reruns() == NOTHING
        assert reruns(nested("methods.tiny.evaluation.keep", 10)) == DESCRIBING | {"grid_table"}
    finally:
        aside.rename(path)

from pathlib import Path

from snakemake.utils import min_version

min_version("9.20")


# Later files win. The papers' files are those of this folder; config.yaml is that of the folder that the
# workflow runs in, if it has one.
checkout = Path(workflow.basedir)
own = Path("config.yaml")

for path in sorted(checkout.glob("workflow/papers/*.yaml")):

    configfile: str(path)


configfile: str(own if own.exists() else checkout / own)


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/common_tables.smk"
include: "workflow/rules/common_clips.smk"
include: "workflow/rules/common_report.smk"
include: "workflow/rules/common_tuning.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/supervision.smk"
include: "workflow/rules/tracklets.smk"
include: "workflow/rules/attributes.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/tuning.smk"
include: "workflow/rules/identities.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/attribute_report.smk"
include: "workflow/rules/clip_report.smk"
include: "workflow/rules/audit.smk"


# What jobs of an earlier call left half-written when they were killed, whatever is asked for now.
onstart:
    clear_leftovers()


rule demo:
    default_target: True
    input:
        "results/tables/demo/table.md",
        "results/demo/metrics.json",
        "results/datasets/walkers/contact_sheet.png",
        examples_of("demo"),

from pathlib import Path

from snakemake.utils import min_version

min_version("9.20")


# Later files win. The papers' files are those of this folder; config.yaml is that of the folder
# that the workflow runs in, if it has one.
checkout = Path(workflow.basedir)
own = Path("config.yaml")

for path in sorted(checkout.glob("workflow/papers/*.yaml")):

    configfile: str(path)


configfile: str(own if own.exists() else checkout / own)


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/rules.smk"


# What jobs of an earlier call left half-written when they were killed, whatever is asked for now.
onstart:
    cli.clear_leftovers(PLAN.config, logger.info)


rule demo:
    default_target: True
    input:
        "results/tables/demo/table.md",
        "results/demo/metrics.json",
        "results/demo/learning_curve.svg",
        "results/demo/runs/official-1/matches_fine.png",
        "results/demo/runs/official-1/matches_coarse.png",
        "results/datasets/walkers/contact_sheet.png",

"""Stage: how well the label audit finds the labels that are wrong."""

from pathlib import Path

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.config.params import ScoreAudit
from weakreid.retrieval.audit_score import score


def main(audit: Path, bags: Path, params: ScoreAudit, out: Path) -> None:
    """Score an audit against the truth that it did not see."""
    rows = schemas.read_frame(bags, "bags", truth=True)
    found = score(schemas.read_frame(audit, "audit"), rows[rows["role"] == "train"])
    write_json(out, {**params.model_dump(mode="json"), **found})

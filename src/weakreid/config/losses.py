"""Blocks of the losses, each with its defaults."""

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
)

from weakreid.config.base import Fraction, Positive, Rate, Strict, as_number

Pooled = Annotated[
    Positive | None,
    Field(
        description="logits averaged per identity: the k largest over a bag (Eq. 2); null: all, "
        "which is average pooling"
    ),
]


class Mil(Strict):
    """Mean of the k largest logits, softmax, cross-entropy (WL, Eq. 2 and 3)."""

    name: Literal["mil"]
    k: Pooled = 5


class Wsddn(Strict):
    """Weakly supervised deep detection network: two streams."""

    name: Literal["wsddn"]


class Hslr(Strict):
    """Hard selection logistic regression."""

    name: Literal["hslr"]
    k: Pooled = 5
    alpha: Rate = Field(1.0, description="weight of the absent identities")
    m: Annotated[float, Field(gt=0.0, le=1.0), BeforeValidator(as_number)] = Field(
        0.1, description="share of the identities that are selected; ours, the paper gives none"
    )


class Sslr(Strict):
    """Soft selection logistic regression."""

    name: Literal["sslr"]
    k: Pooled = 5
    alpha: Rate = Field(1.0, description="weight of the absent identities")
    gamma: Rate = Field(
        1.0, description="exponent; the larger, the less well recognised absences count"
    )


class FrameCe(Strict):
    """Softmax cross-entropy on every frame: the fully supervised baseline."""

    name: Literal["frame_ce"]
    smoothing: Fraction = Field(0.0, description="label smoothing")


class CvMiml(Strict):
    """CV-MIML without its cross-view term, as WL compares with it; from memory of its paper."""

    name: Literal["cv_miml"]
    k: Positive = Field(5, description="frames nearest to an identity's surest that may join it")
    gamma: Fraction = Field(
        0.7, description="γ: they join where their probability is this share of the surest's"
    )
    weight: Rate = Field(0.5, description="weight of their agreement; 0 turns it off")


Loss = Annotated[Mil | Wsddn | Hslr | Sslr | FrameCe | CvMiml, Field(discriminator="name")]


class Cpal(Strict):
    """Co-person attention loss (WL, Eq. 4 to 8)."""

    weight: Fraction = Field(
        0.5, description="1 - λ of Eq. 8: share of CPAL in the total loss; 0 turns it off"
    )
    margin: Rate = Field(0.5, description="δ of Eq. 6")


class TrackletLosses(Strict):
    """Weights of TMC's four losses (Eq. 6)."""

    soft_identity: Fraction = Field(
        0.5, description="λ_id: share of the soft cross-entropy against the EMA teacher"
    )
    soft_triplet: Fraction = Field(
        0.8, description="λ_tri: share of the soft triplet loss against the EMA teacher"
    )
    margin: Rate = Field(0.5, description="m of Eq. 3")
    triplet: Literal["hinge", "softmax"] = Field(
        "hinge", description="hard triplet loss: `hinge` (Eq. 3) or `softmax`"
    )


class ClusterContrast(Strict):
    """Cluster contrast: a memory of one centre per cluster; beyond the papers."""

    temperature: Annotated[float, Field(ge=0.001), BeforeValidator(as_number)] = Field(
        0.05, description="τ, by which cosines with the centres are divided"
    )
    momentum: Fraction = Field(
        0.1,
        description="share of a centre that stays when a batch has tracklets of its cluster; each "
        "clustering makes the centres anew",
    )


Weight = Annotated[float, Field(gt=0.0), BeforeValidator(as_number)]


class IdentityTerm(Strict):
    """Softmax cross-entropy over identities."""

    weight: Weight = Field(1.0, description="weight in the sum of losses")
    smoothing: Fraction = Field(0.0, description="label smoothing")


class TripletTerm(Strict):
    """Batch-hard triplets."""

    weight: Weight = Field(1.0, description="weight in the sum of losses")
    margin: Rate = Field(0.3, description="margin; of cosines with `metric: cosine`")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="distance between features"
    )
    ties: Literal["share", "first"] = Field(
        "share", description="gradient among equally hard partners; `first`: ATTN-CL's program"
    )


class CenterTerm(Strict):
    """Center loss."""

    weight: Weight = Field(5e-4, description="weight in the sum of losses")
    rate: Rate = Field(0.5, description="learning rate of the centers; `weight` does not scale it")


class OsmTerm(Strict):
    """Online soft mining with class-aware attention."""

    weight: Weight = Field(1.0, description="weight in the sum of losses")
    sigma: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = Field(
        0.8, description="σ: how fast the weight of positives falls with their distance"
    )
    alpha: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = Field(
        1.2, description="α: margin of the negatives"
    )
    balance: Fraction = Field(0.5, description="l: share of the negatives")
    vectors: Literal["classifier", "centers", "moving_centers"] = Field(
        "classifier",
        description="class vectors: the classifier's weights, or the centers of the center loss "
        "(CL centers); with `moving_centers` this loss moves them too, as in the authors' "
        "program",
    )


class AttentionTerm(Strict):
    """Attention loss: attention on erased frames is penalised (ATTN-CL, Eq. 1)."""

    weight: Weight = Field(1.0, description="weight in the sum of losses")
    of: Literal["weights", "scores"] = Field(
        "weights", description="attention after softmax, or `scores` before it (authors' program)"
    )


class ClipLosses(Strict):
    """Losses of a clip's feature; their weighted sum is minimised."""

    identity: IdentityTerm | None = Field(
        IdentityTerm(), description="cross-entropy over identities; null: off"
    )
    triplet: TripletTerm | None = Field(None, description="batch-hard triplet loss; null: off")
    center: CenterTerm | None = Field(None, description="center loss; null: off")
    osm: OsmTerm | None = Field(
        None, description="online soft mining with class-aware attention; null: off"
    )
    attention: AttentionTerm | None = Field(
        None, description="attention loss on erased frames; null: off"
    )

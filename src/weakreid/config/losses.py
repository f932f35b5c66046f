"""Blocks of the losses, each with its defaults."""

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
)

from weakreid.config.base import Fraction, Positive, Rate, Strict, as_number


class Mil(Strict):
    """Mean of the k largest logits, softmax, cross-entropy (WL, Eq. 2 and 3)."""

    name: Literal["mil"]
    k: Positive = 5


class Wsddn(Strict):
    """Weakly supervised deep detection network: two streams."""

    name: Literal["wsddn"]


class Hslr(Strict):
    """Hard selection logistic regression."""

    name: Literal["hslr"]
    k: Positive = 5
    alpha: Rate = 1.0
    m: Annotated[float, Field(gt=0.0, le=1.0), BeforeValidator(as_number)] = Field(
        0.1, description="share of the identities that are selected; the paper gives none"
    )


class Sslr(Strict):
    """Soft selection logistic regression."""

    name: Literal["sslr"]
    k: Positive = 5
    alpha: Rate = 1.0
    gamma: Rate = 1.0


class FrameCe(Strict):
    """Softmax cross-entropy on every frame: the fully supervised baseline."""

    name: Literal["frame_ce"]
    smoothing: Fraction = 0.0


Loss = Annotated[Mil | Wsddn | Hslr | Sslr | FrameCe, Field(discriminator="name")]


class Cpal(Strict):
    """Co-person attention loss (WL, Eq. 4 to 8)."""

    weight: Fraction = Field(
        0.5, description="1 - λ of Eq. 8: share of CPAL in the whole loss; 0 turns it off"
    )
    margin: Rate = 0.5


class TrackletLosses(Strict):
    """TMC, Eq. 6."""

    soft_identity: Fraction = Field(0.5, description="λ_id")
    soft_triplet: Fraction = Field(0.8, description="λ_tri")
    margin: Rate = 0.5
    triplet: Literal["hinge", "softmax"] = "hinge"


Weight = Annotated[float, Field(gt=0.0), BeforeValidator(as_number)]


class IdentityTerm(Strict):
    """Softmax cross-entropy over identities."""

    weight: Weight = 1.0
    smoothing: Fraction = Field(0.0, description="of the labels")


class TripletTerm(Strict):
    """Batch-hard triplets."""

    weight: Weight = 1.0
    margin: Rate = 0.3
    metric: Literal["euclidean", "cosine"] = "euclidean"
    ties: Literal["share", "first"] = Field(
        "share", description="which of equally hard partners learn; first: ATTN-CL's program"
    )


class CenterTerm(Strict):
    """The center loss."""

    weight: Weight = 5e-4
    rate: Rate = Field(0.5, description="of the centers' own descent, whatever the weight")


class OsmTerm(Strict):
    """Online soft mining with class-aware attention."""

    weight: Weight = 1.0
    sigma: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = 0.8
    alpha: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = Field(
        1.2, description="α, the margin of negatives"
    )
    balance: Fraction = Field(0.5, description="l, the share of negatives")
    vectors: Literal["classifier", "centers", "moving_centers"] = Field(
        "classifier",
        description="what stands for a class: the classifier's weights, or the center loss's "
        "centers (CL centers); moving: this loss moves them too, as the authors' program",
    )


class AttentionTerm(Strict):
    """The attention loss: erased frames should not be looked at (ATTN-CL, Eq. 1)."""

    weight: Weight = 1.0
    of: Literal["weights", "scores"] = Field(
        "weights", description="attention, or what softmax makes it of, as the authors' program"
    )


class ClipLosses(Strict):
    """The losses whose weighted sum trains a clip's descriptor; null: not among them."""

    identity: IdentityTerm | None = IdentityTerm()
    triplet: TripletTerm | None = None
    center: CenterTerm | None = None
    osm: OsmTerm | None = None
    attention: AttentionTerm | None = None

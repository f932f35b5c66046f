"""The tables of a folder of crops (`weakreid.datasets.crops`)."""

TRACKLETS = "tracklets.csv"
FRAMES = "frames.csv"

TRACKLET_COLUMNS = (
    "tracklet_id",
    "sequence",
    "track_id",
    "person_id",
    "camera_id",
    "role",
    "first_frame",
    "last_frame",
    "frame_count",
)
FRAME_COLUMNS = ("tracklet_id", "frame", "file", "person_id")

"""The command of a rule's job."""

from weakreid.plan.read import RULES
from weakreid.plan.rules import Job


def test_a_file_in_a_folder_is_looked_for_where_the_folder_lies() -> None:
    job = Job(inputs={"videos": "results/crops"}, within={"videos": "videos.csv"})
    found = RULES["named_bags"].call(job, {"videos": "storage/crops"}, {"bags": "storage/bags"})
    assert found == ["--videos=storage/crops/videos.csv", "--out=storage/bags"]

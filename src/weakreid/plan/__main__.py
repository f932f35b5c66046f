"""`python -m weakreid.plan [NAME]`: the same as `weakreid plan`."""

import typer

from weakreid.cli.plan import plan

if __name__ == "__main__":
    typer.run(plan)

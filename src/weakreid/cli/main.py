"""The command `weakreid`."""

import typer

from weakreid.cli.plan import plan

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(plan)


@app.callback()
def weakreid() -> None:
    """Video person re-identification with weak labels and noisy tracklets.

    Everything is computed by snakemake; this command looks at the plan of it.
    """


if __name__ == "__main__":
    app()

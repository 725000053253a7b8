"""`digest train` and `digest backtest`: what is trending, learned from the stored history, and judged on it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import Day, Instant, answer, chosen_list, wired

if TYPE_CHECKING:
    from digest.container import Container
    from digest.ranking.trending import Ranker
    from digest.services.ranking.backtest import Mean

LAST = timedelta(days=61)
"""Two months: what is replayed unless told otherwise."""


@click.command()
@click.option("--list", "list_name", help="The list whose papers and cutoff count (default: the first one configured).")
@click.option("--until", type=Instant(), help="Learn only from what was observed by this instant (default: all there is).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the file here (default: to the screen).")
@wired
def train(container: Container, as_json: bool, list_name: str | None, until: datetime | None, out: Path | None) -> None:
    """Fit the ranking's coefficients to the stored history: a TOML file to read, and to name as `ranking.coefficients`."""
    from digest.ranking.model import written

    model = container.papers.train(chosen_list(container, list_name), until)
    text = written(model)
    if out:
        out.write_text(text, "utf-8")

    def lines() -> None:
        if out:
            record = ", ".join(f"{name} {value}" for name, value in model.fitted_on.items())
            click.echo(f"{out}: fitted on {record}; set ranking.coefficients to use it, `digest backtest` to judge it")
        else:
            click.echo(text, nl=False)

    answer(as_json, {"out": str(out) if out else None, **model.fitted_on, "weights": dict(model.weights)}, lines)


@click.command()
@click.option("--list", "list_name", help="The list whose papers and cutoff count (default: the first one configured).")
@click.option("--since", type=Day(), help="The first morning (default: two months before the last).")
@click.option("--until", type=Day(), help="The last morning (default: where the history ends).")
@click.option("--coefficients", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Judge this file too.")
@wired
def backtest(
    container: Container, as_json: bool, list_name: str | None, since: date | None, until: date | None, coefficients: Path | None
) -> None:
    """Replay the stored history morning by morning: who would have foretold the votes of the next 72 hours?

    Each ranking sees what was known on the morning, chooses ten of the papers first seen in the last days, none twice, and is
    judged by the votes they gained.
    """
    from digest.ranking.baselines import FORMULAS

    end = container.papers.history_end()
    last = min(until or end.date(), end.date())
    own = {coefficients.name: container.adapters.ranker_of(coefficients)} if coefficients else {}
    rankers: dict[str, Ranker] = {"trending": container.adapters.ranker, **own, **FORMULAS}
    done = container.papers.backtest(chosen_list(container, list_name), rankers, since or last - LAST, last)
    models = {name: each.model for name, each in {"trending": container.adapters.ranker, **own}.items()}
    fitted = {name: str(model.fitted_on["until"]) for name, model in models.items() if "until" in model.fitted_on}
    seen = {name: until for name, until in fitted.items() if until[:10] > done.since.isoformat()}

    def lines() -> None:
        click.echo(f"{done.mornings} mornings from {done.since} to {done.until}")
        first = done.scores[0]
        click.echo(f"{'':44}  {'NDCG@10':13}  {'captured':13}  hours to inbox  NDCG@10 less the first's")
        for each in done.scores:
            less = "" if each is first else shown(each.difference, "+")
            figures = f"{each.ndcg:.3f} ± {each.ndcg_error:.3f}  {each.captured:5.1%} ± {each.captured_error:5.1%}"
            click.echo(f"{each.ranker:44}  {figures}  {each.hours:14.1f}  {less}".rstrip())
        for hours, lost in first.lost.items():
            click.echo(f"{first.ranker}: a choice made {hours} hours after the cutoff would be better by {shown(lost, '+')}")
        if done.unvoted:
            chance = f"{done.unvoted_chance:.1%} of all papers"
            click.echo(f"as if nobody had voted, the papers of each of {done.unvoted_days} days ({chance} came to 10 votes):")
            click.echo(f"{'':44}  {'NDCG@10':13}  came to 10     categories")
        for those in done.unvoted:
            click.echo(f"{those.ranker:44}  {shown(those.ndcg)}  {shown(those.reached)}  {those.categories:10.1f}")
        for name, until in seen.items():
            click.echo(f"{name} was fitted on what was read by {until}: earlier mornings are no test of it")

    document = asdict(done) | {"since": done.since.isoformat(), "until": done.until.isoformat(), "fitted_until": fitted}
    answer(as_json, document, lines)


def shown(figure: Mean, sign: str = "") -> str:
    return f"{figure.mean:{sign}.3f} ± {figure.error:.3f}"

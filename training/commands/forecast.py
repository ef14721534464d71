"""``nba forecast``: what the next horizon will bring, and how forecasts did before."""

from __future__ import annotations

import argparse

from nba.door import moment, now_us, settings_at
from nba.output import Output


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = (
        "Expect conversions and margin of the next horizon, with a 90 % interval that comes from the chances "
        "themselves and from how forecasts of past moments came out; beside it what last year's revenue by ABC class "
        "would expect. Every forecast is kept beside nba.toml and shown with its outcome once its time has come."
    )
    parser.epilog = "examples:\n  nba forecast --horizon 90d\n  nba forecast --horizon 30d --by topic,owner --json"
    parser.add_argument("--horizon", metavar="H", help="how far ahead, such as 30d; default: each goal's own")
    parser.add_argument("--by", metavar="WHAT", default="", help="split by topic, owner, partner; several with commas")
    parser.add_argument("--as-of", metavar="T", help="from what had happened before T (ISO 8601); default: now")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Foresee, show and keep."""
    from features.store.store import Store
    from models.forecast_log import ForecastLog
    from models.local import local_champion
    from training.forecast.forecast import forecast
    from training.forecast.log import matured
    from training.forecast.text import readable
    from training.past import WITHOUT_TERMS, read_past

    settings = settings_at(args, out)
    horizon, by = _horizon(args.horizon), _dimensions(args.by)
    with Store.open(settings.store.url) as store:
        past = read_past(store, settings, moment(args.as_of), without=WITHOUT_TERMS)
    with out.progress("goals", len(settings.need_goals())) as shown:
        report = forecast(past, settings, local_champion(settings.folder), horizon, by, advance=shown.advance)
    log = ForecastLog.of(settings.folder)
    report["earlier"] = matured(log, past, settings)
    if not log.add(report, now_us()):
        out.say(f"{log.path} cannot be written, so this forecast is not kept for later comparison")
    if args.json:
        out.json(report)
    else:
        out.result(readable(report))
    return 0


def _horizon(text: str | None) -> int | None:
    from features.errors import UsageError
    from nba.settings.values import positive_duration

    if text is None:
        return None
    try:
        return positive_duration(text)
    except ValueError as error:
        raise UsageError(f"--horizon: {error}") from None


def _dimensions(text: str) -> list[str]:
    from features.errors import UsageError
    from training.forecast.forecast import DIMENSIONS

    wanted = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [part for part in wanted if part not in DIMENSIONS]
    if unknown:
        raise UsageError(f"--by: {', '.join(unknown)} is nothing to split by; choose from {', '.join(DIMENSIONS)}")
    return wanted

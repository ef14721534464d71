"""``nba init``: a settings file to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from features.errors import UserError
from nba.output import Output
from nba.settings import FILE

TEMPLATE = """\
# What a marketing or sales owner decides. This file runs as it is; change what does not fit your data.
# A key that is left out has its default. Durations: a whole number and ms, s, m, h, d or w.

[store]
url = "sqlite:///nba.db"                 # beside this file

[touchpoints]
money = ["order"]                        # kinds of touchpoints whose `value` is revenue

# --- what is to be predicted: use the kinds that your touchpoints have ---
[goals.conversion]
kinds = ["order"]                        # true when one of these happens within the horizon
horizon = "30d"

[goals.churn]
absence_of = ["order"]                   # true when none of these happens within the horizon
horizon = "60d"
among = { seen = ["order"], within = "120d" }

[snapshots]
every = "14d"                            # a training row for every contact, every 14 days
test = 0.3                               # the newest part is kept for the test

# --- the rule-based score that a model must beat ---
[points]
kinds = { visit = 5, newsletter_open = 50, download = 100, service_call = 250 }
once = []                                # kinds counted at most once a contact
thresholds = [
  { below = 250, actions = ["newsletter"] },
  { from = 250, actions = ["sales_call"] },
]

# --- what may be done; "do nothing" is always a candidate ---
[actions.newsletter]
channel = "email"
cost = 0.05                              # in the currency of the orders

[actions.sales_call]
channel = "phone"
cost = 18.0
needs = { points_from = 100 }            # who it is for at all

# --- how often, when and to whom ---
[contact_policy]
timezone = "Europe/Zurich"
caps = [{ channel = "email", per = "7d", count = 2 }, { per = "30d", count = 6 }]
quiet = { from = "20:00", to = "08:00", channels = ["phone"] }

[contact_policy.consent]                 # opt_in | double_opt_in | opt_out
email = "opt_out"
phone = "opt_out"

[ranking]
policy = "epsilon"
epsilon = 0.02                           # this part of the choices is left to chance, so that the log can te
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the folder."""
    parser.add_argument("dir", nargs="?", type=Path, default=Path("."), metavar="DIR", help="default: this folder")
    parser.epilog = "example:\n  nba init shop && cd shop && nba load touchpoints visits.csv"


def run(args: argparse.Namespace, out: Output) -> int:
    """Write the file; never over another."""
    path = args.dir / FILE
    try:
        args.dir.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        what = f"{path} is already there" if path.exists() else f"{args.dir} is not a folder"
        raise UserError(f"{what}; nothing was written, name another folder") from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}; name a folder of yours") from None
    out.result(f"wrote {path}")
    out.say("next: `nba load touchpoints FILE.csv`, then `nba train run`")
    return 0

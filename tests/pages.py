"""Pages of Hugging Face's daily papers for any days, made up: invented titles and people, votes that grow."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import product

_METHODS = ("Patient", "Quiet", "Backward", "Sparse", "Borrowed", "Folded", "Honest", "Late", "Small")
_TASKS = ("Segmentation", "Retrieval", "Planning", "Translation", "Distillation", "Alignment", "Search", "Forecasting")
_THINGS = ("Lighthouses", "Ferries", "Foghorns", "Tide Tables", "Harbour Maps", "Buoys", "Drawbridges", "Sea Charts")
_PEOPLE = ("Mira Oduya-Lind", "Tomas Halvorsgaard", "Inés Quarrie", "Noé d'Aubrac", "Jun Takamori-Bell", "Priya Vellankova")
_TITLES = [f"{method} {task} of {thing}" for task, thing, method in product(_TASKS, _THINGS, _METHODS)]
PER_DAY = 12


def daily_pages(first: date, last: date) -> dict[str, bytes]:
    """By day, the page of each weekday from `first` to `last`."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return {day.isoformat(): json.dumps(_page(day)).encode() for day in days if day.weekday() < 5}


def _page(day: date) -> list[dict[str, object]]:
    numbers = range(day.toordinal() * PER_DAY, (day.toordinal() + 1) * PER_DAY)
    return [_row(day, number) for number in numbers]


def _row(day: date, number: int) -> dict[str, object]:
    title, who = _TITLES[number % len(_TITLES)], _PEOPLE[number % len(_PEOPLE)]
    return {
        "paper": {
            "id": f"{day:%y%m}.{90_000 + number % 10_000:05}",
            "title": title,
            "summary": f"{title} is harder than it looks. We show why on {3 + number % 7} invented coasts, and what to do.",
            "authors": [{"name": who, "hidden": False}],
            "publishedAt": f"{day - timedelta(days=1)}T15:00:00.000Z",
            "submittedOnDailyAt": f"{day}T02:00:00.000Z",
            "upvotes": number * 7 % 61,
            "ai_summary": f"A new way to do {title.lower()}.",
            "ai_keywords": [title.split()[1].lower()],
        },
        "title": title,
        "numComments": number % 5,
    }

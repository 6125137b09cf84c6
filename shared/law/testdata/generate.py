"""Writes holidays.txt and easter.txt, which the tests of package law read.

    python3 -m venv /tmp/holidays
    /tmp/holidays/bin/pip install holidays==0.109 python-dateutil==2.9.0.post0
    /tmp/holidays/bin/python generate.py

The package is a witness, not a source: nothing but these tests knows of it.
"""

import holidays
from dateutil.easter import EASTER_ORTHODOX, EASTER_WESTERN, easter
from holidays.constants import GOVERNMENT, PUBLIC

YEARS = range(2020, 2036)
COUNTRIES = (
    "AT AU BE BG BR CH CY CZ DE DK EE ES FI FR GR HR HU IE IS IT "
    "LI LT LU LV MT NL NO NZ PL PT RO SE SI SK US"
).split()
# Category public with subdivision CA is the nearest that the package has to the
# days on which California's state offices are closed; its category government is
# of federal offices.
PARTS = "CA-AB CA-BC CA-ON CA-QC GB-ENG GB-NIR GB-SCT GB-WLS US-CA".split()
# The other holidays of India are appointed each year.
NATIONAL_IN = ("Republic Day", "Independence Day", "Mahatma Gandhi's Birthday")


def days(country, year, part=None, category=PUBLIC):
    return holidays.country_holidays(
        country, subdiv=part, years=year, categories=(category,)
    )


def places():
    for country in COUNTRIES:
        yield country, lambda year, country=country: set(days(country, year))
    for place in PARTS:
        country, part = place.split("-")
        yield place, lambda year, c=country, p=part: set(days(c, year, p))
    # Public without a province is only what all provinces share; government is the
    # list of the Canada Labour Code.
    yield "CA", lambda year: set(days("CA", year, category=GOVERNMENT))
    yield "GB", lambda year: set.intersection(
        *(set(days("GB", year, part)) for part in ("ENG", "NIR", "SCT", "WLS"))
    )
    yield "IN", lambda year: {
        day
        for day, names in days("IN", year).items()
        if any(name in NATIONAL_IN for name in names.split("; "))
    }


with open("holidays.txt", "w", encoding="ascii") as out:
    out.write(f"# holidays {holidays.__version__}, written by generate.py\n")
    for place, of in sorted(places()):
        for year in YEARS:
            dates = sorted(day for day in of(year) if day.year == year)
            out.write(" ".join([place, str(year), *(f"{d:%m%d}" for d in dates)]) + "\n")

with open("easter.txt", "w", encoding="ascii") as out:
    out.write("# dateutil.easter, western and orthodox, written by generate.py\n")
    for year in range(1900, 2201):
        western, orthodox = easter(year, EASTER_WESTERN), easter(year, EASTER_ORTHODOX)
        out.write(f"{year} {western:%m%d} {orthodox:%m%d}\n")

# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, departments and places that the lab's people are made of. Each forest has its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Vocabulary:
    """The words of one forest."""

    company: str
    given_names: tuple[str, ...]
    surnames: tuple[str, ...]
    departments: tuple[str, ...]
    units: tuple[tuple[str, ...], ...]  # paths of organizational units below People, outermost first
    titles: tuple[str, ...]
    surname_first: bool  # naming habit: "Müller, Jürgen" as common name


_CONTOSO = Vocabulary(
    company="Contoso AG",
    given_names=(
        "Jürgen",
        "Zoë",
        "Seán",
        "Åsa",
        "Łukasz",
        "François",
        "Nadia",
        "Oliver",
        "Priya",
        "Tomás",
        "Ingrid",
        "Marc-André",
        "Chloé",
        "Björn",
        "Yusuf",
        "Emma",
        "Matteo",
        "Renée",
        "Søren",
        "Hana",
        "Dmitri",
        "Lucía",
        "Noah",
        "Aoife",
        "Çağla",
        "Theo",
        "Mia",
        "Rafael",
        "Sofie",
        "Anton",
    ),
    surnames=(
        "Müller",
        "O'Brien",
        "García",
        "Ångström",
        "Kowalski",
        "D'Angelo",
        "Nguyen",
        "Smith",
        "Béranger",
        "Østergård",
        "van der Berg",
        "Weiß",
        "Šimek",
        "Li",
        "Fernández-López",
        "Okafor",
        "Þórsson",
        "Rossi",
        "Dubois",
        "Patel",
        "Jónsdóttir",
        "Keller",
        "Yılmaz",
        "Brown",
        "Huber",
        "Lefèvre",
        "Novák",
        "Tanaka",
        "Meier",
        "Silva",
    ),
    departments=("Sales", "Finance", "R&D", "Legal", "Operations", "Human Resources", "Marketing", "IT"),
    units=(
        ("Zürich",),
        ("Zürich", "Sales, East"),
        ("Zürich", "R+D"),
        ('The "Blue" Team',),
        ("#Field",),
        ("Genève", "Équipe"),
    ),
    titles=("Analyst", "Engineer", "Manager", "Director", "Assistant", "Counsel"),
    surname_first=False,
)

_FABRIKAM = Vocabulary(
    company="Fabrikam, Inc.",
    given_names=(
        "Amélie",
        "Bruno",
        "Carlos",
        "Danièle",
        "Elif",
        "Frédéric",
        "Greta",
        "Hugo",
        "Inés",
        "Jörg",
        "Katarzyna",
        "Liam",
        "Maëlle",
        "Nuno",
        "Øystein",
        "Petra",
        "Quentin",
        "Róisín",
        "Štěpán",
        "Tove",
        "Ulrike",
        "Víctor",
        "Wojciech",
        "Xavier",
        "Yolanda",
        "Zdeněk",
        "Ada",
        "Boris",
        "Clara",
        "Diego",
    ),
    surnames=(
        "Abbott",
        "Bäcker",
        "Çelik",
        "Doležal",
        "Echeverría",
        "Fjällström",
        "Gröning",
        "Hansen",
        "Ivanov",
        "Jäger",
        "Kjær",
        "L'Hôpital",
        "McDonald",
        "Núñez",
        "O'Connor",
        "Pérez",
        "Quist",
        "Råberg",
        "Strauß",
        "Thériault",
        "Urbański",
        "Vallée",
        "Wright",
        "Xu",
        "Young",
        "Żak",
        "de la Cruz",
        "St. John",
        "Ek",
        "Moreau",
    ),
    departments=("Production", "Quality", "Purchasing", "Logistics", "Research", "Service"),
    units=(
        ("Werk Köln",),
        ("Werk Köln", "Schicht 1; früh"),
        ("Büro = Zentrale",),
        ("Büro = Zentrale", "Einkauf, Ausland"),
        ("A\\B Test",),
    ),
    titles=("Technician", "Inspector", "Buyer", "Planner", "Scientist"),
    surname_first=True,
)

VOCABULARIES = {"contoso": _CONTOSO, "fabrikam": _FABRIKAM}

"""Made-up law books for the miner's tests, and the real command on them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

PROGRAM = str(Path(sys.executable).with_name("mercwatch"))
Rows = list[dict[str, Any]]


def mine(
    book: Path, out: Path, *options: str, before: Iterable[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run `mercwatch mine`; before: a command that runs it."""
    command = [*before, PROGRAM, "mine", str(book), "--out", str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def mined(book: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `mercwatch mine` and see that it ends well."""
    done = mine(book, out, *options)
    assert done.returncode == 0, done.stderr[-2000:]
    return done


def rows_of(path: Path) -> Rows:
    """The candidates of a .jsonl result."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def summary_of(out: Path) -> dict[str, Any]:
    """The summary that lies beside a result."""
    told: dict[str, Any] = json.loads(out.with_name(f"{out.stem}.summary.json").read_text(encoding="utf-8"))
    return told


def ranked(rows: Rows, recommendation: str) -> list[tuple[str, str]]:
    """File and article of a recommendation's candidates, best first."""
    return [(row["file"], row["article"]) for row in rows if row["recommendation"] == recommendation]


def law(title: str, *articles: str, **front: str) -> str:
    """A law as law books print it: front matter, title, articles with their headings."""
    lines = "".join(f'{key}: "{value}"\n' for key, value in {"title": title, **front}.items())
    return f"---\n{lines}---\n# {title}\n\n" + "".join(f"##### {article}\n\n" for article in articles)


def written(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def tarred(archive: Path, add: Callable[[tarfile.TarFile], None]) -> Path:
    """An archive that `add` fills; compressed as its name says."""
    mode: Any = "w:xz" if archive.suffix == ".xz" else "w"
    with tarfile.open(archive, mode) as tar:
        add(tar)
    return archive


def member(tar: tarfile.TarFile, name: str, data: bytes = b"", **changes: Any) -> None:
    """Add one member whatever its name."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def outside(folder: Path, *but: Path) -> set[str]:
    """All files below a folder, but those below these."""
    every = (Path(root) / name for root, _, names in os.walk(folder) for name in names)
    return {str(path) for path in every if not any(path.is_relative_to(b) for b in but)}


TROJAN = """**Art. 269<sup>ter</sup>** Einsatz von besonderen Informatikprogrammen

1 Die Staatsanwaltschaft kann das Einschleusen von besonderen Informatikprogrammen in ein
Datenverarbeitungssystem anordnen, um den Inhalt der Kommunikation zu überwachen, wenn eine schwere Straftat
verfolgt wird und die bisherigen Massnahmen erfolglos geblieben sind oder die Ermittlungen sonst aussichtslos
wären. Die Überwachung des Fernmeldeverkehrs bedarf der Genehmigung durch das Zwangsmassnahmengericht.
2 Die Anordnung gilt höchstens drei Monate und kann verlängert werden. Aufzeichnungen, die nicht mehr gebraucht
werden, sind unverzüglich zu vernichten."""

INTERCEPTION = law(
    "Gesetz über die Überwachung des Post- und Fernmeldeverkehrs",
    """**Art. 1** Gegenstand

Dieses Gesetz regelt die Überwachung des Fernmeldeverkehrs in Strafverfahren.

### 2. Kapitel: Überwachung von Telekommunikation""",
    TROJAN,
    """**Art. 270** Gebühren

Für die Verrichtungen der Verwaltung werden Gebühren nach dem Tarif des Anhangs erhoben.""",
    identifier="nord-ueberwachung",
    sr_number="780.1",
    applicability_date="2020-01-01",
)
EXPORT = law(
    "Gesetz über die Ausfuhr von Gütern mit doppeltem Verwendungszweck",
    """**Art. 1** Zweck

Dieses Gesetz dient dem Frieden.""",
    """**Art. 4** Verweigerung der Ausfuhrbewilligung

1 Die Ausfuhr von Gütern der Überwachungstechnik und von Software mit doppeltem Verwendungszweck ist
bewilligungspflichtig. Die Bewilligung für die Ausfuhr wird verweigert, wenn Grund zur Annahme besteht, dass die
Güter von der Endempfängerin zur Unterdrückung und zur Verletzung von Menschenrechten verwendet werden.
2 Die Endverwendung ist mit einer Endverbleibserklärung zu belegen.""",
    """**Art. 9** Inkrafttreten

Der Rat bestimmt das Inkrafttreten.""",
    identifier="nord-ausfuhr",
)
PROCUREMENT = law(
    "Loi sur les marchés publics",
    """Art. 1<sup>er</sup>. Objet

La présente loi règle la passation des marchés.""",
    """Art. 20. Publicité des marchés publics

Le pouvoir adjudicateur publie un avis de marché et un avis d’attribution pour tout marché public. Sont exceptés
de la publication préalable les marchés publics déclarés secrets ou dont l’exécution doit s’accompagner de mesures
particulières de sécurité, lorsque la protection des intérêts essentiels de la sécurité de l’État l’exige. Ils sont
passés par procédure négociée sans publication préalable d’un avis.""",
    """Art. 30. Traitements du personnel

Les agents sont payés par le budget de l’État selon leur grade.""",
    identifier="sud-marches",
)
FOOD = law(
    "Food Safety Act",
    """1. Surveillance of diseases

The Food Authority keeps foodborne diseases of animals under surveillance and may inspect any kitchen in which
meat, milk or eggs for sale are made ready.""",
    """2. Fees

The fees for the inspection of meat are set by order of the Minister.""",
    identifier="west-food",
)
EAVESDROPPING = law(
    "Interception of Communications Act",
    """1. Interpretation

In this Act “communication” means any message that is sent by means of a telecommunications service.""",
    """2. Interception warrants

The Minister may issue a warrant for the interception of communications only where it is necessary and
proportionate for the purpose of preventing serious crime or in the interests of national security. The warrant
must be approved by a judge before any computer or telephone is interfered with. It lasts for no more than three
months.""",
    identifier="west-interception",
)
AMENDING = law(
    "Gesetz über die Änderung des Strafverfahrens",
    """Art. 1

Das Strafverfahrensgesetz wird wie folgt geändert: Die Überwachung des Fernmeldeverkehrs wird neu geregelt.""",
    TROJAN.replace("**Art. 269<sup>ter</sup>** Einsatz", "***Art. 269<sup>ter</sup>*** Einsatz"),
    identifier="nord-aenderung",
)
ROADS = law(
    "Strassenverkehrsgesetz",
    """**Art. 3** Überwachung des Verkehrs

Die Gemeinde ordnet die Überwachung der Parkplätze an und sorgt für die Reinigung der Strassen.""",
    identifier="nord-strassen",
)
SCHOOL = law(
    "Loi sur les écoles",
    """Art. 5. Surveillance des élèves

Les maîtres assurent la surveillance des élèves pendant les récréations et les repas de midi.""",
    identifier="sud-ecoles",
)
INTELLIGENCE = law(
    "Loi sur le renseignement",
    """Art. 8. Autorisation du juge

Le service de renseignement peut procéder à l’interception des communications et à l’intrusion dans un système
informatique après autorisation préalable du juge, si la mesure est nécessaire et proportionnée à une menace pour
la sécurité nationale. La mesure ne peut dépasser trois mois.""",
    """Art. 9. Contrôle

Une commission de contrôle indépendante surveille le service de renseignement. Elle adresse un rapport annuel au
Parlement.""",
    identifier="sud-renseignement",
)
TENDERS = law(
    "Public Procurement Act",
    """1. Contract notices

A contracting authority must publish a contract notice before, and a contract award notice after, the award of a
public contract, unless the contract is declared secret and the protection of essential security interests
requires that no notice is published.""",
    identifier="west-procurement",
)
EXPORT_HTML = """<!DOCTYPE html>
<html><head><title>Export Control Act</title><style>p { color: red }</style></head>
<body><h1>Export Control Act</h1>
<div class="part"><h5>1. Short title</h5><p>This Act may be cited as the Export Control Act&nbsp;1999.</p></div>
<h5>2. Export of dual-use goods &amp; surveillance technology</h5>
<p>No person shall <b>export</b> any dual-use goods, or any software or technology for the interception of
communications, without an export licence. A licence shall be refused where there is a risk that the end&#45;user
will use the goods for internal repression or for violations of human rights.</p>
<script>var export_licence = "none";</script>
</body></html>
"""
ARMS_TEXT = """Loi sur l’exportation d’armes et de biens à double usage

Article 1
La présente loi règle le commerce des biens.

Article 2
L’exportation de biens à double usage et de matériel de surveillance est soumise à une autorisation d’exportation.
L’autorisation est refusée s’il existe un risque que l’utilisateur final commette des violations des droits de
l’homme ou s’en serve à des fins de répression interne.
"""
BOOK = {
    "de/ueberwachung.md": INTERCEPTION,
    "de/ausfuhr.md": EXPORT,
    "de/aenderung.md": AMENDING,
    "de/strassen.md": ROADS,
    "en/food.md": FOOD,
    "en/interception.md": EAVESDROPPING,
    "en/procurement.md": TENDERS,
    "en/export.html": EXPORT_HTML,
    "fr/marches.md": PROCUREMENT,
    "fr/ecoles.md": SCHOOL,
    "fr/renseignement.md": INTELLIGENCE,
    "fr/armes.txt": ARMS_TEXT,
}

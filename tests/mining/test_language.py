"""The language of a law is told by its little words."""

from __future__ import annotations

import pytest

from mercwatch.mining.language import detect, of_book

NORWEGIAN = "Dette gjelder også for den som ikke har fått tillatelse etter loven, og som skal være ansatt hos politiet."
DANISH = (
    "Det gælder også for den, der ikke har fået tilladelse efter loven, og som skal være ansat af politiet."
)
SAID = {
    "de": "Die Behörde kann die Ausfuhr verbieten, wenn sie der Sicherheit des Landes schadet und nicht nötig ist.",
    "fr": "Le ministre peut refuser l’autorisation si les biens sont destinés à une personne qui ne la mérite pas.",
    "en": "The Minister may refuse the licence where it is not in the interest of the country or of any person.",
    "it": "Il ministro può negare la licenza se i beni sono destinati a una persona che non è degna della stessa.",
    "es": "El ministro puede negar la licencia cuando los bienes se destinen a una persona que no sea digna de ella.",
    "nl": "De minister kan de vergunning weigeren als het niet in het belang van het land of van een ander is.",
    "sv": "Regeringen får meddela föreskrifter om att det inte är tillåtet att föra ut varor som avses i första stycket.",
    "fi": "Lupa voidaan evätä, jos se ei ole maan edun mukaista tai jos sen saaja on henkilö, joka ei ole luotettava.",
    "pl": "Minister może odmówić wydania zezwolenia, jeżeli nie jest to w interesie kraju lub gdy osoba nie daje rękojmi.",
    "cs": "Ministr může odmítnout povolení, pokud to není v zájmu země nebo jestliže se jedná o osobu, která není hodná.",
    "sk": "Minister môže odmietnuť povolenie, ak to nie je v záujme krajiny alebo ak ide o osobu, ktorá nie je hodná.",
    "el": "Ο υπουργός μπορεί να αρνηθεί την άδεια αν αυτή δεν είναι προς το συμφέρον της χώρας ή αν το πρόσωπο δεν αξίζει.",
    "uk": "Міністр може відмовити у дозволі, якщо це не є в інтересах країни або якщо особа, яка його просить, не гідна.",
    "bg": "Министърът отказва разрешението, когато то не е в интерес на страната, освен ако това не е при условията на чл. 5.",
    "ja": "大臣は、その輸出が国の安全を害するおそれがあると認めるときは、許可をしないことができる。",
    "ko": "장관은 그 수출이 국가의 안전을 해할 우려가 있는 경우에는 허가를 하지 아니할 수 있다.",
    "hu": "A miniszter az engedélyt megtagadhatja, ha az nem szolgálja az ország érdekét, vagy ha a személy arra nem méltó.",
}


@pytest.mark.parametrize("language", SAID)
def test_a_sentence_tells_its_language(language: str) -> None:
    assert detect(SAID[language]) == language


def test_neighbours_are_told_apart() -> None:
    assert detect(NORWEGIAN) == "no" and detect(DANISH) == "da"
    assert detect(NORWEGIAN, ("no",)) == "no" and detect(DANISH, ("da", "de")) == "da"


def test_a_books_languages_are_those_of_its_laws_not_of_a_stray_quotation() -> None:
    assert of_book([SAID["de"]] * 60 + [SAID["fr"]] * 39 + [SAID["it"]]) == ("de", "fr")
    assert of_book([SAID["ja"], SAID["ja"]]) == ("ja",)
    assert of_book([]) == ()


@pytest.mark.parametrize(
    "text", ["", "12 345 67.89 §§ – * *", "Qwlpf xyzzy glorb fnord wibble plugh zork frotz."]
)
def test_what_no_lexicon_knows_has_no_language(text: str) -> None:
    assert detect(text) is None
    assert detect(text, ("de", "fr")) is None

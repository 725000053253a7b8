"""Words that spelling parts and a reader does not; and which papers are like one."""

from __future__ import annotations

from digest.domain.paper import Paper
from digest.ranking.similar import distinctive_words, most_alike, rarest
from digest.store.papers.spelling import spellings
from tests.servers.stocked import NOW, arxiv
from tests.tables import every_row

SIMILAR = [
    ("generalisation", {"generalization", "generalizability", "generalise"}),
    ("generalizability", {"generalization", "generalisation", "generalisability"}),
    ("optimizers", {"optimize", "optimise"}),
    ("analyses", {"analysis", "analyze", "analyse"}),
    ("behaviour", {"behavior"}),
    ("colors", {"colours"}),
    ("behavioural", {"behavioral"}),
    ("centre", {"center"}),
    ("parameters", {"parametres"}),
    ("modelling", {"modeling"}),
    ("labeled", {"labelled"}),
    ("catalogue", {"catalog"}),
    ("dialogs", {"dialogues"}),
]


@every_row(("word", "kin"), SIMILAR)
def test_a_word_is_found_however_it_is_spelled(word: str, kin: set[str]) -> None:
    found = spellings(word)
    assert found[0] == word
    assert kin <= set(found)
    assert len(found) == len(set(found)) <= 9


@every_row("word", ["transformer", "four", "size", "wise", "feed", "re", "graph", ""])
def test_most_words_have_one_spelling(word: str) -> None:
    assert spellings(word) == (word,)


def paper(number: int, title: str, abstract: str = "", keywords: tuple[str, ...] = ()) -> Paper:
    return Paper(id=number, identifiers=(arxiv(number),), title=title, first_seen_at=NOW, abstract=abstract, keywords=keywords)


PROTEINS = paper(1, "Folding proteins with graphs", "Proteins fold. We fold proteins by graphs of proteins.", ("proteins",))
FOLDS = paper(2, "Proteins and how they fold", "Folding of proteins.")
GRAPHS = paper(3, "Graphs for everything", "Graphs of roads.")
CATS = paper(4, "Pictures of cats", "Cats, mostly asleep.")


def test_what_a_paper_says_most_is_what_to_look_for() -> None:
    said = distinctive_words(PROTEINS)
    assert list(said)[:2] == ["proteins", "folding"], "one word for each stem, as it was spelled first"
    assert said["proteins"] == 3 + 2 + 3
    assert said["folding"] == 3 + 2
    assert said["graphs"] == 3 + 1
    assert list(distinctive_words(PROTEINS, 2)) == ["proteins", "folding"]
    assert "of" not in said, "too short to tell anything"


def test_the_rare_is_looked_for_first_and_what_nobody_else_says_not_at_all() -> None:
    said = {"proteins": 8, "folding": 5, "graphs": 4, "unheard": 9, "single": 2}
    papers = {"proteins": 80, "folding": 10, "graphs": 400, "single": 1}
    assert rarest(said, papers, 5) == ["folding", "proteins", "graphs"]
    assert rarest(said, papers, 1) == ["folding"]
    assert rarest({"glaciers": 10, "ice": 1}, {"glaciers": 20, "ice": 10}, 5) == ["glaciers", "ice"], (
        "said often here, though less rare"
    )
    assert rarest({"twin": 1}, {"twin": 2}, 5) == ["twin"]


def test_the_most_alike_come_first_and_itself_never() -> None:
    found = most_alike(PROTEINS, [CATS, GRAPHS, PROTEINS, FOLDS], 5)
    assert [each.id for each, _ in found] == [2, 3]
    assert 1 >= found[0][1] > found[1][1] > 0
    assert [each.id for each, _ in most_alike(PROTEINS, [CATS, GRAPHS, FOLDS], 1)] == [2]
    later = paper(9, FOLDS.title, FOLDS.abstract)
    assert [each.id for each, _ in most_alike(PROTEINS, [GRAPHS, later], 5)] == [9, 3], "whichever came first"
    assert most_alike(PROTEINS, [], 5) == []


def test_of_papers_as_alike_the_order_is_theirs() -> None:
    same = [paper(n, "Proteins and how they fold", "Folding of proteins.") for n in (9, 7, 8)]
    assert [each.id for each, _ in most_alike(PROTEINS, same, 5)] == [7, 8, 9]

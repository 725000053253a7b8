"""What a record is, by what it says of itself: withdrawn, no paper, or a sound paper that merely speaks of such things."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from digest.sources import crossref, openalex
from digest.sources.no_paper import is_no_paper
from digest.sources.record_kind import says_withdrawn
from tests.tables import every_row

NOW = datetime(2026, 8, 15, tzinfo=UTC)

NO_PAPERS = """
Issue Information
Issue Information ‐ TOC
Addendum: Growth of things
Thank you to our reviewers
Issue Information – Info Page
Front Matter
Front Matter, Volume 12, Issue 3
Frontmatter
Back cover
Back Cover: A catalyst for water (Angew. Chem. Int. Ed. 3/2026)
Inside Front Cover
Outside Back Cover
Cover Picture: Foo (Chem 1/2026)
Cover Feature: Foo
Editorial
Editorial: Advances in sleep research
Guest Editorial
Guest Editorial: Deep learning for X
Editorial Board
Table of Contents
TABLE OF CONTENTS
Table of contents, March 2026
Contents
[Front cover]
[Copyright notice]
Erratum
Errata
Corrigendum
Erratum: Growth of things [Phys. Rev. D 99, 1 (2019)]
Erratum to: Growth of things
Erratum to “Growth of things”
Corrigendum to "Optimal time-decay estimates for an Oldroyd-B model"
Corrigendum to `Evaluation of motivic functions, non-nullity'
Corrigendum for Hans Corrigendum
Addendum/Corrigendum to "On solubility of skew left braces"
Corrigendum & Addendum to "Categoricity-like"
Corrigendum to the paper "Maximum number"
Corrigendum: order extreme points and solid convex hulls
Conformal Geodesics Cannot Spiral -- Erratum
Author Correction: Growth of things
Publisher Correction: Growth
Correction to: Growth of things
Correction: Growth of things
Correction to “Growth of things”
Correction to Lancet Infect Dis 2021; 21: 1–5
Correction for Smith et al., Growth of things
Retraction: Growth of things
Retraction Note: Growth of things
Retraction notice to “Growth of things” [J. X 12 (2020) 3]
Statement of Retraction: Growth
Expression of Concern: Growth
Editorial Expression of Concern: Growth
Publisher's Note: Growth of things
Withdrawal notice: Growth
Book Review
Book Reviews
Book Review: The Sleepers, by A. Author
Obituary
Obituary: Ann Lee (1930–2026)
In Memoriam: Ann Lee
In memoriam
Review for "Growth of things"
Author response for "Growth of things"
Decision letter for "Growth"
Author response: Growth
Decision letter: Growth
Reviewer #1 (Public Review): Growth
Peer Review #1 of "Growth (v0.1)"
Referee report. For: Growth of things
Comment on esd-2026-5
Reply on RC1
RC1: 'Comment on esd-2026-5'
eLife assessment: Growth
Figure S1
Figure 3
Table S2
Supplementary Figure 1 from Growth of things
Supplementary Table S1. Genes
Supporting information
Supplementary Material
Additional file 1: Table S2. of Growth of things
Additional file 1
Acknowledgement to Reviewers of Foo in 2025
Author Index
List of Reviewers
Preface
Foreword
Preface to the special issue on foo
Introduction to the special issue on foo
IEEE Transactions on Foo publication information
In This Issue
Instructions for Authors
Call for Papers
Growth of things (Erratum)
Growth of things [Corrigendum]
<i>Erratum</i> to: Foo
Masthead
News
Message from the Program Chairs
Volume 3 Front Matter
From the Editor's Desk
A word from the editors
Table des matières
Inhaltsverzeichnis
Sommaire
Éditorial
Impressum
Vorwort
Titelbild: Foo (Angew. Chem. 3/2026)
Titelseite
Innentitelbild: X (Angew. Chem. 8/2025)
Rücktitelbild: X
Índice
Sumario
Erratum zu: Wachstum
Berichtigung: Wachstum
Corrigendum à : Croissance
Rectificatif
Fe de erratas
Information for Readers
TOC
Volume Contents
Contents List
Editors' Note: On open science
Society News
Conference Calendar
Meeting Announcements
Forthcoming Papers
Forthcoming Events
Upcoming Events
Retraction and republication: Reef corals
Erratum--Reef corals
Reply
Authors' Reply
Authors' response
Response
Letter to the Editor
Letters to the editor
Correspondence
Discussion
Quiz
Crossword
Decision: Reef corals — R0/PR3
Review: Reef corals — R0/PR1
Recommendation: Reef corals — R1/PR6
Reviewer Report
Referee report
Thank you to our 2025 peer reviewers
Appreciation of peer reviewers for 2024
2025 Reviewers List
2025 Index IEEE Transactions on Foo Vol. 12
Guest Editors' Introduction
Guest Editors’ Introduction: Special Issue on X
Guest editor's introduction
Preface: ICML 2026
Proceedings of the 10th Conference on Foo
Author Guidelines
Data from: Reef corals
Data from "Reef corals"
Supplemental Table 1 from: Reef corals
Supporting Information for "Reef corals"
S1 Table
S2 Fig
S1 Appendix
Dataset S1
In memory of Ann Lee
In Memory of Professor Ann Lee
Contents (Adv. Mater. 3/2026)
Contents: (Adv. Mater. 3/2026)
Masthead: (Adv. Mater. 3/2026)
Reef corals (Adv. Mater. 3/2026)
Call for Nominations
""".strip().splitlines()
PAPERS = """
Correction to scaling in the 3D Ising model
Corrections to scaling for percolation
Correction of motion artefacts in MRI
QED corrections to the Lamb shift
Errata in medical publications: a study
Editorial bias in peer review
Editorial decisions and the gender of authors
The editorial board as a network
Retracted papers in oncology keep being cited
Retraction of type IV pili
Retractions by Alternating Projections
Proof of Rump's Retraction Conjecture for Quasilinear Cycle Sets
A Retraction-Free EXTRA Method
Withdrawal from opioids: a trial
Withdrawal symptoms after stopping antidepressants
Book reviews in the age of language models
Peer review at scale
Reviews of drugs in the news
Table of contents generation with language models
Front matter extraction from PDFs
Issue information in bug trackers
Cover crops and soil carbon
Cover selection for steganography
Back cover inspection by machine vision
Obituaries of scientists as data
Obituary writing in the age of machines
Figure 1 of Mercury: a myth
News recommendation with transformers
Index theorems for elliptic operators
Contents of lead in toys
Preface-guided search
Introduction to quantum groups
Reference-free evaluation of summaries
An introduction to the special orthogonal group
Supplementary motor area and speech
Supporting information extraction from papers
Appendix cancer: a review
Announcement effects of monetary policy
Comment on "Growth of things"
Reply to "Comment on growth of things"
Correction terms and the Seifert form
Addendum to the Theory of Sets
Calendar time and martingales
Reviewer assignment by optimal transport
A note on covers
Editorial Expressions in Newspapers of 1920
Response to reviewers as a genre of science
Glossary learning
Data Sheets for Datasets
Datasheets
Figure skating jump detection
Table 2 Text: generation
Welcome to the era of experience
Decision letters in asylum law
In memoriam practices online
Author response rates
Images 3D from one view
Video 2 Music
News in Brief: summarising headlines with LLMs
Peer reviewers of grants and their biases
The correction for attenuation
Supplement use among athletes
Additional files do not help compilers
Highlights in video: detection
Withdrawn into the shell: turtle behaviour
Correction for multiple testing in genomics
Text 2 SQL
Correction for Smith predictor delay
Corrigenda in Latin manuscripts
Cover: a new language
Retracted or not: detecting
Proofs, covers and errata: how books are made
Fig wasps and pollination
Figs and their wasps
Discussion of "Reef corals" by Lee
Reply to Comments on Reef Corals
Letter to the editor: a corpus
Response surfaces in chemistry
Correspondence analysis
Questions and answers in forums
Quiz generation with LLMs
Highlights of attention
Highlights from the reef
Index theory
Reviewing the reviewers
Reviewers prefer novelty
Recommendation: a survey
Decision: a theory of choice
Report on the state of reefs
Correction to the Coulomb potential
Correction to scaling
Correction to Newton's law at short range
Correction of the Lamb shift
Data from the reef
Data from space: a survey
Table structure recognition
Figure captioning
Supplementary feeding of infants
Contents-based retrieval
Content page layout analysis
Title page generation
Forthcoming earthquakes in Japan
Proceedings in patent courts
In memory of lattices: hysteresis
In memory computing
In-Memory Computing: a review
Appendicitis in children
Appendix A of Euler's Institutiones
Cover 1-forms
Editor's choice bias
Cover songs identification
Society news consumption
This month in climate data
Meeting announcements and stock prices
Preface to Plato: a reading
Volume contents of voids
Author indexing in bibliometrics
Author correction behaviour
Tribute to Noether: symmetries in physics
Vorwort und Anhang bei Kant
Impressum Latinum
Proceedings of the Royal Society as a network
Editor's Choice: Evaluating intent in image editing
S matrix theory
S1 segmentation of the heart
Discussion trees
Quiz bowl
Data from two cohorts
Letters of recommendation
Index of elliptic operators (with 12/20 nodes)
Prefácio a Hegel: uma leitura
""".strip().splitlines()
WITHDRAWN = """
C v2: withdrawn, superseded by arXiv:2510.19278
A I am withdrawing this paper because the main result is wrong.
A This version of the manuscript has been withdrawn.
T RETRACTED: Growth of things
T Retracted: Growth of things
T [Retracted] Growth of things
T RETRACTED ARTICLE: Growth
T Retracted Article: Growth
T RETRACTED CHAPTER: Growth
T WITHDRAWN: Growth
T Withdrawn: Growth
T WITHDRAWN—Growth
T Growth of things (Retracted)
T Growth of things [RETRACTED]
T Growth of things (Withdrawn)
T Growth of things (Retracted article. See vol. 12, pg. 3, 2020)
T REMOVED: Growth
T TEMPORARY REMOVAL: Growth
T <b>RETRACTED</b>: Growth
A This paper has been withdrawn by the author due to a crucial sign error in equation 1.
A This paper has been withdrawn by the author(s), due a crucial error
A This paper has been withdrawn
A This paper is withdrawn.
A The paper has been withdrawn by the authors.
A This submission has been withdrawn by arXiv administrators because of plagiarism
A The authors have withdrawn this paper.
A The author has withdrawn this manuscript because of an error in Lemma 3.
A We have withdrawn this paper because the main theorem is wrong.
A We withdraw this paper.
A I withdraw the paper due to a gap.
A Withdrawn.
A Withdrawn
A [Withdrawn]
A Withdrawn by the author.
A Withdrawn by the authors due to a mistake.
A Withdrawn due to an error in section 3.
A Withdrawn because of an error in the proof of Lemma 2.
A Paper withdrawn.
A Paper withdrawn due to a flaw in the argument.
A This article has been retracted: please see the policy.
A <jats:p>This article has been retracted.</jats:p>
A The authors have withdrawn this manuscript because of duplicate posting. Therefore, they do not interest it to be cited.
A Withdrawal Statement The authors have withdrawn their manuscript owing to an error in the data.
A This article has been withdrawn at the request of the author(s) and/or editor. The Publisher apologizes.
A We prove a theorem. arXiv admin note: This paper has been withdrawn by arXiv due to disputed authorship.
A We prove that all is well. This paper has been withdrawn by the author due to an error.
A This paper was withdrawn by the author since the result is known.
A This paper has been temporarily withdrawn.
A This paper has been withdrawn and replaced by arXiv:1234.5678
A The Publisher regrets that this article is an accidental duplication. This article has been withdrawn.
C This paper has been withdrawn by the author due to an error
C withdrawn
C Withdrawn.
C Paper withdrawn
C withdrawn by the author
C Withdrawn by authors due to error in Theorem 1
C 10 pages, withdrawn
C 10 pages, 3 figures; withdrawn because Lemma 4 is false
C The authors have withdrawn this paper
C This submission has been withdrawn by arXiv administrators as it contains false affiliations
C This paper has been withdrawn, see arXiv:1234.56789
C arXiv admin note: withdrawn by arXiv due to plagiarism
C Withdrawn due to a gap in the proof
C This article has been withdrawn by the author pending further work
C This paper is withdrawn because a gap was found
C Author withdrew the paper
C the paper has been withdrawn
A This article has been retracted following an investigation.
C This paper has been withdrawn by the authors due to an error in Section 3
A This work has been withdrawn by the authors.
C The paper is withdrawn by the author due to a mistake in Theorem 2.1
A [This paper has been withdrawn by the author.]
A This paper is being withdrawn.
A This manuscript has been withdrawn by bioRxiv due to a policy violation
C Withdrawn, see arXiv:1234.56789 instead
A (withdrawn)
A WITHDRAWN
A Paper has been withdrawn
A This preprint has been withdrawn by the authors.
A Due to an error in the proof of Theorem 2, this paper has been withdrawn.
A Due to a crucial error in Lemma 4, the paper is withdrawn by the author.
A The proof of Theorem 3 is wrong, so this paper has been withdrawn.
A The Editor-in-Chief has retracted this article because it overlaps with other work.
A Retraction: This article has been retracted at the request of the editors.
A bioRxiv has withdrawn this manuscript at the request of the authors.
A medRxiv has removed this preprint.
A This version has been withdrawn. Please see arXiv:2101.00001.
C This version withdrawn by arXiv administrators because the author did not have the right to license it
C This article has been retracted by the journal
T *RETRACTED* Reef corals
A Owing to a gap in the proof of Lemma 2, we withdraw this paper.
""".strip().splitlines()
SOUND = """
T Retracted papers in oncology keep being cited
T Withdrawn drugs and their structure
T Withdrawal of aspirin before surgery
T Retraction of the tongue in chameleons
T Removed from the wild: a study
T Detecting retracted articles (and withdrawn preprints)
T Retracted but still cited
A Withdrawn drugs are a source of failed targets.
A Withdrawn from the market in 2004, rofecoxib is a COX-2 inhibitor.
A Withdrawn papers keep being cited. We study why.
A Withdrawn by the FDA in 2004, rofecoxib is studied here again.
A Withdrawn due to hepatotoxicity in 2000, troglitazone remains a tool compound. We study its binding.
A This paper studies why papers are withdrawn by the authors.
A This paper has withdrawn agents playing a game.
A The paper was retracted in 2010, but citations continue. We ask why.
A The article was retracted two years later. We study its afterlife.
A The authors withdraw blood from mice and measure glucose.
A We withdraw water from the wells.
A We retract the needle from the paper surface.
A We retract the earlier claim that P is NP.
A In this paper we study drugs that have been withdrawn by the authorities.
A This work is about retracted articles; an article has been retracted when its editors say so.
A Of 100 papers, 12 papers have been withdrawn by the authors.
A Many a paper has been retracted because of fraud. We count them.
A This study was withdrawn from the registry by its sponsor; we ask how often studies are withdrawn.
C withdrawn from ICML 2025
C This paper has been withdrawn from NeurIPS and is under revision
C Replaces arXiv:1234.5678, which has been withdrawn
C Supersedes the withdrawn paper arXiv:1234.5678
C An earlier version of this paper was withdrawn due to an error; corrected here
C A previous version was withdrawn by the author because of a gap in the proof, now filled
C ICLR 2026 Withdrawn Submission
C Submitted to ICLR 2026, withdrawn
C Accepted at ACL 2025 (withdrawn)
C Not withdrawn; see v3
C Dataset of 500 withdrawn drugs included
C Theorem 3 of v1 has been withdrawn
C Section 4 is withdrawn
C 12 pages, the claim about P vs NP has been withdrawn
C v1 was withdrawn due to an error, this version is correct
C We have withdrawn the first version of this paper because of an error; this is the corrected one
C 21 pages; uses data of withdrawn patients
C v2: withdrawn claim in Section 3 removed
C Withdrawn from the special issue, now in J. Foo
C An article on retracted articles
A We show that authors withdraw their papers.
A Sound text. The paper was retracted by the authors. We ask.
C Previous paper has been withdrawn
C Companion paper withdrawn
C This paper has been withdrawn by the authors from NeurIPS 2025
A The article was retracted after two years; we study its afterlife.
A Withdrawn by publishers in 1960, the novel is read here.
A We study cash withdrawn from banks by the elderly.
A The drug was withdrawn because of hepatotoxicity; we describe alternatives.
A A paper on X was retracted because of fraud. Its citations went on.
A Patients were withdrawn from the study due to adverse events.
A The landing gear is retracted by an actuator. This paper describes its control.
A This article examines why this product has been withdrawn from the market.
A This paper examines a vaccine that was withdrawn due to narcolepsy.
A In 2010 the Lancet retracted the article by Wakefield.
A We analyse 3,000 retracted papers. A paper is withdrawn when its editor says so.
A The editors have retracted more than a thousand articles since 2010.
A The authors have withdrawn this claim.
A An earlier version of this paper contained an error and was withdrawn. The present version is correct.
A Troops were withdrawn by the government. This paper asks why.
A The work has been withdrawn from the stage in 1920; its libretto is read here.
A This paper shows when an offer is withdrawn by the buyer.
A Retracted: how a word changed its meaning in law.
A This manuscript was withdrawn from the library of Alexandria in 48 BC and is edited here.
C Accepted to NeurIPS 2025; this version fixes errors
C v3 adds a proof; an appendix has been withdrawn
C Withdrawn from AAAI, now at ICML 2026
C Extended version of a withdrawn ICLR submission
C 12 pages. Lemma 3 of the previous version is withdrawn
C This paper replaces our withdrawn submission arXiv:2101.00001
C This submission supersedes arXiv:2101.00001, which was withdrawn due to an error
C See also the retracted paper of Lee et al.
C Comment on a retracted article
C This paper was erroneously withdrawn and is now restored
C Previously withdrawn by arXiv; reinstated
C v2 was withdrawn by mistake
T Retracted proofs in constructive type theory
T Retraction: a categorical view
T Withdrawal and retraction of preprints
T Deformation retracts and withdrawn handles
T Removal of arsenic (withdrawn standards)
A Due to its toxicity, the drug was withdrawn. This paper describes its successor.
A Because of fraud, the paper was retracted by the publisher; we study its readers.
A For years the authors withdraw money from their paper savings.
A The editor-in-chief has retracted 30 articles.
""".strip().splitlines()
"""T: a title, A: an abstract, C: arXiv's comments."""


def told(line: str) -> bool:
    where, text = line[0], line[2:]
    return says_withdrawn(text if where == "T" else "x", text if where == "A" else "", text if where == "C" else "")


@every_row("title", NO_PAPERS)
def test_titles_of_no_paper(title: str) -> None:
    assert is_no_paper(title)


@every_row("title", PAPERS)
def test_titles_of_papers_that_hold_the_same_words(title: str) -> None:
    assert not is_no_paper(title)


@every_row("line", WITHDRAWN)
def test_what_says_that_this_paper_was_withdrawn(line: str) -> None:
    assert told(line)


@every_row("line", SOUND)
def test_sound_papers_that_speak_of_withdrawal(line: str) -> None:
    assert not told(line)


def work(**fields: object) -> dict[str, object]:
    return {"DOI": "10.1000/a1", "title": ["Reef corals grow in warm water"], "type": "journal-article", **fields}


UPDATE = {"DOI": "10.1000/b2", "type": "retraction"}


@every_row(
    ("fields", "withdrawn"),
    [
        ({}, False),
        ({"updated-by": [UPDATE]}, True),
        ({"updated-by": [UPDATE | {"type": "Withdrawal"}]}, True),
        ({"updated-by": [UPDATE | {"type": "removal"}]}, True),
        ({"updated-by": [UPDATE | {"type": "correction"}]}, False),
        ({"updated-by": [UPDATE | {"type": "partial_retraction"}]}, False),
        ({"update-to": [UPDATE | {"DOI": "10.1000/A1"}]}, True),
        ({"update-to": [UPDATE | {"type": "new_version"}]}, False),
        ({"relation": {"is-retracted-by": [{"id": "10.1000/b2", "id-type": "doi"}]}}, True),
        ({"title": ["RETRACTED: Reef corals grow in warm water"]}, True),
        ({"abstract": "<jats:p>This article has been retracted.</jats:p>"}, True),
    ],
)
def test_crossref_says_which_work_was_withdrawn(fields: dict[str, object], withdrawn: bool) -> None:
    assert (
        crossref.parse(json.dumps({"message": work(**fields)}).encode(), source="c", seen_at=NOW).sightings[0].withdrawn
        is withdrawn
    )


@every_row(
    "fields",
    [
        *(
            {"type": kind}
            for kind in ("component", "peer-review", "journal-issue", "journal", "grant", "database", "Peer_Review")
        ),
        *({"update-to": [UPDATE | {"type": kind}]} for kind in ("retraction", "correction", "erratum", "expression_of_concern")),
        {"relation": {"is-review-of": [{"id": "10.1000/b2", "id-type": "doi"}]}},
        {"title": ["Issue Information"]},
    ],
)
def test_crossref_records_that_are_no_papers_are_rejected_with_a_reason(fields: dict[str, object]) -> None:
    parsed = crossref.parse(json.dumps({"message": work(**fields)}).encode(), source="c", seen_at=NOW)
    assert not parsed.sightings
    assert "no paper" in parsed.rejected[0].reason


@pytest.mark.parametrize("fields", [{"type": "editorial"}, {"type": "erratum"}, {"type": "peer-review"}, {"is_paratext": True}])
def test_openalex_records_that_are_no_papers_are_rejected(fields: dict[str, object]) -> None:
    row = {"id": "https://openalex.org/W1", "title": "Reef corals", "type": "article"} | fields
    assert not openalex.parse(json.dumps(row).encode(), source="o", seen_at=NOW).sightings

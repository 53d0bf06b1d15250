"""Seventy real works as programs and people write them: each is read without a word, and says what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.bibliography import Bibliography, read_bibliography
from builder.bibliography.reference import Reference

REAL = Path(__file__).parents[1] / "fixtures" / "bib" / "real.bib"


@pytest.fixture(scope="module")
def bibliography() -> Bibliography:
    """The file, read once."""
    return read_bibliography([REAL])


@pytest.fixture(scope="module")
def listed(bibliography: Bibliography) -> dict[str, Reference]:
    """All of it as one article's list by author and year."""
    works = [key for key in bibliography if bibliography[key].type != "xdata"]
    return {reference.key: reference for reference in bibliography.references(works, "author-year")}


def test_seventy_real_works_are_read_without_a_word(bibliography: Bibliography, listed: dict[str, Reference]) -> None:
    """Whatever exported them; each has people and a title, and all but two that have none a year."""
    assert len(listed) >= 70
    assert bibliography.check_all() == ()
    assert [reference.key for reference in listed.values() if not (reference.people and reference.title)] == []
    assert [key for key, reference in listed.items() if not reference.year[:4].isdigit()] == ["jurafsky", "unicode"]


def test_nothing_of_tex_is_left(listed: dict[str, Reference]) -> None:
    """No brace, backslash, tie or dollar in what readers see."""
    for reference in listed.values():
        assert not set("{}\\~$") & set(reference.text.replace(reference.link or "", "")), reference.text


TEXTS = {
    "maaten2008visualizing": "Laurens Van der Maaten and Geoffrey Hinton. Visualizing data using t-SNE."
    " Journal of machine learning research 9(11), 2008.",
    "mengLocatingEditingFactual2023": "Kevin Meng, David Bau, Alex Andonian, and Yonatan Belinkov. Locating and Editing"
    " Factual Associations in GPT. arXiv preprint, 2023. https://arxiv.org/abs/2202.05262",
    "wolfTransformers": "Thomas Wolf, Lysandre Debut, Victor Sanh et al. Transformers: State-of-the-Art Natural"
    " Language Processing. Software, version 4.44.0, Hugging Face, 2020. https://github.com/huggingface/transformers",
    "rumelhartLearningInternal1986": "D. E. Rumelhart, G. E. Hinton, and R. J. Williams. Learning Internal"
    " Representations by Error Propagation. In Parallel Distributed Processing: Explorations in the Microstructure of"
    " Cognition, edited by David E. Rumelhart and James L. McClelland, volume 1, MIT Press, Cambridge, MA,"
    " pp. 318–362, 1986.",
    "Garcia1967": "Gabriel García Márquez. Cien años de soledad. Editorial Sudamericana, Buenos Aires, 1967.",
    "DBLP:journals/corr/KingmaB14": "Diederik P. Kingma and Jimmy Ba. Adam: A Method for Stochastic Optimization."
    " arXiv preprint, 2014. https://arxiv.org/abs/1412.6980",
    "DBLP:conf/nips/LundbergL17": "Scott M. Lundberg and Su-In Lee. A Unified Approach to Interpreting Model"
    " Predictions. In Advances in Neural Information Processing Systems 30, pp. 4765–4774, 2017.",
    "belinkov-glass-2019-analysis": "Yonatan Belinkov and James Glass. Analysis Methods in Neural Language Processing:"
    " A Survey. Transactions of the Association for Computational Linguistics 7, 49–72, 2019."
    " https://aclanthology.org/Q19-1004",
    "petroni2019": "Fabio Petroni, Tim Rocktäschel, Patrick Lewis, Anton Bakhtin, Yuxiang Wu, Alexander H. Miller,"
    " and Sebastian Riedel. Language Models as Knowledge Bases? arXiv preprint, 2019. https://arxiv.org/abs/1909.01066",
    "olah2017feature": "Chris Olah, Alexander Mordvintsev, and Ludwig Schubert. Feature Visualization. Distill, 2017."
    " https://distill.pub/2017/feature-visualization",
    "10.1145/3442188.3445922": "Emily M. Bender, Timnit Gebru, Angelina McMillan-Major, and Shmargaret Shmitchell."
    " On the Dangers of Stochastic Parrots: Can Language Models Be Too Big? In Proceedings of the 2021 ACM Conference"
    " on Fairness, Accountability, and Transparency, FAccT '21, pp. 610–623, 2021."
    " https://doi.org/10.1145/3442188.3445922",
    "lecun1987these": "Yann LeCun. Modèles connexionnistes de l'apprentissage. PhD thesis, Université Pierre et Marie"
    " Curie, Paris 6, 1987.",
    "knuth:tex": "Donald E. Knuth. The TeXbook. Computers & Typesetting A, Addison-Wesley, 1984.",
    "strunk": "William Strunk, Jr., and E. B. White. The Elements of Style. Fourth edition, Longman, 2000.",
    "wittgenstein1922": "Ludwig Wittgenstein. Tractatus Logico-Philosophicus. Translated by C. K. Ogden, Kegan Paul,"
    " London, 1922.",
    "montavon2012": "Grégoire Montavon, Geneviève B. Orr, and Klaus-Robert Müller (eds.). Neural Networks: Tricks of"
    " the Trade. Lecture Notes in Computer Science 7700, second edition, Springer, 2012."
    " https://doi.org/10.1007/978-3-642-35289-8",
    "lecun2012efficient": "Yann A. LeCun, Léon Bottou, Genevieve B. Orr, and Klaus-Robert Müller. Efficient BackProp."
    " In Neural Networks: Tricks of the Trade, edited by Grégoire Montavon, Geneviève B. Orr and Klaus-Robert Müller,"
    " Lecture Notes in Computer Science 7700, second edition, Springer, pp. 9–48, 2012.",
    "page1999": "Lawrence Page, Sergey Brin, Rajeev Motwani, and Terry Winograd. The PageRank Citation Ranking:"
    " Bringing Order to the Web. Technical Report 1999-66, Stanford InfoLab, 1999.",
    "Rossum1995": "Guido van Rossum. Python Reference Manual. Master's thesis, CWI, 1995.",
    "page2001": "Lawrence Page. Method for Node Ranking in a Linked Database. US patent 6285999, held by Stanford"
    " University, 2001.",
    "jurafsky": "Daniel Jurafsky and James H. Martin. Speech and Language Processing. Draft of the third edition,"
    " forthcoming. https://web.stanford.edu/~jurafsky/slp3/",
    "silver2016": "David Silver, Aja Huang, Chris J. Maddison, Arthur Guez, Laurent Sifre, George van den Driessche"
    " et al. Mastering the game of Go with deep neural networks and tree search. Nature 529, 484–489, 2016."
    " https://doi.org/10.1038/nature16961",
    "mikolov13": "Tomáš Mikolov, Martin Karafiát, Lukáš Burget, Jan Černocký, and Sanjeev Khudanpur. Recurrent neural"
    " network based language model. In Interspeech, pp. 1045–1048, 2010. https://doi.org/10.21437/Interspeech.2010-343",
}


@pytest.mark.parametrize("key", TEXTS)
def test_a_real_work_says_what_it_is(listed: dict[str, Reference], key: str) -> None:
    """Who, what, where and when, as a reader would write it."""
    assert listed[key].text.replace("\u00a0", " ") == TEXTS[key]


@pytest.mark.parametrize(
    ("key", "links"),
    [
        ("jain-wallace-2019-attention", ["doi:10.18653/v1/N19-1357", "PDF"]),
        ("pmlr-v97-kornblith19a", ["proceedings.mlr.press", "PDF"]),
        ("Brown2020LanguageMA", ["arXiv:2005.14165"]),
        ("harris2020array", ["doi:10.1038/s41586-020-2649-2", "PubMed:32939066"]),
        ("2984875", ["JSTOR:2984875"]),
        ("ELMAN1990179", ["doi:10.1016/0364-0213(90)90002-E", "sciencedirect.com"]),
        ("DBLP:conf/naacl/DevlinCLT19", ["doi:10.18653/V1/N19-1423"]),
        ("goodfellow2016deep", ["deeplearningbook.org"]),
        ("knuth:tex", []),
    ],
)
def test_a_real_work_is_to_be_had(listed: dict[str, Reference], key: str, links: list[str]) -> None:
    """Each place once: an address that only repeats the DOI or an archive is left out."""
    assert [text for text, _ in listed[key].links] == links


def test_real_works_are_cited_by_author_and_year(listed: dict[str, Reference]) -> None:
    """Namesakes have initials, works of the same people and year have letters, organisations their short form."""
    cited = {key: f"{reference.who}, {reference.when}".replace("\u00a0", " ") for key, reference in listed.items()}
    assert cited["leeLearningPartsObjects1999"] == "D. D. Lee and Seung, 1999"
    assert cited["DBLP:conf/nips/LundbergL17"] == "Lundberg and S.-I. Lee, 2017"
    assert cited["Rumelhart1986"] == "Rumelhart et al., 1986b"
    assert cited["rumelhartLearningInternal1986"] == "Rumelhart et al., 1986a"
    assert cited["nistAI2023"] == "NIST, 2023"
    assert cited["unicode"] == "The Unicode Consortium, n.d."
    assert cited["vig-2019-multiscale"] == "Vig, 2019"


def test_a_page_that_was_visited_says_when(listed: dict[str, Reference]) -> None:
    """What may change has the day on which it was read."""
    assert listed["unicode"].visited == "2024-03-09"

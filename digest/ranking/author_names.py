"""Names of authors, however they are written."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=100_000)
def name_words(author: str) -> tuple[str, ...]:
    """Given names first, without accents, dots or case: "LeCun, Yann", "Yann LeCun" and "yann lecun" are one name."""
    last, comma, first = author.partition(",")
    text = unicodedata.normalize("NFKD", (f"{first} {last}" if comma else author).casefold())
    return tuple(_WORD.findall("".join(c for c in text if not unicodedata.combining(c))))


def answers_to(name: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    """Whether the author `name` is meant by `asked`: a surname alone, initials for given names, middle names left out."""
    if not name or not asked or name[-1] != asked[-1]:
        return name == asked
    rest = iter(name[:-1])
    return all(any(given == part or (len(part) == 1 and given.startswith(part)) for given in rest) for part in asked[:-1])


_COMMON_SURNAMES = frozenset(
    """wang li zhang chen liu yang wu huang xu zhao zhou kim lee zhu yu sun lin hu guo he ma jiang lu zheng gao song tang
    luo shi xie han park liang nguyen cheng wei shen feng yan cao peng fan yuan zeng ye xiao cai deng jin fu pan dong
    tan yao yin du ren ding su singh choi fang gu dai kang zhong tian chang jia cui hong qiu qin xia wen ji liao kumar
    bai hou gong xiong meng xue gupta mao qian zou qi wan khan duan hao sharma shao tao cho tran le kong das lei qu
    xiang yi ge niu lai jain shah patel pham ghosh ahmed ali garcia roy rao smith johnson brown jones williams miller
    davis wilson taylor anderson thomas martin lopez gonzalez rodriguez martinez perez silva santos muller schmidt
    ivanov tanaka suzuki sato mishra islam hossain rahman hwang shin jeong jang yoon""".split()
)
_COMMON_GIVEN = frozenset(
    """michael richard charles william jonathan matthew patrick stephen christopher alexander anthony jessica jennifer
    elizabeth muhammad mohammad mohammed abdullah fernando""".split()
)
_LONGEST_COMMON = 6
"""Letters of a given name that many share."""


def is_common(name: tuple[str, ...]) -> bool:
    """Whether a name (in words) is that of many authors: it tells nobody apart."""
    if not name or name[-1] not in _COMMON_SURNAMES:
        return False
    given = [part for part in name[:-1] if len(part) > 1]
    return not given or (len(given) == 1 and (len(given[0]) <= _LONGEST_COMMON or given[0] in _COMMON_GIVEN))

"""What the words of a sentence say about it: a contribution, a finding, a topic, or what is better left to others."""

from __future__ import annotations

import re

from digest.ranking.wording import worded

FURTHER = re.compile(r"^(?:moreover|furthermore|additionally|also|finally|in addition|further|then|next)\b", re.IGNORECASE)
# What a contribution sounds like, strongest first: (pattern, weight).
_CUES = tuple(
    (worded(pattern), weight)
    for pattern, weight in (
        (r"\b(?:in|with) this <ours>,? (?:we|i)\b", 3.0),
        (r"\b(?:we|i) (?:(?:\w+ly|therefore|thus|then|also|further|first|hereby)\s)?(?:<make>|unveil|open-source|formali[sz]e|survey|review|envision|(?:re)?formulat|reframe|recast|curat|train and releas)(?:e?d?)\b", 4.0),
        (r"\b(?:this (?:\w+ )?|our |the (?:present |current )?)(?:<ours>|abstract)"
         r"(?:, [^.;:$]{5,180},)? (?:(?:aims|seeks) to |\w+ )?(?!buil)(?:(?:<make>|<show>|<study>)(?:e?s?|y|ies)|argues?|establish(?:es)?|provides?|offers?|surveys?|reviews?|extends?|summari[sz]es?|outlines?|collects?|removes?|solves?|resolves?|improves?|generali[sz]es?|enables?)\b", 4.5),
        (r"\bour main (?:result|theorem|contribution|finding)s? (?:is|are|shows?|states?)\b", 4.0),
        (r"\b(?:our|the) (?:aim|goal|objective)(?: of this \w+)? is to\b.* by \w+ing\b", 4.0),
        # A name that the title does not have.
        (r"\b(?:<make>e?|(?:<name>)\w*) (?:the )?\W?(?-i:[\w-]*[A-Z][\w-]*[A-Z]|[A-Z]\w+-\w)[\w-]*(?:,| \(|\.$)", 1.0),
        (r"\b(?:we|i) (?:(?:\w+ly|then|also|further|first)\s)?"
         r"(?:(?:<show>|<study>)(?:e?d?|y)|argue|observe|establish|derive|revisit|identify|define|discover|uncover|provide|offer|characteri[sz]e|report|obtain|determine|compute|give|extend|quantify|measure"
         r"|generali[sz]e|classify|augment|combine|integrate|adapt|improve|unify|solve)(?:e?d)?\b", 2.5),
        (r"\b(?:we|i) (?:\w+ly )?(?:evaluate|compare|apply|test)(?:e?d)?\b", 1.5),
        (r"\bwe succeed in \w+ing\b", 2.5),
        (r"\bwe\b.{5,120}\band (?:propose|introduce|present)\b", 2.5),
        (r"\b(?:results?|experiments?|analys[ie]s|evaluations?|findings?|simulations?|observations?|stud(?:y|ies)) (?:[\w-]+ ){0,3}?"
         r"(?:<show>|<imply>)\w* (?:\w+ )?that\b(?! (?:our|the proposed|\w+ (?:is|are) effective))", 2.5),
        # What is found says more than what was looked at.
        (r"\bwe (?:\w+ )?(?:\w+\b.{5,120}\band )?<show>(?:e?d?) (?:\w+ )?that\b", 1.0),
        (r"\b(?:is|are) (?:\w+ly )?(?:proposed|introduced|presented|developed|proved|proven|derived|established|shown|obtained|studied|investigated|formulated|curated|released)\b", 2.0),
        (r"\b(?:called|(?<!-)named|dubbed|termed|namely)\b|\ba (?:novel|new|simple|unified|general)\b|\bthe first\b", 1.0),
        (r"\b(?:outperform\w*|state-of-the-art|surpass\w*|improv\w+ .{0,40}(?:%|\\%|percent|times|×))", 0.8),
    )
)  # fmt: skip
_AGAINST = tuple(
    (worded(pattern), weight)
    for pattern, weight in (
        (r"\b(?:code|data|dataset|models?|weights|demo|project page|website)\b.{0,60}\b(?:available|released|found|public\w*)\b|https?://", 4.0),
        (r"^(?:however|recent(?:ly)?|while|although|despite|existing|current|traditional|previous|prior|most|many)\b", 1.5),
        # What it is about was said in the sentence before: "We challenge that interpretation."
        (r"^(?:\S+ ){0,14}(?:this|that|these|those|such|the)(?: \w+)? "
         r"(?:issues?|problems?|challenges?|gaps?|interpretations?|agenda|questions?"
         r"|limitations?|assumptions?|views?|directions?|goals?|claims?|aims?|needs?|drawbacks?|bottlenecks?)[.!?]$", 4.0),
        (r"\bwe (?:hope|believe|conclude|conduct|discuss|(?:release|open-source)(?! (?-i:\w*[A-Z]\w*[A-Z]))|publish|thank)\b", 2.0),
        (r"\b(?:we|i) (?:\w+ly )?(?:build (?:up)?on|focus on|aim (?:to|at)|attempt|seek)\b|\bour focus\b", 3.0),
        # What was made on the way.
        (r"^to (?:\w+ly )?(?:evaluate|validate|assess|verify|test|accommodate|alleviate|mitigate|ensure|enhance|reduce|handle|support|stabilize)\b(?! (?:<these>|(?:\w+ )?(?:research|work))\b)", 1.5),
        (r"^(?:initially|in the (?:appendix|last section))\b", 4.0),
        (r"^(?:in|for|as) (?:the |a )?(?:first|second|third|fourth|last)\b", 4.0),
        (r"^to (?!th(?:is|at|ese|ose)\b)(?:\w+ly )?\w+ (?!(?:<these>|it|the above)\b)[^,]{3,80}, (?:we|i)\b|^beyond\b", 1.4),
        (r"^in order to (?:get|obtain|compute|do|prove)\b|^(?:an? )?(?:\w+ )?(?:part|step|ingredient|tool) (?:of|in|for)\b", 4.0),
        (r"^in (?:(?:a|our|the) (?:recent|previous|earlier|prior|companion) (?:paper|work|article|study)|\[|\\cite)", 4.0),
        # Announced, not said.
        (r"\b(?:push(?:es)? the (?:boundar|front|limit)|pav(?:e|es|ing) the way|bridg(?:e|es|ing) the gap|(?:first|important|significant|further) steps? toward|sheds? light)", 2.0),
        (r"^(?!.*\(?\b(?:1|i)\) ).*\((?:2|ii)\) ", 4.0),
        # Named, not said: "We identify three key flaws …", "We conduct a series of experiments …".
        (r"\b(?:identif|discuss|highlight|present|report|summari[sz]|draw)\w* (?:<several>|some|many|various|systematic|key|critical|a number of)"
         r" (?:[\w-]+ ){0,2}(?:flaws|issues|problems|challenges|limitations|gaps|findings|insights|observations|shortcomings|weaknesses)\b(?!:)|: \(?(?:1|i)\) (?!.*(?:2|ii)\))", 3.0),
        (r"\b(?:design|conduct|perform|present|report|carry out) (?:an? )?(?:\w+ )?(?:series|set|number|range|suite) of (?:[\w-]+ ){0,2}(?:experiment|stud|analys|evaluation|ablation)\w*\b", 3.0),
        (r"^(?:through |in )?(?:extensive )?(?:experiments?|evaluations?|experimental results|results)\b(?!.{0,80}\bthat\b)", 1.5),
        (r"\b(?:release|open-source|publish|provide)\w* (?:(?:all|the|our|both) )?(?:source )?(?:code|demos?)\b|\\\\[A-Z]?[a-z]*(?:Name|method|ours)\b|\\[A-Za-z]+\{\}", 4.0),
        (r"\b(?:we|i) first\b|^(?:first|second|third)(?:ly)?,", 2.5),
        (r"\bfuture (?:directions?|work|research)\b|^unfortunately\b", 2.0),
        (r"\?$", 4.0),
        # Only the problem is named, or that something is done.
        (r"\b(?:this \w+|we) (?:will )?(?:address|tackle|consider)(?:es|s)?\b(?!.* by \w+ing\b)|^we contribute to\b", 2.0),
        (r"\b(?:<study>|consider|address|tackl)(?:e|es|y|ies)? the (?:[\w-]+ )?(?:problem|task|question|issue|challenge)s? (?:of|for)\b", 2.5),
        (r"\b(?:solution|method|framework|approach|way) (?:to|for) <solve>\w*\b", 1.0),
        (r"^(?:in particular|specifically|concretely),", 1.0),
        (r"\b(?:<study>|ask)(?:e|es|y|ies|s)? (?:whether|if|how)\b(?!.*\b<show>)", 2.0),
        (r"\b(?:conduct|perform)\w* (?:an? )?(?:comprehensive|systematic|extensive|thorough|in-depth|broad)\b", 1.0),
        # A part of what is offered: "For timing detection, we …".
        (r"^for (?:the )?[\w-]+(?: [\w-]+){0,3}, (?:we|i)\b|^(?:\S+ )?(?:at|from|on|in) (?:the|an?) (?:[\w-]+ ){1,2}(?:level|perspective|standpoint|side|front|stage|part|end|phase),", 3.0),
        # A name that was lost: "our model, ."
        (r"[,(] ?[.)]", 2.0),
        # A further contribution: the one it adds to says more.
        (r"\b(?:we|i) (?:then|also|further|furthermore|additionally|finally)\b|^(?:in this \w+, )?as (?:an?|one) (?:\w+ )?(?:aspect|remark|evidence|application|corollary|example|by-?product|consequence|first[ -]step)\b|\bto (?:validate|evaluate|verify|assess) our\b|\bthe same (?:conclusion|holds|result|method)\b", 2.0),
        (FURTHER.pattern + r"|^our (?:proofs?|arguments?)\b", 2.0),
        (r"^(?:it|they|these|this|those|such|here|specifically|first|second|third)\b(?! (?:paper|work|study|survey))", 1.0),
    )
)  # fmt: skip
MAKES = re.compile(f"{_CUES[1][0].pattern}|{_CUES[2][0].pattern}", re.IGNORECASE)
FINDING = worded(
    r"\b(?:<show>|<imply>)(?:e?[sd]?) (?:\w+ )?that\b|\b(?:outperforms?|surpass(?:es)?|achieves|improves|reduces|exceeds)\b"
)
# What is looked at, not what is made or found.
TOPIC = worded(
    r"(?:we|i|this \w+) (?:\w+ly )?(?:<study>(?:e|y|ie)?|consider|address|is concerned with|discusse?|revisit|focus(?:es)? on)"
)


def cues(sentence: str, line: str) -> float:
    """How much of a contribution a sentence sounds like, as it stands in the abstract or as a line of its own."""
    return sum(weight for pattern, weight in _CUES if pattern.search(sentence) or pattern.search(line))


def against(sentence: str, line: str) -> float:
    """What speaks against a sentence; what its line has left off does not, but for how it began."""
    return sum(
        weight for pattern, weight in _AGAINST if (found := pattern.search(sentence)) and (not found.start() or found[0] in line)
    )


def is_poor(sentence: str) -> bool:
    return any(pattern.search(sentence) for pattern, weight in _AGAINST if weight >= 1.5)


def is_topic(line: str) -> bool:
    return bool(TOPIC.match(line)) and not FINDING.search(line)

"""Journals as ADS and A&A write them in BibTeX (https://ui.adsabs.harvard.edu/help/actions/journal-macros)."""

from __future__ import annotations

_NAMES = (
    "aap A&A, aapr A&ARv, aaps A&AS, actaa AcA, aj AJ, ao Appl. Opt., apj ApJ, apjl ApJL, apjlett ApJL, apjs ApJS, apjsupp ApJS,"
    " applopt Appl. Opt., apss Ap&SS, araa ARA&A, azh AZh, baas BAAS, caa ChA&A, cjaa ChJAA, fcp FCPh, gca GeCoA, grl GeoRL,"
    " iaucirc IAUC, icarus Icarus, jcap JCAP, jcp JChPh, jgr JGR, jqsrt JQSRT, jrasc JRASC, memsai MmSAI, mnras MNRAS, na NewA,"
    " nar NewAR, nat Nature, nphysa NuPhA, pasa PASA, pasj PASJ, pasp PASP, physrep PhR, physscr PhyS, planss P&SS, pra PhRvA,"
    " prb PhRvB, prc PhRvC, prd PhRvD, pre PhRvE, prl PhRvL, procspie SPIE, psj PSJ, qjras QJRAS, rmxaa RMxAA, skytel S&T,"
    " solphys SoPh, sovast SvA, ssr SSRv, zap ZAp"
)
JOURNALS = {f"\\{macro}": name for macro, _, name in (each.strip().partition(" ") for each in _NAMES.split(","))}

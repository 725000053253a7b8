"""Domains whose mailboxes belong to many people: an address that we make up there would be a stranger's."""

from __future__ import annotations

import re

_SEVERAL_COUNTRIES = re.compile(
    r"(?:yahoo|hotmail|live|outlook|msn|gmx|yandex|mail|aol|zoho|rediffmail|protonmail|terra|uol|tiscali|orange)"
    r"\.(?:com?\.)?[a-z]{2,3}"
)
_DOMAINS = frozenset(
    """
    gmail.com googlemail.com windowslive.com passport.com office365.com onmicrosoft.com ymail.com rocketmail.com myyahoo.com
    icloud.com me.com mac.com privaterelay.appleid.com aim.com netscape.net verizon.net
    gmx.de web.de t-online.de freenet.de arcor.de posteo.de mailbox.org online.de vodafone.de 1und1.de
    ya.ru bk.ru inbox.ru list.ru internet.ru rambler.ru ukr.net i.ua
    qq.com foxmail.com vip.qq.com 163.com 126.com yeah.net vip.163.com 188.com 139.com sina.com sina.cn sohu.com
    aliyun.com tom.com 21cn.com
    naver.com hanmail.net daum.net nate.com kakao.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp nifty.com excite.co.jp
    proton.me pm.me tutanota.com tutanota.de tuta.io tuta.com fastmail.com fastmail.fm hey.com hushmail.com
    mailfence.com runbox.com
    zohomail.com zohomail.eu mail.com email.com usa.com consultant.com engineer.com inbox.com inbox.lv disroot.org riseup.net
    wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr libero.it virgilio.it alice.it tin.it email.it
    seznam.cz email.cz centrum.cz atlas.cz azet.sk wp.pl o2.pl onet.pl op.pl interia.pl gazeta.pl freemail.hu citromail.hu abv.bg
    bol.com.br ig.com.br globo.com comcast.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net
    btinternet.com sky.com virginmedia.com talktalk.net ntlworld.com bigpond.com optusnet.com.au xtra.co.nz rogers.com shaw.ca
    bluewin.ch hispeed.ch chello.at aon.at telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl xs4all.nl telia.com online.no
    """.split()  # noqa: SIM905
)


def is_public(domain: str) -> bool:
    """Whether `domain` (ASCII) is a mailbox provider's, for anybody to have an address at."""
    name = domain.lower().rstrip(".")
    return name in _DOMAINS or _SEVERAL_COUNTRIES.fullmatch(name) is not None

"""What a person typed → an address we can deliver to; and where we must not make one up."""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from digest.domain.errors import InvalidAddress
from digest.domain.phrase import phrase
from digest.domain.subscriber import Address

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
"""RFC 5321 §4.1.2, Dot-string."""
_SHORT = 64
"""Octets that a local part may have (RFC 5321 §4.5.3.1.1); with a domain no longer than that nothing else limits an address."""


def read_address(text: str) -> Address:
    """Reads a bare mailbox (RFC 5321 dot-atom, RFC 6531 international), normalised: NFC, domain in lower case and Unicode.

    No display name, quoting, comment or address literal. Blanks around it are dropped; a line break is no blank, it belongs to
    somebody who tries something. The domain need not exist: that is for the relay to find out.
    Raises InvalidAddress with what is wrong.
    """
    bare = text.strip(" \t\u00a0")
    local, _, domain = bare.rpartition("@")
    if len(local) <= _SHORT and _PLAIN_LOCAL.fullmatch(local) and (known := _domain(domain)):
        return Address(f"{local}@{known}")
    try:
        read = _validated(bare)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
        raise InvalidAddress(
            phrase("address %(given)s", given=repr(text[:80])),
            phrase("%(why)s; should be like name@example.org", why=phrase(reason)),
        ) from None
    return Address(f"{read.local_part}@{read.domain.lower()}")


def _validated(text: str) -> ValidatedEmail:
    return validate_email(text, test_environment=True, strict=True)  # it asks no DNS then, and "x.test" may be used


@lru_cache(maxsize=4096)
def _domain(text: str) -> str:
    """The domain, normalised; "" for what is none, or too long to be taken without a look at the whole. Lists repeat them."""
    try:
        read = _validated(f"a@{text}")
    except EmailNotValidError:
        return ""
    return read.domain.lower() if len(read.ascii_domain or text) <= 2 * _SHORT else ""


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

"""Notices in the words of the servers there are, none of them a delivery report, and mails of people that only look like one.

None of them is in the corpus of recorded mails.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from digest.domain.feedback import BounceClass, Feedback, FeedbackKind
from digest.mail.inbound.read_feedback import read_feedback
from tests.tables import every_row

HARD, SOFT, SENDER, DELAYED = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER, BounceClass.DELAYED
ADA = "ada@reader.example"


def mail(author: str, subject: str, body: str, returns_to: str = "", more: str = "") -> bytes:
    head = f"Return-Path: <{returns_to}>\nFrom: {author}\nTo: bounces+x@ours.example\nSubject: {subject}\n{more}"
    return f"{head}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{body}\n".encode()


def told(feedback: Feedback) -> list[tuple[str, BounceClass | None]]:
    return [(each.address, each.bounce) for each in feedback.recipients]


DAEMON = "Mail Delivery Subsystem <mailer-daemon@mx.example>"
POSTMASTER = "postmaster@mx.example"

NOTICES_IN_WORDS = """
== qmail | hard | daemon | failure notice
Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message.

<{ADA}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line

== qmail quota | soft | daemon | failure notice
Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message.

<{ADA}>:
user is over quota

--- Below this line is a copy

== exim | hard | daemon | Mail delivery failed: returning message to sender
A message that you sent could not be delivered. The following address(es) failed:

  {ADA}
    Unrouteable address

== exim rcpt | hard | daemon | Mail delivery failed: returning message to sender
A message that you sent could not be delivered. The following address(es) failed:

  {ADA}
    SMTP error from remote mail server after RCPT TO:<{ADA}>:
    host mx [192.0.2.1]: 550 5.1.1 User unknown

== exim expired | soft | daemon | Mail delivery failed: returning message to sender
A message that you sent could not be delivered. The following address(es) failed:

  {ADA}
    retry timeout exceeded

== exim delayed | delayed | daemon | Warning: message 1abc delayed 24 hours
A message that you sent has not yet been delivered after more than 24 hours on the queue.

The address to which the message has not yet been delivered is:

  {ADA}

No action is required on your part. Delivery attempts will continue.

== gmail | hard | daemon | Delivery Status Notification (Failure)
** Address not found **

Your message wasn't delivered to {ADA} because the address couldn't be found, or is unable to receive mail.

The response from the remote server was:
550 5.1.1 The email account does not exist.

== exchange online | hard | Microsoft Outlook <MicrosoftExchange329e71ec@mx.example> | Undeliverable: Trending papers
Delivery has failed to these recipients or groups:

{ADA}
The email address you entered couldn't be found.

Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'

== exchange full | soft | postmaster | Undeliverable: Trending papers
Delivery has failed to these recipients or groups:

{ADA}
The recipient's mailbox is full.

== exchange block | sender | postmaster | Undeliverable: Trending papers
Delivery has failed to these recipients or groups:

{ADA}
550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Part of their network is on our block list

== exchange 2003 | hard | postmaster | Undeliverable: Trending papers
Your message

  To:      {ADA}

did not reach the following recipient(s):

{ADA} on Mon, 1 Jan 2025 00:00:00
    The e-mail account does not exist at the organization this message was sent to.
      <mx.example #5.1.1>

== domino | hard | postmaster | DELIVERY FAILURE: User ada not listed in Domino Directory
Your message

  Subject: Trending papers

was not delivered to:

  {ADA}

because:

  User ada ({ADA}) not listed in Domino Directory

== groupwise | hard | daemon | Message status - undeliverable
The message that you sent was undeliverable to:
	ada ({ADA}) (user not found)

== aol | hard | daemon | Returned mail: User unknown
The original message was received at Mon, 1 Jan 2025 00:00:00 -0400

   ----- The following addresses had permanent fatal errors -----
<{ADA}>

   ----- Transcript of session follows -----
>>> RCPT To:<{ADA}>
<<< 550 MAILBOX NOT FOUND
550 <{ADA}>... User unknown

== yahoo | hard | daemon | Failure Notice
Sorry.

<{ADA}>:
554: delivery error: dd This user doesn't have a yahoo.com account

== courier | soft | Courier mail server at mx <@mx.example> | NOTICE: mail delivery status.
The original message was received on Mon.

UNDELIVERABLE MAIL

Your message to the following recipients cannot be delivered:

<{ADA}>:
    mx [192.0.2.1]:
>>> RCPT TO:<{ADA}>
<<< 552 Mailbox is full

== imail | hard | postmaster | Undeliverable Mail
Unknown user: {ADA}

Original message follows.

== communigate | hard | daemon | Undeliverable mail
Failed to deliver to '{ADA}'
LOCAL module reports:
 account does not exist

== mdaemon | hard | MDaemon at mx.example <MDaemon@mx.example> | Permanent Delivery Failure
--> RCPT To:<{ADA}>
<-- 550 <{ADA}>, Recipient unknown

== mimecast | sender | postmaster | [Postmaster] Email Delivery Failure
An email you addressed to:
-- {ADA}

could not be delivered.
-- 550 Rejected by header based manually Blocked Senders

== barracuda | sender | daemon | Undelivered Mail Returned to Sender
<{ADA}>: host mx[192.0.2.1] said: 554 Service unavailable; Client host [ours.example] blocked using
Barracuda Reputation (in reply to end of DATA command)

== comcast | hard | daemon | Permanent Error
Delivery to the following recipients failed.

     {ADA}

Reason: Not our Customer

== gmx | hard | daemon | Mail delivery failed
Ihre Nachricht konnte nicht zugestellt werden:

{ADA}:
SMTP error from remote server for RCPT TO command, host: mx reason: 550 5.1.1 unknown recipient

== german | hard | daemon | Unzustellbare Nachricht
Ihre Nachricht an {ADA} konnte nicht zugestellt werden.

Grund: Empfänger unbekannt

== german full | soft | daemon | Unzustellbar: Trending papers
Ihre Nachricht hat folgende Empfänger nicht erreicht:

  {ADA}

Das Postfach des Empfängers ist voll.

== french | hard | postmaster | Non remis : Trending papers
Votre message n'a pas pu être remis aux destinataires suivants :

{ADA}

L'adresse du destinataire est introuvable.

== french full | soft | postmaster | Échec de la remise : Trending papers
Échec de la remise pour ces destinataires ou groupes :

{ADA}

La boîte aux lettres du destinataire est pleine.

== spanish | hard | postmaster | No se puede entregar: Trending papers
No se pudo entregar el mensaje a estos destinatarios:

{ADA}

El usuario no existe.

== spanish full | soft | daemon | Mensaje no entregado
No se ha podido entregar su mensaje a {ADA}.

El buzón del destinatario está lleno.

== italian | hard | daemon | Mancato recapito: Trending papers
Il messaggio non è stato recapitato al seguente destinatario:

{ADA}

Utente sconosciuto.

== portuguese | hard | postmaster | Não entregue: Trending papers
Não foi possível entregar a mensagem aos destinatários:

{ADA}

O endereço de email não foi encontrado.

== portuguese full | soft | daemon | Falha na entrega
A sua mensagem para {ADA} não foi entregue.

A caixa de correio do destinatário está cheia.

== dutch | hard | postmaster | Onbestelbaar: Trending papers
Uw bericht kon niet worden bezorgd bij:

{ADA}

Het e-mailadres bestaat niet.

== polish | hard | postmaster | Niedostarczone: Trending papers
Nie można dostarczyć wiadomości do adresatów:

{ADA}

Nieznany użytkownik.

== russian | hard | daemon | Сообщение не доставлено
Ваше сообщение не может быть доставлено получателю {ADA}.

Пользователь не найден.

== russian full | soft | daemon | Ошибка доставки
Письмо для {ADA} не доставлено: почтовый ящик переполнен.

== swedish | hard | postmaster | Kan inte levereras: Trending papers
Det gick inte att leverera till följande mottagare:

{ADA}

Okänd användare.

== turkish | hard | postmaster | Teslim Edilemedi: Trending papers
Bu alıcılara teslim edilemedi:

{ADA}

Kullanıcı bulunamadı.

== chinese | hard | Postmaster@mx.example | 系统退信
抱歉,您发给{ADA}的邮件被退回来了。
退信原因: 收件人邮件地址不存在,邮件无法送达。

== chinese full | soft | Postmaster@mx.example | 系统退信
您的邮件被退回
收件人: {ADA}
退信原因: 收件人邮箱已满。

== japanese | hard | daemon | 配信不能
次の宛先にメールを配信できませんでした。

{ADA}

宛先のメールアドレスが見つかりません。

== japanese full | soft | daemon | 送信できませんでした
{ADA}宛のメールは、メールボックスの容量が一杯のため送信できませんでした。

== korean | hard | daemon | [메일 발송 실패 안내]
메일 발송에 실패했습니다.
받는사람: {ADA}
실패 사유: 존재하지 않는 사용자
"""
"""== name | class | From | Subject, then what the server wrote about {ADA}."""


def notices() -> Iterator[tuple[str, BounceClass, str, str, str]]:
    for block in NOTICES_IN_WORDS.replace("{ADA}", ADA).split("\n== ")[1:]:
        head, _, body = block.partition("\n")
        name, bounce, author, subject = head.split(" | ")
        yield name, BounceClass(bounce), {"daemon": DAEMON, "postmaster": POSTMASTER}.get(author, author), subject, body


NOTICES = list(notices())


@every_row(("expected", "author", "subject", "body"), [row[1:] for row in NOTICES], ids=[row[0] for row in NOTICES])
def test_a_notice_is_understood_without_a_report(expected: BounceClass, author: str, subject: str, body: str) -> None:
    feedback = read_feedback(mail(author, subject, body))
    assert feedback.kind is FeedbackKind.BOUNCE, feedback
    assert told(feedback) == [(ADA, expected)]


PERSON = "Ada Lovelace <ada@reader.example>"
PEOPLE = [
    ("a reply", "Re: Trending papers", "I could not find the PDF; user unknown? My mailbox is full of bob@else.example", ADA, ""),
    ("a new address", "My new address", "The old address does not exist any more; use ada@new.example. It failed.", ADA, ""),
    ("a parcel", "Your delivery on Sunday", "We cannot deliver on Sunday: contact shop@else.example.", "news@else.example", ""),
    ("a refused talk", "Talk rejected", "The committee could not accept it; write to chair@else.example", ADA, ""),
    ("away, nothing said", "Re: papers", "I am unable to answer. In a hurry, write to bob@reader.example", "", ""),
    ("away", "Out of office", "I cannot read mail; bob@reader.example can.", "", ""),
    ("away, RFC 3834", "Holiday", "I cannot read mail; bob@reader.example can.", "", "Auto-Submitted: auto-replied\n"),
    ("left", "Automatic reply: papers", "Ada left the company; her account was deleted. bob@reader.example", "", ""),
    *(
        (f"away: {subject}", f"{subject}: Trending papers", "bob@reader.example; failed, 不存在, unbekannt, inconnu", "", "")
        for subject in (
            "Abwesenheitsnotiz", "Réponse automatique", "Respuesta automática", "Resposta automática", "Risposta automatica",
            "Automatisch antwoord", "Automatyczna odpowiedź", "Автоматический ответ", "Autosvar", "Otomatik yanıt",
            "自動返信", "自动回复", "자동 회신",
        )
    ),
]  # fmt: skip


@every_row(("subject", "body", "returns_to", "more"), [row[1:] for row in PEOPLE], ids=[row[0] for row in PEOPLE])
def test_what_people_write_is_no_bounce(subject: str, body: str, returns_to: str, more: str) -> None:
    feedback = read_feedback(mail(PERSON, subject, body, returns_to, more))
    assert feedback.kind in (FeedbackKind.OTHER, FeedbackKind.AUTO_REPLY), feedback
    assert not feedback.recipients


def test_what_stands_beside_an_address_without_a_space_is_not_of_it() -> None:
    assert told(read_feedback(mail(DAEMON, "系统退信", "您发给 用户@例子.example 的邮件被退回")))[0][0] == "用户@例子.example"
    assert told(read_feedback(mail(DAEMON, "系统退信", f"您发给{ADA}的邮件被退回")))[0][0] == ADA


@given(st.sampled_from([row[4] for row in NOTICES if row[1] is not HARD]), st.integers(0, 400))
def test_a_notice_that_is_not_hard_does_not_turn_hard_by_truncation(body: str, end: int) -> None:
    assert HARD not in [each.bounce for each in read_feedback(mail(DAEMON, "failure notice", body[:end])).recipients]

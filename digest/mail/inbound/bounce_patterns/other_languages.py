"""How servers say in languages other than English that a mail did not arrive, and why.

Notices in the words of Exchange, Domino, GroupWise, GMX, Yandex, Mail.ru, NetEase, QQ, Naver and their like: German, French,
Spanish, Portuguese, Italian, Dutch, Polish, Russian, Swedish, Danish, Norwegian, Turkish, Japanese, Chinese, Korean.
"""

from __future__ import annotations

import re

from digest.domain.feedback import BounceClass
from digest.mail.inbound.bounce_patterns.stages import words

FAILURE_SUBJECT = words(
    r"unzustellbar|nicht zugestellt|zustellung (?:fehlgeschlagen|nicht m)|zustellungsfehler",
    r"non remis|non distribu|échec de (?:la )?(?:remise|distribution|l'envoi)|remise impossible|courrier non délivré",
    r"no se (?:puede|pudo|ha podido) entregar|no entregado|error (?:de|en la) entrega|entrega fallida|devuelto",
    r"não (?:foi )?entregue|falha (?:na|de) entrega|impossível entregar|devolvid[oa]|não é possível entregar",
    r"mancat[oa] (?:recapito|consegna)|non recapitat|impossibile (?:recapitare|consegnare)|consegna (?:fallita|non riuscita)",
    r"onbestelbaar|niet te bestellen|niet bezorgd|bezorging mislukt|kan niet worden bezorgd",
    r"niedostarczon|nie można dostarczyć|nie dostarczono|zwrot wiadomości|błąd dostarcz",
    r"недоставлен|не доставлен|ошибка доставки|не удалось доставить|невозможно доставить|возврат письма",
    r"kan inte levereras|kunne ikke leveres|kan ikke leveres|olevererat|ikke leveret|uleverelig",
    r"teslim edilemedi|iletilemedi|gönderilemedi|teslimat hatası",
    r"配信不能|配信できません|不達|送信できません|送達不能|エラーメール|エラー通知|返送",
    r"退信|无法送达|無法傳遞|无法投递|投递失败|傳送失敗|发送失败|未送达|退回",
    r"발송 ?실패|전송 ?실패|배달(?:되지| ?실패)|반송",
)
"""Subjects of notices."""

FAILED = words(
    r"nicht (?:\w+ ){0,3}?(?:zugestellt|erreicht|ausgeliefert|übermittelt)|fehlgeschlagen|abgelehnt|zurückgewiesen|unzustellbar",
    r"n'a pas pu être|n'ont pas pu|échec de|impossible de (?:remettre|distribuer|livrer)|non remis|rejeté",
    r"no se (?:pudo|puede|ha podido|pudieron)|no (?:ha sido|fue) entregad|rechazad|error al entregar",
    r"não (?:foi possível|foi entregue|pôde ser)|não pode ser entregue|rejeitad|falha na entrega",
    r"non (?:è stato|è possibile|può essere|ha potuto)|impossibile recapitare|rifiutat",
    r"kon(?:den)? niet (?:worden )?(?:bezorgd|afgeleverd)|is mislukt|niet afgeleverd|geweigerd",
    r"nie można (?:było )?(?:dostarczyć|doręczyć)|nie (?:został|została|zostało) dostarczon|odrzucon",
    r"не (?:может|могло|было|удалось|был[аи]?)\s.{0,30}(?:доставлен|отправлен|доставить)|не доставлен|отклонен",
    r"gick inte att leverera|kunde inte levereras|kunne ikke leveres|avvisades|afvist|avvist",
    r"teslim edilemedi|iletilemedi|gönderilemedi|reddedildi",
    r"配信できません|送信できません|届けられません|配達できません|拒否されました",
    r"无法送达|無法傳遞|无法投递|被退回|投递失败|发送失败|被拒绝|未能送达",
    r"실패했습니다|실패하였습니다|전달할 수 없|배달할 수 없|거부되었습니다",
)
"""Words of a notice without which it is none."""

AUTOMATIC_SUBJECT = (
    r"automatisches? antwort|abwesenheit|nicht im (?:haus|büro)|réponse automatique|absence? du bureau|absent"
    r"|respuesta automática|fuera de (?:la )?oficina|resposta automática|ausência|fora do escritório|risposta automatica"
    r"|fuori (?:sede|ufficio)|automatisch antwoord|afwezig|automatyczna odpowiedź|nieobecn|автоматический ответ|автоответ"
    r"|вне офиса|отсутству|autosvar|automatiskt? svar|frånvaro|fravær|otomatik yan[ıi]t|ofis dışında|automaattinen vastaus"
    r"|automatická odpově|automatikus válasz|răspuns automat|αυτόματη απάντηση|自動返信|自動応答|不在|自动回复|自動回覆|外出"
    r"|자동 ?(?:회신|응답)|부재중|رد تلقائي|תשובה אוטומטית"
)
"""How the subject of an automatic answer begins."""

STILL_TRYING = words(
    r"wird (?:weiter(?:hin)?|erneut) versucht|verzögert sich|a été retardé|nouvelle tentative|se ha retrasado|seguirá intentando",
    r"è stat[ao] ritardat|ulteriori tentativi|foi adiada|novas tentativas|vertraagd|opóźnion|задерж|повторн\w* попыт|遅延|延迟",
)

CAUSES_IN_OTHER_LANGUAGES: tuple[tuple[str, BounceClass, re.Pattern[str]], ...] = (
    (
        "full",
        BounceClass.SOFT,
        words(
            r"(?:postfach|mailbox|speicher\w*|quota)\b.{0,40}\b(?:voll|überschritten|ausgeschöpft|erreicht)",
            r"bo[iî]te.{0,60}(?:pleine|saturée)|quota.{0,20}(?:dépass|atteint)|espace.{0,20}insuffisant",
            r"(?:buz[óo]n|cuota|casilla).{0,60}(?:llen[oa]|excedid|superad|agotad)",
            r"(?:caixa|cota|quota).{0,60}(?:cheia|excedid|lotada)",
            r"(?:casella|quota).{0,60}(?:piena|superat|esaurit)",
            r"(?:postvak|mailbox|postbus|quotum)\b.{0,40}\b(?:vol|overschreden)\b",
            r"skrzynk.{0,60}(?:pełna|przepełniona)|przekroczon\w* (?:limit|przydział)",
            r"ящик.{0,40}(?:переполнен|заполнен)|превышен\w* (?:квот|лимит|объ)",
            r"(?:postlåda|brevlåda|postkasse|postboks)\w*.{0,40}(?:full|fuld)\b|posta kutusu.{0,30}dolu|kotası",
            r"(?:メールボックス|受信箱|容量).{0,20}(?:一杯|いっぱい|超え|超過|満杯)",
            r"(?:邮箱|郵箱|信箱|邮件箱|空间|容量).{0,10}(?:已满|已滿|满|超出|不足)",
            r"(?:편지함|메일함|용량).{0,20}(?:초과|가득|부족)",
        ),
    ),
    (
        "blocked",
        BounceClass.SENDER,
        words(
            r"als spam|spamverdacht|spam erkannt|considéré comme (?:spam|indésirable)|como spam|correo no deseado",
            r"come spam|como (?:lixo|spam)|als ongewenst|jako spam|как спам|спам|スパム|迷惑メール|垃圾邮件|垃圾郵件|스팸",
        ),
    ),
    (
        "no such mailbox",
        BounceClass.HARD,
        words(
            r"(?:empfänger|adresse|benutzer|postfach|konto)\w*\b.{0,60}(?:unbekannt|nicht gefunden|existiert nicht|ungültig"
            r"|nicht vorhanden|nicht bekannt|gibt es nicht)|unbekannter? (?:empfänger|benutzer|adresse)",
            r"(?:utilisateur|destinataire|adresse|bo[iî]te|compte)\b.{0,60}(?:inconnu|introuvable|n'existe (?:pas|plus)"
            r"|inexistant|n'a pas été trouvé)",
            r"(?:usuario|destinatario|direcci[óo]n|cuenta|buz[óo]n)\b.{0,80}(?:desconocid|no existe|inexistente"
            r"|no (?:se ha )?encontrad)|no se (?:encontró|ha encontrado) (?:la |el )?(?:dirección|usuario|destinatario|cuenta)",
            r"(?:usuário|utilizador|destinatário|endereço|conta)\b.{0,60}(?:desconhecid|não (?:existe|foi encontrad)"
            r"|inexistente)",
            r"(?:utente|destinatario|indirizzo|casella|account)\b.{0,60}(?:sconosciut|non (?:esiste|trovat|è stato trovato)"
            r"|inesistente)",
            r"(?:gebruiker|geadresseerde|ontvanger|adres|e-mailadres|postvak)\b.{0,60}(?:onbekend|bestaat niet|niet gevonden)"
            r"|onbekende (?:gebruiker|ontvanger|geadresseerde)",
            r"(?:użytkownik|adresat|adres|konto|skrzynka)\b.{0,60}(?:nieznan|nie istnieje|nie został\w* znalezion)"
            r"|nie ma takiego (?:użytkownika|adresu|konta)|nieznany (?:użytkownik|adresat)|nie znaleziono (?:adresu"
            r"|użytkownika|adresata)",
            r"(?:пользовател|получател|адрес|ящик)\w*.{0,60}(?:не (?:найден|существует)|неизвест)"
            r"|неизвестн\w+ (?:пользоват|получат)",
            r"(?:användare|mottagare|adress|bruger|modtager|bruker|mottaker)\w*\b.{0,60}(?:okänd|ukendt|ukjent|finns inte"
            r"|findes ikke|finnes ikke|hittades inte|blev ikke fundet)"
            r"|(?:okänd|ukendt|ukjent) (?:användare|mottagare|bruger|bruker)",
            r"(?:kullanıcı|alıcı|adres|hesap)\w{0,20}.{0,40}(?:bulunamadı|bilinmiyor|mevcut değil|geçersiz)",
            r"(?:宛先|アドレス|ユーザー?|受信者).{0,30}(?:見つかりません|存在しません|不明)|存在しない(?:アドレス|ユーザ)",
            r"(?:用户|用戶|收件人|地址|账号|帳號|邮箱|信箱).{0,30}(?:不存在|无效|無效|未找到|找不到|错误)",
            r"존재하지 않는|(?:사용자|수신자|주소|계정).{0,20}(?:없습니다|찾을 수 없|알 수 없)",
        ),
    ),
    (
        "no such host",
        BounceClass.HARD,
        words(
            r"\bdomä?(?:in|ne|ene)\w*\b.{0,40}(?:nicht gefunden|existiert nicht|introuvable|n'existe pas|onbekend|bestaat niet)",
            r"(?:dominio|domínio)\b.{0,40}(?:no existe|non esiste|não existe|inesistente|inexistente)"
            r"|домен.{0,30}не (?:найден|сущ)",
            r"ドメイン.{0,20}(?:見つかりません|存在しません)|域名.{0,10}(?:不存在|错误)",
        ),
    ),
)
"""Rows as in causes.py; asked after the English ones."""

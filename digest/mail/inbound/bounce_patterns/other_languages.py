"""How servers say in languages other than English that a mail did not arrive, and why.

Notices in the words of Exchange, Domino, GroupWise, GMX, Yandex, Mail.ru, NetEase, QQ, Naver and their like: German, French,
Spanish, Portuguese, Italian, Dutch, Polish, Russian, Swedish, Danish, Norwegian, Turkish, Japanese, Chinese, Korean, Hungarian,
Finnish, Greek, Ukrainian, Romanian, Czech, Slovak, Bulgarian, Croatian, Serbian, Indonesian, Vietnamese, Thai, Arabic, Hebrew.
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
    r"kézbesíthetetlen|nem kézbesíthető|kézbesítés\w* (?:sikertelen|hib)|sikertelen kézbesít|(?:nem|sem) .{0,20}kézbesít",
    r"ei voitu toimittaa|toimitus (?:epäonnistui|ei onnistu)|toimittamatta|toimitusvirhe|palautettu (?:viesti|posti)",
    r"δεν (?:παραδόθηκε|ήταν δυνατή)|αποτυχία (?:παράδοσης|αποστολής)|αδυναμία παράδοσης|(?:ανεπίδοτ|επιστροφή μην)\w*",
    r"не доставлено|недоставлен|помилка доставк|не вдалося доставити|неможливо доставити|повернення лист",
    r"nelivrat|nu (?:a putut fi|poate fi) livrat|eroare (?:de|la) livrare|livrarea a (?:eșuat|esuat)|returnat expeditorului",
    r"nedoručiteln|nedoručen|nelze doručit|chyba doručení|nepodařilo se doručit|vrácen\w* (?:zpráv|pošt)|nedoručiteľn"
    r"|nedá sa doručiť"
    r"|nepodarilo (?:sa )?doručiť|vrátená správa",
    r"недостав[ея]н|не (?:може да бъде|беше) доставен|грешка при доставк|неуспешна доставка|върнато (?:писмо|съобщение)",
    r"neisporučen|nije (?:isporučen|moguće isporučiti)|isporuka nije uspjela|greška (?:pri isporuci|u isporuci)|vraćena poruka"
    r"|неиспоручен|није испоручен",
    r"tidak (?:terkirim|dapat dikirim)|không (?:gửi|chuyển) được|ไม่สามารถส่ง",
    r"(?:تعذر|فشل) (?:ال)?(?:تسليم|إرسال)|לא נ(?:מסר|יתן למסור)",
)
"""Subjects of notices."""

FAILED = words(
    r"nicht (?:\w+ ){0,3}?(?:zugestellt|erreicht|ausgeliefert|übermittelt)|fehlgeschlagen|abgelehnt|zurückgewiesen"
    r"|unzustellbar",
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
    r"nem (?:sikerült|lehet(?:ett)?|tudtuk|volt) .{0,40}kézbesít|sikertelen|visszautasít|elutasít|kézbesíthetetlen",
    r"ei (?:voitu|voida|voi|onnistuttu|pystytty) .{0,40}(?:toimit|välit|lähet)|epäonnistui|hylättiin|toimittamatta",
    r"δεν (?:παραδόθηκ|ήταν δυνατή|μπόρεσε|μπορεί|κατέστη)|απέτυχε|αποτυχία|απορρίφθηκε|αδυναμία",
    r"не (?:вдалося|вдалось|може бути|було|був|була|можна)\s.{0,40}достав|відхилен|не доставлено",
    r"nu (?:a putut|poate|au putut|s-a putut|am putut) .{0,40}(?:livra|trimi|transm)|respins|eșuat|esuat",
    r"(?:nelze|nebylo možné|nemohla? být|nepodařilo se) .{0,40}doruč|nebyl[ao]? doruč|odmítnut|selhal[ao]?"
    r"|nemohl[aoi]? byť doruč"
    r"|nepodarilo sa .{0,40}doručiť|nebol[aoi]? doručen|odmietnut|zlyhal[ao]?",
    r"не (?:може|можа|можаха|успя|беше|бяха)\s.{0,40}достав|отхвърлен|неуспешн",
    r"nije (?:isporučen|bilo moguće|moguće)|ne može .{0,40}isporuč|nije uspjel|odbijen|nismo uspjeli|није (?:испоручен|могуће)"
    r"|одбијен",
    r"tidak (?:dapat|bisa) dikirim|không thể (?:gửi|chuyển)|ไม่สามารถส่ง|(?:لم يتم|لا يمكن) (?:تسليم|إرسال)|לא נ(?:מסר|יתן למסור)",
)
"""Words of a notice without which it is none."""

AUTOMATIC_SUBJECT = (
    r"automatisches? antwort|abwesenheit|nicht im (?:haus|büro)|réponse automatique|absence? du bureau|absent"
    r"|respuesta automática|fuera de (?:la )?oficina|resposta automática|ausência|fora do escritório|risposta automatica"
    r"|fuori (?:sede|ufficio)|automatisch antwoord|afwezig|automatyczna odpowiedź|nieobecn|автоматический ответ|автоответ"
    r"|автоматична відповідь|автовідповід"
    r"|вне офиса|отсутству|autosvar|automatiskt? svar|frånvaro|fravær|otomatik yan[ıi]t|ofis dışında|automaattinen vastaus"
    r"|automatická odpově|automatikus válasz|răspuns automat|αυτόματη απάντηση|自動返信|自動応答|不在|自动回复|自動回覆|外出"
    r"|자동 ?(?:회신|응답)|부재중|رد تلقائي|תשובה אוטומטית"
)
"""How the subject of an automatic answer begins."""

STILL_TRYING = words(
    r"wird (?:weiter(?:hin)?|erneut) versucht|verzögert sich|a été retardé|nouvelle tentative|se ha retrasado"
    r"|seguirá intentando",
    r"è stat[ao] ritardat|ulteriori tentativi|foi adiada|novas tentativas|vertraagd|opóźnion|задерж|повторн\w* попыт|遅延|延迟",
    r"késleltet|késik|újra (?:meg)?próbál|viivästy|yritetään (?:uudelleen|edelleen)|καθυστέρη|νέα προσπάθεια|θα προσπαθήσ"
    r"|затриму|повторн\w* спроб|(?:a fost )?întârziat|se va (?:re)?încerca|zpožděn|další pokus|oneskoren|ďalší pokus|забавен"
    r"|забавя"
    r"|нов опит|odgođen|ponovni pokušaj|одложен",
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
            r"kotak (?:surat|masuk).{0,30}penuh|hộp thư.{0,30}đầy|กล่อง.{0,30}เต็ม|(?:صندوق|علبة).{0,30}ممتلئ|תיבת.{0,30}מלאה",
            r"(?:postafiók|postaláda|tárhely|kvóta)\w*.{0,40}(?:megtelt|betelt|tele\b|túllép)",
            r"(?:postilaatikko|kiintiö|sähköpostilaatikko)\w*.{0,40}(?:täynnä|täyttynyt|ylit)",
            r"(?:γραμματοκιβώτιο|θυρίδα|όριο|χώρος).{0,40}(?:πλήρ|γεμάτ|υπέρβαση|ξεπερ|εξαντλ)",
            r"скриньк\w*.{0,40}(?:переповнен|заповнен)|перевищен\w* (?:квот|ліміт|обсяг)",
            r"(?:căsuța|cutia|spațiul|cota|mailbox)\w*.{0,40}(?:plin[ăa]|depășit|epuizat)",
            r"(?:schránk|kvót)\w*.{0,40}(?:pln[áý]|přeplněn|překročen|preplnen|prekročen)",
            r"кутия\w*.{0,40}(?:пълна|препълнен)|квота\w*.{0,30}(?:надвишен|изчерпан)",
            r"(?:sandučić|pretinac|kvota)\w*.{0,40}(?:pun\b|puna\b|prepun|prekorač|premaš)",
        ),
    ),
    (
        "blocked",
        BounceClass.SENDER,
        words(
            r"als spam|spamverdacht|spam erkannt|considéré comme (?:spam|indésirable)|como spam|correo no deseado",
            r"come spam|como (?:lixo|spam)|als ongewenst|jako spam|как спам|спам|スパム|迷惑メール|垃圾邮件|垃圾郵件|스팸",
            r"spamnek|levélszemét|kéretlen|roskaposti|ανεπιθύμητ|ca spam|nevyžádan|nevyžiadan|нежелана поща|neželjen",
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
            r"|неизвестн\w+ (?:пользоват|получат)"
            r"|такого (?:пользователя|получателя|адреса|ящика) не|нет так\w+ (?:пользоват|получат|адрес|ящик)",
            r"(?:användare|mottagare|adress|bruger|modtager|bruker|mottaker)\w*\b.{0,60}(?:okänd|ukendt|ukjent|finns inte"
            r"|findes ikke|finnes ikke|hittades inte|blev ikke fundet)"
            r"|(?:okänd|ukendt|ukjent) (?:användare|mottagare|bruger|bruker)",
            r"(?:kullanıcı|alıcı|adres|hesap)\w{0,20}.{0,40}(?:bulunamadı|bilinmiyor|mevcut değil|geçersiz)",
            r"(?:宛先|アドレス|ユーザー?|受信者).{0,30}(?:見つかりません|存在しません|不明)|存在しない(?:アドレス|ユーザ)",
            r"(?:alamat|pengguna|penerima|akun)\b.{0,40}tidak (?:ditemukan|ada|dikenal|valid|terdaftar)",
            r"(?:địa chỉ|người (?:dùng|nhận)|tài khoản).{0,40}không (?:tồn tại|tìm thấy|hợp lệ)|ไม่พบ(?:ผู้ใช้|ผู้รับ|ที่อยู่|บัญชี)",
            r"(?:العنوان|المستخدم|المستلم|الحساب).{0,40}غير (?:موجود|معروف|صالح)",
            r"(?:הנמען|הכתובת|המשתמש|החשבון).{0,40}לא (?:נמצא|קיי?ם|מוכר)",
            r"(?:用户|用戶|使用者|收件人|收件者|地址|账号|帳號|邮箱|信箱).{0,30}(?:不存在|无效|無效|未找到|找不到|错误)",
            r"존재하지 않는|(?:사용자|수신자|주소|계정).{0,20}(?:없습니다|찾을 수 없|알 수 없)",
            r"(?:felhasználó|címzett|e-?mail ?cím|cím|postafiók|fiók)\w*.{0,60}(?:ismeretlen|nem (?:létezik|található|ismert"
            r"|érvényes"
            r"|szerepel)|érvénytelen)|(?:ismeretlen|nem létező|érvénytelen) (?:felhasználó|címzett|e-?mail|cím|postafiók)",
            r"(?:vastaanottaja|käyttäjä|osoite|sähköpostiosoite|postilaatikko|tili)\w*.{0,60}(?:ei (?:löydy|löytynyt"
            r"|ole (?:olemassa"
            r"|voimassa)|tunneta)|tuntematon|virheellinen)|(?:tuntematon|olematon|virheellinen) (?:vastaanottaja|käyttäjä"
            r"|osoite)",
            r"(?:χρήστη|παραλήπτη|διεύθυνση|λογαριασμό|γραμματοκιβώτιο|θυρίδα)\w*.{0,60}(?:δεν (?:υπάρχει|βρέθηκε"
            r"|είναι (?:έγκυρ"
            r"|γνωστ))|άγνωστ|άκυρ|ανύπαρκτ)|(?:άγνωστ|ανύπαρκτ|άκυρ)\w{1,3} (?:χρήστη|παραλήπτη|διεύθυνση)",
            r"(?:користувач|одержувач|отримувач|адрес|скриньк)\w*.{0,60}(?:не (?:знайден|існує|зареєстрован)|невідом|недійсн)"
            r"|невідом\w+ (?:користувач|одержувач|отримувач|адрес)|нема(?:є)? такого (?:користувача|одержувача)"
            r"|так(?:ого|ої) (?:користувача|одержувача|адреси) (?:нема|не існує)",
            r"(?:utilizator|destinatar|adres[aă]|cont|căsuța)\w*.{0,60}(?:nu (?:există|exista|a fost găsit|este (?:valid"
            r"|cunoscut))"
            r"|necunoscut|inexistent|invalid)|nu există (?:utilizator|destinatar|adres|cont)",
            r"(?:uživatel|příjemce|adres|schránk|účet|používateľ|príjemca|adresát)\w*.{0,60}(?:neexist|nebyl\w* nalezen"
            r"|nenalezen"
            r"|neznám|neplatn|nebol\w* nájden|nenájden)|(?:neznám|neexistuj|neplatn)\w* (?:uživatel|příjemce|adres|schránk"
            r"|používateľ|príjemc)",
            r"няма такъв (?:потребител|получател|адрес)|@ ei (?:löydy|ole olemassa)",
            r"(?:потребител|получател|адрес|кутия)\w*.{0,60}(?:не (?:съществува|е намерен|беше намерен)|неизвест|невалид)"
            r"|(?:непознат|несъществуващ)\w* (?:потребител|получател|адрес)",
            r"(?:korisnik|primatelj|primalac|primaoc|adres|sandučić|račun)\w*.{0,60}(?:ne postoji|nije (?:pronađen|poznat"
            r"|važeć)"
            r"|nepoznat|nepostojeć)|(?:nepoznat|nepostojeć)\w* (?:korisnik|primatelj|primalac|adres)"
            r"|(?:корисник|прималац|адреса).{0,40}(?:не постоји|непознат)",
            # not in the directory, not registered, not our customer
            r"\b(?:nicht|non|pas|no (?:está|figura|consta|aparece)|não|niet|nie|не|inte|ikke|nu|nem|ei"
            r"|δεν)\b.{0,20}(?:registrier|eingetragen|verzeichnis|gelistet"
            r"|répertori|enregistr|annuaire|registrad|registrat|directorio|diretório|cadastrad|consta|elenco|geregistreerd"
            r"|opgenomen|zarejestrowan|figuruje|зарегистр|значится|числится|registrer|katalog|înregistrat|regisztrál|rekister"
            r"|καταχωρ|εγγεγραμμέν)",
            r"kayıtlı değil|登録(?:さ|が|の|は|し).{0,4}(?:ません|ない|ありません)"
            r"|(?:ディレクトリ|名簿|一覧).{0,12}(?:ません|ない)"
            r"|見(?:当た|当)りません|宛先不明|查无此|(?:没有|沒有|未).{0,6}(?:注册|註冊"
            r"|登记|登錄|此用户|该用户|找到)|등록되(?:지|어 있지) 않",
        ),
    ),
    (
        "no such host",
        BounceClass.HARD,
        words(
            r"\bdomä?(?:in|ne|ene)\w*\b.{0,40}(?:nicht gefunden|existiert nicht|introuvable|n'existe pas|onbekend"
            r"|bestaat niet)",
            r"(?:dominio|domínio)\b.{0,40}(?:no existe|non esiste|não existe|inesistente|inexistente)"
            r"|домен.{0,30}не (?:найден|сущ)",
            r"ドメイン.{0,20}(?:見つかりません|存在しません)|域名.{0,10}(?:不存在|错误)",
            r"(?:tartomány|verkkotunnus|τομέας|домен|domeni|domén|domena)\w*.{0,40}(?:nem (?:létezik|található)|ei (?:löydy|ole"
            r" olemassa)|δεν (?:υπάρχει|βρέθηκε)|не (?:існує|знайден|съществува|постоји)|nu (?:există|a fost găsit)|neexist"
            r"|nenalezen|ne postoji)",
        ),
    ),
)
"""Rows as in ours.py; asked after the English ones."""

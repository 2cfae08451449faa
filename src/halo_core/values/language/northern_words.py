"""Swedish, Danish, Norwegian and Finnish words by which people ask for acts and name numbered things.

The tables have the form of those in `halo_core.values.language.foreign_words`, which reads them: English equivalent →
words; one that ends in `*` stands for every word that begins so. Left out are words that another language writes as a
common word of its own (`del`, `les`, `to`).
"""

from __future__ import annotations

from typing import Final

ACTS: Final = {
    "pay": "betala betalas betal betale överför overfør maksa maksakaa maksetaan",
    "transfer": "siirrä siirtäkää",
    "buy": "köp köpa køb købe kjøp kjøpe osta ostakaa tilaa tilatkaa",
    "refund": (
        "återbetala återbetal refundera refunder refundere tilbagebetal tilbakebetal palauta palauttakaa hyvitä "
        "hyvittäkää"
    ),
    "send": "skicka skickas mejla maila lähetä lähettäkää oversend fremsend",
    "forward": "vidarebefordra videresend videresende edelleenlähetä",
    "reply": "svar svara svare besvara besvar besvare vastaa vastatkaa",
    "write": "skriv skriva skrive kirjoita kirjoittakaa",
    "tell": (
        "meddela informera underrätta informer informere fortæl fortælle fortell fortelle underret varsle kerro "
        "kertokaa ilmoita ilmoittakaa berätta påminn påmind muistuta"
    ),
    "invite": "bjud inbjud inviter invitere indbyd kutsu kutsukaa",
    "share": "dela dele jaa jakakaa",
    "grant": "ge giv tildel tildela bevilja myönnä antakaa",
    "add": "lägg legg tilføj tilføje læg tillägg lisää lisätkää",
    "delete": ("radera raderas avlägsna slet slette slett fjern fjerne poista poistakaa"),
    "cancel": (
        "avboka avbokas avbeställ annullera makulera avbryt annuller annullere aflys aflyse afbestil avlys avlyse "
        "avbestill avbestille kanseller kansellere peruuta peruuttakaa peruutetaan perukaa"
    ),
    "run": "kör köra starta kør køre kjør kjøre starte suorita suorittakaa käynnistä",
    "book": "boka bokas reservera bestill bestille bestil reserver reservere beställ varaa varatkaa",
    "schedule": "schemalägg planera planlæg planlegg planlegge aikatauluta",
    "move": "flytta flyttas flyt flytte siirrä",
    "create": "skapa skapas opret oprette opprett opprette lag luo luokaa laadi",
    "update": (
        "uppdatera ändra ändras höj sänk sätt opdater opdatere ændr ændre sæt oppdater oppdatere endre sett päivitä "
        "muuta vaihda aseta korota"
    ),
    "save": "spara gem gemme lagre tallenna",
    "note": "anteckna notera noter notere merkitse kirjaa",
    "post": "publicera publicér publicere publiser publisere lägg udgiv offentliggør julkaise",
    "approve": "godkänn godkänna godkend godkende godkjenn godkjenne hyväksy hyväksykää",
    "reject": "avslå avvisa avslag afvis avvis hylkää",
    "assign": "tilldela tildel tildele",
    "close": "stäng stänga luk lukke lukk steng stenge sulje sulkekaa",
    "restart": "omstart genstart genstarte",
    "donate": "donera skänk doner donere lahjoita",
    "block": "spärra blockera spær spærre bloker sperr sperre blokker jäädytä",
    "upload": "ladda lataa",
    "read": "läsa læs læse lue lukekaa",
}
NUMBERED: Final = {
    "invoice": "fakturan fakturaen lasku laskun räkning räkningen regning regningen",
    "message": "meddelande meddelandet besked beskeden melding meldingen mejl mejlet viesti viestin",
    "ticket": "ärende ärendet",
    "order": "beställning beställningen bestilling bestillingen ordren ordern tilaus tilauksen",
    "event": "möte mötet møde mødet møte møtet kokous kokouksen",
    "document": "asiakirja dokumentet",
    "customer": "kund kunden kunder asiakas asiakkaan",
    "request": "ansökan ansøgning søknad hakemus hakemuksen",
    "contract": "avtal avtalet aftale avtale sopimus sopimuksen",
    "booking": "bokning bokningen booking bookingen varaus varauksen",
}
AMBIGUOUS: Final = "svar sett lag gem ge ändra ladda doner noter planera dela dele starte starta sperre"
"""Words that ask for an act, and name something behind an article."""
BEFORE_NOUNS: Final = (
    "min mitt mina mit mine din ditt dina dit vår vårt våra vores vore hans hennes hendes deras deres denna detta "
    "dessa denne dette disse sista siste sidste senaste förra ett det alla alle ingen inget från frå "
    "av af till ved hos før före etter efter utan uten uden"
)
"""Articles, possessives and prepositions, behind which an ambiguous word is a noun."""
BEFORE_ORDERS: Final = "och og ja sitten sen sedan därefter derefter deretter vennligst venligst snälla gärna sekä"
"""Words behind which an order begins."""
DOING: Final = "gör göra gjør gjøre gør gøre genomför gennemfør gjennomfør utför udfør utfør tee tehkää behöver trenger"
"""Verbs that say of an act only that it is done."""

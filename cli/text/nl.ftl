# Wat de opdrachtregel tegen mensen zegt, in het Nederlands. `en.ftl` heeft dezelfde berichten en zegt
# hoe ze heten. Waarom een gebruiker of een aanvraag wordt geweigerd, zegt de dienst: zie `server/text`.
#
# Woorden: licentieplaats, licentie, product, plan, catalogus, gebruiker, klant, batch, voorbeeld,
# selectie; toewijzen en intrekken.

users = { $count ->
    [one] 1 gebruiker
   *[other] { $count } gebruikers
}
more = en nog { $count }
more-of-kind = en nog { $count } { $kind } (--all toont ze)
list-and-more = { $list } en nog { $count }

## Een wijziging: het voorbeeld, de vraag, wat er is gedaan

preview-title = voorbeeld: er is nog niets gewijzigd
preview-counts = { $users }: { $applied } toe te passen, { $unchanged } ongewijzigd, { $failed } geweigerd, { $skipped } overgeslagen
batch-title = batch { $id }
batch-title-running = batch { $id }, nog bezig
batch-counts = { $users }: { $applied } toegepast, { $unchanged } ongewijzigd, { $failed } geweigerd, { $skipped } overgeslagen
nobody-would-be-changed = er zou voor niemand iets wijzigen, want het is voor iedereen of voor niemand
nobody-was-changed = er is voor niemand iets gewijzigd, want het was voor iedereen of voor niemand

assign = { $products } toewijzen
assigned = { $products } toegewezen
revoke = { $products } intrekken
revoked = { $products } ingetrokken
change-plans = plannen wijzigen van { $products }
changed-plans = plannen gewijzigd van { $products }
product-with-all-plans = { $product } (alle plannen)
product-without-plans = { $product } (zonder { $plans })
product-with-only-plans = { $product } (alleen { $plans })
other-changes = en nog { $count } andere wijzigingen; --all toont ze

seats-product = product
seats-total = plaatsen
seats-assigned = toegewezen
seats-available = beschikbaar
seats-missing = { $count ->
    [one] er ontbreekt 1 licentieplaats van { $product }
   *[other] er ontbreken { $count } licentieplaatsen van { $product }
}
seats-short-way-out = --capacity fill deelt uit wat er is; `seatwise licenses set-seats` voegt plaatsen toe

losses = { $count ->
    [one] 1 gebruiker zou een product kwijtraken; dat is meer dan zonder bevestiging mag
   *[other] { $count } gebruikers zouden een product kwijtraken; dat is meer dan zonder bevestiging mag
}
loss = { $product }: { $lost } van de { $held } die het hebben
apply-losses = Typ { $count } om het toe te passen:
confirm-way-out = als dat de bedoeling is: --confirm { $confirmation }

nothing-to-apply = er is niets toe te passen
to-do-exactly-this = om precies dit te doen:
preview-stale = er is intussen iets veranderd en er is niets gedaan; het voorbeeld is nu:
apply = Toepassen?
question-answers = [j/N]
# De antwoorden die ja betekenen, gescheiden door spaties.
question-yes = j ja y yes
nothing-was-changed = er is niets gewijzigd

batch-accepted = geaccepteerd als batch { $id }, die doorloopt ook als deze opdracht stopt
batch-replayed = deze aanvraag is eerder verstuurd, als batch { $id }; dit zijn de resultaten daarvan
nothing-to-cancel = er was niets meer te annuleren: de batch was al klaar of gestopt
to-repeat-safely = er kwam geen antwoord, dus het is niet bekend of de aanvraag is geaccepteerd; om hem te herhalen zonder iets dubbel te doen:
progress-users = gebruikers

## Andere vragen

delete-user = Deze gebruiker verwijderen?
user-holds = { $name } ({ $principal }) heeft { $products }; die plaatsen komen vrij
user-holds-nothing = { $name } ({ $principal }) heeft geen product
set-seats = Minder plaatsen instellen dan er zijn toegewezen?
seats-below-assigned = er zijn { $assigned } licentieplaatsen toegewezen en er zouden er maar { $left } overblijven; wie er een heeft, houdt die

## Om wie het gaat

no-users-named = zeg om welke gebruikers het gaat: --user, --users-file, --selection of --all-users
conditions-and-named-users = voorwaarden zoals --search kiezen zelf gebruikers en gaan niet samen met --user, --users-file en --selection. Wilt u beide, selecteer dan eerst met de voorwaarde (`seatwise users select --search …`) en noem daarna die selectie naast de anderen: --selection ID --users-file BESTAND
conditions-and-all-users = --all-users betekent iedereen: laat het weg als alleen bedoeld is wie aan de voorwaarden voldoet
plan-wrong = een serviceplan wordt genoemd met een UUID, of met PRODUCT/PLAN zoals ENTERPRISEPACK/EXCHANGE_S_ENTERPRISE
no-such-user = er is geen gebruiker { $user }
nobody-selected = er is niemand geselecteerd
users-selected = { $count ->
    [one] 1 gebruiker geselecteerd
   *[other] { $count } gebruikers geselecteerd
}
nobody-found = niemand gevonden
nobody-found-by-name = niemand gevonden: --search vergelijkt het begin van de weergavenaam en van de aanmeldnaam
customer-unknown = geen klant heet { $name }; `seatwise customers list --search TEKST` vindt klanten van wie de naam zo begint, en een id mag ook
customer-ambiguous = { $count } klanten heten { $name }; geef het id:
no-customer-found = niets gevonden: --search vergelijkt het begin van de naam
product-unknown = geen product heeft de string-id { $name }; `seatwise catalogue products` toont ze, en een id mag ook
product-ambiguous = { $count } producten hebben de string-id { $name }; geef het id:
product-retired = { $name }, vervallen
no-product-found = niets gevonden: --search vergelijkt het begin van de weergavenaam en van de string-id
plan-unknown = geen plan { $plan } in { $products }; `seatwise catalogue product { $id }` toont de plannen
plan-ambiguous = welk plan { $plan }?
plan-of-product = { $plan } van { $product }
plan-per-product = zeg het per product: seatwise change --assign PRODUCT:PLANNEN
plan-by-id = geef het id
plan-on-and-off = plan { $plan } kan niet tegelijk aan en uit
plans-twice = --plans staat er twee keer voor { $product }: zeg alles over een product in één keer

## Regels die worden overtreden

violations-counted = { $users } met overtredingen, { $violations } in totaal, van de regels van catalogusversie { $version }
select-violating = om met deze gebruikers verder te gaan, selecteer ze: { $command }
conditions-and-violating = --violating kiest zelf gebruikers en gaat niet samen met voorwaarden zoals --search; --violating-reason, --violating-product en --violating-plan maken de keuze kleiner

## Pagina's

in-all = { $count } in totaal
page-next = volgende pagina: { $command }
page-previous = vorige pagina: { $command }
page-first = eerste pagina: { $command }
page-last = laatste pagina: { $command }
page-is-first = dit is de eerste pagina: er is geen vorige
page-is-last = dit is de laatste pagina: er is geen volgende
page-first-with-token = --page first gaat zonder --page-token: laat dat weg
page-without-token = --page next en --page previous gaan uit van de pagina van een --page-token: geef dat erbij, of begin met --page first, die toont hoe het verder gaat

## Bestanden

file-unreadable = kan { $file } niet lezen: { $problem }
file-wrong = { $file } klopt niet, en er is niets verstuurd:
file-without-users = er staat geen gebruiker in
file-with-header-only = er staat een kopregel in maar geen gebruiker
file-empty = het bestand is leeg; de kolommen zijn { $columns }
place-in-file = regel { $line } van { $file }
place-in-list = regel { $line }
place-in-table = regel { $line }, kolom { $column }
problem-on-line = regel { $line }: { $problem }
problem-in-column = kolom { $column }: { $problem }
columns-twice = twee kolommen { $column }
line-not-utf8 = is geen UTF-8; sla het bestand op als "CSV UTF-8"
line-cells = heeft { $given } van de { $columns } cellen; zet een cel met een komma tussen aanhalingstekens
line-names-no-user = noemt geen gebruiker
cell-no-uuid = "{ $cell }" is geen UUID
cell-no-date = "{ $cell }" moet een datum zijn zoals 2025-06-30, of een tijd zoals 2025-06-30T12:00:00Z
cell-no-state = "{ $cell }" is geen active en geen inactive
import-columns = geen kolom principal_name of user_id; de kolommen zijn { $columns }, gescheiden door komma's
import-names-no-user = noemt geen gebruiker: vul principal_name of user_id in
import-counts = { $created } aangemaakt, { $updated } bijgewerkt, { $unchanged } ongewijzigd, { $failed } mislukt
import-stopped = de import is gestopt bij regel { $line } of daarna; wat daarvoor stond is gedaan, en het bestand nog eens importeren kan geen kwaad
sync-columns = de kolommen zijn user, product en plans, gescheiden door komma's
sync-plans-of-nothing = is leeg, terwijl er plannen van genoemd zijn
sync-something-and-nothing = { $user } kan niet iets en niets hebben: zie regel { $line }
sync-twice = { $user } krijgt { $product } twee keer: zie regel { $line }
sync-nothing-to-add = er staat geen product in, dus --add-only heeft niets te doen
catalogue-products = { $products } producten met { $plans } serviceplannen
catalogue-rules = { $count } regels
catalogue-counts-then = { $content }: { $added } zouden worden toegevoegd, { $changed } hernoemd of gewijzigd, { $removed } verwijderd, { $notes } opmerkingen; de catalogus zou versie { $version } krijgen
catalogue-impact = toewijzingen die in strijd met regels zouden zijn, en dat nu niet zijn: { $assignments }, van { $users }, klanten: { $customers } (beoordeeld: { $judged } van { $all } klanten)
violators-before-and-after = gebruikers met overtredingen: { $before } nu, { $after } daarna
more-rules = en nog { $count } regels
catalogue-counts = { $content }: { $added } toegevoegd, { $changed } hernoemd of gewijzigd, { $removed } verwijderd, { $notes } opmerkingen; de catalogus heeft versie { $version }

## Geschiedenis

journal-of = het journaal van { $name }
journal-of-installation = het journaal van de installatie
journal-whole = { $journal } is heel: { $count ->
    [one] 1 regel, van { $time }
   *[other] { $count } regels, de laatste van { $time }
}
journal-whole-after = na positie { $position } is { $journal } heel: { $count ->
    [0] er is sindsdien niets bij gekomen
    [one] 1 regel
   *[other] { $count } regels
}; wat daarvoor kwam, is vertrouwd en NIET gecontroleerd
journal-empty = { $journal } is leeg
checkpoints-met = het leidt naar { $count ->
    [one] het controlepunt
   *[other] de { $count } controlepunten
}
journal-flaw = { $journal } is NIET wat er geschreven is. Het is heel tot en met positie { $position }; daarna { $problem }
no-checkpoint = { $file }: { $problem }; het moet zijn wat `seatwise audit checkpoint` heeft afgedrukt
checkpoint-of-another = { $file } is een controlepunt van een ander journaal en zegt niets over dit
field-missing = { $field } ontbreekt of is beschadigd
user-was-not-there = gebruiker { $user } bestond toen niet
user-was-active = gebruiker { $user } was toen actief
user-was-inactive = gebruiker { $user } was toen inactief

## Volgen

watching = er wordt gevolgd; Ctrl-C beëindigt dat
watch-from-oldest = om te zien wat er nog is: --since { $token }
watch-from-here = om vanaf hier verder te gaan: { $command }

## De server

server-unreachable = de server is onbereikbaar ({ $problem }); start hem met `seatwise serve`, of zeg met --server waar hij is

## Wat is opgeruimd

journal-start = het begint na positie { $position }, van { $time }: wat daarvoor kwam, is opgeruimd en kan hier niet worden gecontroleerd
checkpoint-unreached = het controlepunt op positie { $position } is ouder dan wat wordt bewaard, zodat er NIETS over te zeggen is; bewaar controlepunten die nieuwer zijn dan de oudste geschiedenis
pruned-up-to = tot en met positie { $position }, van { $time }

## Wie wat mag

grant-for-whom = zeg voor wie de rollen zijn: --customer, eventueel meermaals, of --all-customers
grant-what = zeg wat er mag: --role, eventueel meermaals
principal-unknown = niemand heet { $name } (zie: seatwise principals list; voor een sleutel voor iemand nieuws, zeg wat die mag: --role)
principal-ambiguous = { $count } heten { $name }, van verschillende soorten; geef de UUID (zie: seatwise principals list)
principal-deleted = { $name } is verwijderd, met alle rechten en sleutels
nobody-is-asked = deze server vraagt niemand wie hij is: iedereen mag alles
key-shown-once = dit is de sleutel; die wordt niet bewaard en kan niet opnieuw worden getoond:
key-written = de sleutel staat in { $file }; gebruik hem met SEATWISE_TOKEN_FILE of --token-file
admin-recovered = { $name } is een nieuwe globale beheerder; de sleutel staat in { $file }. Trek in wat verloren is: seatwise keys list, keys revoke
show-a-key = met --token-file BESTAND, of SEATWISE_TOKEN_FILE in de omgeving

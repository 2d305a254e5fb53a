# Wat de dienst tegen mensen zegt, in het Nederlands. `en.ftl` heeft dezelfde berichten en zegt hoe
# ze heten. Woorden: licentieplaats, licentie, product, plan, catalogus, gebruikslocatie, gebruiker,
# klant, batch; toewijzen en intrekken, inschakelen en uitschakelen.

part-or = { $start } of { $end }

part-resource = { $resource ->
    [customer] klant
    [user] gebruiker
    [product] product
    [plan] plan
    [license] licentie
    [batch] batch
    [selection] selectie
    [principal] principal
    [grant] recht
    [key] sleutel
   *[other] { $resource }
}

part-the-resource = { $resource ->
    [customer] De klant
    [user] De gebruiker
    [product] Het product
    [plan] Het plan
    [license] De licentie
    [batch] De batch
    [selection] De selectie
   *[other] { $resource }
}

# Een plaats in een bestand: een regel, of een kolom daarvan.
part-line = regel { $line }
part-column = regel { $line }, kolom { $column }

## Waarom een gebruiker wordt geweigerd

reason-UNSPECIFIED = De gebruiker is geweigerd om een reden die deze versie van Seatwise nog niet kent.
reason-SEATS_EXHAUSTED = { $available ->
    [0] Er is geen licentieplaats van { $product } vrij.
   *[other] Er is geen licentieplaats van { $product } vrij: er zijn er al meer toegewezen dan er zijn ({ $available } beschikbaar).
}
reason-MUTUALLY_EXCLUSIVE_PLANS = { $plan } gaat niet samen met { $others }.
reason-PREREQUISITE_MISSING = { $suppliers-count ->
    [0] { $plan } kan niet worden ingeschakeld: daarvoor is { $others } nodig.
   *[other] { $plan } kan niet worden ingeschakeld: daarvoor is { $others } nodig. Wijs ook { $suppliers } toe.
}
reason-DEPENDENT_PLAN_REMAINS = { $plan } is ingeschakeld en heeft { $others } nodig, en dat zou wegvallen. Schakel ook { $plan } uit, of behoud wat het nodig heeft.
reason-USAGE_LOCATION_MISSING = De gebruiker heeft geen gebruikslocatie. Vul die eerst in; daarna kan een product worden toegewezen.
reason-USAGE_LOCATION_PROHIBITED = { $plan } is niet toegestaan in { $location }, de gebruikslocatie van de gebruiker.
reason-PRODUCT_NOT_LICENSED = De klant heeft geen licentie voor { $product }.
reason-PRODUCT_NOT_FOR_USERS = { $product } is voor het hele bedrijf en kan niet aan één gebruiker worden toegewezen.
reason-LICENSE_SUSPENDED = Alle licentieplaatsen van { $product } zijn opgeschort.
reason-PLAN_NOT_IN_PRODUCT = { $product } bevat { $plan } niet meer: de catalogus is gewijzigd nadat de batch was geaccepteerd.
reason-USER_NOT_FOUND = De klant heeft deze gebruiker niet (meer).
reason-USER_INACTIVE = De gebruiker is inactief en krijgt er niets bij.
reason-STOPPED_AFTER_FAILURES = Overgeslagen: de batch is gestopt omdat het toegestane aantal gebruikers was geweigerd.
reason-BATCH_ROLLED_BACK = Er is niets gewijzigd, want een andere gebruiker in de batch is geweigerd.
reason-PLAN_STALE = Sinds het voorbeeld is er iets veranderd; er is niets gedaan. Maak een nieuw voorbeeld.
reason-BATCH_CANCELLED = Overgeslagen: de batch is geannuleerd voordat deze gebruiker aan de beurt was.
reason-ACCESS_LOST = Overgeslagen: wie de batch startte, had het recht daartoe verloren voordat deze gebruiker aan de beurt was.
reason-CHANGED_SINCE = { $changer ->
    [batch] { $product } is sindsdien voor deze gebruiker gewijzigd door batch { $batch }.
   *[other] { $product } is sindsdien voor deze gebruiker gewijzigd.
}

## Hetzelfde in een paar woorden, om bij een aantal gebruikers te zetten

count-UNSPECIFIED = reden onbekend
count-SEATS_EXHAUSTED = geen licentieplaats vrij
count-MUTUALLY_EXCLUSIVE_PLANS = plannen die niet samengaan
count-PREREQUISITE_MISSING = benodigd plan ontbreekt
count-DEPENDENT_PLAN_REMAINS = benodigd plan zou wegvallen
count-USAGE_LOCATION_MISSING = geen gebruikslocatie
count-USAGE_LOCATION_PROHIBITED = niet toegestaan in de gebruikslocatie
count-PRODUCT_NOT_LICENSED = geen licentie voor het product
count-PRODUCT_NOT_FOR_USERS = product niet voor gebruikers
count-LICENSE_SUSPENDED = licentie opgeschort
count-PLAN_NOT_IN_PRODUCT = plan niet meer in het product
count-USER_NOT_FOUND = gebruiker niet gevonden
count-USER_INACTIVE = gebruiker inactief
count-STOPPED_AFTER_FAILURES = overgeslagen na te veel weigeringen
count-BATCH_ROLLED_BACK = teruggedraaid met de batch
count-PLAN_STALE = veranderd sinds het voorbeeld
count-BATCH_CANCELLED = overgeslagen na annulering
count-ACCESS_LOST = overgeslagen na verlies van het recht
count-CHANGED_SINCE = gewijzigd sinds de batch

## Waarom een aanroep wordt geweigerd

error-INVALID_FIELD = { $violations ->
    [one] Eén waarde ontbreekt of is onjuist: { $field }.
   *[other] { $violations } waarden ontbreken of zijn onjuist; de eerste is { $field }.
}
error-TOO_MANY_ITEMS = { $field } telt { $given } items, en het mogen er hoogstens { $max } zijn. Splits de aanvraag.
error-DUPLICATE_USER = { $field } is dezelfde gebruiker als { $first }. Noem elke gebruiker één keer.
error-CONTRADICTORY_CHANGE = Product { $productId } staat twee keer in de wijziging: zie { $field }. Noem elk product één keer.
error-UNKNOWN_PRODUCT = Product { $productId } staat niet in de catalogus: zie { $field }.
error-UNKNOWN_PLAN = Product { $productId } heeft geen plan { $planId }: zie { $field }.
error-INVALID_TOKEN = { $field } hoort niet bij deze lijst. Begin opnieuw.
error-INVALID_FILE = { $violations ->
    [one] Er zit een fout in het bestand: { $field }. Er is niets geïmporteerd.
   *[other] Er zitten { $violations } fouten in het bestand, de eerste: { $field }. Er is niets geïmporteerd.
}
error-RESOURCE_NOT_FOUND = Er is geen { part-resource } { $id }.
error-RESOURCE_EXISTS = { $field ->
    [principal_name] Er is al een { part-resource } met deze aanmeldnaam. Kies een andere, of gebruik de bestaande.
    [name] Er is al een { part-resource } met deze naam. Kies een andere, of gebruik de bestaande.
   *[other] Er is al een { part-resource } met dit id. Kies een ander, of gebruik de bestaande.
}
error-REQUEST_ID_REUSED = Het aanvraag-id { $requestId } is al voor een andere aanvraag gebruikt. Maak een nieuw id.
error-ETAG_MISMATCH = { part-the-resource } { $id } is intussen gewijzigd. Vraag de gegevens opnieuw op.
error-SEATS_BELOW_ASSIGNED = { $assigned ->
    [one] Er is één licentieplaats toegewezen en er zou er geen overblijven. Trek die eerst in, of bevestig dat het de bedoeling is.
   *[other] Er zijn { $assigned } licentieplaatsen toegewezen en er zouden er maar { $assignable } overblijven. Trek er eerst een aantal in, of bevestig dat het de bedoeling is.
}
error-STORE_UNAVAILABLE = De database is onbereikbaar of bezet. Probeer het zo dadelijk opnieuw.
error-SHUTTING_DOWN = Deze server wordt gestopt. Probeer het zo dadelijk opnieuw.
error-INTERNAL = Er is iets misgegaan in Seatwise. Geef dit nummer door aan de beheerder: { $errorId }.
error-PLAN_STALE = Sinds het voorbeeld is er iets veranderd; er is niets gedaan. Maak een nieuw voorbeeld.
error-PLAN_MISMATCH = Dit token hoort bij een andere opdracht. Geef dezelfde opdracht als bij het voorbeeld, of maak een nieuw voorbeeld.
error-CONFIRMATION_REQUIRED = { $users ->
    [1] Eén gebruiker zou een product kwijtraken
   *[other] { $users } gebruikers zouden een product kwijtraken
}, onder wie { $lost } van de { $held } die { $product } hebben. Dat is meer dan zonder bevestiging mag; er is niets gewijzigd.
error-SEATS_SHORT = { $missing ->
    [one] Er ontbreekt één licentieplaats van { $product }. Er is niets gewijzigd.
   *[other] Er ontbreken { $missing } licentieplaatsen van { $product }. Er is niets gewijzigd.
}
error-READER_TOO_SLOW = Het voorbeeld is te langzaam gelezen. Vraag het opnieuw op en lees zonder pauze.
error-TOO_MANY_SELECTIONS = De klant heeft al { $max } selecties, en meer mogen het er niet zijn. Verwijder er een, of wacht tot er een verloopt.
error-BATCH_RUNNING = Batch { $batchId } is nog bezig. Wacht tot die klaar is, of annuleer de batch.
error-RESULTS_PRUNED = De resultaten van batch { $batchId } worden niet meer bewaard, alleen de aantallen. Er is niets gewijzigd.
error-HISTORY_PRUNED = De geschiedenis tot en met { $time } (positie { $position }) wordt niet meer bewaard. Vraag naar wat later is.
error-CHANGES_PRUNED = De wijzigingen na dit token worden niet meer bewaard. Bekijk hoe het nu is, en volg verder vanaf het oudste token dat er is: { $oldestWatchToken }.
error-WATCH_TOO_SLOW = De wijzigingen zijn 10 seconden lang niet gelezen. Volg verder vanaf het laatste token: { $watchToken }.
error-UNAUTHENTICATED = { $problem ->
    [expired] Wat u stuurde om te bewijzen wie u bent, is verlopen. Vraag een nieuwe sleutel of een nieuw token.
    [revoked] De sleutel die u stuurde, is ingetrokken. Vraag een nieuwe.
    [missing] Zeg wie u bent: stuur een API-sleutel van Seatwise, of een token.
   *[other] Wat u stuurde, bewijst niet wie u bent. Stuur een API-sleutel van Seatwise, of een token.
}
error-PERMISSION_DENIED = U hebt geen rol die dit mag ({ $call }). Vraag het aan wie hier rechten geeft.
error-OWN_RIGHTS = Niemand verandert de eigen rechten. Vraag het een andere globale beheerder.
error-BEYOND_OWN_RIGHTS = Niemand geeft wat hij zelf niet heeft: rollen, klanten of tijd. Geef minder, of vraag het een globale beheerder.
error-LAST_GLOBAL_ADMIN = Er zou niemand overblijven die rechten kan geven. Maak eerst een andere globale beheerder.
error-TOO_MANY_RIGHTS = Er zijn { $max } { $what ->
    [principals] principals
    [grants] rechten van deze principal
    [keys] sleutels van deze principal
   *[customers] klanten in de rechten van deze principal
}, zoveel als er kunnen zijn. Verwijder wat niet meer nodig is.
error-ISSUER_UNAVAILABLE = Uw token kan niet worden gecontroleerd: wie het heeft uitgegeven, geeft de sleutels daarvoor niet. Probeer het zo dadelijk opnieuw.

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
   *[other] { $resource }
}

## Waarom een gebruiker wordt geweigerd

reason-UNSPECIFIED = De gebruiker is geweigerd om een reden die deze versie van de dienst niet kent.
reason-SEATS_EXHAUSTED = { $available ->
    [0] Er is geen licentieplaats van { $product } vrij.
   *[other] Er is geen licentieplaats van { $product } vrij: er zijn er meer toegewezen dan er zijn ({ $available } beschikbaar).
}
reason-MUTUALLY_EXCLUSIVE_PLANS = { $plan } kan niet samen met { $others } ingeschakeld zijn.
reason-PREREQUISITE_MISSING = { $suppliers-count ->
    [0] { $plan } kan niet worden ingeschakeld: daarvoor is { $others } nodig.
   *[other] { $plan } kan niet worden ingeschakeld: daarvoor is { $others } nodig. Wijs ook { $suppliers } toe.
}
reason-DEPENDENT_PLAN_REMAINS = { $plan } is ingeschakeld en heeft { $others } nodig, waarvan niets zou overblijven. Schakel ook { $plan } uit of behoud wat het nodig heeft.
reason-USAGE_LOCATION_MISSING = De gebruiker heeft geen gebruikslocatie. Stel er een in voordat u een product toewijst.
reason-USAGE_LOCATION_PROHIBITED = { $plan } is niet toegestaan in de gebruikslocatie van de gebruiker, { $location }.
reason-PRODUCT_NOT_LICENSED = De klant heeft geen licentie voor { $product }.
reason-PRODUCT_NOT_FOR_USERS = { $product } is voor het bedrijf als geheel en kan niet aan een gebruiker worden toegewezen.
reason-LICENSE_SUSPENDED = Alle licentieplaatsen van { $product } zijn opgeschort.
reason-PLAN_NOT_IN_PRODUCT = { $product } bevat { $plan } niet meer: de catalogus is gewijzigd nadat de batch was aangenomen.
reason-USER_NOT_FOUND = De klant heeft deze gebruiker niet, of niet meer.
reason-USER_INACTIVE = De gebruiker is inactief en krijgt niets nieuws toegewezen.
reason-STOPPED_AFTER_FAILURES = Er is niets geprobeerd: de batch was gestopt na het toegestane aantal geweigerde gebruikers.
reason-BATCH_ROLLED_BACK = Er is niets gewijzigd, omdat een andere gebruiker van de batch is geweigerd.
reason-PLAN_STALE = Er is iets gewijzigd waar het voorbeeld van afhing. Bekijk opnieuw een voorbeeld van de wijziging.

## Hetzelfde in een paar woorden, om achter een aantal gebruikers te staan

count-UNSPECIFIED = reden onbekend
count-SEATS_EXHAUSTED = geen licentieplaats vrij
count-MUTUALLY_EXCLUSIVE_PLANS = plannen die niet samen ingeschakeld kunnen zijn
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
count-STOPPED_AFTER_FAILURES = niet geprobeerd na te veel weigeringen
count-BATCH_ROLLED_BACK = teruggedraaid met de batch
count-PLAN_STALE = gewijzigd sinds het voorbeeld

## Waarom een aanroep wordt geweigerd

error-INVALID_FIELD = { $violations ->
    [one] Eén waarde ontbreekt of is onjuist: { $field }.
   *[other] { $violations } waarden ontbreken of zijn onjuist, de eerste is { $field }.
}
error-TOO_MANY_ITEMS = { $field } heeft { $given } items en mag er hooguit { $max } hebben. Splits de aanvraag.
error-DUPLICATE_USER = { $field } is dezelfde gebruiker als { $first }. Noem elke gebruiker één keer.
error-CONTRADICTORY_CHANGE = De wijziging noemt product { $productId } twee keer: zie { $field }. Noem elk product één keer.
error-UNKNOWN_PRODUCT = De catalogus heeft geen product { $productId }: zie { $field }.
error-UNKNOWN_PLAN = Product { $productId } heeft geen plan { $planId }: zie { $field }.
error-INVALID_TOKEN = { $field } hoort niet bij deze lijst. Begin opnieuw vanaf het begin.
error-INVALID_FILE = { $violations ->
    [one] Het bestand bevat een fout, bij { $field }. Er is niets van geïmporteerd.
   *[other] Het bestand bevat { $violations } fouten, de eerste bij { $field }. Er is niets van geïmporteerd.
}
error-RESOURCE_NOT_FOUND = Er is geen { part-resource } { $id }.
error-RESOURCE_EXISTS = Er is al een { part-resource } met dit gegeven: { $field }. Kies iets anders of gebruik wat er is.
error-REQUEST_ID_REUSED = Aanvraag-id { $requestId } is al voor een andere aanvraag gebruikt. Maak een nieuw id.
error-ETAG_MISMATCH = Deze gegevens zijn gewijzigd sinds u ze las: { part-resource } { $id }. Lees ze opnieuw.
error-SEATS_BELOW_ASSIGNED = { $assigned ->
    [one] Er is één licentieplaats toegewezen en er zouden er maar { $assignable } overblijven. Trek die eerst in, of sta minder licentieplaatsen toe dan er zijn toegewezen.
   *[other] Er zijn { $assigned } licentieplaatsen toegewezen en er zouden er maar { $assignable } overblijven. Trek er eerst een aantal in, of sta minder licentieplaatsen toe dan er zijn toegewezen.
}
error-STORE_UNAVAILABLE = De database is onbereikbaar of bezet. Probeer het zo opnieuw.
error-SHUTTING_DOWN = Deze server wordt gestopt. Probeer het zo opnieuw.
error-INTERNAL = Er is iets misgegaan in de dienst. Geef de beheerder dit nummer: { $errorId }.
error-PLAN_STALE = Er is iets gewijzigd waar het voorbeeld van afhing. Bekijk opnieuw een voorbeeld van de wijziging.
error-PLAN_MISMATCH = Dit is niet de aanvraag waarvan een voorbeeld is gemaakt: zie { $field }. Stuur dezelfde aanvraag, of bekijk een voorbeeld van deze.
error-CONFIRMATION_REQUIRED = { $users ->
    [1] Eén gebruiker zou een product kwijtraken
   *[other] { $users } gebruikers zouden een product kwijtraken
}, onder wie { $lost } van de { $held } die { $product } hebben. Dat is meer dan zonder bevestiging mag; er is niets gewijzigd.
error-SEATS_SHORT = { $missing ->
    [one] Er ontbreekt één licentieplaats van { $product }. Er is niets gewijzigd.
   *[other] Er ontbreken { $missing } licentieplaatsen van { $product }. Er is niets gewijzigd.
}
error-READER_TOO_SLOW = Het voorbeeld werd te langzaam gelezen. Vraag het opnieuw op en lees zonder pauze.
error-TOO_MANY_SELECTIONS = De klant heeft { $max } selecties, het hoogste aantal dat mag. Verwijder er een, of wacht tot er een verloopt.

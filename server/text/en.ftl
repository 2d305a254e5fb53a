# What the service says to people, in English. `nl.ftl` has the same messages.
#
# One message per code of the protocol: `reason-` and `count-` for each ReasonCode, `error-` for each
# ErrorReason. What they insert is in the code's metadata: a test knows. `part-` messages are parts of
# others. Words: seat, license, product, plan, catalogue, usage location, user, customer, batch.

# Lists: all but the last, joined by commas, and the last.
part-or = { $start } or { $end }

part-resource = { $resource ->
    [customer] customer
    [user] user
    [product] product
    [plan] plan
    [license] license
    [batch] batch
    [selection] selection
    [principal] principal
    [grant] grant
    [key] key
   *[other] { $resource }
}

part-the-resource = { $resource ->
    [customer] The customer
    [user] The user
    [product] The product
    [plan] The plan
    [license] The license
    [batch] The batch
    [selection] The selection
   *[other] { $resource }
}

# A place in a file: a line, or a column of it.
part-line = line { $line }
part-column = line { $line }, column { $column }

## Why a user is refused

reason-UNSPECIFIED = The user was refused for a reason that this version of the service does not know.
reason-SEATS_EXHAUSTED = { $available ->
    [0] No seat of { $product } is free.
   *[other] No seat of { $product } is free: more are assigned than there are ({ $available } available).
}
reason-MUTUALLY_EXCLUSIVE_PLANS = { $plan } cannot be on together with { $others }.
reason-PREREQUISITE_MISSING = { $suppliers-count ->
    [0] { $plan } cannot be turned on: it needs { $others }.
   *[other] { $plan } cannot be turned on: it needs { $others }. Assign { $suppliers } as well.
}
reason-DEPENDENT_PLAN_REMAINS = { $plan } is on and needs { $others }, of which nothing would be left. Turn { $plan } off as well, or keep what it needs.
reason-USAGE_LOCATION_MISSING = The user has no usage location. Set one before assigning a product.
reason-USAGE_LOCATION_PROHIBITED = { $plan } is not allowed in the user's usage location, { $location }.
reason-PRODUCT_NOT_LICENSED = The customer has no license of { $product }.
reason-PRODUCT_NOT_FOR_USERS = { $product } is for the company as a whole and cannot be assigned to a user.
reason-LICENSE_SUSPENDED = All seats of { $product } are suspended.
reason-PLAN_NOT_IN_PRODUCT = { $product } no longer has { $plan }: the catalogue was changed after the batch was accepted.
reason-USER_NOT_FOUND = The customer has no such user, or not any more.
reason-USER_INACTIVE = The user is inactive and is given nothing new.
reason-STOPPED_AFTER_FAILURES = Nothing was tried: the batch had stopped after as many refused users as were allowed.
reason-BATCH_ROLLED_BACK = Nothing was changed, because another user of the batch was refused.
reason-PLAN_STALE = Something that the preview depended on has changed since. Preview the change again.
reason-BATCH_CANCELLED = Nothing was tried: the batch was cancelled before this user's turn.
reason-ACCESS_LOST = Nothing was tried: who started the batch had lost the right to before this user's turn.
reason-CHANGED_SINCE = { $changer ->
    [batch] { $product } has been changed for this user since, by batch { $batch }.
   *[other] { $product } has been changed for this user since.
}

## The same in a few words, to stand behind a number of users

count-UNSPECIFIED = reason unknown
count-SEATS_EXHAUSTED = no seat free
count-MUTUALLY_EXCLUSIVE_PLANS = plans that cannot be on together
count-PREREQUISITE_MISSING = needed plan is missing
count-DEPENDENT_PLAN_REMAINS = needed plan would be lost
count-USAGE_LOCATION_MISSING = no usage location
count-USAGE_LOCATION_PROHIBITED = not allowed in the usage location
count-PRODUCT_NOT_LICENSED = no license of the product
count-PRODUCT_NOT_FOR_USERS = product not for users
count-LICENSE_SUSPENDED = license suspended
count-PLAN_NOT_IN_PRODUCT = plan no longer in the product
count-USER_NOT_FOUND = user not found
count-USER_INACTIVE = user inactive
count-STOPPED_AFTER_FAILURES = not tried after too many failures
count-BATCH_ROLLED_BACK = undone with the batch
count-PLAN_STALE = changed since the preview
count-BATCH_CANCELLED = not tried, batch cancelled
count-ACCESS_LOST = not tried, right to it lost
count-CHANGED_SINCE = changed since the batch

## Why a call is refused

error-INVALID_FIELD = { $violations ->
    [one] One value is missing or wrong: { $field }.
   *[other] { $violations } values are missing or wrong, the first is { $field }.
}
error-TOO_MANY_ITEMS = { $field } has { $given } items and may have at most { $max }. Split the request.
error-DUPLICATE_USER = { $field } is the same user as { $first }. Name each user once.
error-CONTRADICTORY_CHANGE = The change names product { $productId } twice: see { $field }. Name each product once.
error-UNKNOWN_PRODUCT = The catalogue has no product { $productId }: see { $field }.
error-UNKNOWN_PLAN = Product { $productId } has no plan { $planId }: see { $field }.
error-INVALID_TOKEN = { $field } does not belong to this list. Start again.
error-INVALID_FILE = { $violations ->
    [one] The file has an error, at { $field }. Nothing of it was imported.
   *[other] The file has { $violations } errors, the first at { $field }. Nothing of it was imported.
}
error-RESOURCE_NOT_FOUND = There is no { part-resource } { $id }.
error-RESOURCE_EXISTS = { $field ->
    [principal_name] There is a { part-resource } with this principal name already. Choose another, or use the one that exists.
    [name] There is a { part-resource } with this name already. Choose another, or use the one that exists.
   *[other] There is a { part-resource } with this id already. Choose another, or use the one that exists.
}
error-REQUEST_ID_REUSED = Request id { $requestId } was used for another request. Make a new one.
error-ETAG_MISMATCH = { part-the-resource } { $id } was changed since you read it. Read it again.
error-SEATS_BELOW_ASSIGNED = { $assigned ->
    [one] One seat is assigned and only { $assignable } would be left. Revoke it first, or confirm that fewer are meant.
   *[other] { $assigned } seats are assigned and only { $assignable } would be left. Revoke some first, or confirm that fewer are meant.
}
error-STORE_UNAVAILABLE = The database is out of reach or busy. Try again in a moment.
error-SHUTTING_DOWN = This server is stopping. Try again in a moment.
error-INTERNAL = Something went wrong in the service. Give its operator this number: { $errorId }.
error-PLAN_STALE = Something that the preview depended on has changed since. Preview the change again.
error-PLAN_MISMATCH = This token belongs to another request. Send the one that was previewed, or preview this one.
error-CONFIRMATION_REQUIRED = { $users ->
    [1] One user would lose a product
   *[other] { $users } users would lose a product
}, among them { $lost } of the { $held } who hold { $product }. That is more than may be taken away without being confirmed; nothing was changed.
error-SEATS_SHORT = { $missing ->
    [one] One seat of { $product } is missing. Nothing was changed.
   *[other] { $missing } seats of { $product } are missing. Nothing was changed.
}
error-READER_TOO_SLOW = The preview was read too slowly. Preview again and read without a pause.
error-TOO_MANY_SELECTIONS = The customer has { $max } selections, as many as it can have. Delete one, or wait until one expires.
error-BATCH_RUNNING = Batch { $batchId } is still running. Wait for its end, or cancel it.
error-RESULTS_PRUNED = The results of batch { $batchId } are no longer kept, only its counts. Nothing was changed.
error-HISTORY_PRUNED = The history up to { $time } (position { $position }) is no longer kept. Ask for what is later.
error-CHANGES_PRUNED = The changes that follow this token are no longer kept. Look at what is so now, and watch on from the oldest token there is: { $oldestWatchToken }.
error-WATCH_TOO_SLOW = The changes were not read for 10 seconds. Watch on from the last token: { $watchToken }.
error-UNAUTHENTICATED = { $problem ->
    [expired] What you sent to prove who you are has expired. Get a new key or token.
    [revoked] The key that you sent was revoked. Get a new one.
    [missing] Say who you are: send an API key of Seatwise, or a token.
   *[other] What you sent does not prove who you are. Send an API key of Seatwise, or a token.
}
error-PERMISSION_DENIED = You have no role that may do this ({ $call }). Ask who gives rights here for it.
error-OWN_RIGHTS = Nobody changes the own rights. Ask another global admin to do it.
error-BEYOND_OWN_RIGHTS = Nobody gives what they do not have themselves: roles, customers or time. Give less, or ask a global admin.
error-LAST_GLOBAL_ADMIN = Nobody would be left who can give rights. Make another global admin first.
error-TOO_MANY_RIGHTS = There are { $max } { $what ->
    [principals] principals
    [grants] grants of this principal
    [keys] keys of this principal
   *[customers] customers in the grants of this principal
}, as many as there can be. Delete what is no longer needed.
error-ISSUER_UNAVAILABLE = Your token cannot be checked: who issued it does not tell the keys for that. Try again in a moment.

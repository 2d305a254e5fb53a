# What the command line says to people, in English. `nl.ftl` has the same messages. Why a user or a
# request is refused is said by the service: see `server/text`.
#
# Words: seat, license, product, plan, catalogue, user, customer, batch, preview, selection.

users = { $count ->
    [one] 1 user
   *[other] { $count } users
}
more = and { $count } more
more-of-kind = and { $count } more { $kind } (--all shows them)
list-and-more = { $list } and { $count } more

## A change: its preview, the question, what was done

preview-title = preview: nothing is changed yet
preview-counts = { $users }: { $applied } would be applied, { $unchanged } unchanged, { $failed } refused, { $skipped } skipped
batch-title = batch { $id }
batch-title-running = batch { $id }, still running
batch-counts = { $users }: { $applied } applied, { $unchanged } unchanged, { $failed } failed, { $skipped } skipped
nobody-would-be-changed = nobody would be changed, since all or nobody was asked for
nobody-was-changed = nobody was changed, since all or nobody was asked for

assign = assign { $products }
assigned = assigned { $products }
revoke = revoke { $products }
revoked = revoked { $products }
change-plans = change the plans of { $products }
changed-plans = changed the plans of { $products }
product-with-all-plans = { $product } (all plans)
product-without-plans = { $product } (without { $plans })
product-with-only-plans = { $product } (only { $plans })
other-changes = and { $count } other changes; --all shows them

seats-product = product
seats-total = seats
seats-assigned = assigned
seats-available = available
seats-missing = { $count ->
    [one] 1 seat of { $product } missing
   *[other] { $count } seats of { $product } missing
}
seats-short-way-out = --capacity fill gives out the seats that there are; `seatwise licenses set-seats` adds some

losses = { $count ->
    [one] 1 user would lose a product, which is more than may be taken away without a confirmation
   *[other] { $count } users would lose a product, which is more than may be taken away without a confirmation
}
loss = { $product }: { $lost } of the { $held } who hold it
apply-losses = Type { $count } to apply it:
confirm-way-out = if that is meant: --confirm { $confirmation }

nothing-to-apply = there is nothing to apply
to-do-exactly-this = to do exactly this:
preview-stale = something has changed since, and nothing was done; the preview is now:
apply = Apply?
question-answers = [y/N]
# The answers that are a yes, set off by spaces.
question-yes = y yes
nothing-was-changed = nothing was changed

batch-accepted = accepted as batch { $id }, which goes on even if this command ends
batch-replayed = this request was sent before, as batch { $id }; these are its results
nothing-to-cancel = nothing was left to cancel: the batch had ended or stopped before
to-repeat-safely = no answer came, so it is not known whether the request was accepted; to repeat it without doing anything twice:
progress-users = users

## Other questions

delete-user = Delete this user?
user-holds = { $name } ({ $principal }) holds { $products }, whose seats become free
user-holds-nothing = { $name } ({ $principal }) holds no product
set-seats = Set fewer seats than are assigned?
seats-below-assigned = { $assigned } seats are assigned, and only { $left } would be left; who holds one keeps it

## Who it is about

no-users-named = say which users: --user, --users-file, --selection or --all-users
conditions-and-named-users = conditions as --search choose users by themselves and do not go together with --user, --users-file and --selection. To have both, select by condition first (`seatwise users select --search …`), and then name that selection beside the others: --selection ID --users-file FILE
conditions-and-all-users = --all-users means everybody: leave it out to get those who meet the conditions
plan-wrong = a service plan is named by a UUID, or by PRODUCT/PLAN as ENTERPRISEPACK/EXCHANGE_S_ENTERPRISE
no-such-user = there is no user { $user }
nobody-selected = nobody is selected
users-selected = { $count ->
    [one] 1 user selected
   *[other] { $count } users selected
}
nobody-found = nobody found
nobody-found-by-name = nobody found: --search compares the beginning of the display name and of the principal name
customer-unknown = no customer is called { $name }; `seatwise customers list --search TEXT` finds those whose name begins so, and ids work as well
customer-ambiguous = { $count } customers are called { $name }; give the id:
no-customer-found = none found: --search compares the beginning of the name
product-unknown = no product has the string id { $name }; `seatwise catalogue products` lists them, and ids work as well
product-ambiguous = { $count } products have the string id { $name }; give the id:
product-retired = { $name }, retired
no-product-found = none found: --search compares the beginning of the display name and of the string id
plan-unknown = no plan { $plan } in { $products }; `seatwise catalogue product { $id }` lists its plans
plan-ambiguous = which plan { $plan }?
plan-of-product = { $plan } of { $product }
plan-per-product = say it per product: seatwise change --assign PRODUCT:PLANS
plan-by-id = give the id
plan-on-and-off = plan { $plan } cannot be turned both on and off
plans-twice = --plans is there twice for { $product }: say all about a product in one

## Rules that are broken

violations-counted = { $users } with violations, { $violations } in all, of the rules of catalogue version { $version }
select-violating = to work on these users, select them: { $command }
conditions-and-violating = --violating chooses users by itself and does not go together with conditions as --search; --violating-reason, --violating-product and --violating-plan narrow it

## Pages

in-all = { $count } in all
page-next = next page: { $command }
page-previous = previous page: { $command }
page-first = first page: { $command }
page-last = last page: { $command }
page-is-first = this is the first page: there is none before it
page-is-last = this is the last page: there is no next one
page-first-with-token = --page first needs no --page-token: leave it out
page-without-token = --page next and --page previous start from the page of a --page-token: give that as well, or begin with --page first, which tells how to go on

## Files

file-unreadable = cannot read { $file }: { $problem }
file-wrong = { $file } is wrong, and nothing was sent:
file-without-users = there is no user in it
file-with-header-only = there is a header but no user in it
file-empty = the file is empty; its columns are { $columns }
place-in-file = line { $line } of { $file }
place-in-list = line { $line }
place-in-table = line { $line }, column { $column }
problem-on-line = line { $line }: { $problem }
problem-in-column = column { $column }: { $problem }
columns-twice = two columns { $column }
line-not-utf8 = is not UTF-8; save the file as "CSV UTF-8"
line-cells = has { $given } of { $columns } cells; put cells that hold a comma in quotes
line-names-no-user = names no user
cell-no-uuid = "{ $cell }" is no UUID
cell-no-date = "{ $cell }" must be a date as 2025-06-30, or a time as 2025-06-30T12:00:00Z
cell-no-state = "{ $cell }" is neither active nor inactive
import-columns = no column principal_name or user_id; the columns are { $columns }, set off by commas
import-names-no-user = names no user: fill in principal_name or user_id
import-counts = { $created } created, { $updated } updated, { $unchanged } unchanged, { $failed } failed
import-stopped = the import stopped at line { $line } or after it; what came before is done, and importing the file again does no harm
sync-columns = the columns are user, product and plans, set off by commas
sync-plans-of-nothing = is empty, and there are plans of it
sync-something-and-nothing = { $user } cannot hold something and nothing: see line { $line }
sync-twice = { $user } is given { $product } twice: see line { $line }
sync-nothing-to-add = there is no product in it, so that --add-only has nothing to do
catalogue-products = { $products } products with { $plans } service plans
catalogue-rules = { $count } rules
catalogue-counts-then = { $content }: { $added } would be added, { $changed } renamed or changed, { $removed } removed, { $notes } notes; the catalogue would have version { $version }
catalogue-impact = assignments that would be against rules, and are not now: { $assignments }, of { $users }, customers: { $customers } ({ $judged } of { $all } customers were judged)
violators-before-and-after = users with violations: { $before } now, { $after } then
more-rules = and { $count } more rules
catalogue-counts = { $content }: { $added } added, { $changed } renamed or changed, { $removed } removed, { $notes } notes; the catalogue has version { $version }

## History

journal-of = the journal of { $name }
journal-of-installation = the journal of the installation
journal-whole = { $journal } is whole: { $count ->
    [one] 1 record, of { $time }
   *[other] { $count } records, the last of { $time }
}
journal-whole-after = after position { $position }, { $journal } is whole: { $count ->
    [0] nothing has come since
    [one] 1 record
   *[other] { $count } records
}; what was before was trusted, and NOT verified
journal-empty = { $journal } is empty
checkpoints-met = it leads to the { $count ->
    [one] checkpoint
   *[other] { $count } checkpoints
}
journal-flaw = { $journal } is NOT what was written. It is whole up to position { $position }; then { $problem }
no-checkpoint = { $file }: { $problem }; it must be what `seatwise audit checkpoint` has printed
checkpoint-of-another = { $file } is a checkpoint of another journal, which says nothing about this one
field-missing = { $field } is missing or damaged
user-was-not-there = user { $user } did not exist then
user-was-active = user { $user } was active then
user-was-inactive = user { $user } was inactive then

## A watch

watching = watching; Ctrl-C ends it
watch-from-oldest = to see what is left: --since { $token }
watch-from-here = to go on from here: { $command }

## The server

server-unreachable = the server is out of reach ({ $problem }); start it with `seatwise serve`, or say with --server where it is

## What was pruned

journal-start = it begins after position { $position }, of { $time }: what was before was pruned and cannot be verified here
checkpoint-unreached = the checkpoint at position { $position } is older than what is kept, so that NOTHING can be said about it; keep checkpoints newer than the oldest history
pruned-up-to = up to position { $position }, of { $time }

## Who may do what

grant-for-whom = say for whom the roles are: --customer, which can be repeated, or --all-customers
grant-what = say what may be done: --role, which can be repeated
principal-unknown = nobody is called { $name } (see: seatwise principals list; for a key of somebody new, say what they may do: --role)
principal-ambiguous = { $count } are called { $name }, of different kinds; give the UUID (see: seatwise principals list)
principal-deleted = { $name } is deleted, with all grants and keys
nobody-is-asked = this server asks nobody who they are: everybody may do everything
key-shown-once = this is the key; it is not kept and cannot be shown again:
key-written = the key is in { $file }; use it with SEATWISE_TOKEN_FILE or --token-file
admin-recovered = { $name } is a new global admin; the key is in { $file }. Revoke what is lost: seatwise keys list, keys revoke
show-a-key = with --token-file FILE, or SEATWISE_TOKEN_FILE in the environment

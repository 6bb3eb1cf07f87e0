// Package directorytest plays conflict scenarios: what several writers do to
// one directory, written once in testdata/conflicts and played through any
// [Door].
//
// A file is a txtar archive. Its comment begins with the number of the
// situation and its title, which is the name of the test, and goes on with the
// rule. Each folder of the archive is one [Scene]:
//
//	34 e-mail or userName changes at the IdP
//
//	Found by subject, so it is an ordinary attribute write.
//
//	-- by push/policy.yaml --     an apply file, without trust and tokens
//	-- by push/steps --           what happens
//	-- by push/after --           what holds in the end
//
// Files without a folder belong to a scene without a name; a scene without a
// policy.yaml of its own has the one without a folder.
//
// # Steps
//
// A step begins at the start of a line. What is indented belongs to it: the
// rest of its JSON, and after an arrow what is to happen. In JSON, ${ada} is
// the id of ada.
//
//	scim CONN POST {user}                 also PUT NAME {user}, PATCH NAME [operations],
//	scim CONN POST /Groups {group}        DELETE NAME, GET NAME; the name says what it is
//	scim CONN FIND FILTER                 GET /Users?filter=
//	scim CONN LIST                        GET /Users
//	scim CONN/TOKEN ...                   with a token that operate made
//	sso CONN SUBJECT {claims}             SUBJECT is the NameID; the claims' names are the provider's,
//	sso CONN SUBJECT issued -2m {claims}  "" and [] are EMPTY
//	sso CONN SUBJECT again {claims}       the same message was taken a moment ago
//	admin VERB NAME {attributes}          create, edit, pin, unpin, delete, restore, erase; create
//	                                      takes no name, or /Groups; edit {"active": false} locks;
//	                                      pin NAME [for 2h] {attributes}; unpin NAME ATTRIBUTE...
//	operate VERB CONN ...                 let CONN N 1h, shut CONN, undo CONN 1h (since an hour ago),
//	                                      state CONN STATE, leave CONN finalise|delete COUNT [remove],
//	                                      transfer CONN TO FILE.csv, token CONN NAME [24h], revoke CONN
//	                                      NAME; background work is done
//	resolve CODE RESOLUTION [NAME]        the newest case with that code, open or put aside; NAME is who
//	                                      is linked, restored or survives
//	merge NAME NAME                       the first survives; unmerge NAME takes it back
//	link NAME CHANNEL/CONN SUBJECT [move] an administrator's link; move takes it from another subject
//	policy FILE                           another apply file of the scene, or of the archive
//	clock +2h                             time passes, and background work is done
//
//	reorder                               the steps below commute: any order ends the same
//	together 4                            the steps below happen at once, each four times
//
// # What is to happen
//
//	-> OUTCOME [STATUS] ...               created, adopted, restored, updated, unchanged, deleted, found,
//	                                      resolved, merged, unmerged
//	-> CODE STATUS[/SCIMTYPE] ...         a refusal, or not_found; a refused sign-in has 403
//
// followed by any of
//
//	as NAME            who it is: the first time this names somebody, later it must be the same
//	on ATTRIBUTE       the attribute at fault
//	case [CODE]        a case was opened or met again, with the refusal's code or this one; any
//	warns CODE ATTR    the door reports that this was left out
//	finds NAME...      the answer to FIND and LIST, in any order; nobody
//	or                 what follows is the alternative, for steps that are reordered or at once
//
// Unsaid, the rest is held against the rules all the same: a refusal changes
// nothing and opens no case; nothing unchanged leaves an event; each outcome
// has its kind of event; a create that is refused for a name, address or
// external id finds somebody by a filter on it; every answer over HTTP has the
// status of its outcome. After each step [directory.Directory.Check] is clean
// and no live name is held twice.
//
// # What holds
//
// Among the steps or in the after section:
//
//	expect NAME ATTRIBUTE VALUE... [from SOURCE]   effective, as a set; none for no value
//	expect NAME own CONN ATTRIBUTE VALUE...        the connection's own view
//	expect NAME layer SOURCE ATTRIBUTE VALUE...    what scim/idp, sso/idp, pin, rule or local says
//	expect NAME sees CONN own|minimal|nothing      how the connection sees the user
//	expect NAME state active|locked|deleted|erased
//	expect NAME locks SOURCE...                    who holds a lock; none
//	expect NAME home CONN                          none
//	expect NAME groups GROUP...                    those that count; none
//	expect NAME member CONN GROUP...               those that the connection's view shows; none
//	expect NAME link CHANNEL/CONN SUBJECT          none; "" is a link by the resource id alone
//	expect NAME history EVENT...                   newest first, as many as are listed
//	expect NAME denied|welcome                     by the rules
//	expect NAME session open|over                  whether the newest session of the user still is one
//	expect NAME tells TEXT                         how the newest sentence of its story begins
//	expect connection CONN stale|fresh             whether its push is silent for too long
//	expect connection CONN warned DAYS...          the marks that its tokens have passed
//	expect preview FILE changed|denied|admitted N  what the apply file would change
//	expect guard CONN counted|waiting N            what the guard has counted or holds back; open, shut
//	expect task KIND changed|refused N             the newest task of the kind, which is finished
//	expect events KIND N                           how many there have been
//	expect users N, expect groups N                live ones
//	expect cases CODE...                           all open ones; none
//	expect case CODE RESOLUTION...                 what the newest with that code permits
//	expect NAME answers CONN NAME                  whom the id names to a connection; nobody
//
// # Doors
//
// A [Stage] is a fresh directory with a door. One runner has no transport and
// calls Apply (package directory), one sends SCIM requests and signed
// assertions (cmd/muster). What a door cannot see it leaves zero in its
// [Answer], and that is not compared.
package directorytest

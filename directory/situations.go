// # Situations
//
// Each conflict that several writers can get into has a scenario in
// testdata/conflicts, which is played through Apply, through HTTP, and in every
// order of the steps that commute:
//
//	 1  SCIM created the user, then the first SSO                        01-push-then-sign-in.txtar
//	 2  JIT created the user, then SCIM POST arrives                     02-sign-in-then-push.txtar
//	 3  What Entra and Okta do next                                      03-find-then-create.txtar
//	 4  listing shows users SCIM did not create                          04-listing-others.txtar
//	 5  PATCH/PUT on a found but never adopted user                      05-edit-of-a-found-user.txtar
//	 6  same e-mail, no link: automatic link or not?                     06-same-address.txtar
//	 7  soft-match attack: IdP (or tenant admin) asserts somebody else's address 07-asserted-address.txtar
//	 8  Entra never sends email_verified                                 08-no-word-on-verification.txtar
//	 9  two keys point to two people                                     09-two-keys-two-people.txtar
//	10  case differs (userName, e-mail)                                  10-case-of-names.txtar
//	11  case differs in the subject (NameID, sub, externalId)            11-near-misses.txtar
//	13  transient or changing NameID                                     13-subject-changed.txtar
//	14  NameID and externalId mapped to different IdP attributes         14-two-subjects.txtar
//	15  e-mail matched account has other sign-in methods (password, other IdP) 15-other-methods.txtar
//	16  second IdP for the same person                                   16-second-provider.txtar
//	17  duplicate people already exist; merge                            17-merge.txtar
//	18  update-only on the SSO channel                                   18-update-only-sign-in.txtar
//	19  update-only on the SCIM channel                                  19-update-only-push.txtar
//	20  SSO channel off while SCIM owns everything                       20-push-owns-everything.txtar
//	21  somebody SCIM did not provision signs in                         21-not-pushed-signs-in.txtar
//	22  required attribute missing at creation                           22-required-at-creation.txtar
//	23  required attribute missing later                                 23-required-later.txtar
//	24  attribute absent, empty, or present: three different things      24-absent-empty-value.txtar
//	25  SCIM PUT omits attributes                                        25-put-omits.txtar
//	26  stale value at sign-in overwrites a fresh SCIM value             26-stale-sign-in.txtar
//	28  defaults re-applied to existing users                            28-defaults-once.txtar
//	31  constant attribute                                               31-constants.txtar
//	34  e-mail or userName changes at the IdP                            34-name-changes.txtar
//	35  rename onto somebody else's name                                 35-rename-onto-another.txtar
//	36  swap (A and B exchange names)                                    36-swap-of-names.txtar
//	37  Entra soft-delete renames the UPN while sending active=false     37-tombstone-name.txtar
//	38  identity changes type (NameID e-mail -> persistent id) for everybody 38-other-kind-of-subject.txtar
//	39  e-mail reused after a leaver                                     39-leavers-address.txtar
//	40  re-hire                                                          40-re-hire.txtar
//	41  active=false, then the person signs in by SAML                   41-locked-signs-in.txtar
//	42  DELETEd by SCIM, then signs in                                   42-deleted-signs-in.txtar
//	43  DELETE vs active=false                                           43-delete-or-lock.txtar
//	44  who may reactivate                                               44-who-may-reactivate.txtar
//	46  mass deprovisioning by mistake                                   46-mass-deprovisioning.txtar
//	50  SCIM groups and assertion groups together                        50-groups-of-both-doors.txtar
//	52  same group name from two sources (or local)                      52-equal-group-names.txtar
//	53  group renamed                                                    53-group-renamed.txtar
//	55  several rules match                                              55-several-rules-match.txtar
//	56  no rule matches                                                  56-no-rule-matches.txtar
//	66  admin deletes a SCIM-managed user                                66-deleted-by-an-administrator.txtar
//	67  two first requests at once                                       67-two-first-requests.txtar
//	74  identity provider switch                                         74-idp-switch.txtar
//	75  connection deleted                                               75-connection-deleted.txtar
//	78  ownership of a pre-existing object                               78-ownership.txtar
//	80  externalId changed by PATCH                                      80-external-id-changed.txtar
//	81  guests (B2B): UPN alias_domain#EXT#@tenant, foreign e-mail domain 81-guests.txtar
package directory

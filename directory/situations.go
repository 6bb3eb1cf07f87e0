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
//	12  Unicode: confusable, composed and decomposed, full-width         12-unicode.txtar
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
//	27  the sign-in is fresher than SCIM                                 27-sign-in-is-fresher.txtar
//	28  defaults re-applied to existing users                            28-defaults-once.txtar
//	29  invalid value                                                    29-invalid-value.txtar
//	30  attribute names: case, namespace, aliases, repeated names        30-attribute-names.txtar
//	31  constant attribute                                               31-constants.txtar
//	32  import once, or keep in sync, per attribute                      32-import-once.txtar
//	33  welcome e-mails                                                  33-welcome.txtar
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
//	45  deactivation does not end sessions                               45-sessions-end.txtar
//	46  mass deprovisioning by mistake                                   46-mass-deprovisioning.txtar
//	47  last administrator, break-glass                                  47-break-glass.txtar
//	48  out of scope, deleted or disabled at the provider                48-out-of-scope.txtar
//	49  a connection that is not home deprovisions                       49-other-connection-deprovisions.txtar
//	50  SCIM groups and assertion groups together                        50-groups-of-both-doors.txtar
//	51  groups claim missing or truncated                                51-groups-missing.txtar
//	52  same group name from two sources (or local)                      52-equal-group-names.txtar
//	53  group renamed                                                    53-group-renamed.txtar
//	54  group member unknown yet                                         54-member-unknown.txtar
//	55  several rules match                                              55-several-rules-match.txtar
//	56  no rule matches                                                  56-no-rule-matches.txtar
//	57  a rule or group changes: everybody at once                       57-rules-change.txtar
//	58  priority tie                                                     58-priority-tie.txtar
//	59  role removed at the provider, role granted by an administrator   59-role-removed.txtar
//	60  privileged role by assertion                                     60-privileged-role.txtar
//	61  type and role pairs, never removed                               61-type-role-pairs.txtar
//	62  licence rule and no seats left                                   62-no-seats-left.txtar
//	63  manual edit of an attribute that a source owns                   63-edit-of-owned.txtar
//	64  the source sends what the pin says, or the pin is removed        64-pin-released.txtar
//	65  edit permission bypassed by another API                          65-another-api.txtar
//	66  admin deletes a SCIM-managed user                                66-deleted-by-an-administrator.txtar
//	67  two first requests at once                                       67-two-first-requests.txtar
//	68  a PATCH races a sign-in on one user                              68-patch-and-sign-in.txtar
//	69  out-of-order SCIM                                                69-out-of-order-push.txtar
//	70  replayed or delayed assertion, clock skew                        70-replayed-or-delayed.txtar
//	71  a bulk import runs again, provisioning restarts, a forced sync   71-run-again.txtar
//	72  partial outage at the provider                                   72-partial-outage.txtar
//	73  SCIM token rotated, expired or leaked                            73-token-rotated.txtar
//	74  identity provider switch                                         74-idp-switch.txtar
//	75  connection deleted                                               75-connection-deleted.txtar
//	76  outbound event for a write that failed                           76-event-of-a-failed-write.txtar
//	77  the provider sends a password, or SCIM pushes one                77-password.txtar
//	78  ownership of a pre-existing object                               78-ownership.txtar
//	79  POST with active=false, or adoption with active=false            79-created-inactive.txtar
//	80  externalId changed by PATCH                                      80-external-id-changed.txtar
//	81  guests (B2B): UPN alias_domain#EXT#@tenant, foreign e-mail domain 81-guests.txtar
package directory

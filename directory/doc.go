// Package directory is one directory of people and groups with many writers.
//
// # The idea
//
// Nobody overwrites anybody. Each source (an identity provider by SCIM, the
// same provider at sign-in, an administrator, a rule) writes only its own
// [Layer] of a [User]. What the world sees is a pure function of the layers and
// one order of precedence, so conflict resolution is the order of a list and
// not a heap of cases in two code paths:
//
//	  pin    an administrator's override, with reason and expiry
//	  scim   what the home connection pushed
//	  sso    what its last assertion said
//	  rule   the first rule that matches (computed, never stored)
//	  local  an administrator's edit, and the defaults given at creation
//	-----------------------------------------------------------------
//	  effective = for each attribute the highest layer that has an entry
//
// Writers commute because they touch different layers. "Why this value?" is
// "which layer won?" ([Directory.Explain]). Releasing a pin is deleting an
// entry. Changing a policy is resolving again, never rewriting.
//
// # The one door
//
// Every write of a user or group is a [Change] given to [Directory.Apply]. Its
// steps, in order, each a pure function over what was read:
//
//	gate       reconcile.go  may this channel write now?
//	normalise  reconcile.go  one comparable form for names and addresses
//	find       find.go       by path id, by link, by the votes of the soft keys
//	decide     match.go      update, restore, create, or a Refusal;
//	           adopt.go      may an existing user be linked?
//	validate   values.go     types, closed lists, domains, protected roles
//	           required.go   what must have a value
//	write      writelayer.go the source's own layer; lock.go its lock; link.go its links
//	resolve    resolve.go    groups -> rules -> effective attributes
//	check      settle.go     unique names; guard.go too much at once
//	commit     write.go      records, indexes and one Event, in one transaction
//	announce   letter.go     a welcome or an invitation waits to be sent (invite.go)
//
// apply.go alone opens a transaction for a change; what is called reconcile,
// match, adopt, values, required, writelayer, lock, link and resolve does no I/O
// and knows no clock.
//
// # Words
//
// An [Org] is a border that nothing crosses. A [Connection] is one identity
// provider with up to two channels. A [Link] ties a subject of a connection to
// one user, for ever. A user's home is the connection that owns its lifecycle:
// only home (or an administrator) locks, unlocks and deletes the user; another
// connection's lock closes its own link. A tombstone is a deleted user whose
// links still name it. A [Case] is a refused conflict that waits for an
// administrator. The generation of an organisation counts the changes after
// which users resolve differently.
//
// # Cases
//
// A conflict that needs a decision is refused and kept as a [Case] with its
// evidence. Met again, hourly or daily, it is the same case with a higher count.
// What may be done about it is computed from its kind and from the people as they
// are, and listed in it. It closes in the transaction that takes its cause away;
// what that is stands with each [CaseKind]. [Directory.ResolveCase] is the one
// call that resolves it, and every event that this causes names the case. Ignored,
// it opens anew when it is met again; rejected, the answer is the same for good,
// without a case. A connection has room for 1,000 open cases; further conflicts
// are refused as well, and only counted.
//
// A subject becomes a link, where the policy does not say so, by an administrator
// (a case, or [Directory.SetLink]), by a table ([Directory.Transfer]), or by its
// person, who signs in to the existing account ([Directory.OfferProof]). Subjects
// compare as bytes; one that is almost another's is refused. What an identity
// provider called unverified stays so until it says the opposite.
//
// [Directory.Merge] makes two users one. The id of the other goes on answering:
// readers of the effective view find the survivor by it, and so does a connection
// whose push moved with it, on every verb. Until that tombstone is erased, the
// merge can be undone.
//
// A seat is one user's place in a rule with a maximum (seat.go). A story is the
// events of a user as sentences (story.go); what a user was when an event had
// happened is rebuilt from them ([Directory.AsOf]).
//
// # Promises
//
//   - One transaction per change: records, links, indexes, counters and the
//     event commit together or not at all. A refused change leaves nothing but
//     its case, which is written in a transaction of its own. One refusal
//     commits: a known person whom a rule now denies loses the groups and values
//     that the assertion took away, and does not come in.
//   - A change that changes nothing writes nothing: no version, no event.
//   - Events are numbered without gaps, each user's in the order of commits, and
//     whoever asks for events sees all that were committed before. Where
//     transactions race, the number comes after the commit (sequence.go), so that
//     no key is one that every change touches.
//   - Whatever makes a create answer uniqueness is found by a filter on that
//     attribute, by the same reader.
//   - A read shows the store as it is. What is remembered between reads (compiled
//     policies, profiles) is compared at each use with what it was made of.
//   - Any number of nodes work on one store. Nothing that a node remembers answers
//     for the store: a token, session, connection or rule that is taken away on
//     one node is refused by the next use on any other, and one-time values and
//     guards count for all. Background work is divided by leases (lease.go) and
//     claims (letter.go, metadata.go), and is right when two do it: each step is
//     one transaction that looks again at what it is about. Clocks of nodes may
//     differ by an hour before a one-time value could be forgotten too early, and
//     by two minutes before a letter under way could be sent by another node, too.
//   - Lost access needs no clean-up to be safe: every use of a session checks
//     the user, the link, the connection and the rules as they are now. A session
//     that was without access once stays ended when access comes back.
//   - A guard counts whom a connection's pushes lock, delete or take out of
//     groups, and puts those operations alone off when they are too many. What it
//     holds back is listed ([Directory.Guard]); an administrator lets it through,
//     or undoes what was done, event by event.
//   - A connection leaves ([Directory.Leave]) or gives its users to another one
//     ([Directory.Transfer]) as a [Task] that goes on after a crash, each user
//     whole; tables are held against the directory before anything moves.
//   - A change that concerns more than 1,000 other users commits with a durable
//     job that resolves them in batches; until it is done, access checks and
//     profiles resolve live.
//   - Secrets are kept as keyed hashes. Personal values in events are encrypted
//     under a key that lies with the user and is destroyed by erasure.
//
// # What never happens
//
// No write reaches another source's layer. No link is made by equal names alone
// where the policy does not say so. No sign-in lifts a lock or revives a
// tombstone. No id is reused. No record of one organisation is reachable with
// another's id. No e-mail address ever counts as proof of a person outside the
// domains its connection owns.
package directory

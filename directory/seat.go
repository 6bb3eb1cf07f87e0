package directory

import (
	"context"
	"slices"
)

// A rule with a maximum serves at most that many users, who each hold a seat:
// first come, first served. Seats are counted where they are taken and given
// up, and nowhere else. A seat given up goes to the user who has waited for it
// since the earliest creation. Lowering the maximum takes nobody's seat away.

// Full says what a rule does for somebody when all its seats are taken.
type Full string

// The choices. The zero value is FullNext.
const (
	FullNext Full = "next" // as if the rule did not match
	FullDeny Full = "deny" // the person may not sign in
)

// Seats says how the seats of one rule are taken.
type Seats struct {
	Rule      string
	Max, Used int
	Waiting   int // users whom the rule matches and who have none, counted up to 1,000
}

// Seats lists the rules of an organisation that have a maximum.
func (d *Directory) Seats(ctx context.Context, org string) (list []Seats, err error) {
	err = d.view(ctx, org, func(r reading) error {
		list = nil
		p, err := r.policy()
		if err != nil {
			return err
		}
		for _, rule := range p.rules {
			if rule.Max == 0 {
				continue
			}
			s := Seats{Rule: rule.Name, Max: rule.Max}
			if s.Used, err = r.total(countSeats + rule.Name); err != nil {
				return err
			}
			waiting, err := r.tails(indexKey(org, indexSeat).text(rule.Name), 1000)
			if err != nil {
				return err
			}
			s.Waiting = len(waiting)
			list = append(list, s)
		}
		return nil
	})
	return list, err
}

// seat takes seats for the rules that match the user, as long as there are any,
// and gives up those of rules that serve it no more.
func (a *application) seat(u *User, st standing) (resolution, error) {
	r := resolve(st)
	tried := map[string]bool{}
	for {
		i := slices.IndexFunc(r.wants, func(name string) bool { return !tried[name] })
		if i < 0 {
			break
		}
		name := r.wants[i]
		tried[name] = true
		free, err := a.seatFree(name)
		if err != nil {
			return r, err
		}
		if free {
			u.Seats = append(slices.Clone(u.Seats), name)
			r = resolve(st)
		}
	}
	u.Seats, u.Queued = r.seats, r.wants
	return r, nil
}

// seatFree says whether the rule has a seat left. The total is read only by
// those who need one.
func (a *application) seatFree(name string) (bool, error) {
	used, err := a.total(countSeats + name)
	i := slices.IndexFunc(a.s.policy.rules, func(r compiledRule) bool { return r.Name == name })
	return i >= 0 && used+a.rehearsed[name] < a.s.policy.rules[i].Max, err
}

// writeSeats counts what the user took and gave up.
func (a *application) writeSeats(before, after *User) error {
	var had []string
	if before != nil {
		had = before.Seats
	}
	for _, name := range had {
		if !slices.Contains(after.Seats, name) {
			a.freed = append(a.freed, name)
			if err := a.count(countSeats+name, -1); err != nil {
				return err
			}
		}
	}
	for _, name := range after.Seats {
		if !slices.Contains(had, name) {
			if err := a.count(countSeats+name, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// handOver gives seats that came free to those who wait for them. A rule that
// is gone has nobody waiting.
func (a *application) handOver() error {
	for len(a.freed) > 0 {
		name := a.freed[0]
		a.freed = a.freed[1:]
		waiting, err := a.tails(indexKey(a.org, indexSeat).text(name), 1)
		if err != nil {
			return err
		}
		for _, id := range waiting {
			if err := a.refresh(id); err != nil {
				return err
			}
		}
	}
	return nil
}

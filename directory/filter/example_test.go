package filter_test

import (
	"fmt"

	"muster/directory/filter"
)

// users is a schema with one attribute, compared without regard to case.
type users struct{}

func (users) Attribute(uri, name, sub string) (filter.Attribute, bool) {
	known := uri == "" && filter.Fold(name) == "username" && sub == ""
	return filter.Attribute{Name: "userName"}, known
}

// user is a resource whose userName is itself.
type user string

func (u *user) Elements(string, string) filter.Elements { return u }
func (u *user) Len() int                                { return 1 }
func (u *user) Field(int, string) (string, bool)        { return string(*u), true }

func Example() {
	expression, err := filter.Parse(`USERNAME eq "BJensen" or userName sw admin`)
	if err != nil {
		fmt.Println(err)
		return
	}
	matcher, err := filter.Compile(expression, users{}, filter.Options{Strict: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	lookups, _ := matcher.Plan(func(filter.Attribute, filter.CompareOperator) int { return 1 })
	for _, l := range lookups {
		fmt.Println(l.Name, l.Op, l.Value)
	}
	candidate := user("bjensen")
	fmt.Println(matcher.Match(&candidate))
	// Output:
	// userName eq bjensen
	// userName sw admin
	// true
}

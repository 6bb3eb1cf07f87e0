package admin

import (
	"errors"
	"net/http"
	"net/url"

	"muster/directory"
)

// form is what was typed, and what is wrong with it. A page that refuses a form shows it again with everything kept and
// each fault beside its field.
type form struct {
	values url.Values
	Faults map[string]string // field -> sentence, "" is about the whole form
}

// maxForm bounds the body of a form.
const maxForm = 1 << 20

// readForm reads the body of a post.
func readForm(v *visit) (form, error) {
	r := v.Request()
	r.Body = http.MaxBytesReader(v.Response(), r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return form{}, refuse(http.StatusBadRequest, "bad_request", "The form could not be read.")
	}
	return form{values: r.PostForm}, nil
}

// Value is what a field holds.
func (f form) Value(name string) string { return f.values.Get(name) }

// Values are all of a field that may be there several times.
func (f form) Values(name string) []string { return f.values[name] }

// Fault is what is wrong with a field, a key of the texts or a sentence of the directory; "" when nothing is.
func (f form) Fault(name string) string { return f.Faults[name] }

// fail notes what is wrong with a field.
func (f *form) fail(field, what string) {
	if f.Faults == nil {
		f.Faults = map[string]string{}
	}
	f.Faults[field] = what
}

// failed notes what the directory refused, beside the fields it names; false when err is something else.
func (f *form) failed(err error) bool {
	if c, ok := errors.AsType[*directory.ConfigError](err); ok {
		for _, fault := range c.Faults {
			f.fail(fault.Path, sentence(fault.String()[len(fault.Path)+2:]))
		}
		return true
	}
	if r, ok := errors.AsType[*directory.Refusal](err); ok {
		f.fail(r.Attribute, sentence(r.Detail))
		return true
	}
	if errors.Is(err, directory.ErrNotPermitted) {
		f.fail("", problemOf(err).Detail)
		return true
	}
	if stale, ok := errors.AsType[*directory.StaleError](err); ok {
		f.fail("", sentence(stale.Error()))
		return true
	}
	return false
}

// move shows the fault of what the directory calls from beside the field to.
func (f *form) move(from, to string) {
	if fault, ok := f.Faults[from]; ok && from != to {
		delete(f.Faults, from)
		f.fail(to, fault)
	}
}

// gather shows the faults of fields that the form does not have as those of the whole form.
func (f *form) gather() {
	for field, fault := range f.Faults {
		if field != "" && !f.values.Has(field) {
			delete(f.Faults, field)
			f.Faults[""] = fault
		}
	}
}

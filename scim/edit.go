package scim

import (
	"fmt"
	"slices"
	"strings"

	scimlib "github.com/elimity-com/scim"
	scimerrors "github.com/elimity-com/scim/errors"

	"muster/directory"
)

// elements is a value as a value filter sees it.
type elements directory.Value

func (v elements) Len() int { return len(v) }

func (v elements) Field(i int, sub string) (string, bool) {
	if sub == "" {
		sub = "value"
	}
	text := v[i].Field(sub)
	return text, text != ""
}

// maxValues is how many values of one attribute are kept.
const maxValues = 2000

// apply changes one attribute of own (RFC 7644 §3.5.2.1 to §3.5.2.3).
func (e *edit) apply(own *directory.Attributes, create bool, work *int) error {
	old, _ := own.Get(e.attr.Name)
	if *work -= e.cost(len(old)); *work < 0 {
		return faultf(400, scimerrors.ScimTypeTooMany, "%s: the operations of this request compare too many values; send fewer in one request", e.path)
	}
	var value directory.Value
	var err error
	switch {
	case !e.attr.Multi:
		value = e.single(old)
	case e.match != nil:
		value, err = e.matching(old, create)
	case e.sub != "":
		value = e.every(old)
	default:
		value = e.whole(old)
	}
	if err != nil {
		return err
	}
	if err := e.attr.bounded(value); err != nil {
		return err
	}
	if len(value) == 0 {
		own.Delete(e.attr.Name)
		return nil
	}
	own.Set(e.attr.Name, value)
	return nil
}

// bounded refuses more values than are kept: of a body before anything is done
// with them, and of the resource that they would make.
func (a *attribute) bounded(v directory.Value) error {
	if len(v) > maxValues {
		return invalidValue("%s: at most %d values are kept, these are %d", a.path, maxValues, len(v))
	}
	return nil
}

// cost is how many elements are looked at, old of them being there.
func (e *edit) cost(old int) int {
	switch {
	case e.match != nil:
		return old * (1 + e.match.Terms())
	case e.listed:
		return old * (1 + len(e.value))
	case e.sub != "":
		return 4 * old // each is written anew
	}
	return old + len(e.value)
}

func (e *edit) removes() bool { return e.op == scimlib.PatchOperationRemove }

// single edits an attribute that has one value. A complex one keeps the fields
// that are not named, except that a new manager does not keep the old name.
func (e *edit) single(old directory.Value) directory.Value {
	switch {
	case e.removes() && e.sub == "":
		return nil
	case e.sub != "":
		text := e.text
		if e.removes() {
			text = ""
		}
		var base directory.Element
		if len(old) > 0 {
			base = old[0]
		}
		if e.sub == "value" && base.Field("value") != text {
			base = nil
		}
		return substantial(directory.Value{base.With(e.sub, text)})
	case e.attr.Fields == nil || len(old) == 0 || len(e.value) == 0:
		return e.value
	case e.value[0].Field("value") != "":
		return e.value
	}
	return directory.Value{merge(old[0], e.value[0])}
}

// whole edits a multi-valued attribute without a value filter.
func (e *edit) whole(old directory.Value) directory.Value {
	switch {
	case e.op == scimlib.PatchOperationAdd:
		return e.append(old)
	case e.listed:
		return slices.DeleteFunc(slices.Clone(old), func(has directory.Element) bool {
			return slices.ContainsFunc(e.value, func(gone directory.Element) bool { return selects(gone, has) })
		})
	case e.removes():
		return nil
	}
	return onePrimary(e.value, nil)
}

// selects holds when has carries everything that gone says, its primary mark aside.
func selects(gone, has directory.Element) bool {
	for _, f := range gone {
		if f.Name != "primary" && f.Name != "display" && has.Field(f.Name) != f.Text {
			return false
		}
	}
	return len(gone) > 0
}

// append adds values that are not there yet. One with the same value and type
// as an old one adds its fields to it, and a licence takes the old one's place.
func (e *edit) append(old directory.Value) directory.Value {
	out := slices.Clone(old)
	if e.attr.Name == entitlements && slices.ContainsFunc(e.value, isLicense) {
		out = slices.DeleteFunc(out, isLicense)
	}
	if len(e.value) > fewValues {
		return onePrimary(appendMany(out, e.value), e.value)
	}
	for _, add := range e.value {
		at := slices.IndexFunc(out, func(has directory.Element) bool {
			return has.Equal(add) || add.Field("value") != "" && has.Field("value") == add.Field("value") && has.Field("type") == add.Field("type")
		})
		if at < 0 {
			out = append(out, add)
			continue
		}
		out[at] = merge(out[at], add)
	}
	return onePrimary(out, e.value)
}

// fewValues are compared with each element; more would take minutes.
const fewValues = 4

// appendMany is append's loop for many values.
func appendMany(out, values directory.Value) directory.Value {
	seen := make(map[identity]int, len(out)+len(values))
	for i, has := range slices.Backward(out) {
		seen[identify(has)] = i
	}
	for _, add := range values {
		at, known := seen[identify(add)]
		if !known {
			seen[identify(add)] = len(out)
			out = append(out, add)
			continue
		}
		out[at] = merge(out[at], add)
	}
	return out
}

// identity is what makes two elements one: value and type, or for records
// without a value everything they say.
type identity struct{ value, kind, record string }

func identify(e directory.Element) identity {
	if value := e.Field("value"); value != "" {
		return identity{value: value, kind: e.Field("type")}
	}
	var record strings.Builder
	for _, f := range e {
		fmt.Fprintf(&record, "%s=%q,", f.Name, f.Text)
	}
	return identity{record: record.String()}
}

// matching edits the elements that the value filter selects.
func (e *edit) matching(old directory.Value, create bool) (directory.Value, error) {
	var out, changed directory.Value
	hit := false
	for i, has := range old {
		if !e.match.Match(elements(old), i) {
			out = append(out, has)
			continue
		}
		hit = true
		if e.removes() && e.sub == "" {
			continue
		}
		now := e.edited(has)
		out, changed = append(out, now), append(changed, now)
	}
	if hit || e.removes() || len(e.value) == 0 && e.text == "" {
		return onePrimary(substantial(out), changed), nil
	}
	if !e.seeds || e.op == scimlib.PatchOperationReplace && !create {
		return nil, noTarget("%s selects none of the values of %s", e.path, e.attr.path)
	}
	made := e.edited(directory.NewElement(e.seed...))
	return onePrimary(substantial(append(out, made)), directory.Value{made}), nil
}

// edited is one selected element after the edit. Replacing a whole record
// leaves it what the value filter asks of it (its type).
func (e *edit) edited(has directory.Element) directory.Element {
	switch {
	case e.removes():
		return has.With(e.sub, "")
	case e.sub != "":
		return has.With(e.sub, e.text)
	case len(e.value) == 0:
		return nil
	case e.op == scimlib.PatchOperationReplace:
		return merge(directory.NewElement(slices.Clone(e.seed)...), e.value[0])
	}
	return merge(has, e.value[0])
}

// every edits one field of all elements; of none it makes one.
func (e *edit) every(old directory.Value) directory.Value {
	out := make(directory.Value, 0, len(old)+1)
	for _, has := range old {
		out = append(out, e.edited(has))
	}
	if len(old) == 0 && !e.removes() {
		out = append(out, e.edited(nil))
	}
	return onePrimary(substantial(out), out)
}

// merge is has with the fields of add over its own.
func merge(has, add directory.Element) directory.Element {
	return directory.NewElement(append(slices.Clone(add), has...)...)
}

// substantial drops elements that only carry a label.
func substantial(v directory.Value) directory.Value {
	return slices.DeleteFunc(v, func(e directory.Element) bool { return !hasSubstance(e) })
}

func hasSubstance(e directory.Element) bool {
	return slices.ContainsFunc(e, func(f directory.Field) bool { return f.Name != "type" && f.Name != "primary" })
}

// onePrimary leaves one element marked as primary: the first that fresh marks
// too, else the first (RFC 7643 §2.4, RFC 7644 §3.5.2). v must be the caller's.
func onePrimary(v, fresh directory.Value) directory.Value {
	marked, keep := 0, 0
	for i, e := range slices.Backward(v) {
		if e.Primary() {
			marked++
			keep = i
		}
	}
	if marked < 2 {
		return v
	}
	named := make(map[identity]bool, len(fresh))
	for _, e := range fresh {
		if e.Primary() {
			named[identify(e)] = true
		}
	}
	if i := slices.IndexFunc(v, func(e directory.Element) bool { return e.Primary() && named[identify(e)] }); i >= 0 {
		keep = i
	}
	out := slices.Clone(v)
	for i := range out {
		if i != keep && out[i].Primary() {
			out[i] = out[i].With("primary", "false")
		}
	}
	return out
}

package yamlfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Text reads a scalar as it was written.
func Text(to *string) Reader {
	return func(n Node) {
		text, ok := n.scalar()
		if !ok {
			n.Fault("must be a text")
			return
		}
		*to = text
	}
}

// Texts reads a list of scalars, or one scalar as a list of one.
func Texts(to *[]string) Reader {
	return func(n Node) {
		if !n.IsList() {
			var one string
			faults := len(n.doc.faults)
			Text(&one)(n)
			if len(n.doc.faults) == faults {
				*to = []string{one}
			}
			return
		}
		list := n.List()
		*to = make([]string, len(list))
		for i, element := range list {
			Text(&(*to)[i])(element)
		}
	}
}

// OneOf reads one of a closed list of words.
func OneOf[T ~string](to *T, allowed ...T) Reader {
	return func(n Node) {
		text, ok := n.scalar()
		if ok && slices.Contains(allowed, T(text)) {
			*to = T(text)
			return
		}
		words := make([]string, len(allowed))
		for i, a := range allowed {
			words[i] = string(a)
		}
		if !ok {
			n.Fault("must be one word", words...)
			return
		}
		n.Fault(fmt.Sprintf("%q is not allowed", text), words...)
	}
}

// Some reads a list of words of a closed list, or one of them.
func Some[T ~string](to *[]T, allowed ...T) Reader {
	return func(n Node) {
		elements := []Node{n}
		if n.IsList() {
			elements = n.List()
		}
		*to = make([]T, len(elements))
		for i, element := range elements {
			OneOf(&(*to)[i], allowed...)(element)
		}
	}
}

// Bool reads true or false.
func Bool(to *bool) Reader {
	return func(n Node) {
		text, _ := n.scalar()
		switch strings.ToLower(text) {
		case "true":
			*to = true
		case "false":
			*to = false
		default:
			n.Fault(fmt.Sprintf("%q is neither true nor false", text), "true", "false")
		}
	}
}

// Integer reads a whole number that is not negative.
func Integer(to *int) Reader {
	return func(n Node) {
		text, _ := n.scalar()
		number, err := strconv.Atoi(text)
		if err != nil || number < 0 {
			n.Fault(fmt.Sprintf("%q is no whole number from 0", text))
			return
		}
		*to = number
	}
}

// Share reads a part of a whole, "10 %" or 0.1, into a number from 0 to 1.
func Share(to *float64) Reader {
	return func(n Node) {
		text, _ := n.scalar()
		digits, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
		number, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if percent {
			number /= 100
		}
		if err != nil || !(number >= 0 && number <= 1) {
			n.Fault(fmt.Sprintf("%q is no share; write 10%% or 0.1", text))
			return
		}
		*to = number
	}
}

// Duration reads "90s", "1h30m", "30d" or "2w" into a length of time that is not negative.
func Duration(to *time.Duration) Reader {
	return func(n Node) {
		text, _ := n.scalar()
		length, err := parseDuration(text)
		if err != nil || length < 0 {
			n.Fault(fmt.Sprintf("%q is no length of time; write 90s, 15m, 720h, 30d or 2w", text))
			return
		}
		*to = length
	}
}

// parseDuration is time.ParseDuration with whole days and weeks.
func parseDuration(text string) (time.Duration, error) {
	units := map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	for suffix, unit := range units {
		digits, ok := strings.CutSuffix(text, suffix)
		if !ok {
			continue
		}
		const century = 100 * 366
		number, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 16)
		if err != nil || number > century {
			return 0, fmt.Errorf("%q is no number of days or weeks", digits)
		}
		return time.Duration(number) * unit, nil
	}
	return time.ParseDuration(text)
}

// Time reads an instant in RFC 3339, or a day, which begins in UTC.
func Time(to *time.Time) Reader {
	return func(n Node) {
		text, _ := n.scalar()
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if instant, err := time.Parse(layout, text); err == nil {
				*to = instant
				return
			}
		}
		n.Fault(fmt.Sprintf("%q is no instant; write 2026-01-31T12:00:00Z", text))
	}
}

// Each reads every element of a list.
func Each(read Reader) Reader {
	return func(n Node) {
		for _, element := range n.List() {
			read(element)
		}
	}
}

package filter

import (
	"cmp"
	"math"
	"strconv"
)

// number is an integer or a float; integers beyond 2^53 stay exact.
type number struct {
	whole   bool
	integer int64
	float   float64
}

func numberOf(value any) (number, bool) {
	switch v := value.(type) {
	case int:
		return number{whole: true, integer: int64(v)}, true
	case float64:
		if v == math.Trunc(v) && -1<<63 <= v && v < 1<<63 {
			return number{whole: true, integer: int64(v)}, true
		}
		return number{float: v}, !math.IsNaN(v)
	}
	return number{}, false
}

// parseNumber reads a canonical value; what is too large for int64 is a float.
func parseNumber(s string) (number, bool) {
	numeric, whole := isNumber(s)
	if !numeric {
		return number{}, false
	}
	if whole {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return number{whole: true, integer: n}, true
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return number{float: f}, err == nil
}

func (n number) compare(m number) int {
	switch {
	case n.whole && m.whole:
		return cmp.Compare(n.integer, m.integer)
	case n.whole:
		return compareMixed(n.integer, m.float)
	case m.whole:
		return -compareMixed(m.integer, n.float)
	}
	return cmp.Compare(n.float, m.float)
}

// compareMixed compares without rounding the integer to a float.
func compareMixed(i int64, f float64) int {
	switch {
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole := math.Trunc(f)
	if c := cmp.Compare(i, int64(whole)); c != 0 {
		return c
	}
	return cmp.Compare(whole, f)
}
